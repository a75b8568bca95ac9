"""What docs/guide/operations.md tells users to run, and what it says no cluster does."""

from __future__ import annotations

import re

from cluster.bundles import ROOT, Bundle

PAGE = (ROOT / "docs/guide/operations.md").read_text("utf-8")


def commands(heading: str, bundle: Bundle) -> list[str]:
    """The shell blocks below the heading, for the namespace of the bundle."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", _section(heading), re.DOTALL | re.MULTILINE)
    return [block.replace("-n clearml ", f"-n {bundle.namespace} ") for block in blocks]


def refused_changes() -> list[str]:
    """The first cell of each row of the table of changes that are refused."""
    rows = re.findall(r"^\| (.*?) \|", _section("What no cluster changes in place"), re.MULTILINE)
    return [row for row in rows if row not in ("value", "---")]


def _section(heading: str) -> str:
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return str(section)
