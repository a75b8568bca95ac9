"""The files' order as sync waves of Argo CD."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.types.merging import merge
from effects import changes
from packed_charts import imported
from rendering import Bundle, render
from scenarios import OUTSIDE, SCENARIOS

SYNC_WAVE = "argocd.argoproj.io/sync-wave"
WAVES: dict[str, Any] = {"argocd": {"syncWaves": True}}


def waves(bundle: Bundle) -> dict[str, set[str]]:
    """The waves of the objects in each file."""
    return {
        name: {made["metadata"]["annotations"][SYNC_WAVE] for made in manifests}
        for name, manifests in bundle.files.items()
    }


def assert_waves_are_the_numbers_of_the_files(bundle: Bundle) -> None:
    assert len(bundle.files) > 1
    for name, found in waves(bundle).items():
        assert found == {str(int(name.split("-")[0]))}, name


@pytest.mark.parametrize("name", ["ingress-tls", "agent-groups", "replicated"])
def test_every_object_has_the_wave_of_its_file(name: str) -> None:
    values, outside = SCENARIOS[name], OUTSIDE.get(name, set())
    bundle = render(merge(values, WAVES), outside=outside)
    assert_waves_are_the_numbers_of_the_files(bundle)
    for place in changes(render(values, outside=outside), bundle):
        assert " metadata.annotations" in place


@pytest.mark.usefixtures("helm_on_path")
def test_objects_of_helm_charts_have_the_wave_of_their_file(tmp_path: Path) -> None:
    assert_waves_are_the_numbers_of_the_files(render(imported(tmp_path, WAVES)))


def test_a_wave_of_ones_own_counts_more() -> None:
    values: dict[str, Any] = {
        "ingress": {"enabled": True, "host": "example.com", "annotations": {SYNC_WAVE: "2000"}}
    }
    found = waves(render(merge(values, WAVES)))
    assert found["0800-ingress.k8s.yaml"] == {"2000"}
    assert found["0900-agentservices.k8s.yaml"] == {"900"}
