"""`python -m config.migration FILE [TO]`: a values file of another chart in our words."""

import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from config.chart_eras import finding
from config.error import ValuesError
from config.loading.reading import read
from config.loading.wording import place
from config.translation import translated


def migrated(file: Path) -> tuple[str, list[str]]:
    """The file in our words, with most of its comments, and a line for what is left out of it.

    Raises ValuesError for a file that cannot be read, or that has nothing in it: what was to write
    it has failed.
    """
    source = read(file)
    if not source.text.strip():
        raise ValuesError([f"{file}: is empty"])
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = sys.maxsize
    content, before = (yaml.load(source.text) or {} for _ in range(2))
    _, spelled, notices, mistakes = translated(content, in_place=True)
    for ours, theirs in spelled.items():
        _bring_comments(before, theirs, content, ours)
    text = StringIO()
    yaml.dump(content, text)
    remarks = [(path, f"has no effect: {why}") for path, why in notices]
    remarks += [(path, message) for path, message, _ in mistakes]
    if found := finding(source.content):
        remarks.append(found)
    return text.getvalue(), [f"{place(path, source)}: {remark}" for path, remark in remarks]


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


def main(names: Sequence[str]) -> int:
    """Print the file in our words, or write it; and on standard error what is left out.

    The second name is that of the file to write, which must not be there yet. Returns 1 if one
    cannot be read or written, 2 for no names.
    """
    if len(names) not in (1, 2) or not names[0]:
        print("usage: make migrate FILE=old.yaml [TO=new.yaml]", file=sys.stderr)
        return 2
    try:
        text, remarks = migrated(Path(names[0]))
        if names[1:]:
            _write(text, Path(names[1]))
    except ValuesError as error:
        print(error, file=sys.stderr)
        return 1
    for remark in remarks:
        print(remark, file=sys.stderr)
    if not names[1:]:
        print(text, end="")
    return 0


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
