"""When a CronJob runs, as Kubernetes reads it (github.com/robfig/cron)."""

import functools
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from config.types.model import did_you_mean
from config.types.scalars import Text

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
EVERY = re.compile(r"@every ((?:[0-9]+(?:\.[0-9]+)?[smh])+)")
SECONDS = {"s": 1, "m": 60, "h": 60 * 60}
LARGEST = 2**63 - 1  # of a number in Go, and of the nanoseconds of a duration
PART = re.compile(r"([*?]|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


def _schedule(text: str) -> str:
    fields = text.split()
    if text in NICKNAMES or _is_interval(text):
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


def _is_interval(text: str) -> bool:
    every = EVERY.fullmatch(text)
    parts = re.findall(r"([0-9.]+)([smh])", every[1]) if every else ()
    seconds = sum(Decimal(number) * SECONDS[unit] for number, unit in parts)
    return every is not None and seconds <= LARGEST // 10**9


def _is_field(text: str, lowest: int, highest: int, names: Sequence[str]) -> bool:
    return all(_is_part(part, lowest, highest, names) for part in text.split(","))


def _is_part(text: str, lowest: int, highest: int, names: Sequence[str]) -> bool:
    part = PART.fullmatch(text)
    if not part or (part[4] and not 1 <= Decimal(part[4]) <= LARGEST):
        return False
    numbers = [_number(word, lowest, names) for word in (part[2], part[3]) if word]
    return numbers == sorted(numbers) and all(lowest <= number <= highest for number in numbers)


def _number(word: str, lowest: int, names: Sequence[str]) -> int:
    if word.lower() in names:
        return names.index(word.lower()) + lowest
    return int(word) if len(word) <= len(str(LARGEST)) and word.isdecimal() else -1


CronSchedule = Annotated[Text, AfterValidator(_schedule)]


@functools.cache
def _time_zones() -> frozenset[str]:
    """The names of the IANA database, which Kubernetes knows too; not those of this machine."""
    from importlib import resources  # takes long, and few values name a zone

    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split())


def _time_zone(text: str) -> str:
    if text and text not in _time_zones():
        hint = did_you_mean(text, _time_zones())
        raise PydanticCustomError(
            "mistake",
            "{message}",
            {"message": f"must be empty or the name of a time zone such as Europe/Berlin{hint}"},
        )
    return text


TimeZone = Annotated[Text, AfterValidator(_time_zone)]
