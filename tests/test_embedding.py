"""`ClearML` in a cdk8s app of one's own, as the guide shows it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from cdk8s import App

from clearml_k8s.clearml import ClearML
from clearml_k8s.rules import Bundle, findings
from config import Values, ValuesError, load
from config.release import Release
from rendering import Object, render
from scenarios import SECRET_MARK

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


@pytest.mark.parametrize(
    "values",
    [
        {"apisever": {}},
        {"apiserver": {"replicaCount": -1, "nodeSelector": []}, "redis": {"usePassword": True}},
        {"clearml": {"credentials": {"authToken": f"{SECRET_MARK} with spaces"}}},
        {"mongodb": {"external": {"backend": f"http://jane:{SECRET_MARK}@example.com"}}},
        {"agentGroups": {"gpu": {"queue": "a"}}, "extraObjects": [{"kind": "ConfigMap"}]},
        {"enterpriseFeatures": {"enabled": True}},
        {"externalServices": {"redisPort": "many"}, "dragonfly": {"enabled": False}},
        {"agentGroups": [{"name": "gpu", "queue": "a"}]},
        {"release": {"name": "A"}, "ingress": {"enabled": True, "host": "https://a.example.com"}},
        {"fileserver": {"service": {"nodePort": 30008}}},
        [],
    ],
)
def test_mistakes_in_a_mapping_are_told_as_those_in_a_file(values: Any, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ValuesError) as of_file:
        load([file])
    with pytest.raises(ValuesError) as of_mapping:
        Values.read(values)
    place = re.compile(rf"{re.escape(str(file))}(:\d+)?: ")
    expected = [place.sub("", line) for line in of_file.value.lines]
    assert sorted(of_mapping.value.lines) == sorted(expected)  # a mapping has no lines to go by
    assert SECRET_MARK not in str(of_mapping.value)


def test_keys_that_yaml_could_not_hold_are_told() -> None:
    with pytest.raises(ValuesError, match=re.escape("apiserver[1]: a key must be a string")):
        Values.read({"apiserver": {1: 2}})


def test_a_mapping_tells_what_has_no_effect() -> None:
    told = list(Values.read({"apiserver": {"storage": {"logs": {"size": "1Gi"}}}}).warnings())
    assert [line.partition(": has no effect")[0] for line in told] == ["apiserver.storage.logs"]


# Each module can be imported first, whatever an app begins with.


def _modules() -> dict[str, Path]:
    folders = (ROOT, "config"), (ROOT, "imports"), (ROOT / "constructs", "clearml_k8s")
    return {
        ".".join(file.relative_to(base).with_suffix("").parts).removesuffix(".__init__"): file
        for base, folder in folders
        for file in (base / folder).rglob("*.py")
    }


def _imported(file: Path) -> Iterator[str]:
    """What a module imports when it is imported itself; in functions it does so later."""
    for statement in ast.parse(file.read_text("utf-8")).body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


def _with_packages(module: str) -> set[str]:
    """The module, and the packages that are imported before it."""
    steps = module.split(".")
    return {".".join(steps[:count]) for count in range(1, len(steps) + 1)}


def test_no_modules_import_each_other() -> None:
    modules = _modules()
    graph = {
        module: {
            needed
            for name in _imported(file)
            for needed in _with_packages(name) - _with_packages(module)
            if needed in modules
        }
        for module, file in modules.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError
    assert "clearml_k8s.parts.naming" in graph["clearml_k8s.stores"]
