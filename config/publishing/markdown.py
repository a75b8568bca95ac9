"""What generated pages in Markdown are made of."""

from collections.abc import Iterable


def table(lines: Iterable[Iterable[str]]) -> str:
    """A table of the cells of each line; the second line is the one of dashes."""
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
