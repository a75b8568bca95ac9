"""Objects that the typed structs lack, or lack fields of."""

import json
from collections.abc import Mapping
from typing import Any

from cdk8s import ApiObject, ApiObjectMetadata, JsonPatch
from cdk8s_plus_25 import k8s
from constructs import Construct


def untyped(
    scope: Construct,
    id: str,
    *,
    api_version: str,
    kind: str,
    metadata: k8s.ObjectMeta,
    spec: Mapping[str, Any],
    namespace: str | None = None,
) -> None:
    """Make an object of any kind; in the namespace of its chart unless another is given."""
    made = ApiObject(
        scope,
        id,
        api_version=api_version,
        kind=kind,
        metadata=ApiObjectMetadata(**metadata._values, namespace=namespace),
    )
    made.add_json_patch(JsonPatch.add("/spec", in_order(spec)))


def in_order(part: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a manifest with its keys sorted, as cdk8s does not sort what is patched in."""
    ordered: dict[str, Any] = json.loads(json.dumps(part, sort_keys=True))
    return ordered
