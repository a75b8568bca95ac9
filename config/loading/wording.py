"""Mistakes that pydantic found -> lines that name the place, the path and what was given."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from config.error import masked, shape, shortened
from config.guesses import elsewhere, meant
from config.loading.places import line_of
from config.loading.reading import Source
from config.publishing.schema import json_schema
from config.translation import WORDS
from config.types import words
from config.types.model import UNKNOWN_KEY, did_you_mean, plain

UNKNOWN_KEYS = ("extra_forbidden", UNKNOWN_KEY)
# What a component may have for itself elsewhere, and here is for all.
OF_ONE_OR_ALL = {"ingress", "gateway", "networkPolicy", "backup", "restore"}
# Keys that mean something else in each section, and sections that are no part of their component.
OF_MANY_THINGS = {
    *("enabled", "name", "annotations", "labels", "type", "path", "key", "kind"),
    *("username", "password", "secret", "existingSecret", "auth", "tls", "ca"),
}
APART = {"metrics", "external", "initContainers"}
MOST_NAMED = 3
COMPONENT = "apiserver"  # an example of the sections that many keys are in
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
    "invalid_key": "a key must be a string",
}


def lines(mistakes: Sequence[ErrorDetails], sources: Sequence[Source]) -> Iterator[str]:
    """A line for each mistake; the sources stand in the order in which they were merged."""
    schema = json_schema()
    for details in mistakes:
        for path, value in _within(details, schema):
            message, shown = _explain(path, value, details, schema)
            yield f"{located(path, origin(path, sources))}: {message}{shown}"


def _within(details: ErrorDetails, schema: dict[str, Any]) -> Iterator[tuple[words.Path, object]]:
    """The path of the mistake and the value there."""
    if details["type"] in UNKNOWN_KEYS:
        return _unknown(details["loc"], details["input"], schema)
    return iter([(details["loc"], details["input"])])


def _unknown(
    path: words.Path, value: object, schema: dict[str, Any]
) -> Iterator[tuple[words.Path, object]]:
    """An unknown key; of a section with words of other charts, the keys that are none of them."""
    if value and isinstance(value, dict) and _schema_at(path, schema).get("properties"):
        for key, part in value.items():
            yield from _unknown((*path, key), part, schema)
    else:
        yield path, value


def located(path: Sequence[str | int], source: Source) -> str:
    """The place of a value: file, line and path, all as the user wrote them."""
    return place(_as_written(tuple(path), source), source)


def place(path: Sequence[str | int], source: Source) -> str:
    """File, line and path of what stands there in the text; of a mapping alone the path."""
    line = line_of(path, source.text)
    if source.file is None:
        return _dotted(path)
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
        for ours, theirs in source.spelled.items():
            beside = (*theirs[:-1], path[-1])
            if ours[:-1] == path[:-1] and ours[-1] == theirs[-1] and _is_key(beside):
                return beside  # the section has another name there
    return words.users_path(source.spelled, path)


def _is_key(path: words.Path) -> bool:
    return path[-1] in _schema_at(path[:-1], json_schema()).get("properties", {})


def origin(path: Sequence[str | int], sources: Sequence[Source]) -> Source:
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


def _explain(
    path: words.Path, value: object, details: ErrorDetails, schema: dict[str, Any]
) -> tuple[str, str]:
    """What is wrong, and what was given in parentheses unless that is a secret."""
    kind = details["type"]
    if kind in UNKNOWN_KEYS:
        if _schema_at(path, schema).get("properties"):  # of words of other charts: translated
            return TYPE_WORDS["dict_type"], f" (given: {shape(value)})"
        message = details["msg"] if kind == UNKNOWN_KEY else "unknown key"
        return message + hint(path, value, schema), f" (given: {shape(path[-1])})"
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


def hint(path: words.Path, value: object, schema: dict[str, Any]) -> str:
    """What to write in place of an unknown key; empty where nothing is known that it may mean."""

    def is_ours(path: words.Path) -> bool:
        named = _schema_at(path[:-1], schema).get("properties", {})
        return path[-1] in named and not named[path[-1]].get("deprecated")

    if said := elsewhere(path):
        return f"; {said}"
    if found := meant(path, is_ours):
        if len(found) == 1 and found[0][:-1] == path[:-1]:
            return f'; did you mean "{found[0][-1]}"?'
        return f"; write {_listed(found)}"
    keys = _schema_at(path[:-1], schema).get("properties", {})
    ours = [key for key, part in keys.items() if not part.get("deprecated")]
    if near := did_you_mean(path[-1], ours or keys):
        return near
    if is_ours(path[-1:]) and (path[-1] not in OF_ONE_OR_ALL or path[0] == "clearml"):
        return f"; write {path[-1]} at the top level"
    if found := _around(path, is_ours) or _inside(path, schema):
        if len(found) <= MOST_NAMED:
            return f"; write {_listed(found)}"
    elif len(path) == 1:
        found = meant((COMPONENT, *path), is_ours)
    for example in sorted(found, key=lambda other: other[0] != COMPONENT)[:1]:
        return f"; write it in the sections that it is for, as in {_dotted(example)}"
    if len(path) == 1 and isinstance(value, dict) and any(is_ours((key,)) for key in value):
        return f"; write what is in it at the top level, without {path[-1]} around it"
    return ""


def _listed(paths: Sequence[words.Path]) -> str:
    *others, last = map(_dotted, paths)
    return f"{', '.join(others)} or {last}" if others else last


def _around(path: words.Path, is_ours: Callable[[words.Path], bool]) -> list[words.Path]:
    """The path of the same key in the nearest of the sections around it, below the top level."""
    outer = [(*path[:depth], path[-1]) for depth in range(len(path) - 2, 0, -1)]
    return [] if path[-1] in OF_MANY_THINGS else [*filter(is_ours, outer)][:1]


def _inside(path: words.Path, schema: dict[str, Any]) -> list[words.Path]:
    """The paths of the same key in the sections beside it, the nearest ones."""
    sections = [] if path[-1] in OF_MANY_THINGS else [path[:-1]]
    while sections:
        inner = [
            (*section, key)
            for section in sections
            for key, part in _schema_at(section, schema).get("properties", {}).items()
            if not part.get("deprecated")
        ]
        if found := [other for other in inner if plain(other[-1]) == plain(str(path[-1]))]:
            return found
        sections = [other for other in inner if other[-1] not in APART]
    return []


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
