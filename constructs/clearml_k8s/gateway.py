"""The routes from a Gateway to the servers."""

import json
from collections.abc import Mapping
from typing import Any

from cdk8s import ApiObject, ApiObjectMetadata, JsonPatch
from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.need import ServerAddresses
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
            _add(
                self,
                "gateway.networking.k8s.io/v1",
                "HTTPRoute",
                naming.component(server).metadata(annotations=values.annotations),
                {
                    "parentRefs": parents,
                    "hostnames": [endpoint.host],
                    "rules": [{"backendRefs": [{"name": address.host, "port": address.port}]}],
                },
            )
        if values.tls.secret_name:
            _add(
                self,
                "cert-manager.io/v1",
                "Certificate",
                naming.component("gateway").metadata(),
                {
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


def _add(
    scope: Construct,
    api_version: str,
    kind: str,
    metadata: k8s.ObjectMeta,
    spec: Mapping[str, Any],
    namespace: str | None = None,
) -> None:
    made = ApiObject(
        scope,
        f"{kind}-{metadata.name}",
        api_version=api_version,
        kind=kind,
        metadata=ApiObjectMetadata(**metadata._values, namespace=namespace),
    )
    # Sorted, as cdk8s does not sort what is patched in.
    made.add_json_patch(JsonPatch.add("/spec", json.loads(json.dumps(spec, sort_keys=True))))
