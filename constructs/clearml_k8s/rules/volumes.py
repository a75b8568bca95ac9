"""Volumes and mounts."""

import re
from collections.abc import Iterator
from posixpath import normpath
from typing import Any

from clearml_k8s.rules.environment import own_fields
from clearml_k8s.rules.formats import DESCENDING_PATH, LABEL, SUBDOMAIN, fits, is_number, repeated
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Pod, Rule, Step, at, items
from config.error import shape

FILE_FIELD_PATH = re.compile(r"metadata\.(name|namespace|uid|(labels|annotations)(\['[^']+'\])?)")
ISCSI_NAME = re.compile(r"(iqn|eui|naa)\..+")
MOUNT_PATH = re.compile(r"[^:]+", re.S)
PROPAGATIONS = ("None", "HostToContainer", "Bidirectional")
HOST_PATH_TYPES = (
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)
# What a source must say, besides the names of objects in the namespace.
REQUIRED = {
    "hostPath": ("path",),
    "nfs": ("server", "path"),
    "iscsi": ("targetPortal",),
    "glusterfs": ("endpoints", "path"),
    "rbd": ("monitors", "image"),
    "cephfs": ("monitors",),
    "cinder": ("volumeID",),
    "azureFile": ("secretName", "shareName"),
    "azureDisk": ("diskName", "diskURI"),
    "awsElasticBlockStore": ("volumeID",),
    "gcePersistentDisk": ("pdName",),
    "vsphereVolume": ("volumePath",),
    "portworxVolume": ("volumeID",),
    "photonPersistentDisk": ("pdID",),
    "scaleIO": ("gateway", "system", "volumeName"),
    "flexVolume": ("driver",),
    "ephemeral": ("volumeClaimTemplate",),
    "gitRepo": ("repository",),
}
# Kubernetes 1.25 and later have no driver for these.
WITH_PARTITIONS = ("awsElasticBlockStore", "gcePersistentDisk")
AZURE_CHOICES = {
    "kind": ("Dedicated", "Managed", "Shared"),
    "cachingMode": ("None", "ReadOnly", "ReadWrite"),
}
REMOVED = ("flocker", "quobyte", "storageos")
# The sources that make files of keys.
OF_KEYS = ("configMap", "secret")
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
            if "csi" in volume and not fits(driver := at(volume, "csi", "driver"), SUBDOMAIN, 63):
                yield pod.says(f"{shape(driver)} is not a driver", "volumes", i, "csi", "driver")
            for origin in sources.intersection(REMOVED):
                yield pod.says("no longer in Kubernetes", "volumes", i, origin)
            for origin in sorted(sources & REQUIRED.keys()):
                for field in REQUIRED[origin]:
                    if not at(volume, origin, field):
                        yield pod.says(f"no {field}", "volumes", i, origin, field)
            for j, source in items(volume, "projected", "sources"):
                if len(source) != 1:
                    message = f"{len(source)} sources, one is needed"
                    yield pod.says(message, "volumes", i, "projected", "sources", j)
        for i in repeated(volume.get("name") for _, volume in volumes):
            yield pod.says("another volume of the pod has this name", "volumes", i, "name")


def sources(pod: Pod) -> Iterator[Place]:
    """The volumes of a pod, and what is put together in those that are projected."""
    for i, volume in pod.items("volumes"):
        place = pod.below(volume, "volumes", i)
        yield place
        for j, source in place.items("projected", "sources"):
            yield place.below(source, "projected", "sources", j)


def volume_files_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """The files of a volume have a key and a mode, and stay inside it."""
    for pod in bundle.pods:
        for source in sources(pod):
            for origin in OF_FILES:
                place = source.below(source.at(origin), origin)
                if (mode := place.at("defaultMode")) is not None and not is_mode(mode):
                    yield place.says(f"{shape(mode)} is not in 0-0777", "defaultMode")
                for j, item in place.items("items"):
                    path, mode = item.get("path"), item.get("mode")
                    if not path or not fits(path, DESCENDING_PATH, 4096):
                        yield place.says(f"{shape(path)} leaves the volume", "items", j, "path")
                    if mode is not None and not is_mode(mode):
                        yield place.says(f"{shape(mode)} is not in 0-0777", "items", j, "mode")
                    if origin in OF_KEYS and not item.get("key"):
                        yield place.says("no key", "items", j, "key")


def projected_files_are_apart(bundle: Bundle) -> Iterator[Finding]:
    """No two sources of a volume make the same file."""
    for pod in bundle.pods:
        for i, volume in pod.items("volumes"):
            place = pod.below(volume, "volumes", i, "projected")
            paths: list[tuple[Any, tuple[Step, ...]]] = []
            for j, source in items(volume, "projected", "sources"):
                paths += [
                    (item.get("path"), ("sources", j, origin, "items", k, "path"))
                    for origin in ("configMap", "secret", "downwardAPI")
                    for k, item in items(source, origin, "items")
                ]
                token = at(source, "serviceAccountToken", "path")
                paths.append((token, ("sources", j, "serviceAccountToken", "path")))
            for index in repeated(path for path, _ in paths):
                yield place.says("another source makes this file", *paths[index][1])


def is_mode(value: Any) -> bool:
    """Whether a value is what a file may be used for, in bits."""
    return is_number(value, 0, 0o777)


def cloud_disks_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A disk of a cloud has a partition and choices that there are."""
    for pod in bundle.pods:
        for i, volume in pod.items("volumes"):
            for origin in WITH_PARTITIONS:
                partition = at(volume, origin, "partition")
                if partition is not None and not is_number(partition, 0, 255):
                    message = f"{shape(partition)} is not in 0-255"
                    yield pod.says(message, "volumes", i, origin, "partition")
            if (azure := volume.get("azureDisk")) is not None:
                disk = pod.below(azure, "volumes", i, "azureDisk")
                for field, choices in AZURE_CHOICES.items():
                    yield from disk.among(disk.at(field), choices, field, or_empty=False)
                start = "/subscriptions/" if disk.at("kind") == "Managed" else "https://"
                if not str(uri := disk.at("diskURI")).startswith(start):
                    yield disk.says(f"{shape(uri)} does not begin with {start}", "diskURI")


def paths_outside_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A path of the node does not climb and has a known type; one of an NFS server is absolute."""
    for pod in bundle.pods:
        for i, volume in pod.items("volumes"):
            place = pod.below(volume, "volumes", i)
            if ".." in str(place.at("hostPath", "path")).split("/"):
                yield place.says("must not contain '..'", "hostPath", "path")
            kind = place.at("hostPath", "type")
            yield from place.among(kind, HOST_PATH_TYPES, "hostPath", "type")
            if (path := place.at("nfs", "path")) and not str(path).startswith("/"):
                yield place.says(f"{shape(path)} is not an absolute path", "nfs", "path")


def network_disks_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A disk of an iSCSI or Fibre Channel network is named as such a network names them."""
    for pod in bundle.pods:
        for i, volume in pod.items("volumes"):
            iscsi, fc = (pod.below(volume.get(k), "volumes", i, k) for k in ("iscsi", "fc"))
            if iscsi.value is not None and not fits(name := iscsi.at("iqn"), ISCSI_NAME, 223):
                yield iscsi.says(f"{shape(name)} begins with none of iqn, eui, naa", "iqn")
            initiator, portal = iscsi.at("initiatorName"), iscsi.at("targetPortal")
            if initiator is not None and not fits(initiator, ISCSI_NAME, 223):
                message = f"{shape(initiator)} begins with none of iqn, eui, naa"
                yield iscsi.says(message, "initiatorName")
            if initiator is not None and len(f"{volume.get('name')}:{portal}") > 64:
                yield iscsi.says("more than 64 characters with the volume's name", "targetPortal")
            if fc.value is not None and bool(fc.at("targetWWNs")) == bool(fc.at("wwids")):
                yield fc.says("either targetWWNs or wwids is needed")
            if fc.at("targetWWNs") and fc.at("lun") is None:
                yield fc.says("needed with targetWWNs", "lun")
            for disk in (iscsi, fc):
                if (lun := disk.at("lun")) is not None and not is_number(lun, 0, 255):
                    yield disk.says(f"{shape(lun)} is not in 0-255", "lun")


def projections_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A file of the pod's own fields names one of them; a token lives ten minutes or more."""
    for pod in bundle.pods:
        for source in sources(pod):
            for j, item in source.items("downwardAPI", "items"):
                place = source.below(item, "downwardAPI", "items", j)
                if ("fieldRef" in item) == ("resourceFieldRef" in item):
                    yield place.says("either fieldRef or resourceFieldRef is needed")
                yield from own_fields(place, FILE_FIELD_PATH)
                if "resourceFieldRef" in item and not place.at("resourceFieldRef", "containerName"):
                    yield place.says("no containerName", "resourceFieldRef", "containerName")
            if (token := source.at("serviceAccountToken")) is not None:
                place = source.below(token, "serviceAccountToken")
                seconds = place.at("expirationSeconds")
                if seconds is not None and not is_number(seconds, 600, 2**32):
                    yield place.says(f"{shape(seconds)} is below 600", "expirationSeconds")
                if not (path := place.at("path")) or not fits(path, DESCENDING_PATH, 4096):
                    yield place.says(f"{shape(path)} leaves the volume", "path")


def devices_exist(bundle: Bundle) -> Iterator[Finding]:
    """A block device of a container is a claim of its pod."""
    for pod in bundle.pods:
        claims = [v.get("name") for _, v in pod.items("volumes") if "persistentVolumeClaim" in v]
        claims += [claim.at("metadata", "name") for claim in pod.claim_templates]
        for container in pod.containers:
            for i, device in container.items("volumeDevices"):
                if (name := device.get("name")) not in claims:
                    message = f"the pod has no claim {shape(name)}"
                    yield container.says(message, "volumeDevices", i, "name")
                if not (path := device.get("devicePath")):
                    yield container.says("no path", "volumeDevices", i, "devicePath")
                elif ".." in str(path).split("/"):
                    yield container.says("must not contain '..'", "volumeDevices", i, "devicePath")
            # A volume is a device or a folder, and each has a path of its own.
            for field, of_mount in (("name", "name"), ("devicePath", "mountPath")):
                taken = [mount.get(of_mount) for _, mount in container.items("volumeMounts")]
                for i, device in container.items("volumeDevices"):
                    if (given := device.get(field)) is not None and given in taken:
                        yield container.says(
                            "the container has it twice", "volumeDevices", i, field
                        )
                    taken.append(given)


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
                    yield from place.among(
                        propagation, PROPAGATIONS, "mountPropagation", or_empty=False
                    )
                    privileged = container.at("securityContext", "privileged") is True
                    if propagation == "Bidirectional" and not privileged:
                        yield place.says("only in a privileged container", "mountPropagation")
            # Kubernetes takes /a and /a/ for two, of which the second hides the first.
            for i in repeated(normpath(str(mount.get("mountPath"))) for _, mount in mounts):
                message = "another mount of the container has this path"
                yield container.says(message, "volumeMounts", i, "mountPath")


RULES: tuple[Rule, ...] = (
    volumes_are_valid,
    volume_files_are_valid,
    paths_outside_are_valid,
    network_disks_are_valid,
    cloud_disks_are_valid,
    projected_files_are_apart,
    projections_are_valid,
    mounts_are_valid,
    devices_exist,
)
