"""Amounts that Kubernetes accepts and nobody means, such as memory of 512 bytes."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from config.types.kubernetes import QUANTITY, amount
from config.types.model import Model
from config.types.scalars import SpelledInteger

if TYPE_CHECKING:
    from config.elasticsearch import Elasticsearch
    from config.values import Values

Path = tuple[str | int, ...]

MEBIBYTE = 2**20
BYTES = ("memory", "storage", "ephemeral-storage")
# What stands around the size of a volume; elsewhere `size` may be the label of a node.
VOLUMES = {
    "size": ("data", "config", "persistence", "storage"),
    "sizeLimit": ("emptyDir", "storage"),
}
# The largest nodes that are common have fewer; from here on thousandths are meant.
MANY_PROCESSORS = 100
JAVA_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
JAVA_SIZE = re.compile(
    r"(?<!\S)-(?:(X(?:mx|ms))|(XX:(?:Max|Initial)HeapSize)=)([0-9]+)([kKmMgGtT]?)(?!\S)"
)
JAVA_SHARE = re.compile(r"(?<!\S)-(XX:(?:Max|Initial)RAMPercentage)=([0-9.]+)(?!\S)")


def warnings(values: "Values") -> Iterator[str]:
    """Warn of amounts of the values that are certainly meant in another unit, each once."""
    for path, given in _leaves(values, ()):
        if message := _doubt(path, given):
            yield f"{_dotted(path)}: {given} is {message}"
    if values.elasticsearch.source != "external":
        yield from _java_heap(values.elasticsearch)


def _leaves(part: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """All that the values set, by path; what stands in objects of other kinds nobody knows."""
    if isinstance(part, Model):
        fields = type(part).model_fields
        for name in fields:
            if name in part.model_fields_set and name != "extra_objects":
                yield from _leaves(getattr(part, name), (*path, str(fields[name].alias)))
        for key, below in (part.model_extra or {}).items():
            yield from _leaves(below, (*path, key))
    elif isinstance(part, dict):
        for key, below in part.items():
            yield from _leaves(below, (*path, key))
    elif isinstance(part, list):
        for index, below in enumerate(part):
            yield from _leaves(below, (*path, index))
    elif isinstance(part, str | int | float | SpelledInteger):
        yield path, str(part)
    elif hasattr(type(part), "__jsii_type__"):
        from config.types.structs import to_plain  # started with the first struct

        yield from _leaves(to_plain(part), path)


def _doubt(path: Path, given: str) -> str:
    """Return what is doubtful about an amount; empty if nothing is, or it is no amount."""
    if len(path) < 2:
        return ""
    resource, place = str(path[-1]), path[-2]
    if not re.fullmatch(QUANTITY, given):
        return ""
    number = amount(given)
    of_container = place in ("requests", "limits")
    if of_container and resource == "cpu" and number >= MANY_PROCESSORS:
        return f"{number:f} processors; thousandths of one are written {number:f}m"
    if not (of_container and resource in BYTES) and place not in VOLUMES.get(resource, ()):
        return ""
    if number % 1:
        return f"{number:f} bytes, as m stands for thousandths; write Mi or Gi"
    return f"{number:f} bytes; write Mi or Gi" if 0 < number < MEBIBYTE else ""


def _java_heap(search: "Elasticsearch") -> Iterator[str]:
    """Warn of a heap that no Java starts with, or that leaves nothing of the memory limit."""
    path, options = "elasticsearch.esJavaOpts", search.es_java_opts
    for index, variable in enumerate(search.extra_envs):
        if variable.name == "ES_JAVA_OPTS":
            path, options = f"elasticsearch.extraEnvs[{index}]", variable.value or ""
    limits = (search.resources.limits or {}) if search.resources else {}
    limit = None
    if "memory" in limits:
        from config.types.structs import amount_of, value_of

        limit, written = amount_of(limits["memory"]), value_of(limits["memory"])
    for short, long, number, unit in JAVA_SIZE.findall(options):
        option = f"-{short or f'{long}='}{number}{unit}"
        size = int(number) * JAVA_UNITS[unit.lower()]
        if not unit and 0 < size < MEBIBYTE:
            yield (
                f"{path}: {option} is {number} bytes, as it has no unit; write {number}m or "
                f"{number}g"
            )
        elif limit is not None and size >= limit:
            yield f"{path}: {option} {_leaves_nothing(written)}"
    for option, share in JAVA_SHARE.findall(options):
        if limit is not None and Decimal(share) >= 100:
            yield f"{path}: -{option}={share} {_leaves_nothing(written)}"


def _leaves_nothing(limit: object) -> str:
    return (
        f"leaves nothing of resources.limits.memory ({limit}) for what is not heap: Elasticsearch "
        "is killed when it fills; half of the limit is right"
    )


def _dotted(path: Path) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
