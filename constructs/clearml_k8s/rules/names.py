"""Names: of objects, and of what a pod refers to."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import DNS_1035, LABEL, SUBDOMAIN, fits, repeated
from clearml_k8s.rules.manifests import Bundle, Finding, Rule
from config.error import shape

# Kubernetes wants no more than that of these, and a path must hold them.
RBAC_NAME = re.compile(r"(?!\.{1,2}$)[^/%]+")
SHAPES = {
    "Service": (DNS_1035, 63),
    "Namespace": (LABEL, 63),
    "Job": (SUBDOMAIN, 63),
    # Names and labels of what they make add a hash or a time.
    **dict.fromkeys(("StatefulSet", "CronJob"), (SUBDOMAIN, 52)),
    **dict.fromkeys(("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"), (RBAC_NAME, 253)),
}
POD_NAMES = {
    "serviceAccountName": (SUBDOMAIN, 253),
    "priorityClassName": (SUBDOMAIN, 253),
    "runtimeClassName": (SUBDOMAIN, 253),
    "hostname": (LABEL, 63),
    "subdomain": (LABEL, 63),
}


def objects_are_unique(bundle: Bundle) -> Iterator[Finding]:
    """No two objects share group, kind, namespace and name."""
    identities = (
        (str(o.at("apiVersion")).rpartition("/")[0], o.kind, o.namespace, o.name)
        for o in bundle.objects
    )
    for index in repeated(identities):
        message = "another object of the set is the same"
        yield bundle.objects[index].says(message, "metadata", "name")


def object_names_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Object names have the shape and length their kind allows."""
    for place in bundle.objects:
        metadata = place.fields("metadata")
        name, namespace = metadata.get("name"), metadata.get("namespace")
        pattern, limit = SHAPES.get(place.kind, (SUBDOMAIN, 253))
        if not fits(name, pattern, limit):
            message = f"{shape(name)} is not a name of at most {limit} characters"
            yield place.says(message, "metadata", "name")
        if namespace is not None and not fits(namespace, LABEL, 63):
            yield place.says(f"{shape(namespace)} is not a namespace", "metadata", "namespace")


def deployments_leave_room_for_a_hash(bundle: Bundle) -> Iterator[Finding]:
    """The names of a Deployment's pods begin with its whole name."""
    for place in bundle.of("Deployment"):
        if len(place.name) > 52:
            yield place.says("not a name of at most 52 characters", "metadata", "name")


def pod_names_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """What a pod names has the shape of such a name."""
    for pod in bundle.pods:
        for field, (pattern, limit) in POD_NAMES.items():
            if (name := pod.at(field)) and not fits(name, pattern, limit):
                yield pod.says(f"{shape(name)} is not a name of at most {limit} characters", field)


RULES: tuple[Rule, ...] = (objects_are_unique, object_names_are_valid, pod_names_are_valid)
CONVENTIONS: tuple[Rule, ...] = (deployments_leave_room_for_a_hash,)
