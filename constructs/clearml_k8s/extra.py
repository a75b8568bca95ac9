"""Objects that the values spell out."""

from collections.abc import Iterable, Mapping
from typing import Any

from cdk8s import ApiObject, JsonPatch
from constructs import Construct

from clearml_k8s.parts.naming import Naming
from config.types.kubernetes import CLUSTER_SCOPED


def extra_objects(
    scope: Construct, naming: Naming, namespace: str, manifests: Iterable[Mapping[str, Any]]
) -> None:
    """Make the objects word for word, with namespace, common labels and annotations if missing."""
    for index, manifest in enumerate(manifests):
        made = ApiObject(
            scope,
            f"object-{index}",
            api_version=manifest["apiVersion"],
            kind=manifest["kind"],
        )
        head = {key: manifest[key] for key in ("apiVersion", "kind")}  # in the order of cdk8s
        head["metadata"] = _completed(manifest, naming, namespace)
        made.add_json_patch(JsonPatch.replace("", {**head, **manifest, **head}))
        if head["metadata"].get("namespace") == namespace:
            naming.common.contents.add_manifest(manifest)


def _completed(manifest: Mapping[str, Any], naming: Naming, namespace: str) -> dict[str, Any]:
    given = manifest["metadata"]
    common = {"labels": naming.common.labels, "annotations": naming.common.annotations}
    metadata = dict(given)
    if manifest["kind"] not in CLUSTER_SCOPED:
        metadata.setdefault("namespace", namespace)
    for part, entries in common.items():
        if entries:
            metadata[part] = {**entries, **given.get(part, {})}
    return metadata
