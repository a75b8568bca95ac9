"""Which published holes the servers and their stores have: a table in Markdown."""

from collections.abc import Sequence

from config.generation import DEFAULT_GENERATION, Generation
from config.holes import ENDS_OF_LIFE, HOLES, Hole
from config.publishing.markdown import table

COLUMNS = ("Hole", "In", "Others can", "Versions", "Servers of the table", "What helps")
KEPT = "".join(
    f"- **{hole.name}**: others can {hole.effect}\n"
    for hole in HOLES
    if hole.part == "server" and hole.is_in(DEFAULT_GENERATION)
)
INTRODUCTION = f"""\
## Published holes

Server {DEFAULT_GENERATION.version}, the default, keeps these for good, as nobody mends it any more:

{KEPT}
Only [newer servers](upgrading.md) are without. Let only people you trust reach an older one.

Passwords of [fixed users](guide/credentials.md#fixed-users) in clear text stand in MongoDB in clear
text too (CVE-2024-24595): use `clearml.fixedUsers.passHashed`. Holes of the SDK (CVE-2024-24590,
CVE-2025-8917) are in the images of your tasks; `clearml` 2.0.2 is without.

"""
ENDS = "; ".join(
    f"{store} {', '.join(f'{line} until {month}' for line, month in ends.items())}"
    for store, ends in ENDS_OF_LIFE.items()
)
CLOSING = f"""
How long their makers mend the stores: {ENDS}.
"""


def holes(generations: Sequence[Generation]) -> str:
    """A line for each hole, and the generations that have it."""
    lines = (
        (
            hole.name,
            hole.part,
            hole.effect,
            ", ".join(f"{since} to before {end}" for since, end in hole.affected),
            _having(hole, generations),
            hole.help,
        )
        for hole in HOLES
    )
    return INTRODUCTION + table([COLUMNS, ["---"] * len(COLUMNS), *lines]) + CLOSING


def _having(hole: Hole, generations: Sequence[Generation]) -> str:
    having = [".".join(map(str, one.since)) for one in generations if hole.is_in(one)]
    return f"{having[0]} to {having[-1]}" if having else "none"
