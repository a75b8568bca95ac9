"""What the user is told after a synth: what was written, and the addresses to open."""

import re
from collections.abc import Iterator
from pathlib import Path

from clearml_k8s.ingress import SUBDOMAINS
from clearml_k8s.parts.need import ServerAddresses
from config import Values


def notes(values: Values, servers: ServerAddresses, outdir: Path) -> str:
    """The files and objects in the output folder, the addresses of the servers, the warnings."""
    files = sorted(outdir.glob("*.k8s.yaml"))
    objects = sum(len(re.findall(r"^kind:", file.read_text(), re.MULTILINE)) for file in files)
    lines = [
        f"{objects} objects in {len(files)} files written to {outdir}",
        *(f"  {name}: {address}" for name, address in _addresses(values, servers)),
        *(f"warning: {warning}" for warning in values.warnings()),
    ]
    return "\n".join(lines)


def _addresses(values: Values, servers: ServerAddresses) -> Iterator[tuple[str, str]]:
    titles = {"app": "Web", "api": "API", "files": "Files"}
    local_ports = {"webserver": 8080, **values.generation.web_page_ports}
    namespace = values.release.namespace
    for subdomain, server in SUBDOMAINS.items():
        title, service = titles[subdomain], getattr(values, server).service
        name = getattr(servers, server).host
        if values.ingress.enabled:
            scheme = "https" if values.ingress.tls.secret_name else "http"
            yield title, f"{scheme}://{subdomain}.{values.ingress.host}"
        elif service.type == "NodePort" and service.node_port:
            yield title, f"http://<any node>:{service.node_port}"
        elif service.type == "ClusterIP":
            ports = f"{local_ports[server]}:{service.port}"
            yield title, f"kubectl port-forward -n {namespace} svc/{name} {ports}"
        else:
            yield title, f"kubectl get -n {namespace} svc/{name} shows the address"
