"""Which pods the strictest of the Pod Security Standards admits, as docs/guide/pods.md says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster import guide
from cluster.bundles import write
from cluster.client import Cluster
from config.types.merging import merge
from pod_security import WORKLOADS, against_restricted, pods_of
from scenarios import MONITORED, REPLICATED

SERVERS = {"clearml-apiserver", "clearml-fileserver"}
ALWAYS = {
    "clearml-credentials",
    "clearml-elastic-master",
    "clearml-mongodb",
    "clearml-redis-master",
}
AGENTS = {"clearml-agentservices", "clearml-agent-group0-agent"}
# As for agents whose image has all that they need, with all that brings a container or a volume.
AGENT = {
    "podSecurityContext": {"runAsNonRoot": True, "runAsUser": 10001},
    "containerSecurityContext": {"capabilities": {"drop": ["ALL"]}},
    "setupScript": "true",
    "shmSize": "1Gi",
    "gitSsh": {"privateKey": "test-secret-ssh-key", "acceptNewHosts": True},
}
WARN = "pod-security.kubernetes.io/warn"
NAMESPACE = "restricted"


@pytest.mark.parametrize(
    ("name", "heading", "values", "expected"),
    [
        ("default", None, {}, ALWAYS),
        ("default", None, merge(REPLICATED, MONITORED), ALWAYS | {"clearml-redis-slave"}),
        ("default", "Servers without root", {}, ALWAYS | SERVERS),
        ("default", "A web server without root", {}, ALWAYS | {"clearml-webserver"}),
        ("default", "Files of another user", {}, ALWAYS),
        (
            "default",
            None,
            {"agentservices": AGENT, "agentGroups": {"agent-group0": AGENT}},
            ALWAYS | AGENTS,
        ),
        ("production", None, {}, ALWAYS | SERVERS),
        ("high-availability", None, {}, ALWAYS | SERVERS | {"clearml-redis-slave"}),
        ("openshift", None, {}, ALWAYS | SERVERS),
        ("clearml-2", None, {}, ALWAYS),
    ],
)
def test_restricted_admits_what_the_guide_says(
    cluster: Cluster,
    tmp_path: Path,
    name: str,
    heading: str | None,
    values: Mapping[str, Any],
    expected: set[str],
) -> None:
    metadata = {"name": NAMESPACE, "labels": {WARN: "restricted"}}
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    for snippet in guide.values(heading, page="pods") if heading else [{}]:
        assert admitted(cluster, tmp_path, name, merge(dict(values), snippet)) == expected


def admitted(cluster: Cluster, folder: Path, name: str, values: Mapping[str, Any]) -> set[str]:
    """The workloads of the bundle, with more values, that the server does not warn of.

    They are those that the fast tests take for restricted.
    """
    bundle = write(folder, name, values, namespace=NAMESPACE)
    found = set()
    for manifest in bundle.objects:
        if manifest["kind"] in WORKLOADS:
            ((workload, pod),) = pods_of([manifest]).items()
            asked = ("kubectl", "apply", "--dry-run=server", "-f", "-")
            said = cluster.run(*asked, stdin=json.dumps(manifest))
            assert not said.returncode, said.stderr
            warned = "would violate PodSecurity" in said.stderr
            assert warned == bool(against_restricted(pod)), said.stderr
            if not warned:
                found.add(workload)
    return found
