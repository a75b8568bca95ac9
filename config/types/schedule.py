"""When a CronJob runs, as Kubernetes reads it (github.com/robfig/cron)."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from config.types.scalars import Text, matching

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Lowest and highest number of each field, and the names of its numbers.
FIELDS: Sequence[tuple[int, int, Sequence[str]]] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, MONTHS),
    (0, 6, WEEKDAYS),
)
NICKNAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
EVERY = re.compile(r"@every ([0-9]+(\.[0-9]+)?(s|m|h))+")
PART = re.compile(r"([*?]|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


def _schedule(text: str) -> str:
    fields = text.split()
    if text in NICKNAMES or EVERY.fullmatch(text):
        return text
    if len(fields) != len(FIELDS) or not all(
        _is_field(given, *known) for given, known in zip(fields, FIELDS, strict=True)
    ):
        raise PydanticCustomError(
            "mistake",
            'must be a schedule such as "30 2 * * *" (minute, hour, day, month, weekday), "@daily" '
            'or "@every 6h"',
        )
    return text


def _is_field(text: str, lowest: int, highest: int, names: Sequence[str]) -> bool:
    return all(_is_part(part, lowest, highest, names) for part in text.split(","))


def _is_part(text: str, lowest: int, highest: int, names: Sequence[str]) -> bool:
    part = PART.fullmatch(text)
    if not part or (part[4] and int(part[4]) < 1):
        return False
    numbers = [_number(word, lowest, names) for word in (part[2], part[3]) if word]
    return numbers == sorted(numbers) and all(lowest <= number <= highest for number in numbers)


def _number(word: str, lowest: int, names: Sequence[str]) -> int:
    if word.lower() in names:
        return names.index(word.lower()) + lowest
    return int(word) if word.isdecimal() else -1


CronSchedule = Annotated[Text, AfterValidator(_schedule)]
TimeZone = Annotated[
    Text,
    matching(
        r"^(?!(?i:local)$)([A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*)?$",
        "must be empty or the name of a time zone such as Europe/Berlin",
    ),
]
