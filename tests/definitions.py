"""Kinds that Kubernetes itself does not have, as the clusters of the tests know them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Object = dict[str, Any]

DEFINITIONS: list[Object] = list(
    yaml.safe_load_all(Path(__file__).with_name("definitions.yaml").read_text("utf-8"))
)


def _schemas() -> dict[tuple[str, str], Object]:
    """By API version and kind; no fields but those that are named are allowed."""
    metadata = {"type": "object", "required": ["name", "namespace", "labels"]}
    schemas = {}
    for definition in DEFINITIONS:
        spec = definition["spec"]
        (version,) = spec["versions"]
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": metadata}
        schemas[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return schemas


def _strict(schema: Object) -> Object:
    strict = dict(schema)
    if "properties" in schema:
        parts = {name: _strict(part) for name, part in schema["properties"].items()}
        strict |= {"properties": parts, "additionalProperties": False}
    if "items" in schema:
        strict["items"] = _strict(schema["items"])
    return strict


SCHEMAS = _schemas()


def is_defined(manifest: Object) -> bool:
    """Whether the object is of such a kind."""
    return (manifest["apiVersion"], manifest["kind"]) in SCHEMAS


def misfits(manifest: Object) -> Iterator[str]:
    """What the schema says of an object of such a kind."""
    schema = SCHEMAS[manifest["apiVersion"], manifest["kind"]]
    name = f"{manifest['kind']}/{manifest['metadata']['name']}"
    for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest):
        yield f"{name} {error.json_path}: {error.message}"
