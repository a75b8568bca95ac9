"""What an empty cluster has: nodes, the storage class that is the default, and volumes of it."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def volumes() -> list[Object]:
    """Volumes enough for one installation: nothing provisions any."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"volume-{number}"},
            "spec": {
                "storageClassName": "standard",
                "capacity": {"storage": "1Ti"},
                "accessModes": ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"],
                "hostPath": {"path": "/nowhere"},
            },
        }
        for number in range(12)
    ]


def machines() -> list[Object]:
    """Nodes with all that a scenario asks for, and the storage class that is the default."""
    amount = {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "16"}
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"node-{number}", "labels": {"pool": "cpu"}},
            "status": {"capacity": amount, "allocatable": amount},
        }
        for number in range(3)
    ]
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": default},
        "provisioner": "kubernetes.io/no-provisioner",
        "allowVolumeExpansion": True,
    }
    return [*nodes, storage_class]
