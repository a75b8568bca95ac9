"""What Secrets and ConfigMaps hold, and what of it a pod reads, which rolls when that changes."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cdk8s_plus_25 import k8s

SECRET, CONFIG_MAP = "Secret", "ConfigMap"
CONTENT = ("data", "stringData", "binaryData")
LONGEST_NAME = 63  # of an annotation, behind its prefix


class Reference(NamedTuple):
    """What a pod reads: keys of a Secret or ConfigMap, or all of them."""

    kind: str
    name: str | None
    keys: Sequence[str] | None = None


class Contents:
    """The content of Secrets and ConfigMaps, as far as the manifests tell it.

    Whoever makes one adds it; what pods read of those that nobody added is unknown.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Mapping[str, Any]] = {}

    def add(self, kind: str, name: str, content: Mapping[str, Any]) -> None:
        """Remember what an object holds, by key."""
        self._known[kind, name] = content

    def add_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Remember what an object holds that is no struct; one of another kind holds nothing."""
        if manifest["kind"] in (SECRET, CONFIG_MAP):
            given = map(manifest.get, CONTENT)
            # What is no mapping, Kubernetes refuses; here it tells nothing.
            parts = [part for part in given if isinstance(part, Mapping)]
            content = {key: text for part in parts for key, text in part.items()}
            self.add(manifest["kind"], manifest["metadata"]["name"], content)

    def checksums(self, pod: k8s.PodSpec) -> dict[str, str]:
        """Return annotations of the pod, one for each object, which change with what it reads.

        Keys that it does not read do not count, nor do those that are made in the cluster.
        """
        read: dict[tuple[str, str], dict[str, Any]] = {}
        for kind, name, keys in _references(pod):
            known = self._known.get((kind, name or ""), {})
            texts = {key: text for key, text in known.items() if keys is None or key in keys}
            if texts:
                read.setdefault((kind, name or ""), {}).update(texts)
        # An annotation stands for several objects whose names are the same as far as it has room.
        shared: dict[str, list[Mapping[str, Any]]] = {}
        for (_, name), texts in read.items():
            shared.setdefault(name[:LONGEST_NAME].rstrip(".-"), []).append(texts)
        return {f"checksum/{name}": checksum(contents) for name, contents in shared.items()}


def checksum(content: object) -> str:
    """A digest that changes with the content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _references(pod: k8s.PodSpec) -> Iterator[Reference]:
    for container in (*(pod.init_containers or ()), *pod.containers):
        for variable in container.env or ():
            if source := variable.value_from:
                if secret := source.secret_key_ref:
                    yield Reference(SECRET, secret.name, [secret.key])
                if file := source.config_map_key_ref:
                    yield Reference(CONFIG_MAP, file.name, [file.key])
        for variables in container.env_from or ():
            if variables.secret_ref:
                yield Reference(SECRET, variables.secret_ref.name)
            if variables.config_map_ref:
                yield Reference(CONFIG_MAP, variables.config_map_ref.name)
    for volume in pod.volumes or ():
        if volume.secret:
            yield Reference(SECRET, volume.secret.secret_name, _keys(volume.secret.items))
        if volume.config_map:
            yield Reference(CONFIG_MAP, volume.config_map.name, _keys(volume.config_map.items))
        for projection in (volume.projected and volume.projected.sources) or ():
            if projection.secret:
                yield Reference(SECRET, projection.secret.name, _keys(projection.secret.items))
            if files := projection.config_map:
                yield Reference(CONFIG_MAP, files.name, _keys(files.items))


def _keys(items: Sequence[k8s.KeyToPath] | None) -> list[str] | None:
    return [item.key for item in items] if items else None
