"""Values files -> one mapping -> Values, with every mistake named by file and path."""

import json
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

YAML = "tag:yaml.org,2002:"
STRING, MAPPING, MERGE = f"{YAML}str", f"{YAML}map", f"{YAML}merge"
NOT_JSON = tuple(
    f"{YAML}{name}" for name in ("binary", "omap", "pairs", "set", "timestamp", "value")
)
DEEPEST = 100  # levels of nesting; very many would crash the parser
YAML_WORDS = {
    "but found another document": "a second document starts here; write one document",
    "found unconstructable recursive node": "an alias refers to what it is part of",
}
TYPE_WORDS = {
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "too_short": "must not be empty",
    "missing": "is required",
}


class ValuesError(Exception):
    """Mistakes in the values, one line each."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)


class _Loader(yaml.CSafeLoader):
    """YAML of JSON's types that refuses a key given twice and keys that are not strings."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError):
            kind = node.tag.rpartition(":")[2]
            raise _yaml_error(f"cannot be read as {kind}", node) from None


def _yaml_error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _refuse_tag(loader: _Loader, node: yaml.Node) -> None:
    raise _yaml_error(f"the tag {node.tag!r} is not allowed", node)


def _construct_text(loader: _Loader, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _yaml_error("must be a string", node)
    if MISREAD.match(node.value):
        raise _yaml_error(
            f"{node.value!r} cannot be used: kubectl would not read it back as a string", node
        )
    return str(node.value)


def _construct_mapping(loader: _Loader, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise _yaml_error("must be a mapping", node)
    seen = set()
    for key, _ in node.value:
        if key.tag != MERGE:
            _check_key(key)
        if key.value in seen:
            raise _yaml_error(f"the key {key.value!r} is given twice", key)
        seen.add(key.value)
    loader.flatten_mapping(node)
    for key, _ in node.value:
        _check_key(key)
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True)
        for key, value in node.value
    }


def _check_key(key: yaml.Node) -> None:
    if key.tag != STRING:
        raise _yaml_error("a key must be a string; write it in quotes", key)


# A date, for one, is a string, as it is for Helm.
_Loader.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in resolvers if tag not in NOT_JSON]
    for start, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _tag in (*NOT_JSON, None):
    _Loader.add_constructor(_tag, _refuse_tag)
_Loader.add_constructor(STRING, _construct_text)
_Loader.add_constructor(MAPPING, _construct_mapping)


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
        return _validated(merged)
    except ValidationError as error:
        mistakes = list(_lines(_all_mistakes(error, merged), given))
    raise ValuesError(mistakes)


def _validated(content: dict[str, Any]) -> Values:
    return Values.model_validate(content, by_alias=True, by_name=False)


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        _check_depth(text)
        content = yaml.load(text, _Loader)
    except OSError as error:
        raise ValuesError([f"{file}: {error.strerror or error}"]) from None
    except UnicodeDecodeError:
        raise ValuesError([f"{file}: is not UTF-8 text"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problem = YAML_WORDS.get(str(error.problem), error.problem)
        raise ValuesError([f"{file}{place}: {problem}"]) from None
    except yaml.YAMLError as error:
        raise ValuesError([f"{file}: {str(error).splitlines()[0]}"]) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValuesError([f"{file}: must be a mapping of values (given: {_shape(content)})"])
    return content


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"is nested more than {DEEPEST} levels deep",
                problem_mark=event.start_mark,  # type: ignore[arg-type]  # libyaml's mark
            )


def _all_mistakes(error: ValidationError, content: dict[str, Any]) -> list[ErrorDetails]:
    """The mistakes of the error, and those that come to light when these are taken out.

    Values are compared with each other only where each of them is right by itself.
    """
    found: list[ErrorDetails] = []
    while new := [
        mistake
        for mistake in error.errors(include_url=False)
        if not any(_may_follow(mistake, earlier) for earlier in found)
    ]:
        found += new
        for mistake in new:
            _take_out(mistake["loc"], content)
        try:
            _validated(content)
        except ValidationError as remaining:
            error = remaining
        else:
            break
    return found


def _may_follow(mistake: ErrorDetails, earlier: ErrorDetails) -> bool:
    """Whether the mistake may be there only because the value of an earlier one is taken out."""
    path = mistake["loc"]
    around = path[:-1] or path
    return earlier["type"] != "extra_forbidden" and earlier["loc"][: len(around)] == around


def _take_out(path: tuple[str | int, ...], content: dict[str, Any]) -> None:
    """Reset to the default what the path leads to: the value, or the list or section it is in."""
    inside, last = content, None
    for step in path:
        if step not in inside:
            break
        holder, last = inside, step
        inside = inside[step]
        if not isinstance(inside, dict):
            break
    if last is not None:
        del holder[last]


def _lines(
    mistakes: Sequence[ErrorDetails], given: Sequence[tuple[Path, dict[str, Any]]]
) -> Iterator[str]:
    from config.schema import json_schema  # costs time that only mistakes are worth

    schema = json_schema()
    for details in mistakes:
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
            plain = re.fullmatch(r"[\w/-]+", step)
            dotted += ("." if dotted else "") + (step if plain else json.dumps(step))
    return dotted


def _explain(details: ErrorDetails, schema: dict[str, Any]) -> tuple[str, str]:
    """What is wrong, and what was given in parentheses unless that is a secret."""
    path, kind, value = details["loc"], details["type"], details["input"]
    if kind == "extra_forbidden":
        known = _schema_at(path[:-1], schema).get("properties", {})
        return f"unknown key{did_you_mean(path[-1], known)}", f" (given: {path[-1]!r})"
    if kind == "missing":
        return TYPE_WORDS[kind], ""
    message = re.sub(r"^(Value error, |(Input|String) should )", _opening, details["msg"])
    message = TYPE_WORDS.get(kind, message)
    scalar = not isinstance(value, dict | list)
    if kind == "string_type" and scalar:
        message += "; write it in quotes"
    if value is None or (scalar and _holds_secret(_schema_at(path, schema), schema)):
        return message, ""
    return message, f" (given: {_shape(value)})"


def _opening(pydantic: re.Match[str]) -> str:
    return "must " if pydantic[2] else ""


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


def _schema_at(path: Sequence[str | int], root: dict[str, Any]) -> dict[str, Any]:
    """The part of the JSON schema that describes the value at the path; empty where none does."""
    schema = root
    for step in path:
        inner = schema.get("items") if isinstance(step, int) else None
        schema = _resolved(
            inner
            or schema.get("properties", {}).get(step)
            or schema.get("additionalProperties", {}),
            root,
        )
    return schema


def _resolved(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    return schema


def _holds_secret(schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether the value is a secret, or a section that a secret may have slipped out of."""
    inner = [schema.get("items"), schema.get("additionalProperties")]
    inner += schema.get("properties", {}).values()
    return bool(schema.get("writeOnly")) or any(
        _holds_secret(_resolved(part, root), root) for part in inner if part
    )
