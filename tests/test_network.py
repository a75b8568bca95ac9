"""Who may talk to whom, read from the NetworkPolicies, pod labels and ports of the manifests."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.types.merging import merge
from packed_charts import imported
from rendering import Bundle, Object, render
from scenarios import OUTSIDE, OUTSIDE_STORES, REPLICATED, SCENARIOS

ISOLATED: Object = {"networkPolicy": {"enabled": True}}
# A pod that is none of ours, in the same namespace, without any policy.
ANYBODY = "anybody"
ANYWHERE = "anywhere"
DNS = {53}
API, FILES, WEB = (f"clearml-{server}" for server in ("apiserver", "fileserver", "webserver"))
SERVICES, GROUP = "clearml-agentservices", "clearml-agent-group0-agent"
JOB = "clearml-credentials"
MONGODB, REDIS, ELASTIC = "clearml-mongodb", "clearml-redis-master", "clearml-elastic-master"
REPLICAS = "clearml-redis-slave"

Edge = tuple[str, str, int]

SERVERS = {(API, 8008), (FILES, 8081), (WEB, 80)}
STORES: set[Edge] = {
    (API, MONGODB, 27017),
    (API, REDIS, 6379),
    (API, ELASTIC, 9200),
    (ELASTIC, ELASTIC, 9300),
}


def labels_of(bundle: Bundle, workload: str) -> dict[str, str]:
    labels: dict[str, str] = bundle.template(workload)["metadata"]["labels"]
    return labels


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a selector of our policies finds pods of these labels."""
    assert selector.keys() <= {"matchLabels"}
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def rules(bundle: Bundle, workload: str, direction: str) -> list[Object] | None:
    """The rules that hold for the pods of a workload; None if nothing limits them."""
    found = None
    for policy in bundle.of("NetworkPolicy").values():
        spec = policy["spec"]
        concerned = selects(spec["podSelector"], labels_of(bundle, workload))
        if concerned and direction in spec["policyTypes"]:
            found = (found or []) + spec.get(direction.lower(), [])
    return found


def lets_through(rule: Object, peers: str, labels: dict[str, str], port: int) -> bool:
    ports = [entry["port"] for entry in rule.get("ports", []) if entry["protocol"] == "TCP"]
    return ("ports" not in rule or port in ports) and (
        peers not in rule or any(selects(peer["podSelector"], labels) for peer in rule[peers])
    )


def may_talk(bundle: Bundle, client: str, server: str, port: int) -> bool:
    """Whether both the policies of the client and those of the server let it through."""
    anybody = client == ANYBODY
    ways = (
        (rules(bundle, server, "Ingress"), "from", {} if anybody else labels_of(bundle, client)),
        (None if anybody else rules(bundle, client, "Egress"), "to", labels_of(bundle, server)),
    )
    return all(
        found is None or any(lets_through(rule, peers, labels, port) for rule in found)
        for found, peers, labels in ways
    )


def ports_of(bundle: Bundle, workload: str) -> set[int]:
    containers = bundle.pod(workload)["containers"]
    return {port["containerPort"] for c in containers for port in c.get("ports", [])}


def graph(bundle: Bundle) -> set[Edge]:
    """All that is allowed between the workloads, and from anybody."""
    return {
        (client, server, port)
        for client in (*bundle.workloads, ANYBODY)
        for server in bundle.workloads
        for port in ports_of(bundle, server)
        if may_talk(bundle, client, server, port)
    }


def reach(bundle: Bundle, workload: str) -> set[int] | str:
    """The ports on which a workload may talk to anybody outside."""
    egress = rules(bundle, workload, "Egress")
    if egress is None:
        return ANYWHERE
    assert all("ports" in rule or "to" in rule for rule in egress)
    return {port["port"] for rule in egress if "to" not in rule for port in rule["ports"]}


def used_by(*clients: str) -> set[Edge]:
    """The three servers as they are used by these."""
    return {(client, server, port) for client in clients for server, port in SERVERS}


def on_servers(*agents: str) -> set[Edge]:
    """All that is needed of the servers: by anybody, the web server's proxy and the agents."""
    return used_by(ANYBODY, *agents) | {(WEB, API, 8008), (WEB, FILES, 8081)}


def test_the_stores_are_reached_by_those_that_need_them_alone() -> None:
    bundle = render()
    assert {edge for edge in graph(bundle) if edge[1] in (MONGODB, REDIS, ELASTIC)} == STORES
    assert set(bundle.of("NetworkPolicy")) == {JOB, MONGODB, REDIS, ELASTIC}


def test_components_talk_to_what_they_need_alone() -> None:
    bundle = render(ISOLATED)
    assert graph(bundle) == STORES | on_servers(SERVICES, GROUP)
    assert {workload: reach(bundle, workload) for workload in bundle.workloads} == {
        **dict.fromkeys((FILES, WEB, MONGODB, REDIS, ELASTIC), DNS),
        API: DNS | {443},  # the check for updates
        **dict.fromkeys((SERVICES, GROUP), ANYWHERE),
    }


def test_name_servers_are_asked_again_over_tcp_for_long_answers() -> None:
    (rule,) = rules(render(ISOLATED), FILES, "Egress") or []
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {
        ("UDP", 53),
        ("TCP", 53),
    }


def test_replicas_talk_to_each_other() -> None:
    assert graph(render(merge(REPLICATED, ISOLATED))) == (
        STORES | on_servers(SERVICES, GROUP) | {(MONGODB, MONGODB, 27017), (REPLICAS, REDIS, 6379)}
    )


def test_many_groups_of_agents_reach_the_servers_and_no_store() -> None:
    groups = {f"g{number}": {"replicaCount": 1} for number in range(30)}
    bundle = render({**ISOLATED, "agentGroups": groups})
    agents = [f"clearml-{group}-agent" for group in groups]
    assert graph(bundle) == STORES | on_servers(SERVICES, GROUP, *agents)


def test_of_stores_outside_the_ports_count() -> None:
    bundle = render(merge(OUTSIDE_STORES, ISOLATED))
    assert graph(bundle) == on_servers(SERVICES, GROUP)
    assert reach(bundle, API) == DNS | {443, 27018, 6380, 9201}


def test_nodes_outside_are_reached_on_the_ports_of_their_urls() -> None:
    hosts = ["https://search-0.example.net", "https://search-1.example.net:9243"]
    search = {"provider": "external", "external": {"hosts": hosts}}
    bundle = render({**ISOLATED, "elasticsearch": search, "clearml": {"checkForUpdates": False}})
    assert reach(bundle, API) == DNS | {9200, 9243}


def test_who_has_only_connection_strings_may_talk_to_everything() -> None:
    values = merge(SCENARIOS["external-services"], ISOLATED)
    assert reach(render(values, outside=OUTSIDE["external-services"]), API) == ANYWHERE


def test_an_installation_that_is_not_to_be_told_of_updates_reaches_no_web() -> None:
    assert reach(render({**ISOLATED, "clearml": {"checkForUpdates": False}}), API) == DNS


# What it knows URLs by, and asks nobody there.
PREFIXES = "CLEARML__SERVICES__ASYNC_URLS_DELETE__FILESERVER__URL_PREFIXES"


def mentioned(bundle: Bundle, workload: str) -> Iterator[str]:
    """The workloads behind the Services that a workload's variables and arguments name."""
    pod = bundle.pod(workload)
    texts = [
        text
        for container in (*pod.get("initContainers", []), *pod["containers"])
        for text in (
            *container.get("args", []),
            *(v.get("value", "") for v in container.get("env", []) if v["name"] != PREFIXES),
        )
    ]
    words = set(re.split(r"[^a-z0-9-]+", " ".join(texts)))
    for name, service in bundle.of("Service").items():
        if name in words:
            for other in bundle.workloads:
                if selects({"matchLabels": service["spec"]["selector"]}, labels_of(bundle, other)):
                    yield other


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_components_may_talk_to_what_they_are_told_of_and_to_nothing_else(scenario: str) -> None:
    values = merge(SCENARIOS[scenario], ISOLATED)
    bundle = render(values, outside=OUTSIDE.get(scenario, set()))
    told = {(client, other) for client in bundle.workloads for other in mentioned(bundle, client)}
    allowed = {(client, server) for client, server, _ in graph(bundle) if client != ANYBODY}
    limited = {client for client in bundle.workloads if reach(bundle, client) != ANYWHERE}
    assert limited
    assert told <= allowed
    assert {edge for edge in allowed - told if edge[0] in limited} == set()


@pytest.mark.parametrize(
    "scraped",
    [
        {"metrics": {"enabled": True}},
        {
            "master": {
                "extraContainers": [
                    {
                        "name": "exporter",
                        "image": "example.org/exporter:1",
                        "ports": [{"name": "scrape", "containerPort": 9121}],
                    }
                ]
            }
        },
    ],
    ids=["ours", "theirs"],
)
def test_exporters_are_open_to_everybody(scraped: Object) -> None:
    before, after = (graph(render(v)) for v in ({}, {"redis": scraped}))
    assert after - before == {(c, REDIS, 9121) for c in (*render().workloads, ANYBODY)} - {
        (store, REDIS, 9121) for store in (MONGODB, REDIS, ELASTIC)
    }


def test_a_port_is_open_for_its_own_protocol() -> None:
    port = {"containerPort": 8125, "protocol": "UDP"}
    sidecar = {"name": "statsd", "image": "example.org/statsd:1", "ports": [port]}
    policy = render({"redis": {"master": {"extraContainers": [sidecar]}}}).find(
        "NetworkPolicy", REDIS
    )
    assert {"ports": [{"port": 8125, "protocol": "UDP"}]} in policy["spec"]["ingress"]


def test_a_store_whose_service_leads_outside_is_open_to_everybody() -> None:
    bundle = render({"mongodb": {"service": {"type": "LoadBalancer"}}})
    assert may_talk(bundle, ANYBODY, MONGODB, 27017)
    assert not may_talk(render(), ANYBODY, MONGODB, 27017)


@pytest.mark.parametrize(
    ("values", "policies"),
    [
        ({"networkPolicy": {"enabled": False}}, set()),
        (
            {
                "networkPolicy": {"enabled": False},
                "redis": {"master": {"networkPolicy": {"enabled": True}}},
            },
            {REDIS},
        ),
        ({"mongodb": {"networkPolicy": {"enabled": False}}}, {JOB, REDIS, ELASTIC}),
        (
            {"fileserver": {"networkPolicy": {"enabled": True}}},
            {JOB, MONGODB, REDIS, ELASTIC, FILES},
        ),
        (
            {**ISOLATED, "webserver": {"networkPolicy": {"enabled": False}}},
            {MONGODB, REDIS, ELASTIC, API, FILES, SERVICES, GROUP, JOB},
        ),
    ],
)
def test_a_component_counts_more_than_the_root(values: dict[str, Any], policies: set[str]) -> None:
    assert set(render(values).of("NetworkPolicy")) == policies


def test_two_releases_in_one_namespace_do_not_talk_to_each_other() -> None:
    other = render({"release": {"name": "other"}})
    policy = render().find("NetworkPolicy", MONGODB)["spec"]
    (rule,) = policy["ingress"]
    for workload in other.workloads:
        assert not selects(policy["podSelector"], labels_of(other, workload))
        assert not lets_through(rule, "from", labels_of(other, workload), 27017)


@pytest.mark.usefixtures("helm_on_path")
@pytest.mark.parametrize("architecture", ["standalone", "replicaset"])
def test_stores_of_charts_are_reached_on_whatever_port_their_pods_have(
    architecture: str, tmp_path: Path
) -> None:
    mongodb = {"mongodb": {"architecture": architecture}}
    bundle = render(functools.reduce(merge, (imported(tmp_path), ISOLATED, mongodb)))
    stores = set(bundle.workloads) - {API, FILES, WEB, SERVICES, GROUP}
    assert len(stores) == 3
    for store in stores:
        assert all(may_talk(bundle, API, store, port) for port in ports_of(bundle, store))
        assert not any(may_talk(bundle, WEB, store, port) for port in ports_of(bundle, store))
    assert reach(bundle, API) == DNS | {443}


def test_servers_elsewhere_are_reached_on_the_ports_of_their_urls() -> None:
    urls = {
        "clientConfigurationApiUrl": "https://api.example.com",
        "clientConfigurationFilesUrl": "http://files.example.com:8081",
    }
    off: Object = {"enabled": False}
    bundle = render({**ISOLATED, "apiserver": off, "fileserver": off, "clearml": urls})
    assert reach(bundle, WEB) == DNS | {443, 8081}
