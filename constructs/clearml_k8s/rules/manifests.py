"""The objects of a bundle, walked once, and how a place in them is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from config.error import shape, shortened

Object = Mapping[str, Any]
Step = str | int

POD_TEMPLATES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template")
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
IN_EVERY_NAMESPACE = (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"))
WALKED = {"labels", "annotations", "matchLabels", "matchExpressions", "nodeSelector", "ipBlock"}
OF_METADATA = {"labels", "annotations"}
# What texts begin with that a parser could take for a number or an operator.
NUMERIC = {*"0123456789+-.=<"}
PLAIN_STEP = re.compile(r"[\w-]+")


def at(node: Any, *keys: str) -> Any:
    """The value at a path below a node, None if there is none."""
    for key in keys:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node


def fields(node: Any, *keys: str) -> dict[str, Any]:
    """The mapping at a path below a node, empty if there is none."""
    found = at(node, *keys)
    return found if isinstance(found, dict) else {}


def entries(node: Any, *keys: str) -> list[Any]:
    """The list at a path below a node, empty if there is none."""
    found = at(node, *keys)
    return found if isinstance(found, list) else []


def items(node: Any, *keys: str) -> list[tuple[int, dict[str, Any]]]:
    """The mappings of the list at a path below a node, with their places in it."""
    return [(i, e if isinstance(e, dict) else {}) for i, e in enumerate(entries(node, *keys))]


class Finding(NamedTuple):
    """A mistake in an object: the way to it, and what is wrong; a line of text as `str`."""

    root: Object
    steps: tuple[Step, ...]
    message: str

    def __str__(self) -> str:
        path = ""
        for step in self.steps:
            plain = isinstance(step, str) and PLAIN_STEP.fullmatch(step)
            path += f".{shortened(str(step))}" if plain else f"[{shape(step)}]"
        return f"{Place(self.root, None).owner} {path.removeprefix('.')}: {self.message}"


class Place:
    """A value in an object, and the way to it."""

    __slots__ = ("root", "steps", "value")

    def __init__(self, root: Object, value: Any, *steps: Step) -> None:
        self.root, self.value, self.steps = root, value, steps

    def at(self, *keys: str) -> Any:
        """The value at a path below this place."""
        return at(self.value, *keys)

    def fields(self, *keys: str) -> dict[str, Any]:
        """The mapping at a path below this place."""
        return fields(self.value, *keys)

    def items(self, *keys: str) -> list[tuple[int, dict[str, Any]]]:
        """The mappings of the list at a path below this place."""
        return items(self.value, *keys)

    def below(self, value: Any, *steps: Step) -> Place:
        """The place of a value below this one."""
        return Place(self.root, value, *self.steps, *steps)

    def says(self, message: str, *steps: Step) -> Finding:
        """A finding about a path below this place."""
        return Finding(self.root, (*self.steps, *steps), message)

    def among(
        self, value: Any, choices: Sequence[str], *steps: Step, or_empty: bool = True
    ) -> Iterator[Finding]:
        """A finding if a value is there and not one of the choices."""
        if value is not None and value not in choices and not (or_empty and value == ""):
            yield self.says(f"{shape(value)} is not among {', '.join(choices)}", *steps)

    @property
    def kind(self) -> str:
        """The kind of the object."""
        return str(self.root.get("kind"))

    @property
    def name(self) -> str:
        """The name of the object."""
        return str(at(self.root, "metadata", "name"))

    @property
    def namespace(self) -> str:
        """The namespace of the object, empty if it names none."""
        return str(at(self.root, "metadata", "namespace") or "")

    @property
    def owner(self) -> str:
        """The object as findings name it."""
        return shortened(f"{self.kind}/{self.name}")


class Pod(Place):
    """The pod spec of a workload."""

    __slots__ = ("claim_templates", "containers", "labels", "own_claims")

    def __init__(self, root: Object, *steps: str) -> None:
        template = at(root, *steps)
        super().__init__(root, fields(template, "spec"), *steps, "spec")
        self.labels = fields(template, "metadata", "labels")
        self.containers = [
            self.below(container, field, i)
            for field in ("initContainers", "containers")
            for i, container in self.items(field)
        ]
        self.claim_templates = [
            Place(root, claim, "spec", "volumeClaimTemplates", i)
            for i, claim in items(root, "spec", "volumeClaimTemplates")
        ]
        self.own_claims = [
            self.below(claim, "volumes", i, "ephemeral", "volumeClaimTemplate")
            for i, volume in self.items("volumes")
            if (claim := at(volume, "ephemeral", "volumeClaimTemplate")) is not None
        ]


class Bundle:
    """All objects of an installation, and the (kind, name) pairs that exist outside it."""

    def __init__(
        self, objects: Sequence[Object], outside: Collection[tuple[str, str]] = ()
    ) -> None:
        self.objects = [Place(manifest, manifest) for manifest in objects]
        self._kinds: dict[str, list[Place]] = {}
        for place in self.objects:
            self._kinds.setdefault(place.kind, []).append(place)
        self.pods = [Pod(o.root, *POD_TEMPLATES[o.kind]) for o in self.of(*POD_TEMPLATES)]
        self.containers = [container for pod in self.pods for container in pod.containers]
        self.claims = [
            *self.of("PersistentVolumeClaim"),
            *(claim for pod in self.pods for claim in (*pod.claim_templates, *pod.own_claims)),
        ]
        self._outside = {*outside, *IN_EVERY_NAMESPACE}
        # Of two objects of one name, the first.
        self._found = {(o.kind, o.namespace, o.name): o for o in reversed(self.objects)}
        self._walked: dict[str, list[Place]] = {key: [] for key in WALKED}
        self.numerals: list[Place] = []
        for place in self.objects:
            # A definition has the same words for schemas.
            if place.kind != "CustomResourceDefinition":
                self._walk(place.root, place.root, ())

    def of(self, *kinds: str) -> list[Place]:
        """The objects of some kinds."""
        return [place for kind in kinds for place in self._kinds.get(kind, ())]

    def walked(self, *keys: str) -> Iterator[Place]:
        """Everything that stands under one of these keys, at any depth."""
        for key in keys:
            yield from self._walked[key]

    def find(self, kind: str, name: Any, namespace: str) -> Place | None:
        """The object of that kind and name."""
        return self._found.get((kind, namespace, str(name)))

    def is_outside(self, kind: str, name: Any) -> bool:
        """Whether the installation relies on an object of that kind and name in the cluster."""
        return (kind, str(name)) in self._outside

    def _walk(self, root: Object, node: Any, steps: tuple[Step, ...]) -> None:
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(child, (dict, list)):
                below = (*steps, key)
                if key in WALKED and (key not in OF_METADATA or steps[-1:] == ("metadata",)):
                    self._walked[key].append(Place(root, child, *below))
                self._walk(root, child, below)
            elif isinstance(child, str) and child[:1] in NUMERIC:
                self.numerals.append(Place(root, child, *steps, key))


Rule = Callable[[Bundle], Iterator[Finding]]
