"""What docs/guide/ tells users to run, and what it says no cluster does."""

from __future__ import annotations

import re
from typing import Any

import yaml

from cluster.bundles import ROOT, Bundle

GUIDE = ROOT / "docs/guide"


def commands(heading: str, bundle: Bundle, page: str = "operations") -> list[str]:
    """The shell blocks below the heading, for the namespace of the bundle."""
    blocks = _blocks("sh", heading, page)
    return [block.replace("-n clearml ", f"-n {bundle.namespace} ") for block in blocks]


def more_kinds() -> list[str]:
    """The kinds that the guide adds to those that are pruned, if a cluster knows them."""
    prose = re.sub(
        r"```.*?```", "", _section("Remove what the values no longer ask for"), flags=re.DOTALL
    )
    return re.findall(r"`([\w.-]+\.\w+/v1/\w+)`", prose)


def values(heading: str, page: str) -> list[Any]:
    """The values below the heading."""
    return [yaml.safe_load(block) for block in _blocks("yaml", heading, page)]


def refused_changes() -> list[str]:
    """The first cell of each row of the table of changes that are refused."""
    rows = re.findall(r"^\| (.*?) \|", _section("What no cluster changes in place"), re.MULTILINE)
    return [row for row in rows if row not in ("value", "---")]


def _blocks(language: str, heading: str, page: str) -> list[str]:
    fenced = rf"^```{language}\n(.*?)^```$"
    return re.findall(fenced, _section(heading, page), re.DOTALL | re.MULTILINE)


def _section(heading: str, page: str = "operations") -> str:
    text = (GUIDE / f"{page}.md").read_text("utf-8")
    (section,) = re.findall(rf"^##+ {heading}\n(.*?)(?=^##+ |\Z)", text, re.DOTALL | re.MULTILINE)
    return str(section)
