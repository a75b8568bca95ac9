"""Warnings of amounts that Kubernetes accepts and nobody means."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from config import Values
from scenarios import PRESETS, preset
from test_pods import values_of


def warned(values: dict[str, Any]) -> list[str]:
    return [line for line in Values.read(values).warnings() if " is " in line or "leaves" in line]


CONTAINER = {"name": "probe", "image": "example.org/probe:1"}


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        ("apiserver: {resources: {limits: {memory: 128m}}}", "resources.limits.memory", "0.128 b"),
        ("webserver: {resources: {requests: {memory: 512}}}", "requests.memory", "512 bytes"),
        ("webserver: {resources: {requests: {memory: 1.5}}}", "requests.memory", "1.5 bytes"),
        ("webserver: {resources: {limits: {memory: 2000000.5}}}", "limits.memory", "000.5 bytes"),
        ("fileserver: {resources: {limits: {memory: 512k}}}", "limits.memory", "512000 bytes"),
        ("apiserver: {resources: {limits: {ephemeral-storage: 10}}}", "ephemeral-storage", "10 b"),
        ("apiserver: {initContainers: {resources: {limits: {memory: 64m}}}}", "memory", "0.064 b"),
        ("apiserver: {asyncdelete: {resources: {limits: {memory: 64}}}}", "asyncdelete", "64 b"),
        ("redis: {metrics: {resources: {requests: {memory: 32}}}}", "redis.metrics", "32 bytes"),
        ("elasticsearch: {resources: {requests: {memory: 2}}}", "elasticsearch.res", "2 bytes"),
        ("agentGroups: {a: {resources: {requests: {cpu: 100}}}}", "agentGroups.a.", "100 proc"),
        ("backup: {mongodb: {resources: {limits: {cpu: 500}}}}", "backup.mongodb.", "500m"),
        ("fileserver: {storage: {data: {size: 200}}}", "fileserver.storage.data.size", "200 b"),
        ("mongodb: {persistence: {size: 50}}", "mongodb.persistence.size", "50 bytes"),
        ("backup: {fileserver: {storage: {size: 100m}}}", "backup.fileserver.storage", "0.100 b"),
        ("agentGroups: {a: {storage: {sizeLimit: 20}}}", "storage.sizeLimit", "20 bytes"),
        (
            "elasticsearch: {volumeClaimTemplate: {resources: {requests: {storage: 50}}}}",
            "elasticsearch.volumeClaimTemplate.resources.requests.storage",
            "50 bytes",
        ),
        (
            "apiserver: {additionalVolumes: [{name: a, emptyDir: {sizeLimit: 64m}}]}",
            "apiserver.additionalVolumes[0].emptyDir.sizeLimit",
            "0.064 bytes",
        ),
        ("elasticsearch: {esJavaOpts: -Xmx4g}", "esJavaOpts", "-Xmx4g leaves nothing"),
        ("elasticsearch: {esJavaOpts: -Xmx4096M}", "esJavaOpts", "-Xmx4096M leaves nothing"),
        ("elasticsearch: {esJavaOpts: -Xms5G -Xmx2g}", "esJavaOpts", "-Xms5G leaves nothing"),
        ("elasticsearch: {esJavaOpts: -Xmx2}", "esJavaOpts", "-Xmx2 is 2 bytes"),
        ("elasticsearch: {esJavaOpts: -XX:MaxHeapSize=6g}", "esJavaOpts", "HeapSize=6g leaves"),
        ("elasticsearch: {esJavaOpts: -XX:MaxRAMPercentage=100}", "esJavaOpts", "=100 leaves"),
        ("elasticsearch: {resources: {limits: {memory: 4G}, requests: {memory: 4G}}}", "", ""),
        (
            "elasticsearch: {extraEnvs: [{name: ES_JAVA_OPTS, value: -Xmx9g}]}",
            "elasticsearch.extraEnvs[9]",
            "-Xmx9g leaves nothing",
        ),
    ],
)
def test_what_nobody_means_is_warned_of_once(text: str, path: str, told: str) -> None:
    lines = warned(yaml.safe_load(text))
    if not told:
        assert lines == []
        return
    (line,) = lines
    where, _, what = line.partition(": ")
    assert path in where
    assert told in what


@pytest.mark.parametrize("key", ["extraContainers", "extraInitContainers"])
def test_containers_of_the_users_are_looked_at_too(key: str) -> None:
    container = CONTAINER | {"resources": {"limits": {"memory": "64m"}}}
    (line,) = warned(values_of("mongodb", {key: [container]}))
    assert line.startswith(f"mongodb.{key}[0].resources.limits.memory: 64m is ")


@pytest.mark.parametrize(
    "text",
    [
        "apiserver: {nodeSelector: {size: '2'}, podLabels: {memory: '128'}}",
        "agentservices: {resources: {requests: {cpu: 96, memory: 768Gi}, limits: {memory: 1e12}}}",
        "agentservices: {resources: {requests: {cpu: 0, memory: 0}}}",
        "elasticsearch: {esJavaOpts: -Xmx3g -Xms3g -XX:MaxRAMPercentage=50}",
        "elasticsearch: {esJavaOpts: -Xmx2147483648}",
        "elasticsearch: {provider: external, clusterName: a, esJavaOpts: -Xmx9g}",
        "elasticsearch: {esJavaOpts: -Dsome.property=-Xmx9g}",
        "apiserver: {additionalVolumes: [{name: a, emptyDir: {sizeLimit: 0}}]}",
    ],
)
def test_what_may_be_meant_is_not_warned_of(text: str) -> None:
    assert warned(yaml.safe_load(text)) == []


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_has_a_doubtful_amount(name: str) -> None:
    assert not [line for line in warned(preset(name)) if "bytes" in line or "leaves" in line]
