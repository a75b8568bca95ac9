"""Claims and volumes."""

from collections.abc import Sequence

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming
from config.types.structs import quantity
from config.workload import Claim


def claim_spec(
    access_modes: Sequence[str], size: str, storage_class: str
) -> k8s.PersistentVolumeClaimSpec:
    """A claim; an empty storage class is left out, which means the cluster's default class."""
    return k8s.PersistentVolumeClaimSpec(
        access_modes=access_modes,
        resources=k8s.ResourceRequirements(requests={"storage": quantity(size)}),
        storage_class_name=storage_class or None,
    )


def claim(
    scope: Construct, naming: Naming, component: str, purpose: str, values: Claim
) -> k8s.Volume:
    """Make the claim `<component>-<purpose>`, and hand back the volume that mounts it."""
    name = f"{component}-{purpose}"
    metadata = naming.metadata(component, naming.name(name))
    k8s.KubePersistentVolumeClaim(
        scope,
        "claim",
        metadata=metadata,
        spec=claim_spec(values.access_modes, values.size, values.class_),
    )
    return k8s.Volume(
        name=name,
        persistent_volume_claim=k8s.PersistentVolumeClaimVolumeSource(claim_name=naming.name(name)),
    )


def secret_volume(name: str, secret: str, *keys: str) -> k8s.Volume:
    """A volume with the keys of a Secret as files; all keys if none is named."""
    items = [k8s.KeyToPath(key=key, path=key) for key in keys]
    return k8s.Volume(
        name=name, secret=k8s.SecretVolumeSource(secret_name=secret, items=items or None)
    )
