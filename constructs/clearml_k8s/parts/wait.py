"""Init containers that end when what the pod depends on answers."""

from collections.abc import Mapping

from clearml_k8s.parts.container import Container, confined
from clearml_k8s.parts.environment import Template
from clearml_k8s.parts.need import Target
from clearml_k8s.programs import python
from config.image import PulledImage

# Python, because the server image has it for certain: a tool that is missing fails, never hangs.
SCRIPT = """\
import re, socket, sys, time, urllib.request

PORTS = {"mongodb": 27017}

def answers(scheme, hosts, url):
    if scheme == "http":
        return urllib.request.urlopen(url, timeout=5).close()
    for host in hosts.split(","):
        name, port = re.match(r"\\[?(.*?)\\]?(?::(\\d+))?$", host).groups()
        try:
            return socket.create_connection((name, int(port or PORTS[scheme])), timeout=5).close()
        except OSError as failure:
            error = failure
    raise error

deadline = time.monotonic() + 600
said = ""
for target in sys.argv[1:]:
    name, url = target.split("=", 1)
    scheme, _, rest = url.partition("://")
    hosts = re.split("[/?]", rest.rpartition("@")[2])[0]
    if scheme == "mongodb+srv":
        print("%s is found through DNS, not waiting for it" % name, flush=True)
        continue
    while True:
        try:
            answers(scheme, hosts, url)
            break
        except Exception as error:
            if time.monotonic() > deadline:
                sys.exit("gave up waiting for %s at %s: %s" % (name, hosts, error))
            waiting = "waiting for %s at %s: %s" % (name, hosts, error)
            if waiting != said:
                print(waiting, flush=True)
            said = waiting
            time.sleep(1)
    print("%s answers" % name, flush=True)
"""


def wait_for(image: PulledImage, targets: Mapping[str, Target]) -> Container:
    """An init container that waits for the targets, by name, one after the other.

    `http` URLs must answer with success; of the hosts of any other URL one must accept a
    connection. After ten minutes it fails, says what is missing, and is started again.
    """
    variables = {
        name: value for target in targets.values() for name, value in target.environment.items()
    }
    return Container(
        name="wait-for-" + "-".join(targets),
        image=image,
        command=["python3", "-c", python(SCRIPT)],
        args=[Template(f"{name}={target.url}") for name, target in targets.items()],
        env=variables,
        security_context=confined(read_only=True),
    )
