"""Services in front of the servers."""

from collections.abc import Iterator

from pydantic import Field

from config.types.kubernetes import NodePort, OptionalIpAddress, Port, ServiceType
from config.types.model import Mistake, Model


class Service(Model):
    """A Service in front of a server."""

    type: ServiceType = Field(
        default="NodePort", description="Type of the Service: ClusterIP, NodePort or LoadBalancer."
    )
    port: Port
    node_port: NodePort
    load_balancer_ip: OptionalIpAddress = Field(
        default="",
        alias="loadBalancerIP",
        description="Address that the load balancer is to have, with type LoadBalancer.",
    )

    @property
    def published_node_port(self) -> int | None:
        """The node port to ask for; None where the type has none or the cluster may choose."""
        return self.node_port if self.type != "ClusterIP" and self.node_port else None

    def mistakes(self) -> Iterator[Mistake]:
        """An address of a load balancer that is none."""
        yield from super().mistakes()
        if self.load_balancer_ip and self.type != "LoadBalancer":
            yield Mistake(("loadBalancerIP",), "needs type LoadBalancer", self.load_balancer_ip)
