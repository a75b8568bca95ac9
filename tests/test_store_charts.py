"""Keys that only the stores' Helm charts have, where a store is embedded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import Values, ValuesError, load
from config.store_charts import STORE_CHARTS, is_idle
from config.types.merging import merge
from config.types.words import Refused

REFUSED = [key for key, word in STORE_CHARTS.items() if isinstance(word, Refused)]


def nested(key: str, value: Any) -> Any:
    for step in reversed(key.split(".")):
        value = {step: value}
    return value


@pytest.mark.parametrize(
    "nothing", [None, "", [], {}, {"enabled": False, "a": 1}, {"a": {"create": "false"}}], ids=str
)
@pytest.mark.parametrize("key", REFUSED)
def test_what_is_empty_or_off_asks_for_nothing(key: str, nothing: Any) -> None:
    assert Values.read(nested(key, nothing)) == Values()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mongodb: {arbiter: {enabled: true}}", "mongodb.arbiter: an arbiter is not made here"),
        ("mongodb: {hidden: {replicaCount: 1}}", "mongodb.hidden: hidden members are not made"),
        ("mongodb: {auth: {rootUser: admin}}", "mongodb.auth.rootUser: the servers log in as root"),
        ("mongodb: {auth: {databases: [a]}}", "mongodb.auth.databases: the servers log in as root"),
        ("mongodb: {podAntiAffinityPreset: hard}", "mongodb.podAntiAffinityPreset: write mongodb."),
        ("mongodb: {service: {ports: {metrics: 1}}}", "mongodb.service.ports: must be a mapping"),
        ("redis: {tls: {enabled: 'true'}}", "redis.tls: an embedded store speaks no TLS"),
        ("redis: {master: {count: 2}}", "redis.master.count: an embedded store has no such"),
        ("redis: {networkPolicy: {enabled: true, allowExternal: true}}", "redis.networkPolicy: w"),
        ("redis: {commonConfiguration: 'save 60 1'}", "redis.commonConfiguration: an embedded"),
        ("mongodb: {pdb: {create: [1]}}", "mongodb.pdb: must be true or false"),
        ("mongodb: {pdb: true}", "mongodb.pdb: must be a mapping"),
        ("redis: {serviceAccount: mine}", "redis.serviceAccount: must be a mapping"),
        ("elasticsearch: {protocol: https}", "elasticsearch.protocol: an embedded store has no"),
        ("elasticsearch: {antiAffinity: hard}", "elasticsearch.antiAffinity: nodes go to differ"),
        ("sessions: {svcType: NodePort}", "sessions: the Kubernetes glue agent is not part"),
        ("kafka: {enabled: true}", "kafka: is a key of the chart clearml-serving"),
        ("clearml: {servingTaskId: a}", "clearml.servingTaskId: is a key of the chart clearml-s"),
        ("clearml: {agentk8sglueKey: a}", "clearml.agentk8sglueKey: the Kubernetes glue agent"),
    ],
)
def test_what_is_not_done_here_is_refused_with_what_to_write(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError) as caught:
        load([file])
    (line,) = caught.value.lines
    assert line.startswith(f"{file}:1: {said}")


@pytest.mark.parametrize(
    ("value", "done", "idle"),
    [
        ({"port": 1, "name": ""}, {"port": 1}, True),
        ({"port": 2}, {"port": 1}, False),
        ({"enabled": True}, None, False),
        ({"a": {"enabled": False, "b": 1}, "c": 1}, None, False),
        ("Soft", "soft", True),
        (0, 0, True),
        (0, False, False),
        ("true", (True, False), True),
        ([1], None, False),
    ],
)
def test_a_value_that_asks_for_what_is_done_anyway(value: Any, done: Any, idle: bool) -> None:
    assert is_idle(value, done) == idle


def test_an_account_of_somebody_else_is_kept() -> None:
    account = Values.read({"redis": {"serviceAccount": {"create": False, "name": "mine"}}})
    assert account.redis.master.service_account.name == "mine"


@pytest.mark.parametrize("key", REFUSED)
def test_a_store_of_a_chart_keeps_its_keys(key: str) -> None:
    store, *path = key.split(".")
    given = merge(nested(key, False), {store: {"provider": "helm"}})
    section = Values.read(given).stores[store]
    assert tuple(path) in [found for found, _ in section.chart_keys()]
