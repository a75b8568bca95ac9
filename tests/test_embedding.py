"""`ClearML` in a cdk8s app of one's own, as the guide shows it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cdk8s import App

from clearml_k8s.clearml import ClearML
from clearml_k8s.rules import Bundle, findings
from config import Values
from config.release import Release
from rendering import Object, render

ROOT = Path(__file__).parents[1]
CLUSTER_IP = {"service": {"type": "ClusterIP"}}


def of_team(team: str) -> dict[str, Any]:
    """The values that the guide gives a team."""
    return {
        "release": {"name": team, "namespace": team},
        "apiserver": CLUSTER_IP,
        "fileserver": CLUSTER_IP,
        "webserver": CLUSTER_IP,
    }


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the program in the guide writes, run somewhere else."""
    guide = (ROOT / "docs/guide/embedding.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    folder = tmp_path_factory.mktemp("app")
    path = os.pathsep.join([str(ROOT), str(ROOT / "constructs")])
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        check=True,
        capture_output=True,
    )
    return folder / "dist"


def objects_in(dist: Path, pattern: str) -> list[Object]:
    files = sorted(dist.glob(pattern))
    return [made for file in files for made in yaml.safe_load_all(file.read_text("utf-8"))]


@pytest.mark.parametrize("team", ["team-a", "team-b"])
def test_each_installation_is_what_its_values_give_alone(dist: Path, team: str) -> None:
    assert objects_in(dist, f"{team}-*") == render(of_team(team)).objects


def test_two_installations_go_into_one_cluster(dist: Path) -> None:
    assert not findings(Bundle(objects_in(dist, "*")))


def test_values_are_made_of_objects_too() -> None:
    made = Values(release=Release(name="team-a", namespace="team-a"))
    assert made == Values.read({"release": {"name": "team-a", "namespace": "team-a"}})


def test_it_tells_where_its_servers_answer() -> None:
    clearml = ClearML(App(), "mine", Values.read(of_team("team-a")))
    assert clearml.servers.inside("apiserver") == "http://team-a-clearml-apiserver:8008"
