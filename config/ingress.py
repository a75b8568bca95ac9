"""Ingresses: one in front of all servers, or one for each of them."""

from collections.abc import Iterator
from typing import Literal

from pydantic import AliasChoices, Field

from config.types.kubernetes import (
    Annotations,
    DnsSubdomain,
    HostPrefix,
    IngressPath,
    OptionalDnsSubdomain,
    OptionalDomain,
    OptionalHostName,
    is_plain_path,
)
from config.types.model import Mistake, Model, Section, section
from config.types.urls import PLAIN_PATH

CLASS = "Ingress class; empty leaves it to the cluster's default class."
# Which some controllers read in place of the field.
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
NO_HOST = "is needed by an enabled ingress"


class ServerIngress(Model):
    """An Ingress for one server alone; what it leaves out is as in the common `ingress`."""

    enabled: bool = Field(
        default=False,
        description="Whether the server has an Ingress of its own; the common one leaves it out.",
    )
    ingress_class_name: OptionalDnsSubdomain = Field(
        default="",
        validation_alias=AliasChoices("ingressClassName", "className"),
        description="Ingress class; empty takes that of the common `ingress`.",
    )
    host_name: OptionalHostName = Field(
        default="",
        description="Host that leads to the server; a wildcard is allowed. Empty takes that of the "
        "common `ingress`.",
    )
    path: IngressPath = Field(
        default="/", description="Path below which the server is; `/` gives it the whole host."
    )
    path_type: Literal["Prefix", "Exact", "ImplementationSpecific"] = Field(
        default="Prefix", description="How the path is compared."
    )
    tls_secret_name: OptionalDnsSubdomain = Field(
        default="",
        description="Secret with a certificate for the host; empty takes that of the common "
        "`ingress`, or else serves plain HTTP, unless there is a `certManager.issuer`.",
    )
    annotations: Annotations = Field(
        default={}, description="Annotations of the Ingress, beside those of the common `ingress`."
    )

    @property
    def class_name(self) -> str:
        """The ingress class, under the name that the common Ingress has for it."""
        return self.ingress_class_name

    @property
    def prefix(self) -> str:
        """What the paths of requests begin with, such as `/clearml`; empty if it is not fixed."""
        path = self.path.rstrip("/")
        return path if self.enabled and PLAIN_PATH.fullmatch(path) else ""

    def mistakes(self) -> Iterator[Mistake]:
        """Paths that are no plain ones."""
        if self.path_type != "ImplementationSpecific" and not is_plain_path(self.path):
            yield Mistake(
                ("path",), "needs pathType ImplementationSpecific: it is no plain path", self.path
            )


class HostNames(Model):
    """What leads to all servers, and the domain that their hosts are made from."""

    enabled: bool
    host: OptionalDomain = Field(
        default="",
        description="Domain that the prefixes `app.`, `api.` and `files.` are put in front of.",
    )
    host_prefix_app: HostPrefix = Field(
        default="app.", description="What is put in front of `host` for the web server."
    )
    host_prefix_api: HostPrefix = Field(
        default="api.", description="What is put in front of `host` for the API server."
    )
    host_prefix_files: HostPrefix = Field(
        default="files.", description="What is put in front of `host` for the file server."
    )

    def host_of(self, part: str) -> str:
        """The host of `app`, `api` or `files`; empty if there is none."""
        own: str = getattr(self, part).host_name
        return own or (f"{getattr(self, f'host_prefix_{part}')}{self.host}" if self.host else "")


class IngressHost(Model):
    """The host of one server, where it is not made from `ingress.host`."""

    host_name: OptionalHostName = Field(
        default="", description="Host of the server; empty puts its prefix in front of `host`."
    )
    tls_secret_name: OptionalDnsSubdomain = Field(
        default="", description="Secret with a certificate for it; empty: `ingress.tls.secretName`."
    )


class IngressTls(Model):
    """TLS of the Ingress."""

    secret_name: OptionalDnsSubdomain = Field(
        default="",
        description="Secret with a certificate for the three hosts; empty serves plain HTTP, "
        "unless there is a `certManager.issuer`.",
    )


class Ingress(HostNames):
    """One Ingress for `app.<host>`, `api.<host>` and `files.<host>`."""

    enabled: bool = Field(default=False, description="Whether to make an Ingress.")
    name: DnsSubdomain = Field(
        default="clearml-server-ingress", description="Name of the Ingress object."
    )
    class_name: OptionalDnsSubdomain = Field(
        default="",
        validation_alias=AliasChoices("className", "ingressClassName"),
        description=CLASS,
    )
    annotations: Annotations = Field(default={}, description="Annotations of the Ingress.")
    app: Section[IngressHost] = section()
    api: Section[IngressHost] = section()
    files: Section[IngressHost] = section()
    tls: Section[IngressTls] = section()

    def secret_of(self, part: str) -> str:
        """The Secret with the certificate of `app`, `api` or `files`; empty if none is named."""
        own: str = getattr(self, part).tls_secret_name
        return own or self.tls.secret_name

    def for_one(self, part: str, own: ServerIngress) -> ServerIngress:
        """The own Ingress of `app`, `api` or `files`, with what it leaves out."""
        return own.model_copy(
            update={
                "ingress_class_name": own.ingress_class_name or self.class_name,
                "host_name": own.host_name or self.host_of(part),
                "tls_secret_name": own.tls_secret_name or self.secret_of(part),
                "annotations": {**self.annotations, **own.annotations},
            }
        )

    def mistakes(self) -> Iterator[Mistake]:
        """An Ingress without any host."""
        if self.enabled and not any(map(self.host_of, ("app", "api", "files"))):
            yield Mistake(("host",), NO_HOST, self.host)
