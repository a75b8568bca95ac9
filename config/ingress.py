"""The Ingress in front of the three servers."""

from collections.abc import Iterator

from pydantic import Field

from config.types.kubernetes import Annotations, DnsSubdomain, OptionalDnsSubdomain
from config.types.model import Mistake, Model, Section, section


class IngressTls(Model):
    """TLS of the Ingress."""

    secret_name: OptionalDnsSubdomain = Field(
        default="",
        description="Secret with a certificate for the three hosts; empty serves plain HTTP.",
    )


class Ingress(Model):
    """One Ingress for `app.<host>`, `api.<host>` and `files.<host>`."""

    enabled: bool = Field(default=False, description="Whether to make an Ingress.")
    name: DnsSubdomain = Field(
        default="clearml-server-ingress", description="Name of the Ingress object."
    )
    class_name: OptionalDnsSubdomain = Field(
        default="", description="Ingress class; empty leaves it to the cluster's default class."
    )
    annotations: Annotations = Field(default={}, description="Annotations of the Ingress.")
    host: OptionalDnsSubdomain = Field(
        default="",
        description="Domain that `app.`, `api.` and `files.` are put in front of.",
    )
    tls: Section[IngressTls] = section()

    def mistakes(self) -> Iterator[Mistake]:
        """An Ingress without a host."""
        if self.enabled and not self.host:
            yield Mistake(("host",), "is needed by an enabled ingress", self.host)
