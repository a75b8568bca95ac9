"""YAML files -> mappings: only JSON's types, no key twice, nothing that kubectl would misread."""

import os
import select
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from config.error import ValuesError, shape
from config.types import words
from config.types.scalars import SpelledInteger

YAML = "tag:yaml.org,2002:"
STRING, INTEGER, MAPPING, MERGE = (f"{YAML}{name}" for name in ("str", "int", "map", "merge"))
NOT_JSON = tuple(
    f"{YAML}{name}" for name in ("binary", "omap", "pairs", "set", "timestamp", "value")
)
LARGEST = 10  # MiB of a file
PATIENCE = 60  # seconds, for what comes through a pipe
MOST_REPEATED = 100_000  # nodes that aliases add to those that are written
DEEPEST = 100  # levels of nesting; very many would crash the parser
YAML_WORDS = {
    "but found another document": "a second document starts here; write one document",
    "found unconstructable recursive node": "an alias refers to what it is part of",
}

_from_pipes: dict[tuple[int, int], bytes] = {}


class Source(NamedTuple):
    """A values file: its name, its text, and the mapping that the text is; or a mapping alone.

    `spelled` is where the text has what the mapping has elsewhere, if it has other charts' words.
    """

    file: Path | None
    text: str
    content: dict[str, Any]
    spelled: Mapping[words.Path, words.Path] = {}


class JsonTypesLoader(yaml.CSafeLoader):
    """YAML in which what is not of JSON's types, such as a date, is a string, as it is for Helm."""


JsonTypesLoader.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in resolvers if tag not in NOT_JSON]
    for start, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class _Loader(JsonTypesLoader):
    """Values: refuses tags, a key given twice, and keys that are not strings."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError):
            kind = node.tag.rpartition(":")[2]
            raise _yaml_error(f"cannot be read as {kind}", node) from None


def _yaml_error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _refuse_tag(loader: _Loader, node: yaml.Node) -> None:
    # What looks like a tag may be a secret without quotes.
    raise _yaml_error("a tag is not allowed; write a text that begins with '!' in quotes", node)


def _construct_text(loader: _Loader, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _yaml_error("must be a string", node)
    return str(node.value)


def _construct_integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    number = int(loader.construct_yaml_int(node))
    return number if str(number) == node.value else SpelledInteger(number)


def _construct_mapping(loader: _Loader, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise _yaml_error("must be a mapping", node)
    seen = set()
    for key, _ in node.value:
        if key.tag != MERGE:
            _check_key(key)
        if key.value in seen:
            raise _yaml_error(f"the key {shape(key.value)} is given twice", key)
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


for _tag in (*NOT_JSON, None):
    _Loader.add_constructor(_tag, _refuse_tag)
_Loader.add_constructor(STRING, _construct_text)
_Loader.add_constructor(INTEGER, _construct_integer)
_Loader.add_constructor(MAPPING, _construct_mapping)


def read(file: Path) -> Source:
    """Read a values file; ValuesError with its place for what is not a mapping."""
    try:
        text = text_of(file)
        _check_depth(text)
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is not None:
            _check_aliases(root)
        content = None if root is None else loader.construct_document(root)
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
    if not isinstance(content, dict | None):
        raise ValuesError([f"{file}: must be a mapping of values (given: {shape(content)})"])
    return Source(file, text, content or {})


def text_of(file: Path) -> str:
    """The text of a regular file or a pipe, such as /dev/stdin; what a pipe gave is kept.

    Raises ValuesError for what is neither, too large or does not end, OSError, UnicodeDecodeError.
    """
    status = file.stat()
    if stat.S_ISFIFO(status.st_mode):
        pipe = status.st_dev, status.st_ino
        if pipe not in _from_pipes:
            _from_pipes[pipe] = _content(file)
        return _from_pipes[pipe].decode()
    if not stat.S_ISREG(status.st_mode):
        raise ValuesError([f"{file}: is neither a regular file nor a pipe"])
    return _content(file).decode()


def _content(file: Path) -> bytes:
    content, until = b"", time.monotonic() + PATIENCE
    # Opened otherwise, a pipe that nobody writes to would be waited for without end.
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as opened:
        while select.select([opened], [], [], max(0, until - time.monotonic()))[0]:
            part = opened.read(LARGEST * 2**20 + 1)
            if part == b"":
                return content
            content += part or b""
            if len(content) > LARGEST * 2**20:
                raise ValuesError([f"{file}: has more than {LARGEST} MiB"])
    raise ValuesError([f"{file}: has not ended after {PATIENCE} seconds"])


def _check_aliases(root: yaml.Node) -> None:
    """Refuse what grows beyond measure when aliases and merge keys are followed."""
    known: dict[int, tuple[int, int]] = {}
    count, depth = _expanded(root, known)
    if count - len(known) > MOST_REPEATED:
        raise _yaml_error(f"aliases in it stand for more than {MOST_REPEATED} values", root)
    if depth > DEEPEST:
        raise _yaml_error(f"is nested more than {DEEPEST} levels deep", root)


def _expanded(node: yaml.Node, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many nodes it is and how deep with all aliases followed; those known are not again."""
    if id(node) not in known:
        known[id(node)] = 0, 0  # for an alias to what it is part of, which is refused later
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        sizes = [_expanded(part, known) for part in inner]
        known[id(node)] = (
            1 + sum(count for count, _ in sizes),
            1 + max((depth for _, depth in sizes), default=0),
        )
    return known[id(node)]


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
