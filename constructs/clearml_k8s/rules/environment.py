"""Environment variables and where they come from."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import fits, repeated
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, fields
from config.error import shape

ENV_NAME = re.compile(r"(?!\.$|\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*")
FIELD_PATH = re.compile(
    r"metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])"
    r"|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?)"
)
CPU_UNITS = ("1", "1m")
BYTE_UNITS = ("1", *(f"1{unit}" for unit in "kMGTPE"), *(f"1{unit}i" for unit in "KMGTPE"))
RESOURCE_FIELD = re.compile(r"(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)")


def own_fields(place: Place, known: re.Pattern[str]) -> Iterator[Finding]:
    """Findings about a field or resource of the pod that a variable or file is made from."""
    if (field := place.at("fieldRef")) is not None:
        way = place.below(field, "fieldRef")
        if not fits(path := way.at("fieldPath"), known, 512):
            yield way.says(f"{shape(path)} is not available here", "fieldPath")
        yield from way.among(way.at("apiVersion"), ("v1",), "apiVersion")
    if (resource := place.at("resourceFieldRef")) is not None:
        way = place.below(resource, "resourceFieldRef")
        name, divisor = str(way.at("resource")), way.at("divisor")
        if not fits(name, RESOURCE_FIELD, 512):
            yield way.says(f"{shape(name)} is not available here", "resource")
        units = CPU_UNITS if name.endswith(".cpu") else BYTE_UNITS
        yield from way.among(None if divisor is None else str(divisor), ("0", *units), "divisor")


def environments_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Environment variables have valid names and one source each."""
    for container in bundle.containers:
        for i, variable in container.items("env"):
            name, origin = variable.get("name"), variable.get("valueFrom")
            if not fits(name, ENV_NAME, 1024):
                yield container.says(f"{shape(name)} is not a variable name", "env", i, "name")
            if origin is None:
                continue
            place = container.below(origin, "env", i, "valueFrom")
            if variable.get("value"):
                yield container.says("both value and valueFrom", "env", i)
            if len(fields(origin)) != 1:
                yield place.says("one source is needed")
            yield from own_fields(place, FIELD_PATH)


def variables_are_set_once(bundle: Bundle) -> Iterator[Finding]:
    """No variable hides another; Kubernetes takes the last, but `kubectl apply` mixes them up."""
    for container in bundle.containers:
        for i in repeated(variable.get("name") for _, variable in container.items("env")):
            message = "another variable of the container has this name"
            yield container.says(message, "env", i, "name")


def environment_sources_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Each source of many variables is one ConfigMap or one Secret."""
    for container in bundle.containers:
        for i, source in container.items("envFrom"):
            if len(source.keys() - {"prefix"}) != 1:
                yield container.says("one source is needed", "envFrom", i)
            if (prefix := source.get("prefix")) and not fits(prefix, ENV_NAME, 1024):
                message = f"{shape(prefix)} is not the start of a variable name"
                yield container.says(message, "envFrom", i, "prefix")


RULES: tuple[Rule, ...] = (environments_are_valid, environment_sources_are_valid)
CONVENTIONS: tuple[Rule, ...] = (variables_are_set_once,)
