"""The error that all mistakes in the values end in."""

from collections.abc import Sequence


class ValuesError(ValueError):
    """Mistakes in the values, one line each; its text ends with their number if they are many."""

    def __init__(self, lines: Sequence[str]) -> None:
        count = [f"{len(lines)} mistakes"] if len(lines) > 1 else []
        super().__init__("\n".join([*lines, *count]))
        self.lines = list(lines)


LONGEST = 80  # characters of what was given, in a message


def shortened(text: str) -> str:
    """The text, cut off with an ellipsis where it is long."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def masked(text: str) -> str:
    """The text without the user and password of a URL."""
    before, at, after = text.rpartition("@")
    if ":" not in before:
        return text
    scheme, slashes, _ = before.partition("://")
    return f"{scheme}{slashes}***{at}{after}" if slashes else f"***{at}{after}"


def shape(value: object) -> str:
    """What was given, shortened, without passwords, in words where it is more than a scalar."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return shortened(repr(masked(value) if isinstance(value, str) else value))
