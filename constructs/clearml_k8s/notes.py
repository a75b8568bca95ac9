"""What the user is told after a synth: what was written, the addresses to open, the warnings."""

import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from clearml_k8s.parts.need import ServerAddresses
from config import Values
from config.addresses import PARTS, PublicUrls

INDENT = "  "


def notes(
    values: Values, servers: ServerAddresses, outdir: Path, warnings: Sequence[str] = ()
) -> str:
    """The files in the output folder, the addresses of the servers, the warnings.

    `warnings` are more than those of the values, and come first. Wrapped to the terminal, or to 100
    columns, but for what users copy.
    """
    files = sorted(file for file in outdir.glob("*.k8s.yaml") if file.is_file())
    texts = [file.read_text(encoding="utf-8") for file in files]
    objects = sum(len(re.findall(r"^kind:", text, re.MULTILINE)) for text in texts)
    lines = [
        f"{objects} objects in {len(files)} files written to {outdir}",
        _wrapped(INDENT + ", ".join(file.name for file in files)),
        *(f"{INDENT}{name}: {address}" for name, address in _addresses(values, servers)),
        *(f"{INDENT}{line}" for line in _client_configuration(values.public_urls)),
        *(_wrapped(f"warning: {text}") for text in dict.fromkeys((*warnings, *values.warnings()))),
    ]
    return "\n".join(lines)


def _wrapped(paragraph: str) -> str:
    width = shutil.get_terminal_size((100, 0)).columns
    return textwrap.fill(
        paragraph, width, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False
    )


def _addresses(values: Values, servers: ServerAddresses) -> Iterator[tuple[str, str]]:
    titles = {"webserver": "Web", "apiserver": "API", "fileserver": "Files"}
    local_ports = {"webserver": 8080, **values.generation.web_page_ports}
    namespace, urls = values.release.namespace, values.public_urls
    for server in PARTS:
        title, service = titles[server], values.server(server).service
        url, address = urls.of(server), servers.installed.get(server)
        if url:
            yield title, url
        elif address is None:
            continue
        elif server in values.routes:
            yield title, values.routes[server].host + values.routes[server].path
        elif service.type == "NodePort" and service.node_port:
            yield title, f"http://<any node>:{service.node_port}"
        elif service.type == "ClusterIP":
            ports = f"{local_ports[server]}:{service.port}"
            yield title, f"kubectl port-forward -n {namespace} svc/{address.host} {ports}"
        else:
            yield title, f"kubectl get -n {namespace} svc/{address.host} shows the address"


def _client_configuration(public: PublicUrls) -> list[str]:
    """What goes into the clearml.conf of those who work with the servers, if all are known."""
    servers = {
        "web_server": public.webserver,
        "api_server": public.apiserver,
        "files_server": public.fileserver,
    }
    if not all(servers.values()):
        return []
    return [
        "clearml.conf, with credentials from the settings of the web page:",
        "api {",
        *(f'{INDENT}{key}: "{url}"' for key, url in servers.items()),
        "}",
    ]
