"""Claims and their templates."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from clearml_k8s.rules.formats import SUBDOMAIN, fits, quantity
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Pod, Rule, at, entries, fields
from config.error import shape

SINGLE_NODE_MODES = ("ReadWriteOnce", "ReadWriteOncePod")
ACCESS_MODES = (*SINGLE_NODE_MODES, "ReadOnlyMany", "ReadWriteMany")
VOLUME_MODES = ("Filesystem", "Block")


def access_modes(claim: Place) -> list[Any]:
    """The access modes of a claim."""
    return entries(claim.value, "spec", "accessModes")


def is_single_node(claim: Place) -> bool:
    """Whether only the pods of one node can use a claim at a time."""
    modes = access_modes(claim)
    return bool(modes) and all(mode in SINGLE_NODE_MODES for mode in modes)


def claim_names(pod: Pod) -> set[str]:
    """The claims a pod mounts."""
    claims = (fields(volume, "persistentVolumeClaim") for _, volume in pod.items("volumes"))
    return {str(claim["claimName"]) for claim in claims if "claimName" in claim}


def claims_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Claims have access modes that go together, some storage and a well-formed class."""
    for place in bundle.claims:
        claim = place.below(place.at("spec"), "spec")
        modes, class_name = access_modes(place), claim.at("storageClassName")
        if not modes or any(mode not in ACCESS_MODES for mode in modes):
            yield claim.says(f"{modes} is not a list of access modes", "accessModes")
        elif "ReadWriteOncePod" in modes and len(modes) > 1:
            yield claim.says("ReadWriteOncePod excludes other modes", "accessModes")
        requests = claim.fields("resources", "requests")
        if (quantity(storage := requests.get("storage")) or 0) <= 0:
            message = f"{shape(storage)} is not a positive quantity"
            yield claim.says(message, "resources", "requests", "storage")
        for name in requests.keys() - {"storage"}:
            yield claim.says("a claim requests only storage", "resources", "requests", name)
        if class_name and not fits(class_name, SUBDOMAIN, 253):
            yield claim.says(f"{shape(class_name)} is not a class name", "storageClassName")
        yield from claim.among(claim.at("volumeMode"), VOLUME_MODES, "volumeMode")


def claims_are_filled_from_claims(bundle: Bundle) -> Iterator[Finding]:
    """What a claim is filled from has a kind and a name; without an API group it is a claim."""
    for place in bundle.claims:
        for field in ("dataSource", "dataSourceRef"):
            if (source := place.at("spec", field)) is None:
                continue
            origin = place.below(source, "spec", field)
            for key in ("kind", "name"):
                if not origin.at(key):
                    yield origin.says(f"no {key}", key)
            if not origin.at("apiGroup") and origin.at("kind") != "PersistentVolumeClaim":
                yield origin.says("without an apiGroup it must be a PersistentVolumeClaim", "kind")


def claims_of_pods_are_unnamed(bundle: Bundle) -> Iterator[Finding]:
    """A claim that is made with a pod is named after it; labels and annotations are its own."""
    for pod in bundle.pods:
        for claim in pod.own_claims:
            for field in claim.fields("metadata").keys() - {"labels", "annotations"}:
                yield claim.says("a pod's own claim cannot have it", "metadata", field)


def single_node_claims_are_recreated(bundle: Bundle) -> Iterator[Finding]:
    """A Deployment with a ReadWriteOnce claim stops its old pod before the new one starts."""
    for pod in bundle.pods:
        if pod.kind != "Deployment" or at(pod.root, "spec", "strategy", "type") == "Recreate":
            continue
        for name in claim_names(pod):
            claim = bundle.find("PersistentVolumeClaim", name, pod.namespace)
            if claim and is_single_node(claim):
                message = f"must be Recreate, {claim.owner} is for one node"
                yield Place(pod.root, None, "spec", "strategy", "type").says(message)


def single_node_claims_have_one_workload(bundle: Bundle) -> Iterator[Finding]:
    """A ReadWriteOnce claim is mounted by the pods of one workload.

    Those that end may take turns, and share a node with one that runs on if their affinity says so.
    """
    users: dict[tuple[str, str], list[Pod]] = defaultdict(list)
    for pod in bundle.pods:
        for name in claim_names(pod):
            users[pod.namespace, name].append(pod)
    for (namespace, name), pods in users.items():
        claim = bundle.find("PersistentVolumeClaim", name, namespace)
        elsewhere = [pod for pod in pods if not (_ends(pod) and pod.at("affinity", "podAffinity"))]
        apart = len(elsewhere) > 1 and not all(map(_ends, pods))
        if apart and claim and is_single_node(claim):
            owners = ", ".join(pod.owner for pod in pods)
            yield claim.says(f"mounted by {owners}", "spec", "accessModes")


def _ends(pod: Pod) -> bool:
    return pod.kind in ("Job", "CronJob")


RULES: tuple[Rule, ...] = (
    claims_are_valid,
    claims_are_filled_from_claims,
    claims_of_pods_are_unnamed,
)
CONVENTIONS: tuple[Rule, ...] = (
    single_node_claims_are_recreated,
    single_node_claims_have_one_workload,
)
