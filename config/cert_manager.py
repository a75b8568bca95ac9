"""Certificates from cert-manager."""

from typing import Literal

from pydantic import Field

from config.types.kubernetes import OptionalDnsSubdomain
from config.types.model import Model


class CertManager(Model):
    """The issuer of the certificates for all public hosts."""

    issuer: OptionalDnsSubdomain = Field(
        default="",
        description="Issuer of cert-manager that all hosts get certificates from, and so HTTPS; "
        "empty leaves cert-manager out.",
    )
    kind: Literal["ClusterIssuer", "Issuer"] = Field(
        default="ClusterIssuer", description="Kind of the issuer."
    )
