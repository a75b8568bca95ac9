"""Which differences between two sets of manifests are told to the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from clearml_k8s.rules import Bundle, changes
from clearml_k8s.upgrade import upgrade_warnings
from rendering import Bundle as Rendered
from rendering import render

BALANCER = "Service/clearml-webserver"
CLAIM = "PersistentVolumeClaim/clearml-fileserver-data"


def told(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The warnings about an upgrade."""
    old, new = (render(values) for values in (before, after))
    return upgrade_warnings(documents(old), documents(new), Bundle(new.objects))


def documents(bundle: Rendered) -> list[str]:
    return [text for file in bundle.texts.values() for text in file.split("---\n")]


def balancer(**service: Any) -> dict[str, Any]:
    return {"webserver": {"service": {"type": "LoadBalancer", **service}}}


def data(**claim: Any) -> dict[str, Any]:
    return {"fileserver": {"storage": {"data": claim}}}


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ({}, {"apiserver": {"replicaCount": 2, "image": {"tag": "1.1.1"}}}, []),
        ({}, {"elasticsearch": {"replicas": 3}}, []),
        (data(size="1Gi"), data(size="1024Mi"), []),
        (data(size="1Gi"), data(size="2Gi"), []),
        (data(size="2Gi"), data(size="1Gi"), [f"{CLAIM} spec.resources.requests.storage"]),
        ({}, data(**{"class": "fast"}), [f"{CLAIM} spec.storageClassName"]),
        ({}, data(accessModes=["ReadWriteMany"]), [f"{CLAIM} spec.accessModes"]),
        (
            {},
            {"mongodb": {"persistence": {"size": "9Gi"}}},
            ["StatefulSet/clearml-mongodb spec.volumeClaimTemplates"],
        ),
        ({}, data(keep=True, annotations={"a": "b"}), []),
        (
            {},
            {"mongodb": {"persistence": {"annotations": {"a": "b"}}}},
            ["StatefulSet/clearml-mongodb spec.volumeClaimTemplates"],
        ),
        (
            {"redis": {"master": {"persistence": {"enabled": False}}}},
            {},
            ["StatefulSet/clearml-redis-master spec.volumeClaimTemplates"],
        ),
        ({}, balancer(loadBalancerClass="example.com/a"), []),
        (balancer(loadBalancerClass="example.com/a"), {}, []),
        *(
            (balancer(**before), balancer(**after), [f"{BALANCER} spec.loadBalancerClass"])
            for before, after in (
                ({}, {"loadBalancerClass": "example.com/a"}),
                ({"loadBalancerClass": "example.com/a"}, {}),
                (
                    {"loadBalancerClass": "example.com/a"},
                    {"loadBalancerClass": "example.com/b"},
                ),
            )
        ),
    ],
    ids=str,
)
def test_changes_that_no_cluster_makes_in_place(
    before: Mapping[str, Any], after: Mapping[str, Any], refused: list[str]
) -> None:
    assert [warning.partition(": ")[0] for warning in told(before, after)] == refused


def test_another_selector() -> None:
    old, new = ([{**o} for o in render().objects if o["kind"] == "Deployment"] for _ in range(2))
    new[0]["spec"] = {**new[0]["spec"], "selector": {"matchLabels": {"app": "other"}}}
    (finding,) = changes.refused(Bundle(old), Bundle(new))
    assert str(finding).startswith(f"Deployment/{new[0]['metadata']['name']} spec.selector: ")


def test_defaults_of_claim_templates_may_be_written_out() -> None:
    (template,) = render().find("StatefulSet", "clearml-mongodb")["spec"]["volumeClaimTemplates"]
    spec = {key: value for key, value in template["spec"].items() if key != "volumeMode"}
    plain = {"metadata": template["metadata"], "spec": spec}
    full = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": plain["metadata"],
        "spec": {**plain["spec"], "volumeMode": "Filesystem"},
        "status": {"phase": "Pending"},
    }
    sets = [
        Bundle(
            [
                {
                    "kind": "StatefulSet",
                    "metadata": {"name": "db"},
                    "spec": {"volumeClaimTemplates": [claim]},
                }
            ]
        )
        for claim in (plain, full)
    ]
    assert not [*changes.refused(*sets), *changes.refused(*reversed(sets))]


def test_objects_that_are_gone() -> None:
    three = {"elasticsearch": {"replicas": 3}}
    (warning,) = told(three, {})
    assert ": PodDisruptionBudget/clearml-elastic-master-pdb (docs/" in warning
    assert told({}, three) == []


@pytest.mark.parametrize("never", ["activeDeadlineSeconds", "ttlSecondsAfterFinished"])
def test_a_former_job_is_named_unless_it_ends_and_goes_by_itself(never: str) -> None:
    newer = {"apiserver": {"image": {"tag": "1.1.1"}}}
    assert told({}, newer) == []
    (job,) = render(values := {"credentialsJob": {never: "never"}}).of("Job")
    (warning,) = told(values, newer)
    assert (
        f"no longer in the manifests, but still in a cluster that has them: Job/{job} " in warning
    )


def test_only_some_of_many_that_are_gone_are_named() -> None:
    groups: dict[str, Any] = {"agentGroups": {f"g{number}": {} for number in range(15)}}
    (warning,) = told(groups, {})
    assert warning.count("/clearml-g") == 20
    assert " and 10 more (docs/" in warning


def test_names_may_be_in_quotes() -> None:
    numbers = {"release": {"namespace": "123"}}
    assert told(numbers, numbers | {"apiserver": {"replicaCount": 2}}) == []


@pytest.mark.parametrize(
    ("written", "edited"),
    [
        ("\nspec:", "\nspek:"),
        ("    spec:", "    speck:"),
        ("containers:", "containers: {}\n      others:"),
        ("        image: ", "        image: 7 #"),
        ("      - args:", "      - 5\n      - args:"),
    ],
)
def test_manifests_that_somebody_has_edited_end_no_synthesis(written: str, edited: str) -> None:
    new = documents(render({"clearml": {"version": "2.3.0"}}))
    old = [text.replace(written, edited) for text in documents(render())]
    assert old != documents(render())
    upgrade_warnings(old, new, Bundle(render({"clearml": {"version": "2.3.0"}}).objects))
