"""Claims and volumes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Common, Component
from config.claim import Claim
from config.release import KEPT
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


def volume(
    scope: Construct, component: Component, purpose: str, values: Claim | None, *, name: str
) -> k8s.Volume:
    """A volume of that name: the existing claim, or the claim `<component>-<purpose>`, made here.

    Without a claim it is an emptyDir.
    """
    if values is None:
        return scratch_volume(name)
    return claim_volume(name, values.existing or _claim(scope, component, purpose, values))


def claim_name(component: Component, purpose: str) -> str:
    """What a claim that is made here is called."""
    return f"{component.name}-{purpose}"


def _claim(scope: Construct, component: Component, purpose: str, values: Claim) -> str:
    name = claim_name(component, purpose)
    annotations = {**(KEPT if values.keep else {}), **values.annotations}
    k8s.KubePersistentVolumeClaim(
        scope,
        "claim",
        metadata=component.metadata(name, annotations),
        spec=claim_spec(
            values.modes, values.size, values.storage_class(component.common.storage_class)
        ),
    )
    return name


def claim_volume(name: str, claim: str) -> k8s.Volume:
    """A volume with what a claim holds."""
    source = k8s.PersistentVolumeClaimVolumeSource(claim_name=claim)
    return k8s.Volume(name=name, persistent_volume_claim=source)


def scratch_volume(name: str) -> k8s.Volume:
    """A volume that goes with its pod."""
    return k8s.Volume(name=name, empty_dir=k8s.EmptyDirVolumeSource())


def secret_volume(name: str, secret: str, *keys: str) -> k8s.Volume:
    """A volume with the keys of a Secret as files; all keys if none is named."""
    items = [k8s.KeyToPath(key=key, path=key) for key in keys]
    return k8s.Volume(
        name=name, secret=k8s.SecretVolumeSource(secret_name=secret, items=items or None)
    )


class DataVolume(NamedTuple):
    """The volume of each pod of a StatefulSet: a claim template, an existing claim, or emptyDir."""

    name: str
    persistence: StorePersistence
    common: Common

    @property
    def templates(self) -> list[dict[str, Any]]:
        """The claim template, if there is one, with what the API server would fill in.

        kubectl compares the list as a whole: with less, every `kubectl apply` says `configured`.
        The server takes both for the same on update.
        """
        values = self.persistence
        if not values.enabled or values.existing_claim:
            return []
        spec = claim_spec(
            values.access_modes, values.size, values.storage_class or self.common.storage_class
        )
        annotations = {"annotations": dict(values.annotations)} if values.annotations else {}
        return [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": self.name, **annotations},
                "spec": {**to_plain(spec), "volumeMode": "Filesystem"},
                "status": {"phase": "Pending"},
            }
        ]

    @property
    def volumes(self) -> list[k8s.Volume]:
        """The volume, where no claim template gives it to the pods."""
        if not self.persistence.enabled:
            return [scratch_volume(self.name)]
        existing = self.persistence.existing_claim
        return [claim_volume(self.name, existing)] if existing else []

    def mount(self, path: str) -> k8s.VolumeMount:
        """The volume, mounted at the path."""
        return k8s.VolumeMount(name=self.name, mount_path=path)
