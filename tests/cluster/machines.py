"""What an empty cluster has: nodes, storage classes, and volumes of them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


# The first is the default; values of other charts name the second.
CLASSES = ("standard", "fast")


def volumes() -> list[Object]:
    """Volumes enough for one installation: nothing provisions any."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{storage_class}-{number}"},
            "spec": {
                "storageClassName": storage_class,
                "capacity": {"storage": "1Ti"},
                "accessModes": ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"],
                "hostPath": {"path": "/nowhere"},
            },
        }
        for storage_class in CLASSES
        for number in range(12)
    ]


def machines() -> list[Object]:
    """Nodes with all that a scenario asks for, each in a zone of its own; the storage classes."""
    amount = {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "16"}
    amount |= {"ephemeral-storage": "1Ti"}
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"node-{number}",
                "labels": {
                    "pool": "cpu",
                    "kubernetes.io/hostname": f"node-{number}",
                    "topology.kubernetes.io/zone": f"zone-{number}",
                },
            },
            "status": {"capacity": amount, "allocatable": amount},
        }
        for number in range(3)
    ]
    classes = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": name,
                "annotations": {
                    "storageclass.kubernetes.io/is-default-class": str(name == CLASSES[0]).lower()
                },
            },
            "provisioner": "kubernetes.io/no-provisioner",
            "allowVolumeExpansion": True,
        }
        for name in CLASSES
    ]
    return [*nodes, *classes]
