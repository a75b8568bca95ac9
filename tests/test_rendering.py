"""The render helper refuses what Kubernetes would refuse."""

from __future__ import annotations

import json

import pytest
from kubernetes_validate import SchemaNotFoundError

from rendering import render, schema_findings

MOUNTED_SECRET = {
    "webserver": {
        "additionalVolumes": [{"name": "extra", "secret": {"secretName": "made-by-hand"}}]
    }
}


def test_a_reference_to_a_missing_object_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="made-by-hand"):
        render(MOUNTED_SECRET)


def test_a_reference_to_an_object_outside_is_accepted() -> None:
    render(MOUNTED_SECRET, outside={("Secret", "made-by-hand")})


def test_an_unknown_field_is_a_finding() -> None:
    manifest = render().find("Deployment", "clearml-webserver")
    misspelt = manifest | {"spec": manifest["spec"] | {"replicaz": 2}}
    (finding,) = schema_findings(json.dumps(misspelt), "1.33")
    assert "replicaz" in finding
    assert "Deployment/clearml-webserver spec" in finding


def test_a_kind_without_schema_is_no_pass() -> None:
    budget = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget"}
    with pytest.raises(SchemaNotFoundError):
        schema_findings(json.dumps(budget), "1.25")


def test_a_kubernetes_version_without_schemas_is_no_pass() -> None:
    # Asked for a version that it lacks, the validator takes the schemas of an older one.
    manifest = json.dumps(render().find("Service", "clearml-webserver"))
    with pytest.raises(AssertionError, match="no schemas"):
        schema_findings(manifest, "1.37.5")
