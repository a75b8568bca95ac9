"""What may stand around the pods, asked of every component: its effect and no other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from config import Values
from config.pod import Deployment, StatefulSet
from config.types.merging import merge
from effects import Effects, changes
from imports.mongodb import chart_values
from packed_charts import imported
from rendering import Object, render
from scenarios import REPLICATED
from test_pods import AGENTS, ALL_THERE, NAMES, STORES, TRAITS, leaves, values_of

SERVERS = ("apiserver", "fileserver", "webserver")
DEPLOYMENTS = (*SERVERS, *AGENTS)
DELETION = "apiserver.asyncdelete"
ACCOUNT_OUTSIDE = frozenset({("ServiceAccount", "theirs")})


@dataclass(frozen=True)
class Having:
    """Equal to an object whose spec has these fields."""

    spec: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and self.spec.items() <= other["spec"].items()


@dataclass(frozen=True)
class Trait:
    """A value, what it changes in a component, and what else must be set for that to show."""

    key: str
    value: Any
    effects: Callable[[str], Effects]
    context: Mapping[str, Any] = field(default_factory=dict)
    sections: Collection[str] = tuple(NAMES)


def pod(section: str, **fields: Any) -> Effects:
    kind = "StatefulSet" if section in STORES else "Deployment"
    return {f"{kind}/{NAMES[section]} pod.{key}": value for key, value in fields.items()}


def object_of(kind: str, suffix: str = "", **spec: Any) -> Callable[[str], Effects]:
    """The effect that there is such an object, with such a spec."""
    return lambda section: {f"{kind}/{NAMES[section]}{suffix}": Having(spec) if spec else ANY}


def place(kind: str, path: str, value: Any) -> Callable[[str], Effects]:
    """The effect that an object has this value at a path."""
    return lambda section: {f"{kind}/{NAMES[section]} {path}": value}


ISOLATED = {"networkPolicy.enabled": True}
METRICS = {"from": [{"namespaceSelector": {}}], "ports": [{"port": 9000}]}
BACKUPS = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 443}]}


def one_more(direction: str, rule: Object) -> Callable[[str], Effects]:
    def effects(section: str) -> Effects:
        context = functools.reduce(merge, (values_of(name, ISOLATED) for name in NAMES), ALL_THERE)
        ours = render(context).find("NetworkPolicy", NAMES[section])["spec"].get(direction, [])
        # As the API server fills it in.
        ports = [{"protocol": "TCP", **port} for port in rule["ports"]]
        more = [*ours, {**rule, "ports": ports}]
        return place("NetworkPolicy", f"spec.{direction}", more)(section)

    return effects


CPU, MEMORY = (
    "autoscaling.targetCPUUtilizationPercentage",
    "autoscaling.targetMemoryUtilizationPercentage",
)
SCALABLE = {
    "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}},
    "autoscaling.maxReplicas": 5,
    CPU: 80,
}
SCALED = {**SCALABLE, "autoscaling.enabled": True}
SCALER = "HorizontalPodAutoscaler"
UNHEALTHY = "unhealthyPodEvictionPolicy"
BEHAVIOR = {"scaleDown": {"selectPolicy": "Disabled"}}


def metric(resource: str, share: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": share}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}


def scaled(section: str) -> Effects:
    name = NAMES[section]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        f"{SCALER}/{name}": Having({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5}),
        f"Deployment/{name} spec.replicas": None,
    }


EFFECTS = (
    Trait(
        "podDisruptionBudget.enabled",
        True,
        object_of("PodDisruptionBudget", "-pdb", maxUnavailable=1),
    ),
    Trait(
        "podDisruptionBudget.minAvailable",
        2,
        object_of("PodDisruptionBudget", "-pdb", minAvailable=2),
    ),
    Trait(
        "podDisruptionBudget.maxUnavailable",
        "25%",
        object_of("PodDisruptionBudget", "-pdb", maxUnavailable="25%"),
    ),
    Trait(
        f"podDisruptionBudget.{UNHEALTHY}",
        "AlwaysAllow",
        lambda section: {
            f"PodDisruptionBudget/{NAMES[section]}-pdb spec.{UNHEALTHY}": "AlwaysAllow"
        },
        {"podDisruptionBudget.enabled": True},
    ),
    Trait(
        "networkPolicy.enabled",
        True,
        object_of("NetworkPolicy"),
        sections=(*DEPLOYMENTS, DELETION),
    ),
    Trait("networkPolicy.extraIngress", [METRICS], one_more("ingress", METRICS), ISOLATED),
    Trait(
        "networkPolicy.extraEgress",
        [BACKUPS],
        one_more("egress", BACKUPS),
        ISOLATED,
        sections=(*SERVERS, DELETION, *STORES),  # agents may talk to everything
    ),
    Trait(
        "serviceAccount.create",
        True,
        lambda section: {
            f"ServiceAccount/{NAMES[section]}": ANY,
            **pod(section, serviceAccountName=NAMES[section]),
        },
    ),
    Trait(
        "serviceAccount.name", "theirs", lambda section: pod(section, serviceAccountName="theirs")
    ),
    Trait(
        "serviceAccount.annotations",
        {"role": "reader"},
        place("ServiceAccount", "metadata.annotations", {"role": "reader"}),
        {"serviceAccount.create": True},
    ),
    Trait(
        "serviceAccount.automount",
        True,
        lambda section: pod(section, automountServiceAccountToken=True),
    ),
    Trait("autoscaling.enabled", True, scaled, SCALABLE, DEPLOYMENTS),
    Trait("autoscaling.minReplicas", 2, place(SCALER, "spec.minReplicas", 2), SCALED, DEPLOYMENTS),
    Trait("autoscaling.maxReplicas", 7, place(SCALER, "spec.maxReplicas", 7), SCALED, DEPLOYMENTS),
    Trait(CPU, 70, place(SCALER, "spec.metrics", [metric("cpu", 70)]), SCALED, DEPLOYMENTS),
    Trait(
        MEMORY,
        90,
        place(SCALER, "spec.metrics", [metric("cpu", 80), metric("memory", 90)]),
        SCALED,
        DEPLOYMENTS,
    ),
    Trait(
        "autoscaling.behavior",
        BEHAVIOR,
        place(SCALER, "spec.behavior", BEHAVIOR),
        SCALED,
        DEPLOYMENTS,
    ),
)
SHARED = functools.reduce(
    merge,
    (
        values_of(section, {"storage.data.accessModes": ["ReadWriteMany"]})
        for section in ("fileserver", "agentservices")
    ),
    ALL_THERE,
)


@pytest.mark.parametrize("trait", EFFECTS, ids=lambda trait: trait.key)
def test_a_trait_has_its_effect_around_every_component(trait: Trait) -> None:
    before, after = (
        render(
            functools.reduce(merge, (values_of(name, given) for name in trait.sections), SHARED),
            outside=ACCOUNT_OUTSIDE,
        )
        for given in (trait.context, {**trait.context, trait.key: trait.value})
    )
    expected: Effects = {}
    for section in trait.sections:
        expected |= trait.effects(section)
    assert changes(before, after) == expected


def test_every_trait_is_asked() -> None:
    known = {*leaves(Deployment), *leaves(StatefulSet)}
    asked = {trait.key for trait in EFFECTS}
    assert asked == {key for key in known if key.partition(".")[0] in TRAITS}


# Budgets


@pytest.mark.parametrize(
    ("given", "bounds"),
    [
        ({"enabled": False}, None),
        ({"enabled": False, "minAvailable": 1}, None),
        ({"enabled": True}, {"minAvailable": 2}),
        ({"maxUnavailable": 2}, {"maxUnavailable": 2}),
        ({"minAvailable": "50%"}, {"minAvailable": "50%"}),
    ],
)
def test_the_values_have_the_last_word_on_the_budget_of_a_store(
    given: Object, bounds: Object | None
) -> None:
    values = merge(REPLICATED, {"mongodb": {"podDisruptionBudget": given}})
    budgets = render(values).of("PodDisruptionBudget")
    made = budgets.get("clearml-mongodb-pdb", {"spec": None})["spec"]
    assert (made and {key: made[key] for key in made.keys() - {"selector"}}) == bounds


def test_a_budget_of_redis_holds_for_the_replicas_too() -> None:
    values = merge(
        REPLICATED, {"redis": {"master": {"podDisruptionBudget": {"maxUnavailable": 1}}}}
    )
    budgets = render(values).of("PodDisruptionBudget")
    for name in ("clearml-redis-master", "clearml-redis-slave"):
        assert budgets[f"{name}-pdb"]["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize(
    ("section", "budget", "more", "warned"),
    [
        ("apiserver", {"minAvailable": 1}, {}, True),
        ("apiserver", {"minAvailable": 1}, {"replicaCount": 2}, False),
        ("apiserver", {"minAvailable": 2}, {"replicaCount": 2}, True),
        ("apiserver", {"minAvailable": "51%"}, {"replicaCount": 2}, True),
        ("apiserver", {"minAvailable": "50%"}, {"replicaCount": 2}, False),
        (
            "apiserver",
            {"minAvailable": 2},
            {
                "replicaCount": 5,
                **{
                    "autoscaling": {
                        "enabled": True,
                        "minReplicas": 2,
                        "maxReplicas": 5,
                        "targetCPUUtilizationPercentage": 80,
                    }
                },
                "resources": {"requests": {"cpu": 1}},
            },
            True,
        ),
        ("webserver", {"maxUnavailable": 0}, {}, True),
        ("webserver", {"maxUnavailable": 0}, {"enabled": False}, False),
        ("webserver", {"maxUnavailable": "0%"}, {"replicaCount": 9}, True),
        ("webserver", {"maxUnavailable": "1%"}, {}, False),
        ("webserver", {"maxUnavailable": 0, "enabled": False}, {}, False),
        ("agentGroups.agent-group0", {"minAvailable": 1}, {}, False),
        ("agentGroups.agent-group0", {"minAvailable": 1}, {"replicaCount": 1}, True),
        ("agentservices", {"minAvailable": 1}, {"enabled": False}, False),
        ("mongodb", {"minAvailable": 1}, {}, True),
        ("mongodb", {"minAvailable": 1}, {"provider": "helm"}, False),
        ("redis.master", {"maxUnavailable": 0}, {}, True),
        ("elasticsearch", {"minAvailable": 2}, {"replicas": 3}, False),
    ],
)
def test_a_budget_that_lets_no_pod_go_is_warned_of(
    section: str, budget: Object, more: Object, warned: bool
) -> None:
    values = Values.read(values_of(section, {"podDisruptionBudget": budget, **more}))
    told = [line for line in values.warnings() if "forbids every eviction" in line]
    assert [line.partition(":")[0] for line in told] == (
        [f"{section}.podDisruptionBudget"] if warned else []
    )


# Accounts


def test_replicas_of_redis_run_as_the_account_that_is_named() -> None:
    account = {"create": True, "name": "redis"}
    values = merge(REPLICATED, {"redis": {"master": {"serviceAccount": account}}})
    bundle = render(values)
    assert set(bundle.of("ServiceAccount")) == {"redis", "clearml-credentials"}
    for name in ("clearml-redis-master", "clearml-redis-slave"):
        assert bundle.pod(name)["serviceAccountName"] == "redis"


def test_components_may_share_an_account_that_one_of_them_makes() -> None:
    makes, takes = {"create": True, "name": "shared"}, {"name": "shared"}
    bundle = render(
        {"apiserver": {"serviceAccount": makes}, "fileserver": {"serviceAccount": takes}}
    )
    assert set(bundle.of("ServiceAccount")) == {"shared", "clearml-credentials"}


# Stores from Helm charts


@pytest.mark.usefixtures("helm_on_path")
def test_what_stands_around_a_store_is_left_to_its_chart(tmp_path: Path) -> None:
    charts = imported(tmp_path)
    around = {
        "podDisruptionBudget": {"enabled": True, "minAvailable": 1, "ofTheChart": 1},
        "networkPolicy": {"enabled": True, "ofTheChart": [1]},
        "serviceAccount": {"create": True, "name": "mongodb", "ofTheChart": {}},
    }
    before, after = render(charts), render(merge(charts, {"mongodb": around}))
    assert changes(before, after) == {}
    assert set(before.of("NetworkPolicy")) == {"clearml-credentials"}


def test_a_chart_gets_what_the_user_said_of_what_stands_around_its_pods() -> None:
    account = {"create": True, "ofTheChart": [1]}
    values = Values.read({"mongodb": {"provider": "helm", "serviceAccount": account}}).mongodb
    given = chart_values(values)
    assert given["serviceAccount"] == account
    assert not {"networkPolicy", "podDisruptionBudget"} & given.keys()
