"""The routes from a Gateway to the servers."""

from collections.abc import Mapping
from typing import Any

from constructs import Construct

from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.need import ServerAddresses
from clearml_k8s.parts.untyped import untyped
from config.addresses import Endpoint
from config.cert_manager import CertManager
from config.gateway import Gateway, ParentRef


class Routes(Construct):
    """HTTPRoute `<fullname>-<server>` for each server, and Certificate `<fullname>-gateway`.

    The Certificate only if a Secret for it is named; it is made where the first Gateway is.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        values: Gateway,
        cert_manager: CertManager,
        endpoints: Mapping[str, Endpoint],
        servers: ServerAddresses,
    ) -> None:
        super().__init__(scope, "gateway")
        parents = [_reference(parent) for parent in values.parent_refs]
        for server, endpoint in endpoints.items():
            address = servers.installed[server]
            untyped(
                self,
                f"route-{server}",
                api_version="gateway.networking.k8s.io/v1",
                kind="HTTPRoute",
                metadata=naming.component(server).metadata(annotations=values.annotations),
                spec={
                    "parentRefs": parents,
                    "hostnames": [endpoint.host],
                    "rules": [{"backendRefs": [{"name": address.host, "port": address.port}]}],
                },
            )
        if values.tls.secret_name:
            untyped(
                self,
                "certificate",
                api_version="cert-manager.io/v1",
                kind="Certificate",
                metadata=naming.component("gateway").metadata(),
                spec={
                    "secretName": values.tls.secret_name,
                    "dnsNames": [endpoint.host for endpoint in endpoints.values()],
                    "issuerRef": {"kind": cert_manager.kind, "name": cert_manager.issuer},
                },
                namespace=values.parent_refs[0].namespace or None,
            )


def _reference(parent: ParentRef) -> dict[str, Any]:
    return {
        str(field.alias): given
        for name, field in type(parent).model_fields.items()
        if (given := getattr(parent, name))
    }
