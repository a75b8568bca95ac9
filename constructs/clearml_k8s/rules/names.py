"""Names: of objects, and of what a pod refers to."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import DNS_1035, LABEL, SUBDOMAIN, fits, repeated
from clearml_k8s.rules.manifests import Bundle, Rule

# Kubernetes wants no more than that of these, and a path must hold them.
RBAC_NAME = re.compile(r"(?!\.{1,2}$)[^/%]+")
# 52: a pod's name adds a hash, and it is a label value too.
SHAPES = {
    "Service": (DNS_1035, 63),
    "Namespace": (LABEL, 63),
    "Job": (SUBDOMAIN, 63),
    **dict.fromkeys(("Deployment", "StatefulSet", "CronJob"), (SUBDOMAIN, 52)),
    **dict.fromkeys(("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"), (RBAC_NAME, 253)),
}
POD_NAMES = {
    "serviceAccountName": (SUBDOMAIN, 253),
    "priorityClassName": (SUBDOMAIN, 253),
    "runtimeClassName": (SUBDOMAIN, 253),
    "hostname": (LABEL, 63),
    "subdomain": (LABEL, 63),
}


def objects_are_unique(bundle: Bundle) -> Iterator[str]:
    """No two objects share group, kind, namespace and name."""
    identities = (
        (str(o.at("apiVersion")).rpartition("/")[0], o.kind, o.namespace, o.name)
        for o in bundle.objects
    )
    for index in repeated(identities):
        message = "another object of the set is the same"
        yield bundle.objects[index].says(message, "metadata", "name")


def object_names_are_valid(bundle: Bundle) -> Iterator[str]:
    """Object names have the shape and length their kind allows."""
    for place in bundle.objects:
        metadata = place.fields("metadata")
        name, namespace = metadata.get("name"), metadata.get("namespace")
        shape, limit = SHAPES.get(place.kind, (SUBDOMAIN, 253))
        if not fits(name, shape, limit):
            message = f"{name!r} is not a name of at most {limit} characters"
            yield place.says(message, "metadata", "name")
        if namespace is not None and not fits(namespace, LABEL, 63):
            yield place.says(f"{namespace!r} is not a namespace", "metadata", "namespace")


def pod_names_are_valid(bundle: Bundle) -> Iterator[str]:
    """What a pod names has the shape of such a name."""
    for pod in bundle.pods:
        for field, (shape, limit) in POD_NAMES.items():
            if (name := pod.at(field)) and not fits(name, shape, limit):
                yield pod.says(f"{name!r} is not a name of at most {limit} characters", field)


RULES: tuple[Rule, ...] = (objects_are_unique, object_names_are_valid, pod_names_are_valid)
