"""What the user is told after a synth: what was written, and the addresses to open."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from clearml_k8s.naming import Address
from config import Values


def notes(values: Values, servers: Mapping[str, Address], outdir: Path) -> str:
    """The files and objects in the output folder, the addresses of the servers, the warnings."""
    files = sorted(outdir.glob("*.k8s.yaml"))
    objects = sum(len(re.findall(r"^kind:", file.read_text(), re.MULTILINE)) for file in files)
    lines = [
        f"{objects} objects in {len(files)} files written to {outdir}",
        *(f"  {name}: {address}" for name, address in _addresses(values, servers)),
        *(f"warning: {warning}" for warning in values.warnings()),
    ]
    return "\n".join(lines)


def _addresses(values: Values, servers: Mapping[str, Address]) -> Iterator[tuple[str, str]]:
    # A page from port 8080 looks for the API on 8008 and for files on 8081 of the same host.
    services = {
        "app": ("Web", values.webserver.service, 8080),
        "api": ("API", values.apiserver.service, 8008),
        "files": ("Files", values.fileserver.service, 8081),
    }
    namespace = values.release.namespace
    for subdomain, (title, service, local_port) in services.items():
        name = servers[subdomain].host
        if values.ingress.enabled:
            scheme = "https" if values.ingress.tls.secret_name else "http"
            yield title, f"{scheme}://{subdomain}.{values.ingress.host}"
        elif service.type == "NodePort" and service.node_port:
            yield title, f"http://<any node>:{service.node_port}"
        elif service.type == "ClusterIP":
            ports = f"{local_port}:{service.port}"
            yield title, f"kubectl port-forward -n {namespace} svc/{name} {ports}"
        else:
            yield title, f"kubectl get -n {namespace} svc/{name} shows the address"
