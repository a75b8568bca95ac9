"""Checks of a whole rendered bundle that the schema of a single object cannot make."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
DNS_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
PATH_SEGMENT = r"(?!\.{1,2}$)[^/%]+"
QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
PORT_NAME = r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?"
DATA_KEY = r"(?!\.$|\.\.)[-._a-zA-Z0-9]+"
ENV_NAME = r"(?!\.$|\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*"
FIELD_PATH = (
    r"metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])"
    r"|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?)"
)
QUANTITY = r"([+-]?[0-9]*\.?[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?"
LABEL_MAPS = r"(.*\.)?(metadata\.labels|matchLabels|nodeSelector)"
ANNOTATION_MAPS = r"(.*\.)?metadata\.annotations"

SUFFIXES = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("num", start=-3)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
POD_TEMPLATES = {
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), "spec.template"
    ),
    "CronJob": "spec.jobTemplate.spec.template",
    "Pod": "",
}
RBAC_KINDS = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
DATA_FIELDS = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
SINGLE_NODE_MODES = ("ReadWriteOnce", "ReadWriteOncePod")
ACCESS_MODES = (*SINGLE_NODE_MODES, "ReadOnlyMany", "ReadWriteMany")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
IN_EVERY_NAMESPACE = (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"))


@dataclass(frozen=True)
class Node:
    """A place in a manifest: the value found there (None if absent) and how to name it."""

    root: Mapping[str, Any]
    value: Any
    path: str = ""

    def at(self, path: str) -> Node:
        """The place at a dotted path below this one."""
        node = self
        for key in filter(None, path.split(".")):
            node = node._child(key)
        return node

    def fields(self) -> Iterator[tuple[str, Node]]:
        """The keys of a mapping with their places; nothing for other values."""
        if isinstance(self.value, Mapping):
            for key in self.value:
                yield key, self._child(key)

    def items(self) -> Iterator[Node]:
        """The places of a list; nothing for other values."""
        if isinstance(self.value, list | tuple):
            for index, value in enumerate(self.value):
                yield Node(self.root, value, f"{self.path}[{index}]")

    def walk(self) -> Iterator[Node]:
        """Every place below this one."""
        for child in (*(child for _, child in self.fields()), *self.items()):
            yield child
            yield from child.walk()

    def says(self, message: str) -> str:
        """A finding about this place."""
        return f"{self.owner} {self.path}: {message}"

    @property
    def kind(self) -> str:
        return str(self.root.get("kind"))

    @property
    def name(self) -> str:
        return str(Node(self.root, self.root).at("metadata.name").value)

    @property
    def namespace(self) -> str:
        return str(Node(self.root, self.root).at("metadata.namespace").value or "")

    @property
    def owner(self) -> str:
        return f"{self.kind}/{self.name}"

    def _child(self, key: Any) -> Node:
        value = self.value.get(key) if isinstance(self.value, Mapping) else None
        plain = re.fullmatch(r"[\w-]+", str(key))
        segment = f".{key}" if plain else f"[{key!r}]"
        return Node(self.root, value, f"{self.path}{segment}".removeprefix("."))


@dataclass(frozen=True)
class Workload:
    """An object that makes pods."""

    manifest: Node

    @property
    def template(self) -> Node:
        return self.manifest.at(POD_TEMPLATES[self.manifest.kind])

    @property
    def spec(self) -> Node:
        return self.template.at("spec")

    @property
    def labels(self) -> dict[str, Any]:
        return {key: node.value for key, node in self.template.at("metadata.labels").fields()}

    @property
    def containers(self) -> list[Node]:
        return [*self.spec.at("initContainers").items(), *self.spec.at("containers").items()]

    @property
    def claim_templates(self) -> list[Node]:
        return list(self.manifest.at("spec.volumeClaimTemplates").items())

    @property
    def claim_names(self) -> list[Node]:
        names = (v.at("persistentVolumeClaim.claimName") for v in self.spec.at("volumes").items())
        return [name for name in names if name.value is not None]


@dataclass(frozen=True)
class Bundle:
    """All objects of an installation, and the (kind, name) pairs that exist outside it."""

    objects: Sequence[Mapping[str, Any]]
    outside: Collection[tuple[str, str]] = frozenset()

    @cached_property
    def manifests(self) -> list[Node]:
        return [Node(manifest, manifest) for manifest in self.objects]

    @cached_property
    def workloads(self) -> list[Workload]:
        return [Workload(manifest) for manifest in self.of(*POD_TEMPLATES)]

    @cached_property
    def containers(self) -> list[Node]:
        return [container for workload in self.workloads for container in workload.containers]

    @cached_property
    def claims(self) -> list[Node]:
        templates = (claim for workload in self.workloads for claim in workload.claim_templates)
        return [*self.of("PersistentVolumeClaim"), *templates]

    def of(self, *kinds: str) -> list[Node]:
        return [manifest for manifest in self.manifests if manifest.kind in kinds]

    def find(self, kind: str, name: Any, *namespaces: str) -> Node | None:
        return next(
            (m for m in self.of(kind) if m.name == name and m.namespace in namespaces), None
        )

    def is_outside(self, kind: str, name: Any) -> bool:
        return any((kind, name) == pair for pair in (*self.outside, *IN_EVERY_NAMESPACE))


@dataclass(frozen=True)
class Reference:
    """A place that names another object, and the places that name keys in it."""

    kind: str
    name: Node
    keys: tuple[Node, ...] = ()
    optional: bool = False


Rule = Callable[[Bundle], Iterator[str]]


def fits(value: Any, pattern: str, limit: int) -> bool:
    """Whether a value is a string of at most that length and of that shape."""
    return (
        isinstance(value, str) and len(value) <= limit and bool(re.fullmatch(pattern, value, re.S))
    )


def is_number(value: Any, low: int, high: int | None = None) -> bool:
    """Whether a value is an integer between two bounds."""
    return type(value) is int and low <= value and (high is None or value <= high)


def is_port(value: Any) -> bool:
    """Whether a value is the number of a port."""
    return is_number(value, 1, 65535)


def quantity(value: Any) -> Decimal | None:
    """The number a Kubernetes quantity stands for, None if it is malformed."""
    if isinstance(value, bool) or not (match := re.fullmatch(QUANTITY, str(value))):
        return None
    digits, suffix = match[1], match[2] or ""
    return Decimal(digits) * SUFFIXES[suffix] if suffix in SUFFIXES else Decimal(digits + suffix)


def network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network a CIDR stands for, None if it is malformed."""
    if not fits(value, r"[^/]+/[0-9]+", 64):
        return None
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None


def repeated(nodes: Iterable[Node], key: Callable[[Node], Any]) -> Iterator[Node]:
    """The nodes whose key an earlier node has already; a key of None does not count."""
    seen: list[Any] = []
    for node in nodes:
        if (found := key(node)) in seen:
            yield node
        elif found is not None:
            seen.append(found)


def value_at(path: str) -> Callable[[Node], Any]:
    """The function that reads the value at a path."""
    return lambda node: node.at(path).value


def protocol(port: Node) -> str:
    """The protocol of a Service port or container port."""
    return str(port.at("protocol").value or "TCP")


def label_maps(manifest: Node) -> Iterator[Node]:
    """Every mapping of labels in an object, selectors included."""
    for node in manifest.walk():
        if re.fullmatch(LABEL_MAPS, node.path):
            yield node
    if manifest.kind == "Service":
        yield manifest.at("spec.selector")


def annotation_maps(manifest: Node) -> Iterator[Node]:
    """Every mapping of annotations in an object."""
    return (node for node in manifest.walk() if re.fullmatch(ANNOTATION_MAPS, node.path))


def data_maps(manifest: Node) -> Iterator[Node]:
    """The data mappings of a ConfigMap or Secret."""
    return (manifest.at(field) for field in DATA_FIELDS.get(manifest.kind, ()))


def data_keys(manifest: Node) -> list[str]:
    """The keys of a ConfigMap or Secret."""
    return [key for data in data_maps(manifest) for key, _ in data.fields()]


def probes(container: Node) -> Iterator[Node]:
    """The probes a container has."""
    return (container.at(probe) for probe in PROBES if container.at(probe).value is not None)


def ingress_backends(ingress: Node) -> Iterator[Node]:
    """The Services an Ingress sends requests to."""
    parents = [ingress.at("spec.defaultBackend")]
    for rule in ingress.at("spec.rules").items():
        parents += [path.at("backend") for path in rule.at("http.paths").items()]
    return (parent.at("service") for parent in parents if parent.at("service").value is not None)


def is_headless(service: Node) -> bool:
    """Whether a Service has no address of its own."""
    return bool(service.at("spec.clusterIP").value == "None")


def is_single_node(claim: Node) -> bool:
    """Whether only the pods of one node can use a claim at a time."""
    modes = [mode.value for mode in claim.at("spec.accessModes").items()]
    return bool(modes) and all(mode in SINGLE_NODE_MODES for mode in modes)


def source(kind: str, ref: Node, name: str = "name") -> Iterator[Reference]:
    """The reference made by an environment or volume source, if it is there."""
    if ref.value is not None:
        keys = (ref.at("key"), *(item.at("key") for item in ref.at("items").items()))
        named = tuple(key for key in keys if key.value is not None)
        yield Reference(kind, ref.at(name), named, ref.at("optional").value is True)


def volume_references(volume: Node) -> Iterator[Reference]:
    """What a volume takes from ConfigMaps and Secrets."""
    yield from source("ConfigMap", volume.at("configMap"))
    yield from source("Secret", volume.at("secret"), "secretName")
    for projection in volume.at("projected.sources").items():
        yield from source("ConfigMap", projection.at("configMap"))
        yield from source("Secret", projection.at("secret"))


def pod_references(workload: Workload) -> Iterator[Reference]:
    """What the pods of a workload need to find in their namespace."""
    for container in workload.containers:
        for env in container.at("env").items():
            yield from source("ConfigMap", env.at("valueFrom.configMapKeyRef"))
            yield from source("Secret", env.at("valueFrom.secretKeyRef"))
        for env in container.at("envFrom").items():
            yield from source("ConfigMap", env.at("configMapRef"))
            yield from source("Secret", env.at("secretRef"))
    for volume in workload.spec.at("volumes").items():
        yield from volume_references(volume)
    for name in workload.claim_names:
        yield Reference("PersistentVolumeClaim", name)
    for secret in workload.spec.at("imagePullSecrets").items():
        yield Reference("Secret", secret.at("name"))
    if (account := workload.spec.at("serviceAccountName")).value is not None:
        yield Reference("ServiceAccount", account)


def references(bundle: Bundle) -> Iterator[Reference]:
    """What the objects of the set need to find in their namespace."""
    for workload in bundle.workloads:
        yield from pod_references(workload)
    for ingress in bundle.of("Ingress"):
        for tls in ingress.at("spec.tls").items():
            if (secret := tls.at("secretName")).value is not None:
                yield Reference("Secret", secret)
    for account in bundle.of("ServiceAccount"):
        for field in ("secrets", "imagePullSecrets"):
            for secret in account.at(field).items():
                yield Reference("Secret", secret.at("name"))


def objects_are_unique(bundle: Bundle) -> Iterator[str]:
    """No two objects share group, kind, namespace and name."""

    def identity(node: Node) -> tuple[str, ...]:
        group = str(node.at("apiVersion").value).rpartition("/")[0]
        return group, node.kind, node.namespace, node.name

    for node in repeated(bundle.manifests, identity):
        yield node.at("metadata.name").says("another object of the set is the same")


def object_names_are_valid(bundle: Bundle) -> Iterator[str]:
    """Object names have the shape and length their kind allows."""
    shapes = {
        "Service": (DNS_1035, 63),
        "Namespace": (LABEL, 63),
        "Job": (SUBDOMAIN, 63),
        **dict.fromkeys(("Deployment", "StatefulSet", "CronJob"), (SUBDOMAIN, 52)),
        **dict.fromkeys(RBAC_KINDS, (PATH_SEGMENT, 253)),
    }
    for manifest in bundle.manifests:
        name, namespace = manifest.at("metadata.name"), manifest.at("metadata.namespace")
        pattern, limit = shapes.get(manifest.kind, (SUBDOMAIN, 253))
        if not fits(name.value, pattern, limit):
            yield name.says(f"{name.value!r} is not a name of at most {limit} characters")
        if namespace.value is not None and not fits(namespace.value, LABEL, 63):
            yield namespace.says(f"{namespace.value!r} is not a namespace")


def labels_and_annotations_are_valid(bundle: Bundle) -> Iterator[str]:
    """Labels and annotations have valid keys, values and sizes."""

    def is_key(key: Any) -> bool:
        prefix, slash, name = str(key).rpartition("/")
        return fits(name, QUALIFIED, 63) and (not slash or fits(prefix, SUBDOMAIN, 253))

    for manifest in bundle.manifests:
        for labels in label_maps(manifest):
            for key, label in labels.fields():
                if not is_key(key):
                    yield label.says("not a label key")
                if isinstance(label.value, str) and not fits(label.value, f"({QUALIFIED})?", 63):
                    yield label.says(f"{label.value!r} is not a label value")
        for notes in annotation_maps(manifest):
            fields = list(notes.fields())
            for key, annotation in fields:
                if not is_key(str(key).lower()):
                    yield annotation.says("not an annotation key")
            size = sum(len(f"{key}{annotation.value}".encode()) for key, annotation in fields)
            if size > 256 * 1024:
                yield notes.says(f"{size} bytes, more than 256 KiB")


def data_is_valid(bundle: Bundle) -> Iterator[str]:
    """ConfigMap and Secret keys are valid, binary values base64, the whole up to 1 MiB."""
    for manifest in bundle.of(*DATA_FIELDS):
        size = 0
        for data in data_maps(manifest):
            encoded = data.path == "binaryData" or (manifest.kind, data.path) == ("Secret", "data")
            for key, node in data.fields():
                if not fits(key, DATA_KEY, 253):
                    yield node.says("not a data key")
                value = str(node.value).encode()
                if encoded:
                    try:
                        value = base64.b64decode(re.sub(rb"[\r\n]", b"", value), validate=True)
                    except binascii.Error:
                        yield node.says("not base64")
                size += len(value)
        if size > 1024 * 1024:
            yield manifest.at("data").says(f"{size} bytes, more than 1 MiB")


def service_ports_are_valid(bundle: Bundle) -> Iterator[str]:
    """Service ports are unique, and named where there are several."""
    for service in bundle.of("Service"):
        ports = list(service.at("spec.ports").items())
        if not ports and not is_headless(service) and service.at("spec.selector").value:
            yield service.at("spec.ports").says("no ports")
        for port in ports:
            number, name = port.at("port"), port.at("name")
            if not is_port(number.value):
                yield number.says(f"{number.value!r} is not a port")
            if name.value is None and len(ports) > 1:
                yield name.says("required, the Service has several ports")
            elif name.value is not None and not fits(name.value, LABEL, 63):
                yield name.says(f"{name.value!r} is not a port name")
        for port in repeated(ports, value_at("name")):
            yield port.at("name").says("another port of the Service has this name")
        for port in repeated(ports, lambda port: (port.at("port").value, protocol(port))):
            yield port.at("port").says("another port of the Service has this number")


def node_ports_are_valid(bundle: Bundle) -> Iterator[str]:
    """Node ports stand in Services of a fitting type, in range, once in the set."""
    ports = [port for svc in bundle.of("Service") for port in svc.at("spec.ports").items()]
    for port in ports:
        number = port.at("nodePort")
        if number.value is None:
            continue
        if Node(port.root, port.root).at("spec.type").value not in ("NodePort", "LoadBalancer"):
            yield number.says("the Service is neither NodePort nor LoadBalancer")
        if not is_number(number.value, 30000, 32767):
            yield number.says(f"{number.value!r} is not in 30000-32767")
    for port in repeated(ports, value_at("nodePort")):
        yield port.at("nodePort").says("another port of the set has this node port")


def container_ports_are_valid(bundle: Bundle) -> Iterator[str]:
    """Container ports are in range, with valid names that are unique in the container."""
    for container in bundle.containers:
        ports = list(container.at("ports").items())
        for port in ports:
            number, name = port.at("containerPort"), port.at("name")
            if not is_port(number.value):
                yield number.says(f"{number.value!r} is not a port")
            if name.value is not None and not fits(name.value, PORT_NAME, 15):
                yield name.says(f"{name.value!r} is not a port name of at most 15 characters")
        for port in repeated(ports, value_at("name")):
            yield port.at("name").says("another port of the container has this name")


def selectors_match_templates(bundle: Bundle) -> Iterator[str]:
    """A workload selects the pods it makes."""
    for workload in bundle.workloads:
        if workload.manifest.kind in ("Job", "CronJob", "Pod"):
            continue
        selector = workload.manifest.at("spec.selector.matchLabels")
        if not selector.value:
            yield selector.says("selects nothing")
        for key, label in selector.fields():
            if key not in workload.labels or workload.labels[key] != label.value:
                yield label.says("not a label of the pod template")


def containers_are_named(bundle: Bundle) -> Iterator[str]:
    """Container names are valid and unique in the pod, and each container has an image."""
    for workload in bundle.workloads:
        if not list(workload.spec.at("containers").items()):
            yield workload.spec.at("containers").says("no containers")
        for container in workload.containers:
            name, image = container.at("name"), container.at("image")
            if not fits(name.value, LABEL, 63):
                yield name.says(f"{name.value!r} is not a container name")
            if not isinstance(image.value, str) or not image.value.strip():
                yield image.says("no image")
        for container in repeated(workload.containers, value_at("name")):
            yield container.at("name").says("another container of the pod has this name")


def volumes_are_valid(bundle: Bundle) -> Iterator[str]:
    """Volumes have valid, unique names and one source each."""
    for workload in bundle.workloads:
        volumes = list(workload.spec.at("volumes").items())
        for volume in volumes:
            if not fits(volume.at("name").value, LABEL, 63):
                yield volume.at("name").says(f"{volume.at('name').value!r} is not a volume name")
            sources = [key for key, _ in volume.fields() if key != "name"]
            if len(sources) != 1:
                yield volume.says(f"{len(sources)} sources, one is needed")
        for volume in repeated(volumes, value_at("name")):
            yield volume.at("name").says("another volume of the pod has this name")


def mounts_are_valid(bundle: Bundle) -> Iterator[str]:
    """A mount names a volume of the pod; its path is unique, its subPath stays inside."""
    for workload in bundle.workloads:
        volumes = [volume.at("name").value for volume in workload.spec.at("volumes").items()]
        volumes += [claim.at("metadata.name").value for claim in workload.claim_templates]
        for container in workload.containers:
            mounts = list(container.at("volumeMounts").items())
            for mount in mounts:
                name, path, sub = (mount.at(key) for key in ("name", "mountPath", "subPath"))
                if name.value not in volumes:
                    yield name.says(f"the pod has no volume {name.value!r}")
                if not fits(path.value, r"[^:]+", 4096):
                    yield path.says(f"{path.value!r} is not a mount path")
                if sub.value is not None and not fits(
                    sub.value, r"(?!/)(?!(.*/)?\.\.(/|$)).*", 4096
                ):
                    yield sub.says(f"{sub.value!r} leaves the volume")
            for mount in repeated(mounts, value_at("mountPath")):
                yield mount.at("mountPath").says("another mount of the container has this path")


def environments_are_valid(bundle: Bundle) -> Iterator[str]:
    """Environment variables have valid, unique names and one source each."""
    for container in bundle.containers:
        variables = list(container.at("env").items())
        for variable in variables:
            name, origin = variable.at("name"), variable.at("valueFrom")
            if not fits(name.value, ENV_NAME, 1024):
                yield name.says(f"{name.value!r} is not a variable name")
            if origin.value is not None:
                if variable.at("value").value is not None:
                    yield variable.says("both value and valueFrom")
                if len(list(origin.fields())) != 1:
                    yield origin.says("one source is needed")
            field = origin.at("fieldRef.fieldPath")
            if origin.at("fieldRef").value is not None and not fits(field.value, FIELD_PATH, 512):
                yield field.says(f"{field.value!r} is not available to a variable")
        for variable in repeated(variables, value_at("name")):
            yield variable.at("name").says("another variable of the container has this name")


def quantities_are_valid(bundle: Bundle) -> Iterator[str]:
    """Quantities are well formed and not negative, and no request exceeds its limit."""
    for container in bundle.containers:
        requests, limits = (container.at(f"resources.{key}") for key in ("requests", "limits"))
        for _, node in (*requests.fields(), *limits.fields()):
            if (amount := quantity(node.value)) is None or amount < 0:
                yield node.says(f"{node.value!r} is not a quantity")
        ceilings = {name: quantity(node.value) for name, node in limits.fields()}
        for name, node in requests.fields():
            amount, ceiling = quantity(node.value), ceilings.get(name)
            if amount is not None and ceiling is not None and amount > ceiling:
                yield node.says(f"{node.value} is above the limit")
    for workload in bundle.workloads:
        for volume in workload.spec.at("volumes").items():
            size = volume.at("emptyDir.sizeLimit")
            if size.value is not None and ((amount := quantity(size.value)) is None or amount < 0):
                yield size.says(f"{size.value!r} is not a quantity")


def probes_are_valid(bundle: Bundle) -> Iterator[str]:
    """A probe has one handler; liveness and startup need one success."""
    for container in bundle.containers:
        for probe in probes(container):
            handlers = [key for key, _ in probe.fields() if key in PROBE_HANDLERS]
            if len(handlers) != 1:
                yield probe.says(f"{len(handlers)} handlers, one is needed")
            threshold = probe.at("successThreshold")
            if threshold.value not in (None, 1) and not probe.path.endswith("readinessProbe"):
                yield threshold.says("must be 1")


def choices_are_valid(bundle: Bundle) -> Iterator[str]:
    """Pull policies, Service types and restart policies are among the allowed ones."""
    allowed: list[tuple[Node, tuple[str | None, ...]]] = [
        *((c.at("imagePullPolicy"), (None, *PULL_POLICIES)) for c in bundle.containers),
        *((s.at("spec.type"), (None, *SERVICE_TYPES)) for s in bundle.of("Service")),
    ]
    for workload in bundle.workloads:
        policies: tuple[str | None, ...] = (None, "Always")
        if workload.manifest.kind in ("Job", "CronJob"):
            policies = ("Never", "OnFailure")
        elif workload.manifest.kind == "Pod":
            policies = (None, "Always", "Never", "OnFailure")
        allowed.append((workload.spec.at("restartPolicy"), policies))
    for node, choices in allowed:
        if node.value not in choices:
            yield node.says(f"{node.value!r} is not among {', '.join(filter(None, choices))}")


def rollouts_are_valid(bundle: Bundle) -> Iterator[str]:
    """Rolling parameters belong to RollingUpdate; replicas and grace are not negative."""
    for workload in bundle.workloads:
        for field in ("strategy", "updateStrategy"):
            strategy = workload.manifest.at(f"spec.{field}")
            rolling = strategy.at("type").value in (None, "RollingUpdate")
            if not rolling and strategy.at("rollingUpdate").value is not None:
                yield strategy.at("rollingUpdate").says("only with type RollingUpdate")
        replicas = workload.manifest.at("spec.replicas")
        for count in (replicas, workload.spec.at("terminationGracePeriodSeconds")):
            if count.value is not None and not is_number(count.value, 0):
                yield count.says(f"{count.value!r} is not 0 or more")


def claims_are_valid(bundle: Bundle) -> Iterator[str]:
    """Claims have access modes, some storage and a well-formed class."""
    for claim in bundle.claims:
        modes = claim.at("spec.accessModes")
        values = [mode.value for mode in modes.items()]
        if not values or any(mode not in ACCESS_MODES for mode in values):
            yield modes.says(f"{values} is not a list of access modes")
        elif "ReadWriteOncePod" in values and len(values) > 1:
            yield modes.says("ReadWriteOncePod excludes other modes")
        storage = claim.at("spec.resources.requests.storage")
        if (quantity(storage.value) or 0) <= 0:
            yield storage.says(f"{storage.value!r} is not a positive quantity")
        storage_class = claim.at("spec.storageClassName")
        if storage_class.value is not None and not fits(
            storage_class.value, f"({SUBDOMAIN})?", 253
        ):
            yield storage_class.says(f"{storage_class.value!r} is not a class name")


def ingresses_are_valid(bundle: Bundle) -> Iterator[str]:
    """Ingress hosts, paths and backend ports are well formed."""
    for ingress in bundle.of("Ingress"):
        rules = list(ingress.at("spec.rules").items())
        hosts = [rule.at("host") for rule in rules if rule.at("host").value]
        for tls in ingress.at("spec.tls").items():
            hosts += tls.at("hosts").items()
        for host in hosts:
            if not fits(host.value, rf"(\*\.)?{SUBDOMAIN}", 253):
                yield host.says(f"{host.value!r} is not a lower-case host name without port")
        for path in (path for rule in rules for path in rule.at("http.paths").items()):
            kind, prefix = path.at("pathType"), path.at("path")
            if kind.value not in PATH_TYPES:
                yield kind.says(f"{kind.value!r} is not among {', '.join(PATH_TYPES)}")
            free = kind.value == "ImplementationSpecific" and prefix.value is None
            if not free and not str(prefix.value).startswith("/"):
                yield prefix.says(f"{prefix.value!r} does not start with /")
        for backend in ingress_backends(ingress):
            port = backend.at("port")
            if (port.at("name").value is None) == (port.at("number").value is None):
                yield port.says("either name or number is needed")


def network_policies_have_cidrs(bundle: Bundle) -> Iterator[str]:
    """NetworkPolicy address blocks are CIDRs, exceptions lie inside their block."""
    for policy in bundle.of("NetworkPolicy"):
        for block in (node for node in policy.walk() if node.path.endswith(".ipBlock")):
            cidr = block.at("cidr")
            outer = network(cidr.value)
            if outer is None:
                yield cidr.says(f"{cidr.value!r} is not a CIDR")
            for exception in block.at("except").items():
                inner = network(exception.value)
                if inner is None:
                    yield exception.says(f"{exception.value!r} is not a CIDR")
                elif outer and not (
                    inner.version == outer.version
                    and inner.prefixlen > outer.prefixlen
                    and inner.network_address in outer
                ):
                    yield exception.says(f"not inside {outer}")


def autoscalers_have_a_range(bundle: Bundle) -> Iterator[str]:
    """A HorizontalPodAutoscaler has a minimum up to its maximum."""
    for scaler in bundle.of("HorizontalPodAutoscaler"):
        low, high = scaler.at("spec.minReplicas"), scaler.at("spec.maxReplicas")
        minimum = 1 if low.value is None else low.value
        if not is_number(minimum, 0):
            yield low.says(f"{minimum!r} is not 0 or more")
        elif not is_number(high.value, max(minimum, 1)):
            yield high.says(f"{high.value!r} is below the minimum {max(minimum, 1)}")


def tolerations_are_valid(bundle: Bundle) -> Iterator[str]:
    """A toleration of any value names no value."""
    for workload in bundle.workloads:
        for toleration in workload.spec.at("tolerations").items():
            if toleration.at("operator").value == "Exists" and toleration.at("value").value:
                yield toleration.at("value").says("not with operator Exists")


def privileged_containers_may_escalate(bundle: Bundle) -> Iterator[str]:
    """A privileged container does not forbid privilege escalation."""
    for container in bundle.containers:
        context = container.at("securityContext")
        escalation = context.at("allowPrivilegeEscalation")
        if context.at("privileged").value is True and escalation.value is False:
            yield escalation.says("false in a privileged container")


def services_select_one_workload(bundle: Bundle) -> Iterator[str]:
    """A Service selects the pods of one workload, which have the ports it names."""
    for service in bundle.of("Service"):
        selector = service.at("spec.selector")
        wanted = [(key, node.value) for key, node in selector.fields()]
        if not wanted:
            continue
        selected = [
            workload
            for workload in bundle.workloads
            if workload.manifest.namespace == service.namespace
            and all(label in list(workload.labels.items()) for label in wanted)
        ]
        if len(selected) != 1:
            owners = ", ".join(workload.manifest.owner for workload in selected)
            yield selector.says(f"selects {owners or 'no workload'}, not one workload")
            continue
        ports = [p for c in selected[0].containers for p in c.at("ports").items()]
        named = [(port.at("name").value, protocol(port)) for port in ports]
        for port in service.at("spec.ports").items():
            target = port.at("targetPort")
            if target.value is None or is_port(target.value):
                continue
            if (target.value, protocol(port)) not in named:
                yield target.says(f"{selected[0].manifest.owner} has no port {target.value!r}")


def probe_ports_exist(bundle: Bundle) -> Iterator[str]:
    """A probe names a port of its container, or gives a number."""
    for container in bundle.containers:
        named = [port.at("name").value for port in container.at("ports").items()]
        for probe in probes(container):
            for handler in (probe.at("httpGet"), probe.at("tcpSocket"), probe.at("grpc")):
                port = handler.at("port")
                if handler.value is None or is_port(port.value):
                    continue
                if port.value is None or port.value not in named:
                    yield port.says(f"the container has no port {port.value!r}")


def ingress_backends_exist(bundle: Bundle) -> Iterator[str]:
    """An Ingress sends requests to Services of its namespace, at ports they have."""
    for ingress in bundle.of("Ingress"):
        for backend in ingress_backends(ingress):
            name = backend.at("name")
            if bundle.is_outside("Service", name.value):
                continue
            service = bundle.find("Service", name.value, ingress.namespace)
            if service is None:
                yield name.says(f"no Service {name.value!r} in the set")
                continue
            ports = list(service.at("spec.ports").items())
            for wanted, field in (("name", "name"), ("number", "port")):
                port = backend.at(f"port.{wanted}")
                if port.value is not None and port.value not in map(value_at(field), ports):
                    yield port.says(f"{service.owner} has no port {port.value!r}")


def references_exist(bundle: Bundle) -> Iterator[str]:
    """ConfigMaps, Secrets, claims and ServiceAccounts, and the keys in them, exist."""
    for ref in references(bundle):
        if ref.optional or bundle.is_outside(ref.kind, ref.name.value):
            continue
        target = bundle.find(ref.kind, ref.name.value, ref.name.namespace)
        if target is None:
            yield ref.name.says(f"no {ref.kind} {ref.name.value!r} in the set")
            continue
        for key in ref.keys:
            if key.value not in data_keys(target):
                yield key.says(f"{target.owner} has no key {key.value!r}")


def mounted_files_exist(bundle: Bundle) -> Iterator[str]:
    """A file mounted from a ConfigMap or Secret volume is in that volume."""
    for workload in bundle.workloads:
        files: dict[str, list[Any]] = {}
        for volume in workload.spec.at("volumes").items():
            if volume.at("projected").value is not None:
                continue
            for ref in volume_references(volume):
                target = bundle.find(ref.kind, ref.name.value, ref.name.namespace)
                if target is not None:
                    origin = volume.at("secret" if ref.kind == "Secret" else "configMap")
                    paths = [item.at("path").value for item in origin.at("items").items()]
                    files[str(volume.at("name").value)] = paths or data_keys(target)
        for mount in (m for c in workload.containers for m in c.at("volumeMounts").items()):
            present = files.get(str(mount.at("name").value))
            sub = mount.at("subPath")
            if present is not None and sub.value and sub.value not in present:
                yield sub.says(f"the volume has no file {sub.value!r}")


def binding_subjects_exist(bundle: Bundle) -> Iterator[str]:
    """ServiceAccounts that are granted a role exist."""
    for binding in bundle.of("RoleBinding", "ClusterRoleBinding"):
        for subject in binding.at("subjects").items():
            name = subject.at("name")
            if subject.at("kind").value != "ServiceAccount":
                continue
            if bundle.is_outside("ServiceAccount", name.value):
                continue
            namespace = str(subject.at("namespace").value or binding.namespace)
            if bundle.find("ServiceAccount", name.value, namespace, "") is None:
                yield name.says(f"no ServiceAccount {name.value!r} in the set")


def stateful_sets_have_a_headless_service(bundle: Bundle) -> Iterator[str]:
    """The serviceName of a StatefulSet is a headless Service of the set."""
    for stateful_set in bundle.of("StatefulSet"):
        name = stateful_set.at("spec.serviceName")
        service = bundle.find("Service", name.value, stateful_set.namespace)
        if service is None or not is_headless(service):
            yield name.says(f"no headless Service {name.value!r} in the set")


def non_root_containers_have_no_root_user(bundle: Bundle) -> Iterator[str]:
    """A container that must not run as root is not told to run as user 0."""
    for workload in bundle.workloads:
        pod = workload.spec.at("securityContext")
        for container in workload.containers:
            own = container.at("securityContext")
            non_root, user = (
                pod.at(field).value if own.at(field).value is None else own.at(field).value
                for field in ("runAsNonRoot", "runAsUser")
            )
            if non_root is True and user == 0:
                yield own.says("runAsNonRoot with runAsUser 0")


def nothing_is_null(bundle: Bundle) -> Iterator[str]:
    """No field is null."""
    for manifest in bundle.manifests:
        for node in manifest.walk():
            if node.value is None:
                yield node.says("null")


def texts_are_strings(bundle: Bundle) -> Iterator[str]:
    """Labels, annotations, data and environment values are strings."""
    texts = [variable.at("value") for c in bundle.containers for variable in c.at("env").items()]
    for manifest in bundle.manifests:
        for texts_by_key in (
            *label_maps(manifest),
            *annotation_maps(manifest),
            *data_maps(manifest),
        ):
            texts += [text for _, text in texts_by_key.fields()]
    for text in texts:
        if text.value is not None and not isinstance(text.value, str):
            yield text.says(f"{text.value!r} is not a string")


def service_links_are_off(bundle: Bundle) -> Iterator[str]:
    """Deployments and StatefulSets keep Service variables out of their containers."""
    for workload in bundle.workloads:
        links = workload.spec.at("enableServiceLinks")
        if workload.manifest.kind in ("Deployment", "StatefulSet") and links.value is not False:
            yield links.says("must be false")


def single_node_claims_are_recreated(bundle: Bundle) -> Iterator[str]:
    """A Deployment with a ReadWriteOnce claim stops its old pod before the new one starts."""
    for workload in bundle.workloads:
        strategy = workload.manifest.at("spec.strategy.type")
        if workload.manifest.kind != "Deployment" or strategy.value == "Recreate":
            continue
        for name in workload.claim_names:
            claim = bundle.find("PersistentVolumeClaim", name.value, name.namespace)
            if claim and is_single_node(claim):
                yield strategy.says(f"must be Recreate, {claim.owner} is for one node")


def single_node_claims_have_one_workload(bundle: Bundle) -> Iterator[str]:
    """A ReadWriteOnce claim is mounted by the pods of one workload."""
    for claim in filter(is_single_node, bundle.of("PersistentVolumeClaim")):
        users = [
            workload.manifest.owner
            for workload in bundle.workloads
            if workload.manifest.namespace == claim.namespace
            and any(name.value == claim.name for name in workload.claim_names)
        ]
        if len(users) > 1:
            yield claim.at("spec.accessModes").says(f"mounted by {', '.join(users)}")


RULES: tuple[Rule, ...] = (
    objects_are_unique,
    object_names_are_valid,
    labels_and_annotations_are_valid,
    data_is_valid,
    service_ports_are_valid,
    node_ports_are_valid,
    container_ports_are_valid,
    selectors_match_templates,
    containers_are_named,
    volumes_are_valid,
    mounts_are_valid,
    environments_are_valid,
    quantities_are_valid,
    probes_are_valid,
    choices_are_valid,
    rollouts_are_valid,
    claims_are_valid,
    ingresses_are_valid,
    network_policies_have_cidrs,
    autoscalers_have_a_range,
    tolerations_are_valid,
    privileged_containers_may_escalate,
    services_select_one_workload,
    probe_ports_exist,
    ingress_backends_exist,
    references_exist,
    mounted_files_exist,
    binding_subjects_exist,
    stateful_sets_have_a_headless_service,
    non_root_containers_have_no_root_user,
    nothing_is_null,
    texts_are_strings,
    service_links_are_off,
    single_node_claims_are_recreated,
    single_node_claims_have_one_workload,
)


def findings(
    objects: Sequence[Mapping[str, Any]],
    outside: Collection[tuple[str, str]] = frozenset(),
) -> list[str]:
    """One line for each mistake in a bundle; `outside` lists (kind, name) that it relies on."""
    bundle = Bundle(objects, outside)
    return [line for rule in RULES for line in rule(bundle)]
