"""docs/features.md: what it names is there, and what it says of chart 7.15.0 is so."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.translation import WORDS
from config.types.words import Listed, Obsolete, Refused, Renamed
from test_pods import NAMES, SETTINGS
from test_rows import ROWS
from test_traits import EFFECTS
from test_translation import VOCABULARY, is_ours

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/features.md").read_text("utf-8")
Cells = dict[str, str]

# The keys of all values of that chart.
CHART = (ROOT / "tests/chart_7.15.txt").read_text().split()

# Tests that go through a table, with the values that are in it.
TABLES = {
    "tests/test_rows.py::test_a_value_changes_what_it_should_and_nothing_else": {
        row.key.partition("[")[0] for row in ROWS
    },
    "tests/test_pods.py::test_a_setting_has_its_effect_in_every_component": {
        f"{section}.{key}" for section in NAMES for key in SETTINGS
    },
    "tests/test_pods.py::test_the_update_strategy_of_the_values_counts": {
        f"{section}.updateStrategy" for section in NAMES
    },
    "tests/test_traits.py::test_a_trait_has_its_effect_around_every_component": {
        f"{section}.{trait.key}" for trait in EFFECTS for section in trait.sections
    },
}


def _rows(column: str) -> Iterator[Cells]:
    """The rows of all tables with that column."""
    for table in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        head, _, *lines = (
            [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
        )
        if column in head:
            yield from (dict(zip(head, line, strict=True)) for line in lines)


def _spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


PLACEHOLDERS = {
    "<name>": ["agent-group0"],
    **{row["In this page"].strip("`"): _spans(row["stands for"]) for row in _rows("stands for")},
}
ANSWERS = [row[column] for column in ("Here", "Instead") for row in _rows(column)]
MAKE = "make "


def _values(cell: str) -> list[str]:
    """The paths of all values that are named."""
    return [p for span in _spans(cell) if not span.startswith(MAKE) for p in _expanded(span)]


def _expanded(path: str) -> list[str]:
    """The paths that a path with placeholders stands for."""
    found = re.search("<.+?>", path)
    if not found:
        return [path]
    parts = (path.replace(found[0], part, 1) for part in PLACEHOLDERS[found[0]])
    return [expanded for part in parts for expanded in _expanded(part)]


# What is named


def test_every_value_is_there() -> None:
    values = [path for answer in ANSWERS for path in _values(answer)]
    assert len(values) > 200
    assert [path for path in values if not is_ours(path)] == []


def test_every_target_is_there() -> None:
    targets = re.findall(r"^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    spans = [span for answer in ANSWERS for span in _spans(answer) if span.startswith(MAKE)]
    assert spans
    assert {span.removeprefix(MAKE) for span in spans} <= set(targets)


@functools.cache
def _tests_in(file: str) -> set[str]:
    functions = ast.parse((ROOT / file).read_text()).body
    return {function.name for function in functions if isinstance(function, ast.FunctionDef)}


@pytest.mark.parametrize("row", [*_rows("Shown by")], ids=lambda row: next(iter(row.values())))
def test_every_feature_is_shown_by_tests_that_are_there(row: Cells) -> None:
    tests = _spans(row["Shown by"])
    assert tests
    for test in tests:
        file, _, name = test.partition("::")
        assert name in _tests_in(file), test
    if set(tests) <= TABLES.keys():
        shown = {key for test in tests for key in TABLES[test]}
        for path in _values(row["Here"]):
            assert any(f"{key}.".startswith(f"{path}.") for key in shown), path


# The values of chart 7.15.0


def _word(key: str) -> str:
    """The word that the key is, or is below; the key itself if there is none."""
    words = (pattern for pattern, word in WORDS.items() if not isinstance(word, Listed))
    return next((word for word in words if f"{key}.".startswith(f"{word}.")), key)


def _becomes(key: str) -> tuple[str, str]:
    """What becomes of a value of the chart, and the reason if the table of words has one."""
    match WORDS.get(_word(key)):
        case Renamed():
            return "another word", ""
        case Obsolete(why):
            return "no effect", why
        case Refused(instead):
            return "refused", instead
    # What is neither a key nor a word is accepted for the sake of those who bring it along.
    return ("the same key" if is_ours(key) else "no effect"), ""


def test_the_values_of_the_chart_are_counted() -> None:
    assert set(CHART) <= VOCABULARY.keys()  # so that another test tries each
    counts = {row["What becomes of them"]: int(row["Values"]) for row in _rows("Values")}
    assert counts == Counter(_becomes(key)[0] for key in CHART)
    assert f"its {len(CHART)} values:" in TEXT


def test_what_has_no_answer_is_listed_with_its_reason() -> None:
    without = [key for key in CHART if _becomes(key)[0] in ("no effect", "refused")]
    expected = {_word(key): _becomes(key) for key in without}
    listed = {
        row["Value"].strip("`"): (row["Becomes"], row["Reason"].replace("`", ""))
        for row in _rows("Reason")
    }
    assert listed.keys() == expected.keys()
    for word, (becomes, reason) in expected.items():
        assert listed[word] == (becomes, reason or listed[word][1]), word
    assert f"{len(without)} values without an answer are {len(listed)} features" in TEXT
