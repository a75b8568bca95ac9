"""What a cluster that has the earlier manifests does not take over from the new ones."""

from collections.abc import Iterator
from typing import Any

from clearml_k8s.rules.formats import quantity
from clearml_k8s.rules.manifests import Bundle, Finding, Place, fields

# Of a StatefulSet all but these can change: replicas, template, updateStrategy, minReadySeconds,
# ordinals, persistentVolumeClaimRetentionPolicy.
FIXED = {
    "Deployment": ("selector",),
    "StatefulSet": ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"),
    "PersistentVolumeClaim": ("accessModes", "storageClassName", "volumeMode", "selector"),
}
# Of a Service, the class of a load balancer.
KINDS = {*FIXED, "Service"}


def refused(before: Bundle, after: Bundle) -> Iterator[Finding]:
    """The changes within an object that the API server refuses.

    Not what depends on other objects, such as node ports that two Services swap.
    """
    for old in before.objects:
        new = after.find(old.kind, old.name, old.namespace)
        if new is None:
            continue
        for field in FIXED.get(old.kind, ()):
            if _fixed(old, field) != _fixed(new, field):
                yield new.says(
                    "other than before, which no cluster changes in place", "spec", field
                )
        if old.kind == "PersistentVolumeClaim" and _size(new) < _size(old):
            way = ("spec", "resources", "requests", "storage")
            yield new.says("less than before, and no claim gets smaller", *way)
        if old.at("spec", "type") == new.at("spec", "type") == "LoadBalancer":
            field = "loadBalancerClass"
            if old.at("spec", field) != new.at("spec", field):
                yield new.says("other than before, which no load balancer changes", "spec", field)


def _fixed(place: Place, field: str) -> Any:
    value = place.at("spec", field)
    if field == "volumeClaimTemplates":
        # Defaults may be written out or not.
        return [
            (claim.get("metadata"), {"volumeMode": "Filesystem"} | fields(claim, "spec"))
            for _, claim in place.items("spec", field)
        ]
    return value


def _size(claim: Place) -> Any:
    return quantity(claim.at("spec", "resources", "requests", "storage")) or 0
