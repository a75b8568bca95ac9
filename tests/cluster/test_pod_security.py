"""Which pods the strictest of the Pod Security Standards admits, as docs/guide/pods.md says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cluster.bundles import ROOT, write
from cluster.client import Cluster

STORES = {"clearml-mongodb", "clearml-redis-master", "clearml-elastic-master"}
WARN = "pod-security.kubernetes.io/warn"
NAMESPACE = "restricted"


def test_restricted_admits_what_the_guide_says(cluster: Cluster, tmp_path: Path) -> None:
    page = (ROOT / "docs/guide/pods.md").read_text("utf-8")
    (snippet,) = re.findall(r"^```yaml\nfileserver:\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    settings = yaml.safe_load(snippet)
    metadata = {"name": NAMESPACE, "labels": {WARN: "restricted"}}
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    assert admitted(cluster, tmp_path, {}) == STORES
    servers = {"clearml-apiserver", "clearml-fileserver"}
    as_in_the_guide = {"apiserver": settings, "fileserver": settings}
    assert admitted(cluster, tmp_path, as_in_the_guide) == STORES | servers


def admitted(cluster: Cluster, folder: Path, values: Mapping[str, Any]) -> set[str]:
    """The workloads of the default bundle, with more values, that the server does not warn of."""
    bundle = write(folder, "default", values, namespace=NAMESPACE)
    found = set()
    for manifest in bundle.objects:
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            asked = ("kubectl", "apply", "--dry-run=server", "-f", "-")
            said = cluster.run(*asked, stdin=json.dumps(manifest))
            assert not said.returncode, said.stderr
            if "would violate PodSecurity" not in said.stderr:
                found.add(manifest["metadata"]["name"])
    return found
