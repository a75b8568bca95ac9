"""Routes of a Gateway (gateway.networking.k8s.io), which take the place of Ingresses."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.ingress import HostNames
from config.tls import SECURE_LISTENER
from config.types.kubernetes import (
    Annotations,
    DnsSubdomain,
    OptionalDnsLabel,
    OptionalDnsSubdomain,
    OptionalHostName,
    Port,
)
from config.types.model import Mistake, Model, Section, section
from config.types.scalars import Text, matching

ParentKind = Annotated[
    Text,
    matching(
        r"^[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$",
        "must be the kind of an object, up to 63 letters, digits and '-'",
    ),
]


class ParentRef(Model):
    """A Gateway that the routes attach to."""

    group: OptionalDnsSubdomain = Field(
        default="", description="API group of the parent; empty means that of Gateways."
    )
    kind: ParentKind | None = Field(
        default=None, description="Kind of the parent; unset means Gateway."
    )
    namespace: OptionalDnsLabel = Field(
        default="", description="Namespace of the Gateway; empty means that of the installation."
    )
    name: DnsSubdomain = Field(description="Name of the Gateway.")
    section_name: OptionalDnsSubdomain = Field(
        default="", description="Listener of the Gateway; empty means all that take the routes."
    )
    port: Port | None = Field(default=None, description="Port of the listener.")


class GatewayHost(Model):
    """The host of one server, where it is not made from `gateway.host`."""

    host_name: OptionalHostName = Field(
        default="", description="Host of the server; empty puts its prefix in front of `host`."
    )


class GatewayTls(Model):
    """TLS at the Gateway, whose listeners are configured there."""

    enabled: bool = Field(
        default=False,
        description="Whether the Gateway serves the hosts over HTTPS, as one does whose listener "
        "has port 443 or a name such as https.",
    )
    secret_name: OptionalDnsSubdomain = Field(
        default="",
        description="Secret that `certManager.issuer` puts a certificate for the hosts into, in "
        "the namespace of the first Gateway; it implies HTTPS.",
    )


class Gateway(HostNames):
    """An HTTPRoute per server instead of Ingresses."""

    enabled: bool = Field(default=False, description="Whether to make HTTPRoutes.")
    parent_refs: Annotated[list[Section[ParentRef]], Field(max_length=32)] = Field(
        default=[], description="The Gateways that the routes attach to."
    )
    annotations: Annotations = Field(default={}, description="Annotations of the HTTPRoutes.")
    app: Section[GatewayHost] = section()
    api: Section[GatewayHost] = section()
    files: Section[GatewayHost] = section()
    tls: Section[GatewayTls] = section()

    @property
    def serves_https(self) -> bool:
        """Whether clients come over HTTPS, as is said or as the listeners tell by name or port."""
        return (
            self.tls.enabled
            or bool(self.tls.secret_name)
            or any(
                parent.port == 443 or SECURE_LISTENER.search(parent.section_name)
                for parent in self.parent_refs
            )
        )

    def mistakes(self) -> Iterator[Mistake]:
        """Routes without a Gateway or without any host."""
        if self.enabled and not self.parent_refs:
            yield Mistake(("parentRefs",), "must name the Gateway of the routes", self.parent_refs)
        if self.enabled and not any(map(self.host_of, ("app", "api", "files"))):
            yield Mistake(("host",), "is needed by an enabled gateway", self.host)
        for index, parent in enumerate(self.parent_refs):
            if parent in self.parent_refs[:index]:
                yield Mistake(("parentRefs", index), "is listed twice")
