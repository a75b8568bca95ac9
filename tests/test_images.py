"""Where images come from, and what they are pulled with, in every pod."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from config.image import from_registry
from config.types.merging import merge
from packed_charts import imported
from rendering import Bundle, render
from scenarios import OUTSIDE, SCENARIOS

MIRROR = "registry.example.com:5000/mirror"
OWN = "own.example.com"
DIGEST = "sha256:" + 64 * "0"
SECTIONS = ("apiserver", "fileserver", "webserver", "agentservices", "mongodb", "redis")
STORES = ("mongodb", "redis", "elasticsearch")
ELASTIC, QUAY = "docker.elastic.co/", "quay.io/"
LOGIN = {"enabled": True, "username": "test-user", "password": "test-secret-registry"}

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS)


def scenario_with(scenario: str, values: dict[str, Any], *secrets: str) -> Bundle:
    outside = OUTSIDE.get(scenario, set()) | {("Secret", name) for name in secrets}
    return render(merge(SCENARIOS[scenario], values), outside=outside)


def images(bundle: Bundle) -> list[str]:
    """The images of all containers."""
    return [container["image"] for _, container in bundle.containers()]


def moved_to(registry: str, image: str) -> str:
    """The image from that registry instead of its own or Docker Hub."""
    return f"{registry}/{image.removeprefix(ELASTIC).removeprefix(QUAY)}"


def own_registries(scenario: str) -> dict[str, Any]:
    groups = {"agent-group0", *SCENARIOS[scenario].get("agentGroups", {})}
    sections: dict[str, Any] = {name: {"image": {"registry": OWN}} for name in SECTIONS}
    others = {
        "agentGroups": {name: {"image": {"registry": OWN}} for name in groups},
        "elasticsearch": {"imageRegistry": OWN},
    }
    exporters = {store: {"metrics": {"image": {"registry": OWN}}} for store in STORES}
    return merge(merge(sections, others), exporters)


@each_scenario
def test_all_images_come_from_the_global_registry(scenario: str) -> None:
    before = images(scenario_with(scenario, {}))
    after = images(scenario_with(scenario, {"global": {"imageRegistry": MIRROR}}))
    assert len(before) >= 8
    assert after == [moved_to(MIRROR, image) for image in before]


@each_scenario
def test_an_own_registry_counts_more_than_the_global_one(scenario: str) -> None:
    before = images(scenario_with(scenario, {}))
    values = {"global": {"imageRegistry": MIRROR}} | own_registries(scenario)
    assert images(scenario_with(scenario, values)) == [moved_to(OWN, image) for image in before]


def test_docker_hub_takes_no_image_away_from_another_registry() -> None:
    before = images(render())
    after = images(render({"global": {"imageRegistry": "docker.io"}}))
    assert any(image.startswith(ELASTIC) for image in before)
    assert after == [
        image if image.startswith(ELASTIC) else f"docker.io/{image}" for image in before
    ]


@pytest.mark.parametrize(
    ("reference", "moved"),
    [
        ("mongo:4.4.30", f"{MIRROR}/mongo:4.4.30"),
        ("allegroai/clearml:1", f"{MIRROR}/allegroai/clearml:1"),
        ("localhost/clearml:1", f"{MIRROR}/clearml:1"),
        ("host:5000/a/b:1", f"{MIRROR}/a/b:1"),
        (f"ghcr.io/a.b/c@{DIGEST}", f"{MIRROR}/a.b/c@{DIGEST}"),
        (f"{MIRROR}/a/b:1", f"{MIRROR}/a/b:1"),
    ],
)
def test_a_registry_takes_the_place_of_another(reference: str, moved: str) -> None:
    assert from_registry(reference, MIRROR) == moved
    assert from_registry(reference, "") == reference


@pytest.mark.parametrize(
    ("image", "end"),
    [
        ({"digest": DIGEST}, f"@{DIGEST}"),
        ({"tag": "2.0", "digest": DIGEST}, f":2.0@{DIGEST}"),
        ({"tag": f"2.0@{DIGEST}"}, f":2.0@{DIGEST}"),
        ({"tag": DIGEST}, f"@{DIGEST}"),
        ({"tag": "2.0", "digest": ""}, ":2.0"),
    ],
)
def test_an_image_may_be_pinned_by_digest(image: dict[str, str], end: str) -> None:
    flat = {f"image{key.title()}": text for key, text in image.items()}
    version = {"clearml": {"version": "2.0.0"}}
    exporter = {"metrics": {"enabled": True, "image": image}}
    bundle = render(
        version | {"webserver": {"image": image}, "elasticsearch": flat, "redis": exporter}
    )
    assert bundle.container("clearml-redis-master", "metrics")["image"].endswith(f"exporter{end}")
    repositories = {
        "clearml-webserver": "allegroai/clearml",
        "clearml-elastic-master": f"{ELASTIC}elasticsearch/elasticsearch",
    }
    for workload, repository in repositories.items():
        assert bundle.container(workload)["image"] == f"{repository}{end}"


# Credentials


@each_scenario
def test_all_pods_pull_with_the_credentials(scenario: str) -> None:
    values = {
        "imageCredentials": LOGIN | {"registry": "example.org", "email": "test@example.org"},
        "global": {"imagePullSecrets": ["more", {"name": "another"}]},
        "webserver": {"imagePullSecrets": ["own"]},
    }
    bundle = scenario_with(scenario, values, "more", "another", "own")
    common = [{"name": name} for name in ("clearml-registry-key", "more", "another")]
    for workload in bundle.workloads:
        own = [{"name": "own"}] if workload == "clearml-webserver" else []
        assert bundle.pod(workload)["imagePullSecrets"] == own + common
    secret = bundle.find("Secret", "clearml-registry-key")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    content = json.loads(bundle.secret("clearml-registry-key")[".dockerconfigjson"])
    login = content["auths"].pop("example.org")
    assert content == {"auths": {}}
    assert base64.b64decode(login.pop("auth")).decode() == "test-user:test-secret-registry"
    assert login == {
        "username": "test-user",
        "password": "test-secret-registry",
        "email": "test@example.org",
    }
    texts = "".join(bundle.texts.values())
    assert "test-secret-registry" not in texts


@pytest.mark.parametrize(
    ("registry", "asked"),
    [({}, "docker.io"), ({"global": {"imageRegistry": MIRROR}}, MIRROR)],
    ids=["hub", "mirror"],
)
def test_credentials_are_for_the_registry_in_use(registry: dict[str, Any], asked: str) -> None:
    secret = render({"imageCredentials": LOGIN} | registry).secret("clearml-registry-key")
    assert list(json.loads(secret[".dockerconfigjson"])["auths"]) == [asked]


@pytest.mark.parametrize("login", [LOGIN, {"enabled": True}])
def test_credentials_may_be_there_already(login: dict[str, Any]) -> None:
    existing = {"imageCredentials": {**login, "existingSecret": "mine"}}
    bundle = render(existing, outside={("Secret", "mine")})
    assert set(bundle.of("Secret")) == set(render().of("Secret"))
    for workload in bundle.workloads:
        assert bundle.pod(workload)["imagePullSecrets"] == [{"name": "mine"}]


def test_credentials_that_are_not_asked_for_are_not_there() -> None:
    placeholders = {**LOGIN, "enabled": False, "existingSecret": "mine"}
    assert render({"imageCredentials": placeholders}) == render()


# Stores from Helm charts


@pytest.mark.usefixtures("helm_on_path")
def test_images_of_charts_come_from_the_registries_too(tmp_path: Path) -> None:
    charts = imported(tmp_path)
    before = images(render(charts))
    known = [image for image in before if image.startswith(("docker.io/bitnamilegacy/", ELASTIC))]
    assert len(known) >= 4
    after = images(render(merge(charts, {"global": {"imageRegistry": MIRROR}})))
    assert after == [
        f"{MIRROR}/{image.removeprefix('docker.io/').removeprefix(ELASTIC)}" for image in before
    ]
    own = {"mongodb": {"image": {"registry": OWN}}, "elasticsearch": {"imageRegistry": OWN}}
    mixed = render(merge(charts, own | {"global": {"imageRegistry": MIRROR}}))
    assert mixed.container("clearml-mongodb")["image"].startswith(f"{OWN}/bitnami/")
    assert mixed.container("clearml-elastic-master")["image"].startswith(f"{OWN}/elasticsearch/")
    assert mixed.container("clearml-redis-master")["image"].startswith(f"{MIRROR}/bitnamilegacy/")


@pytest.mark.usefixtures("helm_on_path")
def test_images_of_charts_may_be_pinned_by_digest(tmp_path: Path) -> None:
    pinned = {
        "mongodb": {"image": {"digest": DIGEST}},
        "redis": {"image": {"tag": "7", "digest": DIGEST}},
        "elasticsearch": {"imageDigest": DIGEST},
    }
    before, after = (render(imported(tmp_path, values)) for values in ({}, pinned))
    for workload in ("clearml-mongodb", "clearml-elastic-master"):
        image = before.container(workload)["image"]
        assert after.container(workload)["image"] == f"{image}@{DIGEST}"
    assert after.container("clearml-redis-master")["image"].endswith(f"/redis:7@{DIGEST}")


@pytest.mark.usefixtures("helm_on_path")
def test_pods_of_charts_pull_with_the_credentials_too(tmp_path: Path) -> None:
    bundle = render(imported(tmp_path, {"imageCredentials": LOGIN}))
    for workload in bundle.workloads:
        assert bundle.pod(workload)["imagePullSecrets"] == [{"name": "clearml-registry-key"}]
