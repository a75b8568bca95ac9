"""Values that are no fragments, at and over their limits, where they have their effect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import hostile
from clearml_k8s.rules import Bundle, findings
from cluster.sweep import Object, made_of
from config import Values, ValuesError
from rendering import synthesize
from test_rows import GROUP, ROWS, Row, steps, values_file

# What none of the API servers of these tests can be asked of in a namespace.
NOT_ASKED = ("Namespace",)
SCHEMAS = {
    setting.name.replace("agentGroups.gpu.", f"{GROUP}."): setting
    for setting in hostile.settings()
    if not setting.is_raw and not setting.is_secret
}


class Setting(NamedTuple):
    """A value, by the row that knows what else must be set, and others that its type accepts."""

    row: Row
    others: Sequence[Any]

    def objects(self, value: Any = None) -> list[Object]:
        """What is made with the value, or without it; none if a synthesis refuses it."""
        objects = synthesize(_values(self.row, value)).objects
        if any(findings(Bundle(objects, set(self.row.outside)))):
            return []
        return [each for each in objects if each["kind"] not in NOT_ASKED]


def settings_of(section: str) -> Iterator[Setting]:
    """The settings in a section of the values; under the same key each type once."""
    asked = set()
    for row in ROWS:
        path = steps(row.key)
        schema = SCHEMAS[row.key].schema if row.key in SCHEMAS else None
        described = str((path[-1], schema))
        if path[0] == section and schema is not None and described not in asked:
            asked.add(described)
            yield Setting(row, [v for v in made_of(schema) if _is_accepted(row, v, schema)])


def _is_accepted(row: Row, value: Any, schema: hostile.Schema) -> bool:
    if isinstance(value, str) and not re.fullmatch(schema.get("pattern", ".*"), value):
        return False  # the same answer, sooner
    try:
        _values(row, value)
    except ValuesError:
        return False
    return True


def _values(row: Row, value: Any) -> Values:
    given = {} if value is None else {row.key: value}
    return Values.read(values_file({**row.context, **given}))
