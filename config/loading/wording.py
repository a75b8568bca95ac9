"""Mistakes that pydantic found -> lines that name the place, the path and what was given."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from config.error import masked, shape, shortened
from config.loading.places import line_of
from config.loading.reading import Source
from config.publishing.schema import json_schema
from config.translation import WORDS
from config.types import words
from config.types.model import did_you_mean

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


def lines(mistakes: Sequence[ErrorDetails], sources: Sequence[Source]) -> Iterator[str]:
    """A line for each mistake; the sources stand in the order in which they were merged."""
    schema = json_schema()
    for details in mistakes:
        for path in _within(details, schema):
            message, shown = _explain(path, details, schema)
            yield f"{located(path, _origin(path, sources))}: {message}{shown}"


def _within(details: ErrorDetails, schema: dict[str, Any]) -> Iterator[words.Path]:
    """The path of the mistake; of an unknown section with words of other charts, its other keys."""
    path, value = details["loc"], details["input"]
    known = _schema_at(path, schema).get("properties")
    if details["type"] == "extra_forbidden" and known and isinstance(value, dict):
        yield from ((*path, key) for key in value.keys() - known)
    else:
        yield path


def located(path: Sequence[str | int], source: Source) -> str:
    """The place of a value: file, line and path, all as the user wrote them."""
    return place(_as_written(tuple(path), source), source)


def place(path: Sequence[str | int], source: Source) -> str:
    """File, line and path of what stands there in the text."""
    line = line_of(path, source.text)
    return f"{source.file}:{line}: {_dotted(path)}" if line else f"{source.file}: {_dotted(path)}"


def in_order(mistakes: Iterable[str], files: Sequence[Path]) -> list[str]:
    """The lines of `place` in the order of the files and of the lines there; others come last."""
    named = [(index, f"{file}:") for index, file in enumerate(files)]

    def key(mistake: str) -> tuple[int, int]:
        for index, start in named:
            if mistake.startswith(start):
                line = re.match(r"(\d+):", mistake[len(start) :])
                return index, int(line[1]) if line else 0
        return len(files), 0

    return sorted(mistakes, key=key)


def _as_written(path: words.Path, source: Source) -> words.Path:
    """The path in the words that the user has chosen, also for what is missing beside them."""
    if _depth(path, source.content) < len(path):
        sections = {written[:-1] for written in source.spelled.values()}
        for pattern, word in WORDS.items():
            written = tuple(pattern.split("."))
            match word:
                case words.Renamed(to) if to == _dotted(path) and written[:-1] in sections:
                    return written
    return words.users_path(source.spelled, path)


def _origin(path: Sequence[str | int], sources: Sequence[Source]) -> Source:
    """Where the value comes from: the last of the sources that spell most of its path."""
    return max(sources[::-1], key=lambda source: _depth(path, source.content))


def _depth(path: Sequence[str | int], content: Any) -> int:
    for depth, step in enumerate(path):
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)


def _dotted(path: Sequence[str | int]) -> str:
    dotted = ""
    for step in path:
        if isinstance(step, int):
            dotted += f"[{step}]"
        else:
            plain = re.fullmatch(r"[\w/-]+", step)
            key = shortened(step if plain else json.dumps(masked(step)))
            dotted += ("." if dotted else "") + key
    return dotted


def _explain(path: words.Path, details: ErrorDetails, schema: dict[str, Any]) -> tuple[str, str]:
    """What is wrong, and what was given in parentheses unless that is a secret."""
    kind, value = details["type"], details["input"]
    if kind == "extra_forbidden":
        keys = _schema_at(path[:-1], schema).get("properties", {})
        if path[-1] in keys:  # a section with words of other charts, which are translated
            return TYPE_WORDS["dict_type"], f" (given: {shape(value)})"
        ours = [key for key, part in keys.items() if not part.get("deprecated")]
        return f"unknown key{did_you_mean(path[-1], ours or keys)}", f" (given: {shape(path[-1])})"
    if kind == "missing":
        return TYPE_WORDS[kind], ""
    message = re.sub(r"^(Value error, |(Input|String) should )", _opening, details["msg"])
    message = TYPE_WORDS.get(kind, message)
    scalar = not isinstance(value, dict | list)
    if kind == "string_type" and scalar:
        message += "; write it in quotes"
    if value is None or (scalar and _holds_secret(_schema_at(path, schema), schema)):
        return message, ""
    return message, f" (given: {shape(value)})"


def _opening(pydantic: re.Match[str]) -> str:
    return "must " if pydantic[2] else ""


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
