"""The presets keep what their first lines and docs/guide/presets.md promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cluster import guide
from config import Values, ValuesError
from config.types.kubernetes import amount
from config.types.merging import merge
from pod_security import Object, against_restricted, containers_of, pods_of
from rendering import Bundle, render
from scenarios import (
    EXTERNAL_SERVICES,
    OUTSIDE_STORES,
    PRESETS,
    STORES,
    WITHOUT_HELM,
    preset,
)

CERTIFICATE = {("Secret", "clearml-tls")}
AVAILABLE = ("production", "high-availability")
# Alone, and in front of and behind others.
ON_OPENSHIFT = [
    ("openshift",),
    ("production", "openshift"),
    ("high-availability", "openshift"),
    ("high-availability", "clearml-2", "openshift"),
]
WITHOUT_REPLICAS = {"clearml-redis-master", "clearml-fileserver", "clearml-agentservices"}
AGENTS = {"clearml-agentservices", "clearml-agent-group0-agent"}
DNS, DNS_OF_OPENSHIFT = 53, 5353


def bundle_of(*names: str) -> Bundle:
    return render(preset(*names), outside=CERTIFICATE)


def selects(selector: Object, workload: Object) -> bool:
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    wanted: dict[str, str] = selector["matchLabels"]
    return wanted.items() <= labels.items()


def keys_of(content: Any) -> Iterator[str]:
    """All keys at any depth."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from keys_of(value)
    if isinstance(content, list):
        for value in content:
            yield from keys_of(value)


@pytest.mark.parametrize(
    "names",
    [*((name,) for name in WITHOUT_HELM), *ON_OPENSHIFT, ("production", "clearml-2")],
    ids="+".join,
)
def test_no_preset_is_warned_of(names: tuple[str, ...]) -> None:
    """Where the nodes are, no preset knows."""
    values = merge(preset(*names), {"clearml": {"nodeAddress": "node.example.com"}})
    assert list(Values.read(values).warnings()) == []


ON_TOP: dict[str, Object] = {
    **{f"{name} elsewhere": {name: EXTERNAL_SERVICES[name]} for name in STORES},
    "connection strings in a Secret": {
        "mongodb": {"provider": "external", "external": {"existingSecret": "mine"}}
    },
    "no ingress": {"ingress": {"enabled": False}},
    "one node of all": {
        "apiserver": {"replicaCount": 1},
        "webserver": {"replicaCount": 1},
        "elasticsearch": {"replicas": 1, "minimumMasterNodes": 1},
    },
}
COMBINATIONS = [
    *((name,) for name in WITHOUT_HELM),
    *ON_OPENSHIFT,
    ("production", "clearml-2"),
]


@pytest.mark.parametrize("section", ON_TOP)
@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_a_preset_goes_with_stores_and_ways_of_ones_own(
    names: tuple[str, ...], section: str
) -> None:
    values = merge(preset(*names), ON_TOP[section])
    secrets = {("Secret", name) for name in ("mine", "managed-redis")}
    render(values, outside=CERTIFICATE | secrets)


TO_WRITE: dict[str, tuple[Object, str, Object]] = {
    "MongoDB": (
        {"mongodb": OUTSIDE_STORES["mongodb"]},
        "mongodb.auth.enabled",
        {"mongodb": {"auth": {"enabled": False}}},
    ),
    "Redis": (
        {"redis": OUTSIDE_STORES["redis"]},
        "redis.usePassword",
        {"redis": {"usePassword": False}},
    ),
    "Gateway": (
        {"gateway": {"enabled": True, "host": "a.org", "parentRefs": [{"name": "front"}]}},
        "gateway.enabled",
        {"ingress": {"enabled": False}},
    ),
    "Elasticsearch": (
        {"elasticsearch": {"replicas": 1}},
        "elasticsearch.minimumMasterNodes",
        {"elasticsearch": {"minimumMasterNodes": 1}},
    ),
}


@pytest.mark.parametrize("names", [names for names in COMBINATIONS if "production" in names])
@pytest.mark.parametrize("part", TO_WRITE)
def test_what_contradicts_a_preset_is_one_mistake(names: tuple[str, ...], part: str) -> None:
    given, path, answer = TO_WRITE[part]
    with pytest.raises(ValuesError) as caught:
        Values.read(merge(preset(*names), given))
    assert [line.split(": ")[0] for line in caught.value.lines] == [path]
    Values.read(merge(merge(preset(*names), given), answer))


@pytest.mark.parametrize("name", [name for name in PRESETS if not name.startswith("upgrade/")])
def test_values_of_the_guide_go_with_the_preset(name: str) -> None:
    """Each has one paragraph there."""
    for snippet in guide.values(name, page="presets"):
        values = merge(preset(name), snippet)
        assert list(Values.read(values).warnings()) == []
        render(values, outside=CERTIFICATE)


def test_with_the_certificate_of_the_router_all_is_https() -> None:
    (snippet,) = guide.values("openshift", page="presets")
    bundle = render(merge(preset("openshift"), snippet))
    (ingress,) = bundle.of("Ingress").values()
    env = bundle.env("clearml-agentservices")
    urls = {env["CLEARML_WEB_HOST"], env["CLEARML_FILES_HOST"]}
    assert urls < {f"https://{rule['host']}" for rule in ingress["spec"]["rules"]}
    assert "tls" not in ingress["spec"]


@pytest.mark.parametrize(("chart", "port"), [(4, 80), (5, 8080), (6, 8080), (7, 8080)])
def test_what_a_file_of_a_later_chart_leaves_out_is_as_there(chart: int, port: int) -> None:
    bundle = bundle_of(f"chart-{chart}")
    assert not AGENTS & bundle.workloads.keys()
    claims = [*bundle.of("PersistentVolumeClaim").values()]
    assert [claim["metadata"]["name"] for claim in claims] == ["clearml-fileserver-data"]
    assert "storageClassName" not in claims[0]["spec"]
    (served,) = bundle.find("Service", "clearml-webserver")["spec"]["ports"]
    assert served["port"] == port
    # Where the values ask for agents after all.
    agents = {"agentservices": {"enabled": True}}
    bundle = render(merge(preset(f"chart-{chart}"), agents))
    for claim in bundle.of("PersistentVolumeClaim").values():
        assert "storageClassName" not in claim["spec"]


def test_minikube_fits_two_processors_and_four_gibibytes() -> None:
    bundle = bundle_of("minikube")
    asked = {"cpu": 0.0, "memory": 0.0}
    for workload in bundle.workloads.values():
        (pod,) = pods_of([workload]).values()
        for resource in asked:
            each = sum(
                float(amount(container["resources"]["requests"][resource]))
                for container in pod["containers"]
            )
            asked[resource] += each * workload["spec"]["replicas"]
    # The cluster's own pods take a part too.
    assert asked["cpu"] <= 1
    assert asked["memory"] <= 3 * 2**30


@pytest.mark.parametrize("name", AVAILABLE)
def test_all_but_tasks_have_limits(name: str) -> None:
    for workload, pod in pods_of(bundle_of(name).objects).items():
        for container in containers_of(pod):
            if workload not in AGENTS or container not in pod["containers"]:
                assert container["resources"]["limits"].keys() == {"cpu", "memory"}, workload


def test_tasks_in_production_cannot_fill_the_disk_of_a_node() -> None:
    bundle = bundle_of("production")
    for agent in AGENTS:
        resources = bundle.container(agent)["resources"]
        for part in ("requests", "limits"):
            assert "ephemeral-storage" in resources[part], agent
        assert "cpu" not in resources["limits"], agent


def test_production_has_a_policy_for_each_pod() -> None:
    bundle = bundle_of("production")
    policies = [policy["spec"]["podSelector"] for policy in bundle.of("NetworkPolicy").values()]
    workloads = {**bundle.workloads, **bundle.of("Job")}
    for name, workload in workloads.items():
        assert any(selects(policy, workload) for policy in policies), name


@pytest.mark.parametrize("name", AVAILABLE)
def test_no_credential_is_in_the_manifests(name: str) -> None:
    bundle = bundle_of(name)
    held = {key for secret in bundle.of("Secret") for key in bundle.secret(secret)}
    made = {key for secret in bundle.made.values() for key in secret["lengths"]}
    assert {"mongodb-root-password", "redis-password"} <= made
    assert not held & made
    assert not bundle.of("Secret").keys() & bundle.made.keys()


@pytest.mark.parametrize("name", AVAILABLE)
def test_several_pods_have_a_budget_that_lets_one_go(name: str) -> None:
    bundle = bundle_of(name)
    budgets = [budget["spec"] for budget in bundle.of("PodDisruptionBudget").values()]
    for workload, manifest in bundle.workloads.items():
        pods = manifest["spec"]["replicas"]
        own = [budget for budget in budgets if selects(budget["selector"], manifest)]
        assert len(own) == (pods > 1), workload
        for budget in own:
            stay = budget.get("minAvailable") or pods - budget["maxUnavailable"]
            assert stay == pods - 1, workload


def test_high_availability_is_several_pods_of_all_that_can_be_several() -> None:
    workloads = bundle_of("high-availability").workloads
    assert {n for n, each in workloads.items() if each["spec"]["replicas"] == 1} == WITHOUT_REPLICAS
    zones = 3
    members = ("clearml-mongodb", "clearml-elastic-master", "clearml-apiserver")
    assert [workloads[name]["spec"]["replicas"] for name in members] == [zones] * len(members)


def test_high_availability_spreads_over_zones_and_nodes() -> None:
    for name, workload in bundle_of("high-availability").workloads.items():
        if workload["spec"]["replicas"] > 1:
            constraints = workload["spec"]["template"]["spec"]["topologySpreadConstraints"]
            assert [each["topologyKey"] for each in constraints] == [
                "topology.kubernetes.io/zone",
                "kubernetes.io/hostname",
            ], name
            selectors = [each["labelSelector"] for each in constraints]
            assert selectors == [workload["spec"]["selector"]] * 2, name


@pytest.mark.parametrize("names", ON_OPENSHIFT, ids="+".join)
def test_openshift_has_no_fixed_user_and_asks_for_no_rights(names: tuple[str, ...]) -> None:
    bundle = bundle_of(*names)
    pods = list(pods_of(bundle.objects).values())
    assert not {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"} & {*keys_of(pods)}
    capabilities = [
        container["securityContext"]["capabilities"]
        for pod in pods
        for container in containers_of(pod)
    ]
    assert not [each for each in capabilities if "add" in each]


@pytest.mark.parametrize("names", ON_OPENSHIFT, ids="+".join)
def test_on_openshift_root_has_accounts_that_it_can_be_allowed_to(names: tuple[str, ...]) -> None:
    bundle = bundle_of(*names)
    header = PRESETS["openshift"][0].read_text("utf-8")
    for name, pod in pods_of(bundle.objects).items():
        if against_restricted(pod):
            assert pod["serviceAccountName"] in bundle.of("ServiceAccount")
            assert f"-z {pod['serviceAccountName']}" in header
            # The SCC anyuid allows no profile.
            assert "securityContext" not in pod, name
            assert "seccompProfile" not in {*keys_of(containers_of(pod))}, name


@pytest.mark.parametrize("names", ON_OPENSHIFT, ids="+".join)
def test_openshift_finds_its_name_servers(names: tuple[str, ...]) -> None:
    for name, policy in bundle_of(*names).of("NetworkPolicy").items():
        rules = policy["spec"].get("egress", [{}])
        ports = {port["port"] for rule in rules for port in rule.get("ports", [])}
        everywhere = {} in rules or "Egress" not in policy["spec"]["policyTypes"]
        assert everywhere or {DNS, DNS_OF_OPENSHIFT} <= ports, name


def test_openshift_makes_routes_of_an_ingress() -> None:
    (ingress,) = bundle_of("openshift").of("Ingress").values()
    assert ingress["spec"]["ingressClassName"] == "openshift-default"
    assert ingress["metadata"]["annotations"] == {"route.openshift.io/termination": "edge"}
