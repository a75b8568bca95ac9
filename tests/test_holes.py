"""Published holes: no image of ours has one that a newer image is without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.generation import GENERATIONS, Generation
from config.holes import HOLES, Hole
from rendering import render

ROOT = Path(__file__).parents[1]
IN_STORES = [hole for hole in HOLES if hole.part != "server"]
IMAGE = re.compile(r"\b(mongo|redis|elasticsearch):([0-9]+\.[0-9.]+[0-9])")
STORES = {"mongo": "mongodb", "redis": "redis", "elasticsearch": "elasticsearch"}


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.version)
@pytest.mark.parametrize("hole", IN_STORES, ids=lambda hole: hole.name)
def test_no_store_has_a_hole_that_is_not_closed(hole: Hole, generation: Generation) -> None:
    assert hole.closed or not hole.is_in(generation)


@pytest.mark.parametrize(
    ("name", "version", "affected"),
    [
        ("CVE-2024-24592", "1.15.1-478", True),
        ("CVE-2024-24592", "1.16", False),
        ("CVE-2024-24593", "1.14.1", True),
        ("CVE-2024-24593", "1.14.2", False),
        ("CVE-2025-14847", "4.4.29", True),
        ("CVE-2025-14847", "4.4.30", False),
        ("CVE-2025-14847", "7.0.27", True),
        ("CVE-2026-82058", "7.0.40", True),
        ("CVE-2026-82058", "6.0.27", False),
        ("CVE-2025-66566", "7.10.1", False),
        ("CVE-2025-66566", "7.17.29", True),
        ("CVE-2025-66566", "8.19.9", True),
        ("CVE-2025-66566", "8.19.10", False),
    ],
)
def test_who_has_a_hole(name: str, version: str, affected: bool) -> None:
    (hole,) = (hole for hole in HOLES if hole.name == name)
    assert hole.affects(version) == affected


@pytest.mark.parametrize("values", [{}, {"elasticsearch": {"extraEnvs": []}}], ids=str)
def test_nodes_of_elasticsearch_send_each_other_nothing_compressed(values: dict[str, Any]) -> None:
    assert render(values).env("clearml-elastic-master")["transport.compress"] == "false"


def named_images() -> Iterator[tuple[str, str, str]]:
    """File, store and version of the images that presets and documents name."""
    for file in (ROOT / "config/presets").rglob("*.yaml"):
        values = yaml.safe_load(file.read_text("utf-8"))
        for store in STORES.values():
            section = values.get(store) or {}
            tag = section.get("imageTag") or section.get("image", {}).get("tag")
            if tag:
                yield file.name, store, tag
    for file in ROOT.glob("docs/**/*.md"):
        for name, tag in IMAGE.findall(file.read_text("utf-8")):
            yield file.name, STORES[name], tag


def test_presets_and_documents_name_no_image_with_a_hole() -> None:
    named = [*named_images()]
    assert {"1-server-1.17.yaml", "upgrading.md"} <= {file for file, _, _ in named}
    assert [
        (file, store, tag, hole.name)
        for file, store, tag in named
        for hole in HOLES
        if hole.part == store and hole.affects(tag) and not hole.closed
    ] == []
