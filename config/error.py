"""The error that all mistakes in the values end in."""

from collections.abc import Sequence


class ValuesError(Exception):
    """Mistakes in the values, one line each."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)


def shape(value: object) -> str:
    """What was given, in words where it is more than a scalar."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
