"""Volumes and mounts."""

import re
from collections.abc import Iterator
from posixpath import normpath

from clearml_k8s.rules.environment import own_fields
from clearml_k8s.rules.formats import DESCENDING_PATH, LABEL, SUBDOMAIN, fits, is_number, repeated
from clearml_k8s.rules.manifests import Bundle, Finding, Rule, at, fields, items
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
REMOVED = ("flocker", "quobyte", "storageos")
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
        for i, volume in pod.items("volumes"):
            sources = [pod.below(volume, "volumes", i)]
            sources += [
                sources[0].below(source, "projected", "sources", j)
                for j, source in sources[0].items("projected", "sources")
            ]
            for source in sources:
                for j, item in source.items("downwardAPI", "items"):
                    place = source.below(item, "downwardAPI", "items", j)
                    if ("fieldRef" in item) == ("resourceFieldRef" in item):
                        yield place.says("either fieldRef or resourceFieldRef is needed")
                    yield from own_fields(place, FILE_FIELD_PATH)
                    if "resourceFieldRef" in item and not place.at(
                        "resourceFieldRef", "containerName"
                    ):
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
    projections_are_valid,
    mounts_are_valid,
    devices_exist,
)
