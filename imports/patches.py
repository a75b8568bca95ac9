"""What rendered charts need before clusters of Kubernetes 1.25 and later take them and run.

Names, selectors, claim templates and all else that a cluster refuses to change stay as they are.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from config.types.kubernetes import CLUSTER_SCOPED

Object = dict[str, Any]
Patch = Callable[[list[Object]], None]

WORKLOADS = {"Deployment", "StatefulSet"}
PROBES = {"livenessProbe", "readinessProbe", "startupProbe"}
CONTAINERS = {"initContainers", "containers"}
# Mappings whose `type` says which other fields they have.
TYPED = {"updateStrategy", "seccompProfile", "appArmorProfile"}
REMOVED_APIS = re.compile(
    r"(extensions|apps|policy|batch|networking\.k8s\.io|rbac\.authorization\.k8s\.io"
    r"|autoscaling|apiextensions\.k8s\.io)/v\d(alpha|beta)\d"
)
OBSOLETE_ANNOTATION = "service.alpha.kubernetes.io/tolerate-unready-endpoints"
# Since August 2025 bitnami/* has no more versioned tags; they were moved, and get no updates.
DEAD_IMAGE = re.compile(
    r"(docker\.io/)?(?P<dead>bitnami/(?P<image>[^:@/]+)):(?P<tag>(?!latest$).+)"
)


def strategic_merge(base: Object, patch: Object) -> Object:
    """The base with the patch over it, field by field; what the patch does not name stays.

    In the patch an empty mapping takes away what is there, and None leaves it alone. Containers are
    overlaid by name, other named items of lists replaced, and items without a name added. Replaced
    as a whole are resources, lists of words, and strategies and profiles of another type.
    """
    merged = dict(base)
    for key, part in patch.items():
        there = merged.get(key)
        if part == {}:
            merged.pop(key, None)
        elif isinstance(there, dict) and isinstance(part, dict) and _goes_over(key, there, part):
            merged[key] = strategic_merge(there, part)
        elif isinstance(there, list) and isinstance(part, list) and _has_items(part):
            merged[key] = _joined(there, part, strategic_merge if key in CONTAINERS else _replaced)
        elif part is not None:
            merged[key] = part
    return merged


def _goes_over(key: str, there: Object, part: Object) -> bool:
    other_type = key in TYPED and part.get("type") != there.get("type")
    return key != "resources" and not other_type


def _has_items(part: list[Any]) -> bool:
    return any(isinstance(item, dict) for item in part)


def _replaced(there: Object, item: Object) -> Object:
    return item


def _joined(
    base: list[Object], patch: list[Object], over: Callable[[Object, Object], Object]
) -> list[Object]:
    items = list(base)
    for item in patch:
        known = [place for place, there in enumerate(items) if _name(there) == _name(item)]
        for place in known:
            items[place] = over(items[place], item)
        if not known:
            items.append(item)
    return items


def _name(item: Object) -> object:
    """What an item goes by: mounts share the name of their volume."""
    return item.get("mountPath") or item.get("name") or item


def set_namespace(objects: list[Object], namespace: str) -> None:
    """Not all charts put their objects into the namespace of the release."""
    for manifest in objects:
        if manifest["kind"] not in CLUSTER_SCOPED:
            manifest["metadata"].setdefault("namespace", namespace)


def drop_nulls(objects: list[Object]) -> None:
    """A null stands for a field that is not there."""
    for manifest in objects:
        _drop_nulls(manifest)


def disruption_budget_v1(objects: list[Object]) -> None:
    """`policy/v1beta1` is gone since 1.25; `policy/v1` has the same fields."""
    for budget in _of("PodDisruptionBudget", objects):
        budget["apiVersion"] = "policy/v1"


def removed_apis(objects: list[Object]) -> Iterator[str]:
    """The objects, in words, that clusters of 1.25 and later have no API for."""
    for manifest in objects:
        if REMOVED_APIS.fullmatch(manifest["apiVersion"]):
            yield f"{manifest['kind']} {manifest['metadata']['name']} ({manifest['apiVersion']})"


def replace_dead_images(objects: list[Object], chosen: Collection[str]) -> Iterator[str]:
    """Take the moved bitnami images, and say so; repositories that the user chose stay."""
    warnings = {}
    for container in _containers(objects):
        image = str(container.get("image", ""))
        dead = DEAD_IMAGE.fullmatch(image)
        if dead and dead["dead"] not in chosen:
            container["image"] = f"docker.io/bitnamilegacy/{dead['image']}:{dead['tag']}"
            warnings[image] = (
                f"{image} can no longer be pulled: {container['image']} takes its place, an "
                "archive without security updates; set the repository to choose another"
            )
    yield from warnings.values()


def no_service_links(objects: list[Object]) -> None:
    """A Service called `redis-master` would set the very variables that configure the image."""
    for manifest in objects:
        if manifest["kind"] in WORKLOADS:
            manifest["spec"]["template"]["spec"]["enableServiceLinks"] = False


def recreate_deployments(objects: list[Object]) -> None:
    """Two pods cannot share a volume, so the old one must go before the new one comes."""
    for deployment in _of("Deployment", objects):
        deployment["spec"]["strategy"] = {"type": "Recreate"}


def drop_dangling_secrets(objects: list[Object]) -> None:
    """The ServiceAccount names a Secret even where the chart makes none."""
    made = {secret["metadata"]["name"] for secret in _of("Secret", objects)}
    for account in _of("ServiceAccount", objects):
        kept = [secret for secret in account.pop("secrets", []) if secret["name"] in made]
        if kept:
            account["secrets"] = kept


def drop_obsolete_annotation(objects: list[Object]) -> None:
    """`publishNotReadyAddresses`, which stands beside it, took its place."""
    for service in _of("Service", objects):
        annotations = service["metadata"].get("annotations", {})
        if annotations.pop(OBSOLETE_ANNOTATION, None) is not None and not annotations:
            del service["metadata"]["annotations"]


def _of(kind: str, objects: list[Object]) -> Iterator[Object]:
    return (manifest for manifest in objects if manifest["kind"] == kind)


def _containers(objects: list[Object]) -> Iterator[Object]:
    for manifest in objects:
        pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
        yield from (*pod.get("initContainers", []), *pod.get("containers", []))


def _drop_nulls(value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, part in value.items() if part is None]:
            del value[key]
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            _drop_nulls(part)
