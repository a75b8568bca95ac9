"""Services in front of the servers."""

from pydantic import Field

from config.types.kubernetes import NodePort, Port, ServiceType
from config.types.model import Model


class Service(Model):
    """A Service in front of a server."""

    type: ServiceType = Field(
        default="NodePort", description="Type of the Service: ClusterIP, NodePort or LoadBalancer."
    )
    port: Port
    node_port: NodePort

    @property
    def published_node_port(self) -> int | None:
        """The node port to ask for; None where the type has none or the cluster may choose."""
        return self.node_port if self.type != "ClusterIP" and self.node_port else None
