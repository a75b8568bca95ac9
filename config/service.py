"""Services in front of the servers and stores."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from config import tls
from config.store import ChartModel
from config.types.kubernetes import (
    Annotations,
    Cidr,
    ExternalIp,
    Labels,
    NodePort,
    OptionalIpAddress,
    Port,
    QualifiedName,
    ServiceType,
)
from config.types.model import Mistake, Model
from config.types.scalars import Integer


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
    annotations: Annotations = Field(default={}, description="Annotations of the Service.")
    labels: Labels = Field(default={}, description="More labels of the Service.")
    load_balancer_class: QualifiedName | None = Field(
        default=None,
        description="Class of the load balancer (LoadBalancer); unset, the cluster's default.",
    )
    load_balancer_source_ranges: list[Cidr] = Field(
        default=[],
        description="Addresses that the load balancer lets in (LoadBalancer), such as 10.0.0.0/8; "
        "empty means all.",
    )
    external_traffic_policy: Literal["Cluster", "Local"] | None = Field(
        default=None,
        description="Whether a node passes requests on to pods of other nodes (Cluster, unless "
        "set), or keeps them and the client's address (Local); NodePort and LoadBalancer.",
    )
    session_affinity: Literal["None", "ClientIP"] | None = Field(
        default=None,
        description="Whether requests of one client go to the same pod (ClientIP); unset, they do "
        "not.",
    )
    session_affinity_timeout_seconds: Annotated[Integer, Field(ge=1, le=86400)] | None = Field(
        default=None,
        description="Seconds without a request after which a client may get another pod; unset, "
        "three hours.",
    )

    ip_family_policy: Literal["SingleStack", "PreferDualStack", "RequireDualStack"] | None = Field(
        default=None,
        description="Whether the Service has addresses of IPv4 and IPv6: of one (SingleStack), of "
        "both where the cluster has both (PreferDualStack), or of both (RequireDualStack); unset, "
        "SingleStack.",
    )
    ip_families: list[Literal["IPv4", "IPv6"]] = Field(
        default=[],
        description="Families of its addresses, the first one first; empty, those of the cluster.",
    )
    external_ips: list[ExternalIp] = Field(
        default=[],
        alias="externalIPs",
        description="Addresses outside the cluster at which its nodes answer for the Service too.",
    )
    allocate_load_balancer_node_ports: bool | None = Field(
        default=None,
        description="Whether a LoadBalancer gets node ports; false for load balancers that reach "
        "pods directly. Unset, it does.",
    )
    traffic_distribution: Literal["PreferClose", "PreferSameZone", "PreferSameNode"] | None = Field(
        default=None,
        description="Which pods requests from inside the cluster go to first: those of the same "
        "zone (PreferClose, Kubernetes 1.31 and later; PreferSameZone, 1.34) or of the same node "
        "(PreferSameNode, 1.34); unset, any.",
    )

    @property
    def published_node_port(self) -> int | None:
        """The node port to ask for; None where the type has none or the cluster may choose.

        A load balancer needs none that is known, and has none unless it is given.
        """
        asked_for = self.type == "NodePort" or (
            self.type == "LoadBalancer" and "node_port" in self.model_fields_set
        )
        return self.node_port if asked_for and self.node_port else None

    @property
    def told(self) -> tls.Told:
        """What the annotations tell of TLS at the load balancer."""
        return tls.of_annotations(self.annotations, port=self.port)

    @property
    def scheme(self) -> Literal["http", "https"] | None:
        """The scheme that the load balancer speaks; None where the values leave it open."""
        if self.told.https or self.port == 443:
            return "https"
        return None if self.told.unclear else "http"

    def shares_address(self, other: "Service") -> bool:
        """Whether two load balancers are to have one address (MetalLB, Cilium, Azure ...)."""
        sharing = {pair for pair in self.annotations.items() if "shar" in pair[0].lower()}
        one = self.load_balancer_ip and self.load_balancer_ip == other.load_balancer_ip
        return bool(one or sharing & set(other.annotations.items()))

    def mistakes(self) -> Iterator[Mistake]:
        """Fields that Kubernetes refuses on a Service of this type."""
        yield from super().mistakes()
        of_types = {
            "loadBalancerIP": (self.load_balancer_ip, ("LoadBalancer",)),
            "loadBalancerClass": (self.load_balancer_class, ("LoadBalancer",)),
            "loadBalancerSourceRanges": (self.load_balancer_source_ranges, ("LoadBalancer",)),
            "allocateLoadBalancerNodePorts": (
                self.allocate_load_balancer_node_ports is not None,
                ("LoadBalancer",),
            ),
            "externalTrafficPolicy": (
                self.external_traffic_policy and not self.external_ips,
                ("NodePort", "LoadBalancer"),
            ),
        }
        for key, (given, types) in of_types.items():
            if given and self.type not in types:
                yield Mistake((key,), f"goes with type {' or '.join(types)} only")
        if self.session_affinity_timeout_seconds and self.session_affinity != "ClientIP":
            yield Mistake(
                ("sessionAffinityTimeoutSeconds",),
                "goes with sessionAffinity ClientIP only",
                self.session_affinity_timeout_seconds,
            )
        yield from self._ip_mistakes()

    def _ip_mistakes(self) -> Iterator[Mistake]:
        """Families that are named twice or do not go with the policy, and addresses given twice."""
        families, both = self.ip_families, ("PreferDualStack", "RequireDualStack")
        if len(families) > len(set(families)):
            yield Mistake(("ipFamilies",), "must name each family once", families)
        elif len(families) > 1 and self.ip_family_policy not in both:
            message = "needs ipFamilyPolicy PreferDualStack or RequireDualStack for two families"
            yield Mistake(("ipFamilies",), message, families)
        for index, each in enumerate(self.external_ips):
            if each in self.external_ips[:index]:
                yield Mistake(("externalIPs", index), "is given twice", each)


class StoreService(ChartModel):
    """The Service in front of a store."""

    annotations: Annotations = Field(default={}, description="Annotations of the Service.")
