"""Objects that the values spell out: word for word, in their place, and judged like all others."""

from __future__ import annotations

from typing import Any

import pytest

from clearml_k8s.rules import Bundle, breaches, findings
from config import Values, ValuesError
from config.types.kubernetes import CLUSTER_SCOPED
from effects import changes
from rendering import Object, render, synthesize

ROUTE: Object = {
    "apiVersion": "gateway.example.org/v1",
    "kind": "Route",
    "metadata": {"name": "clearml", "labels": {"team": "web"}},
    "spec": {"hosts": ["a.example.com"], "weight": 1.5, "strict": True, "nested": {"list": [[1]]}},
    "extra": "data",
}
PROXY: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "proxy"},
    "data": {"HTTPS_PROXY": "http://proxy.example.com:3128", "script": "one\n---\ntwo\n"},
}
QUOTA: Object = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "quota", "namespace": "other"},
    "spec": {"hard": {"pods": "10"}},
}
CLASS: Object = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "urgent"},
    "value": 1000,
}


def test_objects_come_out_word_for_word_before_what_may_need_them() -> None:
    values = {"extraObjects": [ROUTE, PROXY, QUOTA, CLASS]}
    bundle = synthesize(Values.read(values))
    name, made = list(bundle.files.items())[1]
    assert name == "0050-extra-objects.k8s.yaml"
    in_namespace = {"namespace": "clearml"}
    assert made == [
        ROUTE | {"metadata": ROUTE["metadata"] | in_namespace},
        PROXY | {"metadata": PROXY["metadata"] | in_namespace},
        QUOTA,
        CLASS,
    ]
    assert not findings(Bundle(bundle.objects))
    assert not breaches(Bundle(bundle.objects))


def test_common_labels_and_annotations_count_less_than_their_own() -> None:
    common = {"commonLabels": {"team": "ml", "tier": "1"}, "commonAnnotations": {"cost": "42"}}
    bundle = synthesize(Values.read({**common, "extraObjects": [ROUTE]}))
    metadata = bundle.find("Route", "clearml")["metadata"]
    assert metadata["labels"] == {"team": "web", "tier": "1"}
    assert metadata["annotations"] == {"cost": "42"}


def test_other_objects_do_not_change() -> None:
    (place,) = changes(render(), render({"extraObjects": [PROXY]}))
    assert place == "ConfigMap/proxy"


def test_components_may_use_what_is_there_too() -> None:
    render(
        {
            "extraObjects": [PROXY],
            "webserver": {"envFrom": [{"configMapRef": {"name": "proxy"}}]},
        }
    )


def test_a_null_is_left_out() -> None:
    listed = {"spec": {"a": None, "b": [{"c": None}]}}
    bundle = synthesize(Values.read({"extraObjects": [ROUTE | listed]}))
    assert bundle.find("Route", "clearml")["spec"] == {"b": [{}]}


@pytest.mark.parametrize(
    "metadata",
    [
        {"managedFields": [{"manager": "kubectl"}]},
        {"ownerReferences": [{"kind": "ConfigMap", "name": "a"}]},
        {"deletionTimestamp": "2026-01-01T00:00:00Z"},
        {"uid": "3b2f0f1e-0000-4000-8000-000000000000"},
        {"resourceVersion": "42"},
    ],
    ids=lambda metadata: next(iter(metadata)),
)
def test_what_one_cluster_has_given_an_object_is_not_for_another(metadata: Object) -> None:
    exported = PROXY | {"metadata": PROXY["metadata"] | metadata}
    with pytest.raises(ValuesError, match="is set by the cluster"):
        Values.read({"extraObjects": [exported]})


@pytest.mark.parametrize(
    ("api_version", "kind", "accepted"),
    [
        ("v1", "List", False),
        ("v1", "SecretList", False),
        ("apps/v1", "DeploymentList", False),
        ("networking.k8s.io/v1", "IngressList", False),
        ("example.com/v1", "AllowList", True),
    ],
)
def test_lists_of_objects_are_refused(api_version: str, kind: str, accepted: bool) -> None:
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    if accepted:
        Values.read({"extraObjects": [manifest]})
    else:
        with pytest.raises(ValuesError, match="must be that of one object"):
            Values.read({"extraObjects": [manifest]})


@pytest.mark.parametrize("kind", ["Namespace", "ClusterRole", "StorageClass"])
def test_what_belongs_to_no_namespace_gets_none(kind: str) -> None:
    assert kind in CLUSTER_SCOPED
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "any"}}
    bundle = synthesize(Values.read({"extraObjects": [manifest]}))
    assert "namespace" not in bundle.find(kind, "any")["metadata"]


KINDS = (
    "Service",
    "Deployment",
    "Secret",
    "Ingress",
    "NetworkPolicy",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "CronJob",
    "RoleBinding",
    "PersistentVolumeClaim",
    "Anything",
)


@pytest.mark.parametrize(
    "junk", [5, "x", [], {}, [1], {"a": 1}, [[1]], [{}], {"a": {"b": [{"c": 1}]}}], ids=repr
)
def test_no_shape_of_them_is_a_reason_to_fail(junk: Any) -> None:
    manifests = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "labels": labels}, key: junk}
        for kind in KINDS
        for labels in ({}, {"a": junk})
        for key in ("spec", "data", "subjects", "rules", "items")
    ]
    manifests += [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": "b"}, "spec": {key: junk}}
        for kind in KINDS
        for key in ("template", "selector", "ports", "ingress", "egress", "metrics", "rules",
                    "podSelector", "scaleTargetRef", "behavior", "jobTemplate", "strategy")
    ]  # fmt: skip
    bundle = Bundle(manifests)
    assert findings(bundle)
    breaches(bundle)
