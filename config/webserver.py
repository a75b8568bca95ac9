"""The web server."""

from typing import Any

from pydantic import Field

from config.configuration import WebPageConfigs
from config.pod import default_resources
from config.server import Server
from config.service import Service
from config.types.fragment import Resources
from config.types.kubernetes import NodePort, Port, Replicas
from config.types.model import Section, section

RESOURCES: Any = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}


class WebserverService(Service):
    """The Service in front of the web server."""

    port: Port = Field(default=80, description="Port of the web server's Service.")
    node_port: NodePort = Field(
        default=30080,
        description="Node port of the web server; 0 lets the cluster choose. "
        "A LoadBalancer has it only if it is set.",
    )


class Webserver(Server, WebPageConfigs):
    """The web server: the user interface, and a proxy to the other two servers."""

    resources: Resources = default_resources(RESOURCES)
    service: Section[WebserverService] = section()
    replica_count: Replicas = Field(default=1, description="Number of web server pods.")
