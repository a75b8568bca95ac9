"""The JSON schema of the values, for editors, for messages and for the reference."""

import functools
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from config.translation import WORDS
from config.types.fragment import FRAGMENT, empty_as_list, of_deployment, type_alone
from config.types.kubernetes import NEVER, QUANTITY, never_as_none
from config.types.model import DEFINITION
from config.types.structs import to_plain
from config.types.words import Listed, Obsolete, Refused, Renamed, Word
from config.values import Values

# Limits that pydantic passes on untranslated, where a validator stands before the type.
KEYWORDS = {"ge": "minimum", "le": "maximum", "max_length": "maxLength"}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@functools.cache
def json_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a values file.

    Raw Kubernetes fragments are definitions of their own, `k8s.Affinity` and so on.
    """
    schema = Values.model_json_schema(schema_generator=_Generator)
    definitions: dict[str, Any] = {}
    _define(schema["properties"], definitions)
    definitions = {name: definitions[name] for name in sorted(definitions)}
    _resettable(schema, definitions)
    for pattern, word in WORDS.items():
        _add_word(pattern.split("."), word, schema, definitions)
    title = {"title": "Values of ClearML on Kubernetes"}
    return {"$schema": DIALECT} | schema | title | {"$defs": definitions}


def section_of(part: dict[str, Any]) -> str:
    """The section that a part of the schema refers to; a Kubernetes fragment is none."""
    name: str = part.get("$ref", "").rpartition("/")[2]
    return "" if name.startswith(FRAGMENT) else name


def resolved(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The part with the section that it refers to; what it says itself comes first."""
    section = section_of(part)
    return definitions[section] | part if section else part


def members(part: dict[str, Any]) -> dict[str, Any]:
    """The parts of a section by how their path continues; none if it is a value.

    Words of other charts are no parts of ours.
    """
    if "properties" in part:
        return {
            f".{key}": member
            for key, member in part["properties"].items()
            if not member.get("deprecated")
        }
    for step, inside in (".<key>", "additionalProperties"), ("[]", "items"):
        if isinstance(member := part.get(inside), dict) and section_of(member):
            return {step: member}
    return {}


class _Generator(GenerateJsonSchema):
    """Describes what a values file may say, which is more than the type that comes out of it."""

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        return {
            KEYWORDS.get(key, key): part for key, part in super().generate_inner(schema).items()
        }

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, default: Any) -> Any:
        return to_plain(default)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        default = described["default"]
        if "$ref" in described or (described.get("writeOnly") and default is not None):
            del described["default"]  # a section's fields have their own; secrets are not told
        elif default is None and described["type"] in ("object", ["object", "string"]):
            described["default"] = {}
        return described

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])  # any key may be null

    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchemaValue:
        described = super().function_before_schema(schema)
        converter = schema["function"]["function"]
        if described.get("type") == "string":
            described["type"] = ["string", "integer"]  # an integer is taken for its digits
        elif converter is empty_as_list:
            described |= {"type": ["array", "object"], "maxProperties": 0}
        elif converter is type_alone:
            described["type"] = ["object", "string"]
        elif converter is of_deployment:
            rolling = described["properties"]["rollingUpdate"]["properties"]
            rolling["maxSurge"] = {"deprecated": True, "description": "Has no effect."}
        elif converter is never_as_none:
            described |= {"type": ["integer", "string"], "pattern": f"^{NEVER}$"}
        return described

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        if schema.get("strict"):
            return super().bool_schema(schema)
        return {"type": ["boolean", "string"], "pattern": "^(true|false)$"}

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        described = super().str_schema(schema)
        if schema.get("pattern") == QUANTITY:
            described["type"] = ["string", "number"]
        return described


def _define(schema: Any, definitions: dict[str, Any]) -> None:
    """Make each section and Kubernetes fragment a definition that all its users refer to."""
    for part in schema.values() if isinstance(schema, dict) else schema:
        if not isinstance(part, dict | list):
            continue
        _define(part, definitions)
        if isinstance(part, dict) and isinstance(part.get(DEFINITION), str):
            name = part.pop(DEFINITION)
            part.pop("title", None)
            of_the_use = ("default", "description") if name.startswith(FRAGMENT) else ("default",)
            use = {key: part.pop(key) for key in of_the_use if key in part}
            definitions[name] = dict(part)
            part.clear()
            part["$ref"] = f"#/$defs/{name}"
            if name.startswith(FRAGMENT):
                part |= use


def _resettable(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Allow null, which resets, here and below; a list, though, is taken as it is.

    No key of a mapping is required: another values file may have it.
    """
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if not types or "null" in types:
        return
    schema["type"] = [*types, "null"]
    schema.pop("required", None)
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    for part in (*schema.get("properties", {}).values(), schema.get("additionalProperties")):
        if isinstance(part, dict):
            _resettable(part, definitions)


def _add_word(
    path: list[str], word: Word, schema: dict[str, Any], definitions: dict[str, Any]
) -> None:
    """Allow a word of other charts, which editors then show as deprecated."""
    part = schema
    for key in path[:-1]:
        empty = {"type": ["object", "null"], "additionalProperties": False, "deprecated": True}
        part = part.setdefault("properties", {}).setdefault(key, empty)
        part = resolved(part, definitions)
    known = part.setdefault("properties", {}).setdefault(path[-1], {})
    if isinstance(word, Listed):
        known["type"] = [*known["type"], "array"]
        known["items"] = known["additionalProperties"]
    else:
        known.pop("additionalProperties", None)
        known |= {"deprecated": True, "description": meaning(word)}


def meaning(word: Word) -> str:
    """What becomes of a word, as a sentence."""
    match word:
        case Renamed(to):
            return f"Is called `{in_the_end(to)}`."
        case Obsolete(why):
            return f"Has no effect: {why}."
        case Refused(instead):
            return f"Is refused: {instead}."
        case Listed():
            return "May be a list as well."


def in_the_end(path: str) -> str:
    """Our path, where this is one of another word or below one."""
    for pattern, word in WORDS.items():
        if isinstance(word, Renamed) and f"{path}.".startswith(f"{pattern}."):
            return in_the_end(word.to + path.removeprefix(pattern))
    return path
