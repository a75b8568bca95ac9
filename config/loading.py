"""Values files -> one mapping -> Values, with every mistake named by file and path."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.kubernetes import did_you_mean, merge
from config.values import Values

DEFAULT_FILE = Path(__file__).with_name("values.yaml")

# Strings that cdk8s writes without quotes, and that kubectl takes for a number or a YAML operator.
MISREAD = re.compile(r"([-+]?0o[0-7]+|=|<<)$")

TYPE_WORDS = {
    "string_type": "must be a string; write it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "missing": "is required",
}


class ValuesError(Exception):
    """Mistakes in the values, one line each."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)


class _Loader(yaml.CSafeLoader):
    """Safe YAML that refuses a key given twice and keys that are not strings."""


def _construct_text(loader: _Loader, node: yaml.ScalarNode) -> str:
    if MISREAD.match(node.value):
        raise yaml.MarkedYAMLError(
            problem=f"{node.value!r} cannot be used: kubectl would not read it back as a string",
            problem_mark=node.start_mark,
        )
    return str(node.value)


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        if key_node.tag != "tag:yaml.org,2002:str":
            raise yaml.MarkedYAMLError(
                problem="a key must be a string; write it in quotes",
                problem_mark=key_node.start_mark,
            )
        if key_node.value in seen:
            raise yaml.MarkedYAMLError(
                problem=f"the key {key_node.value!r} is given twice",
                problem_mark=key_node.start_mark,
            )
        seen.add(key_node.value)
    loader.flatten_mapping(node)
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True)
        for key, value in node.value
    }


_Loader.add_constructor("tag:yaml.org,2002:str", _construct_text)
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def values_files(environ: Mapping[str, str]) -> list[Path]:
    """The files that CLEARML_VALUES names; unset or empty, `config/values.yaml`."""
    names = environ.get("CLEARML_VALUES", "").split(os.pathsep)
    return [Path(name) for name in names if name] or [DEFAULT_FILE]


def load(files: Sequence[Path]) -> Values:
    """Merge the files, left to right, over the defaults.

    Mappings merge, lists and scalars replace, null resets to the default. Raises ValuesError
    with a line for each mistake in any of the files.
    """
    given: list[tuple[Path, dict[str, Any]]] = []
    mistakes: list[str] = []
    for file in files:
        try:
            given.append((file, _read(file)))
        except ValuesError as error:
            mistakes += error.lines
    if mistakes:
        raise ValuesError(mistakes)
    merged: dict[str, Any] = {}
    for _, mapping in given:
        merged = merge(merged, mapping)
    try:
        return Values.model_validate(merged)
    except ValidationError as error:
        raise ValuesError(list(_lines(error, given))) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise ValuesError([f"{file}: {error.strerror or error}"]) from None
    except UnicodeDecodeError:
        raise ValuesError([f"{file}: is not UTF-8 text"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ValuesError([f"{file}{place}: {error.problem}"]) from None
    except yaml.YAMLError as error:
        raise ValuesError([f"{file}: {str(error).splitlines()[0]}"]) from None
    except RecursionError:
        raise ValuesError([f"{file}: an alias refers to itself"]) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValuesError([f"{file}: must be a mapping of values (given: {_shape(content)})"])
    return content


def _lines(error: ValidationError, given: Sequence[tuple[Path, dict[str, Any]]]) -> Iterator[str]:
    from config.schema import json_schema  # costs time that only mistakes are worth

    schema = json_schema()
    for details in error.errors(include_url=False):
        path = details["loc"]
        file = _origin(path, given)
        message, shown = _explain(details, schema)
        yield f"{file}: {_dotted(path)}: {message}{shown}"


def _origin(path: tuple[str | int, ...], given: Sequence[tuple[Path, dict[str, Any]]]) -> Path:
    """The file that the value comes from: the last of those that spell most of its path."""
    return max(enumerate(given), key=lambda entry: (_depth(path, entry[1][1]), entry[0]))[1][0]


def _depth(path: tuple[str | int, ...], content: Any) -> int:
    for depth, step in enumerate(path):
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)


def _dotted(path: tuple[str | int, ...]) -> str:
    dotted = ""
    for step in path:
        if isinstance(step, int):
            dotted += f"[{step}]"
        else:
            dotted += ("." if dotted else "") + (f'"{step}"' if "." in step else step)
    return dotted


def _explain(details: ErrorDetails, schema: dict[str, Any]) -> tuple[str, str]:
    """What is wrong, and what was given in parentheses unless that is a secret."""
    path, kind, value = details["loc"], details["type"], details["input"]
    if kind == "extra_forbidden":
        known = _schema_at(path[:-1], schema).get("properties", {})
        return f"unknown key{did_you_mean(path[-1], known)}", f" (given: {path[-1]!r})"
    if kind == "missing":
        return TYPE_WORDS[kind], ""
    message = TYPE_WORDS.get(kind, details["msg"].replace("Input should be", "must be"))
    message = message.removeprefix("Value error, ")
    if value is None or _is_secret(_schema_at(path, schema)):
        return message, ""
    return message, f" (given: {_shape(value)})"


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


def _schema_at(path: Sequence[str | int], schema: dict[str, Any]) -> dict[str, Any]:
    """The part of the JSON schema that describes the value at the path; empty where none does."""
    definitions = dict(schema.get("$defs", {}))
    for step in (None, *path):
        if step is not None:
            inner = schema.get("items") if isinstance(step, int) else None
            schema = (
                inner
                or schema.get("properties", {}).get(step)
                or schema.get("additionalProperties", {})
            )
        schema = _resolved(schema if isinstance(schema, dict) else {}, definitions)
    return schema


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    definitions |= schema.get("$defs", {})
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    arms = [arm for arm in schema.get("anyOf", []) if arm.get("type") != "null"]
    return _resolved(arms[0], definitions) if arms else schema


def _is_secret(schema: dict[str, Any]) -> bool:
    return bool(schema.get("writeOnly"))
