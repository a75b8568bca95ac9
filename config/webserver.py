"""The web server."""

from pydantic import Field

from config.configuration import WebPageConfigs
from config.server import Server
from config.service import Service
from config.types.kubernetes import NodePort, Port, Replicas
from config.types.model import Section, section


class WebserverService(Service):
    """The Service in front of the web server."""

    port: Port = Field(default=80, description="Port of the web server's Service.")
    node_port: NodePort = Field(
        default=30080,
        description="Node port of the web server (NodePort and LoadBalancer); 0 lets the cluster "
        "choose.",
    )


class Webserver(Server, WebPageConfigs):
    """The web server: the user interface, and a proxy to the other two servers."""

    service: Section[WebserverService] = section()
    replica_count: Replicas = Field(default=1, description="Number of web server pods.")
