"""What `make check-cluster` sees in a cluster beside what it would refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.bundles import ROOT, Bundle, write
from cluster.client import Cluster
from cluster.machines import Object
from cluster.states import apply, refused
from cluster.test_upgrades import UPGRADE_STEPS
from config.types.merging import merge

NEWEST = {"clearml": {"version": "2.3.0"}}
ALLOWED = {"clearml": {"allowUnsafeUpgrade": True}}
SECRET = "registry-key"
WITH_KEY: Mapping[str, Any] = {
    "imageCredentials": {
        "enabled": True,
        "registry": "registry.example.com",
        "username": "a",
        "password": "test-secret",
    }
}


def checked(cluster: Cluster, bundle: Bundle) -> subprocess.CompletedProcess[str]:
    return cluster.run(sys.executable, str(ROOT / "check_cluster.py"), cwd=bundle.folder)


def about(told: str) -> list[str]:
    """What the lines are about, but for the last ones, which sum up."""
    return [line.partition(":")[0] for line in told.splitlines() if ": " in line]


def labelled(kind: str, name: str, namespace: str = "", **more: Any) -> Object:
    """An object of somebody else's, with a label and an annotation of the owner's."""
    metadata = {
        "name": name,
        "labels": {"example.com/owner": "platform"},
        "annotations": {"example.com/contact": "platform"},
    } | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def test_a_step_that_loses_data_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    before = write(tmp_path, "default")
    apply(cluster, before)
    trap = checked(cluster, write(tmp_path, "default", NEWEST))
    assert trap.returncode == 1
    assert about(trap.stdout) == ["clearml.version", "mongodb", "elasticsearch"]
    assert trap.stdout.count("preset upgrade/1-server-1.17 comes first") == 3
    lifted = checked(cluster, write(tmp_path, "default", merge(NEWEST, ALLOWED)))
    assert lifted.returncode == 0
    assert about(lifted.stdout) == ["warning"] * 2
    for step in UPGRADE_STEPS:
        after = write(tmp_path, "default", step)
        assert refused(cluster, after) == []
        apply(cluster, after)
    assert checked(cluster, before).returncode == 1


@pytest.mark.parametrize("labelled_later", [False, True])
def test_a_namespace_of_somebody_else_keeps_what_it_has(
    cluster: Cluster,
    tmp_path: Path,
    labelled_later: bool,
    record_property: Callable[[str, object], None],
) -> None:
    label = "pod-security.kubernetes.io/warn"
    namespace = labelled("Namespace", "clearml")
    if not labelled_later:
        namespace["metadata"]["labels"][label] = "baseline"
    cluster.apply([namespace])
    if labelled_later:
        cluster.kubectl("label", "namespace", "clearml", f"{label}=baseline")
    told = checked(cluster, write(tmp_path, "default"))
    assert told.returncode == 1
    (line, *_) = told.stdout.splitlines()
    for word in ("namespace/clearml", label, "example.com/owner", "example.com/contact"):
        assert word in line
    spared = write(tmp_path, "default", {"release": {"createNamespace": False}})
    assert refused(cluster, spared) == []
    record_property("bundles", 1)
    apply(cluster, spared)
    assert metadata(cluster, "namespace", "clearml")["labels"][label] == "baseline"


def test_what_the_values_take_back_from_all_objects_is_no_loss(
    cluster: Cluster, tmp_path: Path
) -> None:
    common = {"commonLabels": {"team": "data"}, "commonAnnotations": {"example.com/a": "b"}}
    apply(cluster, write(tmp_path, "default", common))
    assert refused(cluster, write(tmp_path, "default")) == []


@pytest.mark.parametrize("kept", [False, True])
def test_an_object_of_somebody_else_is_told_of(
    cluster: Cluster, tmp_path: Path, kept: bool
) -> None:
    content = {".dockerconfigjson": json.dumps({"auths": {}})}
    key = labelled(
        "Secret",
        f"clearml-{SECRET}",
        "clearml",
        type="kubernetes.io/dockerconfigjson",
        stringData=content,
    )
    if kept:
        del key["metadata"]["labels"], key["metadata"]["annotations"]
    cluster.kubectl("create", "namespace", "clearml")
    cluster.apply([key])
    told = checked(cluster, write(tmp_path, "default", dict(WITH_KEY)))
    namespace, secret = sorted(told.stdout.splitlines()[:2], key=lambda line: "secret/" in line)
    assert namespace.startswith("warning: namespace/clearml is there already")
    if kept:
        assert told.returncode == 0
        assert secret.endswith("apply takes it over, and replaces its data .dockerconfigjson")
    else:
        assert told.returncode == 1
        assert "annotations example.com/contact and labels example.com/owner" in secret


def metadata(cluster: Cluster, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cluster.kubectl("get", kind, name, "-o", "json"))["metadata"]
    return found
