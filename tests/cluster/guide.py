"""What docs/guide/ tells users to run, and what it says no cluster does."""

from __future__ import annotations

import re

from cluster.bundles import ROOT, Bundle

GUIDE = ROOT / "docs/guide"


def commands(heading: str, bundle: Bundle, page: str = "operations") -> list[str]:
    """The shell blocks below the heading, for the namespace of the bundle."""
    section = _section(heading, page)
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [block.replace("-n clearml ", f"-n {bundle.namespace} ") for block in blocks]


def more_kinds() -> list[str]:
    """The kinds that the guide adds to those that are pruned, if a cluster knows them."""
    prose = re.sub(
        r"```.*?```", "", _section("Remove what the values no longer ask for"), flags=re.DOTALL
    )
    return re.findall(r"`([\w.]+\.\w+/v1/\w+)`", prose)


def refused_changes() -> list[str]:
    """The first cell of each row of the table of changes that are refused."""
    rows = re.findall(r"^\| (.*?) \|", _section("What no cluster changes in place"), re.MULTILINE)
    return [row for row in rows if row not in ("value", "---")]


def _section(heading: str, page: str = "operations") -> str:
    text = (GUIDE / f"{page}.md").read_text("utf-8")
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return str(section)
