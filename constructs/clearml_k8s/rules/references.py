"""What objects refer to exists."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from clearml_k8s.programs import text_of
from clearml_k8s.rules.formats import DATA_KEY, SUBDOMAIN, fits
from clearml_k8s.rules.manifests import (
    Bundle,
    Finding,
    Place,
    Pod,
    Rule,
    Step,
    entries,
    fields,
)
from clearml_k8s.rules.metadata import data_maps
from config.error import shape, shortened

# A source of variables or files: its field, the kind it names, and the field of the name.
OF_VARIABLE = (("configMapKeyRef", "ConfigMap", "name"), ("secretKeyRef", "Secret", "name"))
ONE_KEY = [source for source, *_ in OF_VARIABLE]
OF_VARIABLES = (("configMapRef", "ConfigMap", "name"), ("secretRef", "Secret", "name"))
OF_PROJECTION = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "name"))
OF_VOLUME = (
    ("configMap", "ConfigMap", "name"),
    ("secret", "Secret", "secretName"),
    ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
)
# Sources of volumes that take a Secret, and the fields that name it.
WITH_SECRET = {
    "csi": "nodePublishSecretRef",
    **dict.fromkeys(("rbd", "cephfs", "cinder", "iscsi", "scaleIO", "flexVolume"), "secretRef"),
}

MAKE_CREDENTIALS = text_of("make_credentials.py")
ISSUERS = {"cert-manager.io/cluster-issuer", "cert-manager.io/issuer"}


class Reference(NamedTuple):
    """A place that names another object in one of its fields, and maybe keys of it."""

    kind: str
    place: Place
    field: str = "name"

    @property
    def name(self) -> Any:
        """The name of the object."""
        return self.place.at(self.field)

    def target(self, bundle: Bundle) -> Place | None:
        """The object, if it is in the set."""
        return bundle.find(self.kind, self.name, self.place.namespace)


def sources(holder: Place, known: tuple[tuple[str, str, str], ...]) -> Iterator[Reference]:
    """The references of a variable or volume."""
    for source, kind, name in known:
        if (value := holder.at(source)) is not None:
            yield Reference(kind, holder.below(value, source), name)


def pod_references(pod: Pod) -> Iterator[Reference]:
    """What the pods of a workload need to find in their namespace."""
    for container in pod.containers:
        for i, variable in container.items("env"):
            if origin := variable.get("valueFrom"):
                yield from sources(container.below(origin, "env", i, "valueFrom"), OF_VARIABLE)
        for i, source in container.items("envFrom"):
            yield from sources(container.below(source, "envFrom", i), OF_VARIABLES)
    for i, volume in pod.items("volumes"):
        place = pod.below(volume, "volumes", i)
        yield from sources(place, OF_VOLUME)
        for origin, field in WITH_SECRET.items():
            if (reference := place.at(origin, field)) is not None:
                yield Reference("Secret", place.below(reference, origin, field))
        for j, projection in place.items("projected", "sources"):
            yield from sources(place.below(projection, "projected", "sources", j), OF_PROJECTION)
    for i, secret in pod.items("imagePullSecrets"):
        yield Reference("Secret", pod.below(secret, "imagePullSecrets", i))
    if pod.at("serviceAccountName"):
        yield Reference("ServiceAccount", pod, "serviceAccountName")


def references(bundle: Bundle) -> Iterator[Reference]:
    """What the objects of the set need to find in their namespace."""
    for pod in bundle.pods:
        yield from pod_references(pod)
    for ingress in bundle.of("Ingress"):
        for i, tls in ingress.items("spec", "tls"):
            if "secretName" in tls:
                yield Reference("Secret", ingress.below(tls, "spec", "tls", i), "secretName")
    for account in bundle.of("ServiceAccount"):
        for field in ("secrets", "imagePullSecrets"):
            for i, secret in account.items(field):
                yield Reference("Secret", account.below(secret, field, i))


def data_keys(place: Place) -> list[str]:
    """The keys of a ConfigMap or Secret."""
    return [key for _, data in data_maps(place) for key in data]


def made_keys(bundle: Bundle) -> dict[tuple[str, str], list[str]]:
    """The keys that a Job of the set makes in the cluster, by namespace and name of the Secret."""
    made = {}
    for container in bundle.containers:
        if entries(container.value, "command")[2:] == [MAKE_CREDENTIALS]:
            try:
                settings = json.loads(*entries(container.value, "args"))
            except (TypeError, ValueError):
                continue  # somebody else's arguments
            for name, wanted in fields(settings, "secrets").items():
                made[container.namespace, name] = [*fields(wanted, "lengths")]
    return made


class Contents:
    """What is known to be in the ConfigMaps and Secrets that a set refers to."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._made = made_keys(bundle)
        self._known: dict[tuple[str, str, str], list[str] | None] = {}

    def keys(self, reference: Reference) -> list[str] | None:
        """The keys of the object; None if it is neither in the set nor made by a Job of it."""
        identity = (reference.kind, reference.place.namespace, str(reference.name))
        if identity not in self._known:
            target = reference.target(self._bundle)
            made = self._made.get(identity[1:]) if reference.kind == "Secret" else None
            held = None if target is None else data_keys(target)
            self._known[identity] = (
                None if held is None and made is None else [*(held or ()), *(made or ())]
            )
        return self._known[identity]


def references_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """What is referred to may have such a name and such keys, and has them if it is in the set."""
    contents = Contents(bundle)
    for reference in references(bundle):
        place, name = reference.place, reference.name
        if not fits(name, SUBDOMAIN, 253):
            message = f"{shape(name)} is not the name of a {reference.kind}"
            yield place.says(message, reference.field)
        key, items = place.at("key"), place.items("items")
        if place.steps[-1] in ONE_KEY and not fits(key, DATA_KEY, 253):
            yield place.says(f"{shape(key)} is not a data key", "key")
        if (key is None and not items) or place.at("optional") is True:
            continue
        if (known := contents.keys(reference)) is None:
            continue
        keys: list[tuple[Any, tuple[Step, ...]]] = [(key, ("key",))]
        keys += [(item.get("key"), ("items", i, "key")) for i, item in items]
        for wanted, way in keys:
            if wanted is not None and wanted not in known:
                owner = shortened(f"{reference.kind}/{name}")
                yield place.says(f"{owner} has no key {shape(wanted)}", *way)


def has_issuer(ingress: Place) -> bool:
    """Whether cert-manager makes the Secrets that an Ingress names."""
    return bool(ISSUERS & fields(ingress.root, "metadata", "annotations").keys())


def references_exist(bundle: Bundle) -> Iterator[Finding]:
    """ConfigMaps, Secrets, claims and ServiceAccounts are in the set, or known to be outside.

    A Secret may also be made by a Job of the set.
    """
    made = made_keys(bundle)
    for reference in references(bundle):
        kind, place, field = reference
        if place.at("optional") is True or bundle.is_outside(kind, reference.name):
            continue
        if place.kind == "Ingress" and has_issuer(place):
            continue
        if kind == "Secret" and (place.namespace, str(reference.name)) in made:
            continue
        if reference.target(bundle) is None:
            yield place.says(f"no {kind} {shape(reference.name)} in the set", field)


def mounted_files_exist(bundle: Bundle) -> Iterator[Finding]:
    """A file mounted from a ConfigMap or Secret volume is in that volume."""
    contents = Contents(bundle)
    for pod in bundle.pods:
        files: dict[str, list[Any]] = {}
        for i, volume in pod.items("volumes"):
            for reference in sources(pod.below(volume, "volumes", i), OF_VOLUME[:2]):
                if (known := contents.keys(reference)) is not None:
                    paths = [item.get("path") for _, item in reference.place.items("items")]
                    files[str(volume.get("name"))] = paths or known
        for container in pod.containers:
            for i, mount in container.items("volumeMounts"):
                present, sub = files.get(str(mount.get("name"))), mount.get("subPath")
                if present is not None and sub and sub not in present:
                    message = f"the volume has no file {shape(sub)}"
                    yield container.says(message, "volumeMounts", i, "subPath")


def binding_subjects_exist(bundle: Bundle) -> Iterator[Finding]:
    """ServiceAccounts that are granted a role exist."""
    for binding in bundle.of("RoleBinding", "ClusterRoleBinding"):
        for i, subject in binding.items("subjects"):
            name, kind = subject.get("name"), subject.get("kind")
            if kind != "ServiceAccount" or bundle.is_outside(kind, name):
                continue
            namespaces = (str(subject.get("namespace") or binding.namespace), "")
            if not any(bundle.find(kind, name, namespace) for namespace in namespaces):
                yield binding.says(
                    f"no ServiceAccount {shape(name)} in the set", "subjects", i, "name"
                )


RULES: tuple[Rule, ...] = (references_are_valid, mounted_files_exist)
CONVENTIONS: tuple[Rule, ...] = (references_exist, binding_subjects_exist)
