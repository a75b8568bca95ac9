"""What changes in the manifests from one bundle to another: each place with its new value.

Places read like `Deployment/clearml-apiserver pod.containers.apiserver.image`: the pod template's
spec is `pod`, its annotations are `annotations`, items of lists go by their names, the content of
Secrets is decoded. A place that is gone has the value None.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rendering import Bundle, Object

Effects = dict[str, Any]

_GONE = object()


def changes(before: Bundle, after: Bundle) -> Effects:
    """The outermost places that differ, with their values in the bundle after."""
    return dict(_differences("", _objects(before), _objects(after)))


def _objects(bundle: Bundle) -> dict[str, Object]:
    return {_place(m): _view(bundle, m) for m in bundle.objects}


def _place(manifest: Object) -> str:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    return f"{kind}/{name.rpartition('-')[0] if kind == 'Job' else name} "


def _view(bundle: Bundle, manifest: Object) -> Object:
    name = manifest["metadata"]["name"]
    if manifest["kind"] == "Secret":
        return manifest | {"data": bundle.secret(name)}
    if manifest["kind"] == "Job":
        # Its name is that of its content, and what it is told is a text.
        containers = manifest["spec"]["template"]["spec"]["containers"]
        told = [{**c, "args": []} for c in containers]
        pod = {**manifest["spec"]["template"]["spec"], "containers": told}
        manifest = {
            **manifest,
            "metadata": {**manifest["metadata"], "name": ""},
            "spec": {**manifest["spec"], "template": {**manifest["spec"]["template"], "spec": pod}},
            "made": bundle.made,
        }
    if manifest["kind"] not in ("Deployment", "StatefulSet", "Job"):
        return manifest
    spec = dict(manifest["spec"])
    template = spec.pop("template")
    pod = {"volumes": []} | template["spec"]
    for containers in ("containers", "initContainers"):
        pod[containers] = [
            {"env": [], "volumeMounts": []} | container for container in pod.get(containers, [])
        ]
    return manifest | {
        "spec": spec,
        "pod": pod,
        "labels": template["metadata"]["labels"],
        "annotations": template["metadata"].get("annotations", {}),
    }


def _differences(place: str, before: Any, after: Any) -> Iterator[tuple[str, Any]]:
    inner = [_by_name(place, side) for side in (before, after)]
    if any(side is None for side in inner):
        if before != after:
            yield place.strip(), None if after is _GONE else after
        return
    old, new = (side or {} for side in inner)
    for key in old | new:
        below = key if not place or place.endswith(" ") else f".{key}"
        yield from _differences(place + below, old.get(key, _GONE), new.get(key, _GONE))


def _by_name(place: str, value: Any) -> dict[str, Any] | None:
    """A mapping as it is, a list of named items by their names; None for anything else."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return None
    if place.endswith(".env"):
        return {item["name"]: item.get("value", item.get("valueFrom")) for item in value}
    named = {_name(item): item for item in value}
    return None if None in named else named


def _name(item: Object) -> Any:
    """What a list item goes by: mounts share the name of their volume."""
    return item.get("mountPath") or (item.get("metadata") or item).get("name")
