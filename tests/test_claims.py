"""Claims: those that are made, those that are there already, and pods without any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import Values
from config.types.merging import merge
from packed_charts import imported
from rendering import Bundle, Object, render

CONFIG_VOLUME = {"apiserver": {"storage": {"enableConfigVolume": True}}}
REPLICATED_REDIS = {"redis": {"cluster": {"enabled": True}}}
STORES = {
    "clearml-mongodb",
    "clearml-redis-master",
    "clearml-redis-slave",
    "clearml-elastic-master",
}
SERVERS = {
    "clearml-fileserver-data": ("fileserver", "data"),
    "clearml-agentservices-data": ("agentservices", "data"),
    "clearml-apiserver-config": ("apiserver", "config"),
}
each_spelling = pytest.mark.parametrize("key", ["storageClass", "defaultStorageClass"])


def claims(bundle: Bundle) -> dict[str, Object]:
    """All claims by name, and the claim templates by the name of their StatefulSet."""
    templates = {
        name: template
        for name, made in bundle.of("StatefulSet").items()
        for template in made["spec"].get("volumeClaimTemplates", [])
    }
    return bundle.of("PersistentVolumeClaim") | templates


def classes(bundle: Bundle) -> dict[str, str | None]:
    return {name: c["spec"].get("storageClassName") for name, c in claims(bundle).items()}


@each_spelling
def test_a_class_for_all_claims(key: str) -> None:
    values = {**CONFIG_VOLUME, **REPLICATED_REDIS, "global": {key: "fast"}}
    assert classes(render(values)) == dict.fromkeys(STORES | SERVERS.keys(), "fast")


@pytest.mark.parametrize("chosen", ["standard", "slow"])
def test_a_claims_own_class_counts_more(chosen: str) -> None:
    values: dict[str, Any] = {
        "apiserver": {"storage": {"enableConfigVolume": True, "config": {"class": chosen}}},
        **{
            name: {"storage": {"data": {"class": chosen}}}
            for name in ("fileserver", "agentservices")
        },
        "mongodb": {"persistence": {"storageClass": chosen}},
        "redis": {"master": {"persistence": {"storageClass": chosen}}},
        "elasticsearch": {"volumeClaimTemplate": {"storageClassName": chosen}},
    }
    made = classes(render(values | {"global": {"storageClass": "fast"}}))
    assert made == dict.fromkeys((STORES - {"clearml-redis-slave"}) | SERVERS.keys(), chosen)


def test_an_empty_class_is_none_of_its_own() -> None:
    values = {"fileserver": {"storage": {"data": {"class": ""}}}}
    after = classes(render(values | {"global": {"storageClass": "fast"}}))
    assert after["clearml-fileserver-data"] == "fast"
    assert classes(render(values))["clearml-fileserver-data"] is None


@pytest.mark.usefixtures("helm_on_path")
def test_claims_of_charts_get_the_class_too(tmp_path: Path) -> None:
    slow = {
        "mongodb": {"persistence": {"storageClass": "slow"}},
        "elasticsearch": {"volumeClaimTemplate": {"storageClassName": "slow"}},
    }
    charts = imported(tmp_path, slow)
    before = classes(render(charts))
    after = classes(render(merge(charts, {"global": {"storageClass": "fast"}})))
    assert {before[name] for name in STORES & before.keys()} == {"slow", None}
    chosen = dict.fromkeys(("clearml-mongodb", "clearml-elastic-master"), "slow")
    assert after == dict.fromkeys(before, "fast") | chosen


def test_kept_claims_tell_all_tools_and_can_be_told_otherwise() -> None:
    sync = "argocd.argoproj.io/sync-options"
    kept = {"keep": True, "annotations": {sync: "Prune=false", "probe": "on"}}
    values = {
        **{name: {"storage": {"data": kept}} for name in ("fileserver", "agentservices")},
        "apiserver": {"storage": {"enableConfigVolume": True, "config": kept}},
    }
    made = render(values).of("PersistentVolumeClaim")
    assert made.keys() == SERVERS.keys()
    for claim in made.values():
        assert claim["metadata"]["annotations"] == {
            sync: "Prune=false",
            "helm.sh/resource-policy": "keep",
            "kustomize.toolkit.fluxcd.io/prune": "disabled",
            "probe": "on",
        }


@pytest.mark.parametrize("modes", [["ReadWriteMany"], ["ReadWriteOnce"]])
@pytest.mark.parametrize("claim", SERVERS)
def test_the_access_modes_say_how_pods_with_an_existing_claim_are_replaced(
    claim: str, modes: list[str]
) -> None:
    server, purpose = SERVERS[claim]
    storage = {purpose: {"existingClaim": "mine", "accessModes": modes}}
    values = merge(CONFIG_VOLUME, {server: {"storage": storage}})
    bundle = render(values, outside={("PersistentVolumeClaim", "mine")})
    assert claim not in bundle.of("PersistentVolumeClaim")
    strategy = bundle.workloads[f"clearml-{server}"]["spec"].get("strategy")
    assert strategy == ({"type": "Recreate"} if modes == ["ReadWriteOnce"] else None)


def test_several_pods_may_share_an_existing_claim() -> None:
    data = {"existingPVC": "mine", "accessMode": "ReadWriteMany"}
    values = {"fileserver": {"replicaCount": 2, "storage": {"data": data}}}
    bundle = render(values, outside={("PersistentVolumeClaim", "mine")})
    assert bundle.workloads["clearml-fileserver"]["spec"]["replicas"] == 2
    (volume,) = bundle.pod("clearml-fileserver")["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "mine"}


def test_the_user_hears_that_files_go_with_the_pod() -> None:
    (warning,) = set(Values.read({"fileserver": {"storage": {"enabled": False}}}).warnings()) - set(
        Values().warnings()
    )
    assert warning.startswith("fileserver.storage.enabled: ")
