"""Volumes and mounts."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import DESCENDING_PATH, LABEL, fits, is_number, repeated
from clearml_k8s.rules.manifests import Bundle, Finding, Rule, at, fields, items
from config.error import shape

MOUNT_PATH = re.compile(r"[^:]+", re.S)
PROPAGATIONS = ("None", "HostToContainer", "Bidirectional")
# The sources that make files of keys.
OF_FILES = ("configMap", "secret", "projected", "downwardAPI")


def volumes_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Volumes have valid, unique names and one source each."""
    for pod in bundle.pods:
        volumes = pod.items("volumes")
        for i, volume in volumes:
            if not fits(volume.get("name"), LABEL, 63):
                yield pod.says(
                    f"{shape(volume.get('name'))} is not a volume name", "volumes", i, "name"
                )
            if len(sources := volume.keys() - {"name"}) != 1:
                yield pod.says(f"{len(sources)} sources, one is needed", "volumes", i)
            if "hostPath" in volume and not at(volume, "hostPath", "path"):
                yield pod.says("no path", "volumes", i, "hostPath", "path")
            for j, source in items(volume, "projected", "sources"):
                if len(source) != 1:
                    message = f"{len(source)} sources, one is needed"
                    yield pod.says(message, "volumes", i, "projected", "sources", j)
        for i in repeated(volume.get("name") for _, volume in volumes):
            yield pod.says("another volume of the pod has this name", "volumes", i, "name")


def volume_files_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """The files of a volume stay inside it, their mode is one."""
    for pod in bundle.pods:
        for i, volume in pod.items("volumes"):
            for origin in OF_FILES:
                if not (source := fields(volume, origin)):
                    continue
                place = pod.below(source, "volumes", i, origin)
                mode = source.get("defaultMode")
                if mode is not None and not is_number(mode, 0, 0o777):
                    yield place.says(f"{shape(mode)} is not in 0-0777", "defaultMode")
                for j, item in place.items("items"):
                    path = item.get("path")
                    if not path or not fits(path, DESCENDING_PATH, 4096):
                        yield place.says(f"{shape(path)} leaves the volume", "items", j, "path")


def mounts_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A mount names a volume of the pod; its path is unique, its subPath stays inside."""
    for pod in bundle.pods:
        volumes = [volume.get("name") for _, volume in pod.items("volumes")]
        volumes += [claim.at("metadata", "name") for claim in pod.claim_templates]
        for container in pod.containers:
            mounts = container.items("volumeMounts")
            for i, mount in mounts:
                name, path = mount.get("name"), mount.get("mountPath")
                if name not in volumes:
                    message = f"the pod has no volume {shape(name)}"
                    yield container.says(message, "volumeMounts", i, "name")
                if not fits(path, MOUNT_PATH, 4096):
                    message = f"{shape(path)} is not a mount path"
                    yield container.says(message, "volumeMounts", i, "mountPath")
                for field in ("subPath", "subPathExpr"):
                    sub = mount.get(field)
                    if sub is not None and not fits(sub, DESCENDING_PATH, 4096):
                        message = f"{shape(sub)} leaves the volume"
                        yield container.says(message, "volumeMounts", i, field)
                if mount.get("subPath") and mount.get("subPathExpr"):
                    yield container.says("both subPath and subPathExpr", "volumeMounts", i)
                if (propagation := mount.get("mountPropagation")) is not None:
                    place = container.below(mount, "volumeMounts", i)
                    yield from place.among(propagation, PROPAGATIONS, "mountPropagation")
            for i in repeated(mount.get("mountPath") for _, mount in mounts):
                message = "another mount of the container has this path"
                yield container.says(message, "volumeMounts", i, "mountPath")


RULES: tuple[Rule, ...] = (volumes_are_valid, volume_files_are_valid, mounts_are_valid)
