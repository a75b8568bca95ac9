"""From one set of values to another: accepted, or refused as docs/guide/operations.md says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearml_k8s import rules
from clearml_k8s.rules import changes
from cluster import guide
from cluster.bundles import Bundle, write
from cluster.client import Cluster, eventually
from cluster.control_plane import PRIVILEGED
from cluster.machines import Object
from cluster.states import (
    apply,
    identity,
    is_ours,
    not_unchanged,
    refused,
    settle,
    shell,
    unready,
)
from config.types.merging import merge
from scenarios import AUTHENTICATION, PRESETS, REPLICATED, preset

Values = Mapping[str, Any]

# Rows of the table in the guide, by a word in their first cell.
PROVIDER, NAMES, STORE_VOLUME, CLAIM, NODE_PORTS, BALANCER, PRESET = (
    "provider",
    "nameOverride",
    "store's volume",
    "server's claim",
    "node ports",
    "loadBalancerClass",
    "preset",
)

MANY = ["ReadWriteMany"]

# Without it the defaults would be refused.
AS_BEFORE: Mapping[str, Values] = {
    "all-surrounded": {
        name: {"storage": {"data": {"accessModes": MANY}}}
        for name in ("fileserver", "agentservices")
    }
}

WEB_SERVER = ("Deployment", "clearml-webserver")
# They come and go with the objects that they are made for.
MADE_BY_CONTROLLERS = {"ControllerRevision", "EndpointSlice", "IPAddress", "Pod", "ReplicaSet"}

# What becomes of the defaults: a scenario or preset, more values, and the row if it is refused.
FROM_DEFAULTS: Mapping[str, tuple[str, Values, str | None]] = {
    "agent-groups": ("agent-groups", {}, None),
    "ingress-tls": ("ingress-tls", {}, None),
    "outside-stores": ("outside-stores", {}, None),
    "external-services": ("external-services", {}, None),
    "authentication": ("authentication", {}, None),
    "replicated": ("replicated", {}, None),
    "three-elasticsearch-nodes": ("three-elasticsearch-nodes", {}, None),
    "metrics": ("metrics", {}, None),
    "gateway": ("gateway", {}, None),
    "surrounded": ("surrounded", {}, None),
    "own-ingresses": ("own-ingresses", {}, None),
    "all-surrounded": ("all-surrounded", {}, CLAIM),
    "agents-and-claims": ("agents-and-claims", {}, STORE_VOLUME),
    "monitored-replicas": ("monitored-replicas", {}, None),
    "no-persistence": ("no-persistence", {}, STORE_VOLUME),
    "helm-stores": ("helm-stores", {}, PROVIDER),
    "production": ("production", {}, PRESET),
    "high-availability": ("high-availability", {}, PRESET),
    "openshift": ("openshift", {}, PRESET),
    "minikube": ("minikube", {}, PRESET),
    "name override": ("default", {"nameOverride": "other"}, NAMES),
    "fullname override": ("default", {"fullnameOverride": "other"}, NAMES),
    "release name": ("default", {"release": {"name": "other"}}, NAMES),
    "namespace": ("default", {"release": {"namespace": "other"}}, NODE_PORTS),
    "common labels": ("default", {"commonLabels": {"team": "data"}}, None),
    "pod settings": (
        "default",
        {"webserver": {"extraEnvs": [{"name": "A", "value": "b"}], "nodeSelector": {"pool": "a"}}},
        None,
    ),
    "replicas": ("default", {"webserver": {"replicaCount": 3}}, None),
    "tags": (
        "default",
        {
            name: {"image": {"tag": tag}}
            for name, tag in {
                "webserver": "1.0.2-new",
                "mongodb": "4.4.30-new",
                "agentservices": "new",
            }.items()
        },
        None,
    ),
    "no agents": ("default", {"agentservices": {"enabled": False}, "agentGroups": None}, None),
    "recreation": ("default", {"webserver": {"updateStrategy": {"type": "Recreate"}}}, None),
    "config volume": ("default", {"apiserver": {"storage": {"enableConfigVolume": True}}}, None),
    "elasticsearch name": ("default", {"elasticsearch": {"clusterName": "other"}}, None),
    "mongodb size": ("default", {"mongodb": {"persistence": {"size": "60Gi"}}}, STORE_VOLUME),
    "mongodb class": (
        "default",
        {"mongodb": {"persistence": {"storageClass": "standard"}}},
        STORE_VOLUME,
    ),
    "mongodb annotations": (
        "default",
        {"mongodb": {"persistence": {"annotations": {"a": "b"}}}},
        STORE_VOLUME,
    ),
    "mongodb existing claim": (
        "default",
        {"mongodb": {"persistence": {"existingClaim": "mine"}}},
        STORE_VOLUME,
    ),
    "redis modes": (
        "default",
        {"redis": {"master": {"persistence": {"accessModes": MANY}}}},
        STORE_VOLUME,
    ),
    "elasticsearch size": (
        "default",
        {"elasticsearch": {"volumeClaimTemplate": {"resources": {"requests": {"storage": "9Gi"}}}}},
        STORE_VOLUME,
    ),
    "claim class": ("default", {"fileserver": {"storage": {"data": {"class": ""}}}}, CLAIM),
    "class of all claims": ("default", {"global": {"storageClass": "fast"}}, CLAIM),
    "kept claim": ("default", {"fileserver": {"storage": {"data": {"keep": True}}}}, None),
    "existing claim": (
        "default",
        {"fileserver": {"storage": {"data": {"existingClaim": "mine"}}}},
        None,
    ),
    "no claim": ("default", {"fileserver": {"storage": {"enabled": False}}}, None),
    "another registry": (
        "default",
        {
            "global": {"imageRegistry": "registry.example.com"},
            "imageCredentials": {"enabled": True, "username": "a", "password": "test-secret"},
        },
        None,
    ),
    "claim modes": ("default", {"fileserver": {"storage": {"data": {"accessModes": MANY}}}}, CLAIM),
    "smaller claim": ("default", {"agentservices": {"storage": {"data": {"size": "1Gi"}}}}, CLAIM),
    "larger claim": ("default", {"fileserver": {"storage": {"data": {"size": "60Gi"}}}}, None),
    "node ports swapped": (
        "default",
        {
            "apiserver": {"service": {"nodePort": 30081}},
            "fileserver": {"service": {"nodePort": 30008}},
        },
        NODE_PORTS,
    ),
    "load balancer": (
        "default",
        {"webserver": {"service": {"type": "LoadBalancer", "loadBalancerClass": "example.com/a"}}},
        None,
    ),
    "no network policies": ("default", {"networkPolicy": {"enabled": False}}, None),
    "all network policies": ("default", {"networkPolicy": {"enabled": True}}, None),
    "account": ("default", {"mongodb": {"serviceAccount": {"create": True}}}, None),
    "given account": ("default", {"mongodb": {"serviceAccount": {"name": "default"}}}, None),
    "autoscaling": (
        "default",
        {
            "webserver": {
                "resources": {"requests": {"cpu": "1"}},
                "autoscaling": {
                    "enabled": True,
                    "maxReplicas": 3,
                    "targetCPUUtilizationPercentage": 50,
                },
            }
        },
        None,
    ),
    "any node port": ("default", {"apiserver": {"service": {"nodePort": 0}}}, None),
    "other node port": ("default", {"apiserver": {"service": {"nodePort": 30009}}}, None),
}

BALANCED: Values = {
    "webserver": {
        "service": {
            "type": "LoadBalancer",
            "loadBalancerClass": "example.com/a",
            "loadBalancerIP": "192.0.2.1",
            "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "externalTrafficPolicy": "Local",
            "sessionAffinity": "ClientIP",
            "sessionAffinityTimeoutSeconds": 600,
        }
    }
}
# What becomes of a load balancer: settings of its Service, and the row if it is refused.
FROM_BALANCED: Mapping[str, tuple[Values, str | None]] = {
    "other class": ({"loadBalancerClass": "example.com/b"}, BALANCER),
    "no class": ({"loadBalancerClass": None}, BALANCER),
    "node port": (
        dict.fromkeys(("loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges"))
        | {"type": "NodePort"},
        None,
    ),
    "only in the cluster": (
        dict.fromkeys(BALANCED["webserver"]["service"]) | {"type": "ClusterIP"},
        None,
    ),
    "other nodes": ({"externalTrafficPolicy": None}, None),
    "no affinity": (
        {"sessionAffinity": None, "sessionAffinityTimeoutSeconds": None},
        None,
    ),
    "any client": ({"loadBalancerSourceRanges": None}, None),
    "other address": ({"loadBalancerIP": "192.0.2.2"}, None),
}

UPGRADE_STEPS = [preset(name) for name in PRESETS if name.startswith("upgrade/")]

# All that is accepted at once.
GROWN: Values = merge(
    merge(AUTHENTICATION, REPLICATED),
    {
        "commonLabels": {"team": "data"},
        "apiserver": {"service": {"type": "ClusterIP"}, "replicaCount": 2},
        "webserver": {"replicaCount": 3, "image": {"tag": "1.0.2-new"}},
        "fileserver": {"storage": {"data": {"size": "60Gi"}}},
        "ingress": {"enabled": True, "className": "nginx", "host": "clearml.example.com"},
    },
)


def install(cluster: Cluster, folder: Path, name: str, **options: Any) -> Bundle:
    """Install a scenario or preset, and wait until it stands: unbound claims cannot grow."""
    bundle = write(folder, name, **options)
    if given := bundle.given():
        cluster.apply(given)
    apply(cluster, bundle)
    settle(cluster, bundle)
    return bundle


def test_changes_of_the_defaults(
    cluster: Cluster,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> None:
    # Among what follows are bundles with privileged pods.
    before = install(cluster, tmp_path, "default", namespace=PRIVILEGED)
    said = {}
    foreseen = {}
    for change, (name, values, _) in FROM_DEFAULTS.items():
        if name == "helm-stores":
            request.getfixturevalue("helm_on_path")
        if change != "larger claim" or cluster.controllers:
            after = write(tmp_path, name, values, namespace=PRIVILEGED)
            said[change] = refused(cluster, after)
            foreseen[change] = warned(before, after)
    record_property("upgrades", len(said))
    wrong = {change: told for change, told in said.items() if bool(told) != refusal(change)}
    assert wrong == {}
    assert {
        change: names(told) ^ foreseen[change]
        for change, told in said.items()
        # Nobody foresees all that Helm charts change.
        if FROM_DEFAULTS[change][2] != PROVIDER and names(told) != foreseen[change]
    } == {}
    assert said["node ports swapped"] == [
        f"service/clearml-{server}: spec.ports[0].nodePort: Invalid value: {port}: "
        "provided port is already allocated"
        for server, port in (("apiserver", 30081), ("fileserver", 30008))
    ]


def test_changes_of_a_load_balancer(
    cluster: Cluster, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    before = install(cluster, tmp_path, "default", more=BALANCED)
    for change, (settings, row) in FROM_BALANCED.items():
        more = merge(dict(BALANCED), {"webserver": {"service": settings}})
        after = write(tmp_path, "default", more)
        told = names(refused(cluster, after))
        assert bool(told) == (row is not None), change
        assert warned(before, after) == told, change
    record_property("upgrades", len(FROM_BALANCED))


def warned(before: Bundle, after: Bundle) -> set[str]:
    """The objects that `make synth` would warn of, as check_cluster.py calls them."""
    found = changes.refused(rules.Bundle(before.objects), rules.Bundle(after.objects))
    return {
        f"{finding.root['kind'].lower()}/{finding.root['metadata']['name']}" for finding in found
    }


def names(told: list[str]) -> set[str]:
    """The objects of these refusals, without the group of their kind.

    But for ports that another object has: that is seen in no object alone.
    """
    own = (line for line in told if not line.endswith("port is already allocated"))
    kinds = (line.partition(":")[0].partition("/") for line in own)
    return {f"{kind.partition('.')[0]}/{name}" for kind, _, name in kinds}


def refusal(change: str) -> bool:
    """Whether the guide says that the change is refused."""
    _, _, row = FROM_DEFAULTS[change]
    return row is not None


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("helm-stores", PROVIDER),
        ("no-persistence", STORE_VOLUME),
        ("production", PRESET),
        ("replicated", None),
        ("ingress-tls", None),
        ("own-ingresses", None),
        ("all-surrounded", CLAIM),
        ("agents-and-claims", STORE_VOLUME),
        ("monitored-replicas", None),
    ],
)
def test_back_to_the_defaults(
    cluster: Cluster,
    folder: Path,
    name: str,
    row: str | None,
    record_property: Callable[[str, object], None],
) -> None:
    before = install(cluster, folder, name)
    record_property("upgrades", 1)
    defaults = write(folder, "default", namespace=before.namespace)
    told = names(refused(cluster, defaults))
    assert bool(told) == (row is not None)
    if row not in (PROVIDER, PRESET):
        assert warned(before, defaults) == told


@pytest.mark.usefixtures("controllers")
@pytest.mark.parametrize("name", ["default", "production"])
def test_the_way_to_the_newest_servers(
    cluster: Cluster, tmp_path: Path, name: str, record_property: Callable[[str, object], None]
) -> None:
    before = install(cluster, tmp_path, name)
    record_property("upgrades", len(UPGRADE_STEPS))
    for step in UPGRADE_STEPS:
        after = write(tmp_path, name, step)
        assert refused(cluster, after) == []
        assert warned(before, after) == set()
        stop, stores, start, *_ = guide.commands("Each step", after, page="../upgrading")
        shell(cluster, after, stop)
        shell(cluster, after, stores)
        assert unready(cluster, after, "StatefulSet") == []
        assert {o["spec"]["replicas"] for o in cluster.objects("deployments")} == {0}
        shell(cluster, after, start)
        settle(cluster, after)
        assert not_unchanged(cluster, after) == set()
        before = after


def test_the_guide_lists_what_is_refused() -> None:
    table = guide.refused_changes()
    rows = [*(row for _, _, row in FROM_DEFAULTS.values()), *(r for _, r in FROM_BALANCED.values())]
    words = {row for row in rows if row}
    assert all(sum(word in row for row in table) == 1 for word in words)
    assert all(any(word in row for word in words) for row in table)


@pytest.mark.usefixtures("controllers")
def test_all_accepted_changes_at_once(cluster: Cluster, tmp_path: Path) -> None:
    install(cluster, tmp_path, "default")
    install(cluster, tmp_path, "default", more=GROWN)


def test_an_installation_of_bare_claim_templates_is_upgraded(
    cluster: Cluster, tmp_path: Path
) -> None:
    bundle = write(tmp_path, "default")
    for file in sorted((bundle.folder / "dist").iterdir()):
        manifests = [bare(manifest) for manifest in yaml.safe_load_all(file.read_text())]
        file.with_suffix(".bare").write_text(yaml.safe_dump_all(manifests))
        cluster.kubectl("apply", "-f", str(file.with_suffix(".bare")))
        file.with_suffix(".bare").unlink()
    assert refused(cluster, bundle) == []
    apply(cluster, bundle)
    assert not_unchanged(cluster, bundle) == set()


def bare(manifest: Object) -> Object:
    """The object with claim templates that lack all that the API server fills in."""
    for template in manifest.get("spec", {}).get("volumeClaimTemplates", []):
        for key in ("apiVersion", "kind", "status"):
            del template[key]
        del template["spec"]["volumeMode"]
    return manifest


@pytest.mark.usefixtures("controllers")
@pytest.mark.parametrize("forgotten", [False, True])
def test_autoscaling_starts_from_one_pod_unless_kubectl_forgets(
    cluster: Cluster, tmp_path: Path, forgotten: bool
) -> None:
    install(cluster, tmp_path, "default", more={"webserver": {"replicaCount": 3}})
    _, scaled, _ = FROM_DEFAULTS["autoscaling"]
    fewest = {"webserver": {"autoscaling": {"minReplicas": 2}}}
    after = write(tmp_path, "default", merge(dict(scaled), fewest))
    if forgotten:
        (command,) = guide.commands("Autoscaling", after, page="availability")
        shell(cluster, after, command)
    (deployment,) = (o for o in after.objects if identity(o) == WEB_SERVER)
    cluster.apply([deployment])
    assert web_servers(cluster) == (3 if forgotten else 1)
    apply(cluster, after)
    # Nobody measures, so the autoscaler only keeps to its bounds.
    eventually(lambda: web_servers(cluster) != (3 if forgotten else 2))
    assert not_unchanged(cluster, after) == set()


def web_servers(cluster: Cluster) -> int:
    """How many pods of the web server are asked for."""
    (found,) = (
        o["spec"]["replicas"]
        for o in cluster.objects("deployments", namespace="clearml")
        if identity(o) == WEB_SERVER
    )
    return int(found)


@pytest.mark.parametrize(
    "name", ["three-elasticsearch-nodes", "own-ingresses", "all-surrounded", "monitored-replicas"]
)
def test_pruning_removes_what_the_values_no_longer_ask_for(
    cluster: Cluster, tmp_path: Path, name: str
) -> None:
    before = install(cluster, tmp_path, name)
    after = write(tmp_path, "default", AS_BEFORE.get(name), namespace=before.namespace)
    stale = {identity(manifest) for manifest in before.objects if is_ours(manifest)}
    stale -= {identity(manifest) for manifest in after.objects}
    assert stale
    known = cluster.inventory()
    (command,) = guide.commands("Remove what the values no longer ask for", after)
    command = command.replace('"\n  prune()', f' {" ".join(guide.more_kinds())}"\n  prune()')
    shell(cluster, after, f"echo yes | {command}")
    gone = {(kind, name) for kind, _, name in known - cluster.inventory()}
    assert {(kind, name) for kind, name in gone if kind not in MADE_BY_CONTROLLERS} == stale
