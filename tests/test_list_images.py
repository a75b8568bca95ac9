"""`make images`: the images of the values, and how they get into a registry of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clearml_k8s.images import copy_commands, image_list
from config import Values
from config.global_ import Global
from config.types.merging import merge
from packed_charts import imported
from rendering import render
from scenarios import OUTSIDE, SCENARIOS

ROOT = Path(__file__).parents[1]
REGISTRY = "registry.example.com:5000/ml"
TARGET = Global.read({"imageRegistry": REGISTRY})
FROM_REGISTRY = {"global": {"imageRegistry": REGISTRY}}
DIGEST = "sha256:" + 64 * "0"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "list_images.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "CLEARML_VALUES": str(folder / "values.yaml")},
    )


def images_in(node: Any) -> Iterator[str]:
    """The images of containers, wherever they are."""
    if isinstance(node, dict) and isinstance(node.get("image"), str):
        yield node["image"]
    elif isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from images_in(part)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_image_of_the_manifests_is_listed_once(scenario: str) -> None:
    values = SCENARIOS[scenario]
    bundle = render(values, outside=OUTSIDE.get(scenario, set()))
    assert image_list(Values.read(values)) == sorted(set(images_in(bundle.objects)))


@pytest.mark.parametrize("given", [{}, FROM_REGISTRY], ids=["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_copied_is_what_the_registry_is_asked_for(scenario: str, given: Any) -> None:
    values = SCENARIOS[scenario]
    commands = copy_commands(Values.read(merge(values, given)), TARGET)
    origins, copies = zip(*(command.split()[2:] for command in commands), strict=True)
    assert sorted(origins) == image_list(Values.read(values))
    assert sorted(copies) == image_list(Values.read(merge(values, FROM_REGISTRY)))


def test_images_that_stay_where_they_are_are_not_copied() -> None:
    sidecar = {"name": "probe", "image": "example.org/probe:1"}
    values: dict[str, Any] = {
        "redis": {"image": {"registry": "own.example.com"}},
        "webserver": {"extraContainers": [sidecar]},
    }
    commands = "\n".join(copy_commands(Values.read(values), TARGET))
    assert "crane copy mongo:" in commands
    assert "own.example.com" not in commands
    assert "probe" not in commands
    assert "example.org/probe:1" in image_list(Values.read(values))


@pytest.mark.parametrize(
    ("image", "copy"),
    [
        ({"digest": DIGEST}, f"mongo@{DIGEST} {REGISTRY}/mongo@{DIGEST}"),
        ({"tag": "7", "digest": DIGEST}, f"mongo:7@{DIGEST} {REGISTRY}/mongo:7"),
    ],
)
def test_a_copy_keeps_its_tag(image: dict[str, str], copy: str) -> None:
    values = Values.read({"mongodb": {"image": image}})
    assert f"crane copy {copy}" in copy_commands(values, TARGET)


@pytest.mark.usefixtures("helm_on_path")
def test_images_of_charts_are_copied_from_where_they_are(tmp_path: Path) -> None:
    (redis,) = (
        command
        for command in copy_commands(Values.read(imported(tmp_path)), TARGET)
        if "redis" in command
    )
    assert redis.startswith("crane copy docker.io/bitnamilegacy/redis:")
    assert f" {REGISTRY}/bitnamilegacy/redis:" in redis


def test_the_program_prints_one_line_for_each_image(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("agentservices: {enabled: false}\n")
    listed, copied = run(tmp_path), run(tmp_path, REGISTRY)
    values = Values.read({"agentservices": {"enabled": False}})
    assert listed.stdout.splitlines() == image_list(values)
    assert copied.stdout.splitlines() == copy_commands(values, TARGET)
    assert [listed.returncode, listed.stderr, copied.returncode] == [0, "", 0]
    assert list(tmp_path.iterdir()) == [tmp_path / "values.yaml"]


@pytest.mark.parametrize(
    ("values", "target", "said"),
    [
        ("", "mirror", "COPY_TO: must be empty or a registry such as "),
        ("apisever: {}", "", "values.yaml:1: apisever: unknown key"),
    ],
)
def test_the_program_says_what_is_wrong_in_one_line(
    tmp_path: Path, values: str, target: str, said: str
) -> None:
    (tmp_path / "values.yaml").write_text(values)
    ended = run(tmp_path, *filter(None, [target]))
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert said in line


def test_who_has_read_enough_gets_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").touch()
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, str(ROOT / "list_images.py")],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        env={"PATH": "/usr/bin:/bin", "CLEARML_VALUES": str(tmp_path / "values.yaml")},
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
