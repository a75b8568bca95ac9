"""Whole Kubernetes objects in the values, of any kind."""

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from config.types.fragment import FRAGMENT
from config.types.model import DEFINITION, Mistake, refuse
from config.types.scalars import CONTROL, MISREAD, is_misread

API_VERSION = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
KIND = r"[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
# What every number of JSON holds exactly, in Node.js too.
LARGEST_EXACT = 2**53

# What objects of one cluster have in their metadata, and none that is applied to another may have.
OF_THE_CLUSTER = (
    "uid",
    "resourceVersion",
    "ownerReferences",
    "managedFields",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)

Path = tuple[str | int, ...]


class _Manifest:
    """Annotation for an object, of which only what all kinds have in common is known."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            _checked, core_schema.dict_schema(core_schema.str_schema(strict=True))
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        properties: dict[str, dict[str, Any]] = {
            "apiVersion": {"type": "string", "pattern": f"^{API_VERSION}$"},
            "kind": {"type": "string", "pattern": f"^{KIND}$"},
            "metadata": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            },
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            DEFINITION: f"{FRAGMENT}Object",
        }


Manifest = Annotated[dict[str, Any], _Manifest()]


def _checked(raw: dict[str, Any]) -> dict[str, Any]:
    """The object without nulls; refuses what is no object, and what kubectl would misread."""
    refuse([*_identity(raw), *_unreadable(raw)])
    manifest: dict[str, Any] = _without_nulls(raw)
    return manifest


def _identity(raw: dict[str, Any]) -> Iterator[Mistake]:
    for key, pattern in (("apiVersion", API_VERSION), ("kind", KIND)):
        given = raw.get(key)
        if given is None:
            yield Mistake((key,), "is required")
        elif not isinstance(given, str) or not re.fullmatch(pattern, given):
            yield Mistake((key,), f"is not the {key} of a Kubernetes object", given)
        elif (
            key == "kind" and given.endswith("List") and ("items" in raw or _is_of_kubernetes(raw))
        ):
            yield Mistake((key,), "must be that of one object: write each in an entry of its own")
    metadata = raw.get("metadata")
    if "generateName" in (metadata if isinstance(metadata, dict) else ()):
        yield Mistake(("metadata", "generateName"), "cannot be applied: write a name")
    if not isinstance(metadata, dict):
        yield Mistake(("metadata",), "must be a mapping with a name")
        return
    for key, expected, what in (
        ("name", str, "a string"),
        ("namespace", str | None, "a string"),
        ("labels", dict | None, "a mapping"),
        ("annotations", dict | None, "a mapping"),
    ):
        if not isinstance(metadata.get(key), expected) or metadata.get(key) == "":
            yield Mistake(("metadata", key), f"must be {what}")
    for key in OF_THE_CLUSTER:
        if metadata.get(key) is not None:
            yield Mistake(
                ("metadata", key), "is set by the cluster that the object is from: leave it out"
            )


def _is_of_kubernetes(raw: dict[str, Any]) -> bool:
    """Whether the object's group is one of Kubernetes itself, which has no object called a list."""
    group = str(raw.get("apiVersion")).rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def _unreadable(part: Any, *path: str | int) -> Iterator[Mistake]:
    """Texts and numbers that do not reach the cluster as they are; none is shown."""
    if isinstance(part, dict):
        for key, inner in part.items():
            if not isinstance(key, str) or CONTROL.search(key) or is_misread(key):
                yield Mistake(path, "has a key that cannot be one in a manifest")
            else:
                yield from _unreadable(inner, *path, key)
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from _unreadable(inner, *path, index)
    elif isinstance(part, str):
        if CONTROL.search(part):
            yield Mistake(path, "must have no control characters")
        elif is_misread(part):
            yield Mistake(path, MISREAD)
    elif isinstance(part, int | float) and not isinstance(part, bool):
        exact = math.isfinite(part) and abs(part) <= LARGEST_EXACT and "e" not in repr(part)
        if not exact:
            yield Mistake(path, "is not a number that a manifest can hold")
    elif not isinstance(part, bool | None):
        yield Mistake(path, "is neither a text, a number, true, false, a list nor a mapping")


def _without_nulls(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _without_nulls(inner) for key, inner in part.items() if inner is not None}
    if isinstance(part, list):
        return [_without_nulls(inner) for inner in part if inner is not None]
    return part
