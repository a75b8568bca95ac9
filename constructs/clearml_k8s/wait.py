"""Init containers that end when what the pod depends on answers."""

from collections.abc import Mapping

from cdk8s_plus_25 import k8s

from config.workload import Image

# Python, because the server image has it for certain: a tool that is missing fails, never hangs.
SCRIPT = """\
import socket, sys, time, urllib.request
from urllib.parse import urlsplit

def answers(url):
    if url.startswith("http"):
        return urllib.request.urlopen(url, timeout=5).close()
    address = urlsplit(url)
    socket.create_connection((address.hostname, address.port), timeout=5).close()

deadline = time.monotonic() + 600
for target in sys.argv[1:]:
    name, url = target.split("=", 1)
    while True:
        try:
            answers(url)
            break
        except Exception as error:
            if time.monotonic() > deadline:
                sys.exit("gave up waiting for %s at %s: %s" % (name, url, error))
            print("waiting for %s at %s: %s" % (name, url, error), flush=True)
            time.sleep(5)
    print("%s answers" % name, flush=True)
"""


def wait_for(image: Image, targets: Mapping[str, str]) -> k8s.Container:
    """An init container that waits for the targets, a name and a URL each.

    `http` URLs must answer with success, `tcp` ones accept a connection. After ten minutes it
    fails, says what is missing, and is started again.
    """
    return k8s.Container(
        name="wait-for-" + "-".join(targets),
        image=image.reference,
        image_pull_policy=image.pull_policy,
        command=["python3", "-c", SCRIPT],
        args=[f"{name}={url}" for name, url in targets.items()],
    )
