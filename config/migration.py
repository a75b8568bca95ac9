"""A values file of another chart in our words; `make migrate` prints it."""

import sys
from collections.abc import Callable, Sequence
from io import StringIO
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import Comment, CommentedMap, CommentedSeq, Format

from config.chart_eras import finding
from config.error import ValuesError
from config.loading import in_our_words, loaded
from config.loading.reading import Source, read
from config.loading.wording import place
from config.translation import translated
from config.types import words
from config.types.scalars import SpelledInteger
from config.values import Values

Refused = Callable[[Values, Path], Sequence[str]]


class Migration(NamedTuple):
    """A values file in our words, and what there is to say of it, a line for each."""

    text: str
    notices: list[str]
    """What has no effect and is left out, and of which chart the file seems to be."""
    mistakes: Sequence[str]
    """What a synthesis refuses; it stays as it is, so that nothing is lost."""


def migrated(file: Path, refused: Refused = lambda *_: []) -> Migration:
    """Put the file into our words, with most of its comments; aliases are written out.

    `refused` finds what is wrong beyond the values themselves, and is asked if these are right.
    Raises ValuesError for a file that cannot be read, or that has nothing in it: what was to write
    it has failed.
    """
    source = read(file)
    if not source.text.strip():
        raise ValuesError([f"{file}: is empty"])
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = sys.maxsize
    content, before = (_commented(source.content, yaml.load(source.text), set()) for _ in range(2))
    _, spelled, notices, mistakes = translated(content, knows=Values.knows, in_place=True)
    for path, _, given in reversed(mistakes):  # sections before what was taken out of them
        _put_back(before, content, path, given)
    told = [f"{place(path, source)}: has no effect: {why}" for path, why in notices]
    if found := finding(source.content):
        told.append(f"{place(found.path, source)}: {found.message}")
    if content == before:
        return Migration(source.text, told, _mistakes(source, file, refused))
    for ours, theirs in [*spelled.items(), *((path, path) for path, *_ in mistakes)]:
        _bring_comments(before, theirs, content, ours)
    text = StringIO()
    yaml.dump(content, text)
    return Migration(text.getvalue(), told, _mistakes(source, file, refused))


def _mistakes(source: Source, file: Path, refused: Refused) -> Sequence[str]:
    try:
        return refused(loaded(in_our_words([source])), file)
    except ValuesError as error:
        return error.lines


def _commented(value: Any, node: Any, seen: set[int]) -> Any:
    """The value that was read, with the comments and the looks of the node that it was read from.

    What stands there by an alias or a merge key becomes a copy, which can be moved by itself. The
    comments of nodes that were `seen` are not repeated.
    """
    made: Any
    nodes: Any
    if isinstance(value, dict):
        nodes = node if isinstance(node, CommentedMap) else {}
        made = CommentedMap()
        made |= {key: _commented(part, nodes.get(key), seen) for key, part in value.items()}
    elif isinstance(value, list):
        nodes = node if isinstance(node, CommentedSeq) else [None] * len(value)
        made = CommentedSeq(map(_commented, value, nodes, repeat(seen)))
    else:
        return node if node == value or isinstance(value, SpelledInteger) else value
    if type(made) is type(node):
        setattr(made, Format.attrib, node.fa)
        if id(node) not in seen:
            setattr(made, Comment.attrib, node.ca)
        seen.add(id(node))
    return made


def _put_back(before: Any, after: Any, path: words.Path, value: Any) -> None:
    """Put the value where it was; a list that has become a mapping comes back as a whole."""
    first, *below = path
    if not below:
        after[first] = value
    elif isinstance(before[first], dict):
        if after.get(first) is None:
            after[first] = CommentedMap()
        _put_back(before[first], after[first], tuple(below), value)
    else:
        after[first] = before[first]


def _bring_comments(before: Any, theirs: Sequence[Any], after: Any, ours: Sequence[Any]) -> None:
    """Put the comments beside a key beside what it is called now."""
    try:
        for step in theirs[:-1]:
            before = before[step]
        for step in ours[:-1]:
            after = after[step]
        after.ca.items.setdefault(ours[-1], before.ca.items[theirs[-1]])
    except (LookupError, TypeError, AttributeError):
        return  # no comments there, or no place for them


def main(names: Sequence[str], refused: Refused = lambda *_: []) -> int:
    """Print the file in our words, or write it; and on standard error what there is to say of it.

    The second name is that of the file to write, which must not be there yet. Returns 0 if a
    synthesis of the new file accepts it, 1 if not, or if one cannot be read or written, 2 for no
    names.
    """
    if len(names) not in (1, 2) or not names[0]:
        print("usage: make migrate FILE=old.yaml [TO=new.yaml]", file=sys.stderr)
        return 2
    try:
        text, notices, mistakes = migrated(Path(names[0]), refused)
        if names[1:]:
            _write(text, Path(names[1]))
    except ValuesError as error:
        print(error, file=sys.stderr)
        return 1
    for line in (*notices, *mistakes):
        print(line, file=sys.stderr)
    if not names[1:]:
        print(text, end="")
    return 1 if mistakes else 0


def _write(text: str, file: Path) -> None:
    """Write a new file, whole or not at all; ValuesError if it is there already or cannot be."""
    try:
        with file.open("x", encoding="utf-8") as opened:
            try:
                opened.write(text)
                opened.flush()
            except OSError:
                file.unlink()
                raise
    except FileExistsError:
        raise ValuesError([f"{file}: is there already, and is not overwritten"]) from None
    except OSError as error:
        raise ValuesError([f"{file}: {error.strerror}"]) from None
