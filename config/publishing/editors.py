"""The JSON schema as a file: what editors complete, explain and check."""

import copy
import json
from collections.abc import Iterator
from typing import Any, get_args

from config.publishing.schema import json_schema
from config.store import ChartModel, Provider, Store
from config.values import Values

ID = "urn:clearml-cdk8s:values"
HIDDEN = {"doNotSuggest": True}  # what VS Code and yaml-language-server go by
NOT_FROM_HELM = {"enum": [*(name for name in get_args(Provider) if name != "helm"), None]}


def editor_schema() -> dict[str, Any]:
    """The schema of the values, with what only editors need and without what they stumble over.

    It is stricter in one place: keys that only a store's Helm chart knows are for files that say
    `provider: helm` themselves.
    """
    schema = copy.deepcopy(json_schema())
    for part in _parts(schema):
        default = part.get("default")
        if default is None:
            part.pop("default", None)  # beside several types it ends yaml-language-server's list
        else:
            text = json.dumps(default, ensure_ascii=False)
            part["description"] += f" Default: {text}."  # editors do not show the keyword
        if part.get("deprecated"):
            part |= HIDDEN
    definitions = schema["$defs"]
    for field in Values.model_fields.values():
        store = field.annotation
        if isinstance(store, type) and issubclass(store, Store):
            closed = _closed(store, definitions)
            condition = {"properties": {"provider": NOT_FROM_HELM | HIDDEN}}
            definitions[store.__name__] |= {"if": condition, "then": closed}
    return {"$schema": schema["$schema"], "$id": ID} | schema


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema, and the schemas of all that it describes."""
    yield schema
    inner = [schema.get("items"), schema.get("additionalProperties")]
    for key in "properties", "$defs":
        inner += schema.get(key, {}).values()
    for part in inner:
        if isinstance(part, dict):
            yield from _parts(part)


def _closed(section: type[ChartModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema for the section without the keys that only a Helm chart knows, here and below.

    What our keys hold is not its business, but that a list may stand under another one of ours.
    """
    properties = definitions[section.__name__]["properties"]
    for theirs in section.spellings.keys() & properties:
        ours = properties[section.spellings[theirs]]
        properties[theirs] = {"if": {"type": "array"}, "then": ours, "else": properties[theirs]}
    known: dict[str, Any] = dict.fromkeys(section.spellings, True)
    known |= {key: _closed_word(part) for key, part in properties.items()}
    for field in section.model_fields.values():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, ChartModel):
            known[str(field.alias)] = _closed(inner, definitions) | HIDDEN
    return {"properties": known, "additionalProperties": False}


def _closed_word(part: dict[str, Any]) -> Any:
    """A schema for a word of other charts with its own keys alone; a Helm chart may know others."""
    if not part.get("deprecated") or "properties" not in part:
        return True
    part["additionalProperties"] = True
    known = {key: _closed_word(inner) for key, inner in part["properties"].items()}
    return {"properties": known, "additionalProperties": False} | HIDDEN
