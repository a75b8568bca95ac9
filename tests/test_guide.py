"""What the documentation tells users to write is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from config import load
from rendering import render
from scenarios import MONITORED, OUTSIDE, SCENARIOS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs/guide").glob("*.md"))]
SNIPPETS = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    )
]
# What is no values file is called `yml`: manifests for other tools.
MANIFESTS = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"^```yml\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    )
]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)(?:#([^)]+))?\)")


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_values_in_the_guide_are_accepted(snippet: str, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(snippet, encoding="utf-8")
    load([file])


@pytest.mark.parametrize("text", MANIFESTS)
def test_manifests_in_the_guide_are_whole_objects(text: str) -> None:
    for manifest in yaml.safe_load_all(text):
        assert {"apiVersion", "kind", "metadata"} <= manifest.keys()


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for path, heading in LINK.findall(page.read_text("utf-8")):
        target = page.parent / path
        assert target.exists(), path
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
            assert heading in anchors, f"{path}#{heading}"


def test_the_index_lists_each_page_once() -> None:
    pages = sorted(page.name for page in (ROOT / "docs/guide").glob("*.md"))
    index = (ROOT / "docs/guide/README.md").read_text("utf-8")
    listed = re.findall(r"^- \[[^\]]+\]\((\S+)\)", index, re.MULTILINE)
    assert sorted([*listed, "README.md"]) == pages


@pytest.fixture(scope="module")
def kinds() -> set[str]:
    """All kinds of objects that there are."""
    bundles = [render(v, outside=OUTSIDE.get(name, set())) for name, v in SCENARIOS.items()]
    bundles.append(render(MONITORED))
    return {kind for bundle in bundles for kind, _ in bundle.inventory}


def test_pruning_names_all_kinds_that_there_are(kinds: set[str]) -> None:
    page = (ROOT / "docs/guide/operations.md").read_text("utf-8")
    named = set(re.findall(r"[\w.]+/v\d/(\w+)", page))
    assert named == kinds - {"Namespace"}


def test_the_list_of_objects_has_all_kinds(kinds: set[str]) -> None:
    page = (ROOT / "docs/guide/objects.md").read_text("utf-8")
    assert not [kind for kind in kinds - {"PersistentVolumeClaim"} if kind not in page]
