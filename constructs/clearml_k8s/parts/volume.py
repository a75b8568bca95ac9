"""Claims and volumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Component
from config.claim import Claim
from config.store import StorePersistence
from config.types.structs import quantity, to_plain


def claim_spec(
    access_modes: Sequence[str], size: str, storage_class: str
) -> k8s.PersistentVolumeClaimSpec:
    """A claim; an empty storage class is left out, which means the cluster's default class."""
    return k8s.PersistentVolumeClaimSpec(
        access_modes=access_modes,
        resources=k8s.ResourceRequirements(requests={"storage": quantity(size)}),
        storage_class_name=storage_class or None,
    )


def claim(scope: Construct, component: Component, purpose: str, values: Claim) -> str:
    """Make the claim `<component>-<purpose>`, and hand back its name."""
    name = f"{component.name}-{purpose}"
    k8s.KubePersistentVolumeClaim(
        scope,
        "claim",
        metadata=component.metadata(name),
        spec=claim_spec(values.access_modes, values.size, values.class_),
    )
    return name


def claim_volume(name: str, claim: str) -> k8s.Volume:
    """A volume with what a claim holds."""
    source = k8s.PersistentVolumeClaimVolumeSource(claim_name=claim)
    return k8s.Volume(name=name, persistent_volume_claim=source)


def secret_volume(name: str, secret: str, *keys: str) -> k8s.Volume:
    """A volume with the keys of a Secret as files; all keys if none is named."""
    items = [k8s.KeyToPath(key=key, path=key) for key in keys]
    return k8s.Volume(
        name=name, secret=k8s.SecretVolumeSource(secret_name=secret, items=items or None)
    )


@dataclass(frozen=True, kw_only=True)
class DataVolume:
    """The volume of each pod of a StatefulSet: a claim template, or without a claim an emptyDir."""

    name: str
    claim: k8s.PersistentVolumeClaimSpec | None

    @classmethod
    def of(cls, name: str, persistence: StorePersistence) -> Self:
        """The volume that the values of a store describe."""
        claim = claim_spec(persistence.access_modes, persistence.size, persistence.storage_class)
        return cls(name=name, claim=claim if persistence.enabled else None)

    @property
    def templates(self) -> list[dict[str, Any]]:
        """The claim template, if there is one, with what the API server would fill in.

        kubectl compares the list as a whole: with less, every `kubectl apply` says `configured`.
        The server takes both for the same on update.
        """
        if self.claim is None:
            return []
        return [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": self.name},
                "spec": {**to_plain(self.claim), "volumeMode": "Filesystem"},
                "status": {"phase": "Pending"},
            }
        ]

    @property
    def volumes(self) -> list[k8s.Volume]:
        """The emptyDir, if there is one."""
        if self.claim is not None:
            return []
        return [k8s.Volume(name=self.name, empty_dir=k8s.EmptyDirVolumeSource())]

    def mount(self, path: str) -> k8s.VolumeMount:
        """The volume, mounted at the path."""
        return k8s.VolumeMount(name=self.name, mount_path=path)
