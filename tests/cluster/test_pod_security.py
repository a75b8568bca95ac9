"""Which pods the strictest of the Pod Security Standards admits, as docs/guide/pods.md says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster import guide
from cluster.bundles import write
from cluster.client import Cluster
from config.types.merging import merge
from scenarios import MONITORED, REPLICATED

JOB = "clearml-credentials"
BY_DEFAULT = {JOB, "clearml-mongodb", "clearml-redis-master", "clearml-elastic-master"}
AGENTS = {"clearml-agentservices", "clearml-agent-group0-agent"}
# All that brings a container or a volume of its own.
AGENT = {
    "setupScript": "true",
    "shmSize": "1Gi",
    "gitSsh": {"privateKey": "test-secret-ssh-key", "acceptNewHosts": True},
}
WARN = "pod-security.kubernetes.io/warn"
NAMESPACE = "restricted"


def test_restricted_admits_what_the_guide_says(cluster: Cluster, tmp_path: Path) -> None:
    (snippet,) = guide.values("Pod Security", page="pods")
    settings = snippet["fileserver"]
    metadata = {"name": NAMESPACE, "labels": {WARN: "restricted"}}
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    assert admitted(cluster, tmp_path, {}) == BY_DEFAULT
    all_around = merge(REPLICATED, MONITORED)
    assert admitted(cluster, tmp_path, all_around) == BY_DEFAULT | {"clearml-redis-slave"}
    servers = {"clearml-apiserver", "clearml-fileserver"}
    as_in_the_guide = {"apiserver": settings, "fileserver": settings}
    assert admitted(cluster, tmp_path, as_in_the_guide) == BY_DEFAULT | servers
    agents = merge(settings, AGENT)
    with_agents = {"agentservices": agents, "agentGroups": {"agent-group0": agents}}
    assert admitted(cluster, tmp_path, with_agents) == BY_DEFAULT | AGENTS


def admitted(cluster: Cluster, folder: Path, values: Mapping[str, Any]) -> set[str]:
    """The workloads of the default bundle, with more values, that the server does not warn of."""
    bundle = write(folder, "default", values, namespace=NAMESPACE)
    found = set()
    for manifest in bundle.objects:
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job"):
            asked = ("kubectl", "apply", "--dry-run=server", "-f", "-")
            said = cluster.run(*asked, stdin=json.dumps(manifest))
            assert not said.returncode, said.stderr
            if "would violate PodSecurity" not in said.stderr:
                name = manifest["metadata"]["name"]
                found.add(name.rpartition("-")[0] if manifest["kind"] == "Job" else name)
    return found
