"""Stores imported from Helm charts: what is rendered, how it is patched, how it fails."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cdk8s import App, Chart

from config import Values, ValuesError, load
from config.types.merging import merge
from imports import elasticsearch, helm, mongodb, redis
from imports.archive import archive_path
from imports.error import ChartError
from imports.helm import HelmError, find_helm, run_helm, template
from imports.patches import OBSOLETE_ANNOTATION, drop_obsolete_annotation
from imports.pool import ReleasePool, helm_releases
from imports.release import HelmRelease, ReleaseManifests, manifests
from packed_charts import imported, package, source
from rendering import Bundle, Object, render, synthesize

ROOT = Path(__file__).parent.parent
STORES = ("mongodb", "redis", "elasticsearch")
PASSWORDS: dict[str, Any] = {
    "mongodb": {"auth": {"enabled": True, "rootPassword": "test-secret-mongodb"}},
    "redis": {"usePassword": True, "password": "test-secret-redis"},
}
NO_HELM = Path("/no/helm/is/run")


def releases(values: dict[str, Any]) -> dict[str, HelmRelease]:
    return {made.source.name: made for made in helm_releases(Values.model_validate(values))}


def one(store: str, folder: Path, values: dict[str, Any] | None = None) -> HelmRelease:
    """The release of one store, with values for that store."""
    section = merge({"provider": "helm", "chart": source(store, folder)}, values or {})
    return releases({store: section})[store]


def objects(rendered: ReleaseManifests) -> dict[tuple[str, str], dict[str, Any]]:
    return {(m["kind"], m["metadata"]["name"]): m for m in rendered.objects}


def pod(rendered: ReleaseManifests, kind: str, name: str) -> Any:
    return objects(rendered)[kind, name]["spec"]["template"]["spec"]


def run_main(values: dict[str, Any], outdir: Path, helm: Path) -> subprocess.CompletedProcess[str]:
    """Synthesize as users do, with that helm."""
    file = outdir.parent / "values.yaml"
    file.write_text(json.dumps(values))
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py")],
        env=os.environ
        | {
            "CLEARML_VALUES": str(file),
            "CDK8S_OUTDIR": str(outdir),
            "PATH": f"{helm.parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
    )


def fake_helm(folder: Path, script: str, version: str = "v3.11.1") -> Path:
    """A program that tells its version and then runs the script."""
    file = folder / "bin" / "helm"
    file.parent.mkdir()
    file.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo {version} && exit\n{script}\n')
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


@pytest.fixture
def bundle(helm_on_path: Path, tmp_path: Path) -> Bundle:
    return render(imported(tmp_path, PASSWORDS))


# What comes of it


def test_the_servers_find_the_services_and_passwords_that_the_charts_made(bundle: Bundle) -> None:
    env = bundle.env("clearml-apiserver")
    assert env["CLEARML_REDIS_SERVICE_HOST"] == "clearml-redis-master"
    assert env["CLEARML_ELASTIC_SERVICE_HOST"] == "clearml-elastic-master"
    assert "@clearml-mongodb:27017/backend" in env["CLEARML__HOSTS__MONGO__BACKEND__HOST"]
    references = [value["secretKeyRef"] for value in env.values() if isinstance(value, dict)]
    assert {"name": "clearml-mongodb", "key": "mongodb-root-password"} in references
    assert {"name": "clearml-redis", "key": "redis-password"} in references
    assert bundle.secret("clearml-mongodb")["mongodb-root-password"] == "test-secret-mongodb"
    assert bundle.secret("clearml-redis")["redis-password"] == "test-secret-redis"


def test_the_server_rolls_when_the_password_of_a_chart_changes(
    helm_on_path: Path, tmp_path: Path
) -> None:
    first, second = (
        render(imported(tmp_path, {"redis": {"usePassword": True, "password": password}}))
        for password in ("test-secret-1", "test-secret-2")
    )
    before, after = (bundle.annotations("clearml-apiserver") for bundle in (first, second))
    assert {key for key in before if before[key] != after[key]} == {"checksum/clearml-redis"}


def test_each_chart_has_its_file_before_the_servers(bundle: Bundle) -> None:
    names = [file.split("-", 1)[1].split(".")[0] for file in bundle.files]
    assert names[:6] == ["namespace", "credentials", *STORES, "apiserver"]


def test_existing_secrets_are_handed_on(helm_on_path: Path, tmp_path: Path) -> None:
    values = imported(
        tmp_path,
        {
            "mongodb": {"auth": {"enabled": True, "existingSecret": "mine"}},
            "redis": {
                "usePassword": True,
                "existingSecret": "mine",
                "existingSecretPasswordKey": "word",
            },
        },
    )
    outside = {("Secret", "mine")}
    env = render(values, outside=outside).env("clearml-apiserver")
    references = [value["secretKeyRef"] for value in env.values() if isinstance(value, dict)]
    assert {"name": "mine", "key": "mongodb-root-password"} in references
    assert {"name": "mine", "key": "word"} in references


@pytest.mark.parametrize(
    ("release", "services"),
    [
        ("clearml", ("clearml-mongodb", "clearml-redis-master", "clearml-elastic-master")),
        ("my-mongodb", ("my-mongodb", "my-mongodb-redis-master", "my-mongodb-elastic-master")),
        ("redis", ("redis-mongodb", "redis-master", "redis-elastic-master")),
    ],
)
def test_hosts_are_those_of_the_services_really_made(
    release: str, services: tuple[str, ...], helm_on_path: Path, tmp_path: Path
) -> None:
    values = imported(tmp_path, {"release": {"name": release}})
    rendered = ReleasePool(Values.model_validate(values)).wait()
    scope = Chart(App(), "test")
    made = (
        mongodb.Mongodb(Chart(scope, "mongodb"), rendered["mongodb"]),
        redis.Redis(Chart(scope, "redis"), rendered["redis"]),
        elasticsearch.Elasticsearch(Chart(scope, "elasticsearch"), rendered["elasticsearch"]),
    )
    assert tuple(chart.host for chart in made) == services


def test_the_servers_talk_to_the_master_at_an_address_of_its_own() -> None:
    ports = [{"port": 6379, "targetPort": "redis"}]
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": {"role": role}, "ports": ports} | address,
        }
        for name, role, address in (
            ("headless", "master", {"clusterIP": "None"}),
            ("replicas", "slave", {}),
            ("master", "master", {}),
        )
    ]
    made = redis.Redis(Chart(App(), "test"), ReleaseManifests(services, []))
    assert made.host == "master"


def test_a_replica_set_is_addressed_by_its_members(helm_on_path: Path, tmp_path: Path) -> None:
    values = imported(tmp_path, {"mongodb": {"architecture": "replicaset", "replicaCount": 2}})
    env = render(values).env("clearml-apiserver")
    assert env["CLEARML__HOSTS__MONGO__AUTH__HOST"].strip('"') == (
        "mongodb://clearml-mongodb-0.clearml-mongodb-headless:27017,"
        "clearml-mongodb-1.clearml-mongodb-headless:27017/auth?replicaSet=rs0"
    )


@pytest.mark.parametrize("given", [{}, {"extraEnvs": [{"name": "http.port", "value": "9201"}]}])
def test_a_port_that_the_elasticsearch_chart_forgets_is_set_once(
    given: dict[str, Any], helm: Path, tmp_path: Path
) -> None:
    rendered = manifests(helm, one("elasticsearch", tmp_path, {"httpPort": 9201} | given))
    (container,) = pod(rendered, "StatefulSet", "clearml-elastic-master")["containers"]
    ports = [each["value"] for each in container["env"] if each["name"] == "http.port"]
    assert ports == ["9201"]


# What nobody sets stays as it was rendered

ELABORATE: dict[str, Any] = merge(
    PASSWORDS,
    {
        "mongodb": {
            "architecture": "replicaset",
            "replicaCount": 3,
            "auth": {"replicaSetKey": "testsecretkey"},
            "metrics": {"enabled": True},
            "volumePermissions": {"enabled": True},
        },
        "redis": {
            "cluster": {"enabled": True},
            "metrics": {"enabled": True},
            "volumePermissions": {"enabled": True},
        },
    },
)
# Spelled out, as people do who copy all keys of a chart's values.
NOTHING: dict[str, Any] = {
    "podSecurityContext": {"enabled": True},
    "containerSecurityContext": {},
    "resources": {},
    "affinity": {},
    "tolerations": [],
    "initContainers": {"resources": {}},
    "updateStrategy": {},
    "livenessProbe": {},
    "readinessProbe": {"enabled": True},
    "startupProbe": {"enabled": False},
    "podLabels": {},
    "deploymentAnnotations": {},
}
SAYING_NOTHING = {"mongodb": NOTHING, "redis": {"master": NOTHING}, "elasticsearch": NOTHING}


@pytest.mark.parametrize(
    ("values", "said"),
    [({}, {}), (ELABORATE, ELABORATE), (SAYING_NOTHING, {})],
    ids=["defaults", "elaborate", "saying-nothing"],
)
def test_what_nobody_sets_stays_as_helm_rendered_it(
    values: dict[str, Any],
    said: dict[str, Any],
    charts: dict[str, Any],
    each_helm: Path,
    helm_on_path: Path,
) -> None:
    bundle = synthesize(Values.read(merge(charts, values)))
    for store, release in releases(merge(charts, said)).items():
        text = template(
            each_helm,
            archive_path(release.source),
            release=release.name,
            namespace=release.namespace,
            values=release.values,
        )
        expected = patched([made for made in yaml.load_all(text, yaml.CSafeLoader) if made])
        (file,) = (file for file in bundle.files if store in file)
        assert bundle.files[file] == expected


def patched(manifests: list[Object]) -> list[Object]:
    """What helm rendered with the patches that docs/guide/stores.md lists, and no other."""
    has_secret = any(manifest["kind"] == "Secret" for manifest in manifests)
    return [_patched(without_nulls(manifest), has_secret) for manifest in manifests]


def _patched(manifest: Object, has_secret: bool) -> Object:
    kind = manifest["kind"]
    manifest["metadata"].setdefault("namespace", "clearml")
    if kind == "PodDisruptionBudget":
        manifest["apiVersion"] = "policy/v1"
    elif kind == "Service" and OBSOLETE_ANNOTATION in manifest["metadata"].get("annotations", {}):
        del manifest["metadata"]["annotations"]
    elif kind == "ServiceAccount" and not has_secret:
        manifest.pop("secrets", None)
    elif kind in ("Deployment", "StatefulSet"):
        pod = manifest["spec"]["template"]["spec"]
        pod["enableServiceLinks"] = False
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            container["image"] = container["image"].replace("io/bitnami/", "io/bitnamilegacy/")
    if kind == "Deployment":
        manifest["spec"]["strategy"] = {"type": "Recreate"}
    return manifest


def without_nulls(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: without_nulls(value) for key, value in part.items() if value is not None}
    return [without_nulls(item) for item in part] if isinstance(part, list) else part


# Which values reach the charts


def test_defaults_of_the_embedded_provider_stay_behind(tmp_path: Path) -> None:
    for store in STORES:
        release = one(store, tmp_path)
        assert not {"image", "metrics"} & release.values.keys()
        assert "sysctlInitContainer" not in release.values


def test_a_chosen_image_and_keys_of_the_chart_reach_it(tmp_path: Path) -> None:
    metrics = {"enabled": True, "extraFlags": "--a", "serviceMonitor": {"namespace": "b"}}
    values = {"image": {"tag": "7", "debug": True}, "metrics": metrics}
    for store in ("mongodb", "redis"):
        release = one(store, tmp_path, values)
        assert release.values["image"] == {"tag": "7", "debug": True}
        assert release.values["metrics"] == metrics


def test_elastics_chart_has_no_exporter(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="chart has none"):
        one("elasticsearch", tmp_path, {"metrics": {"enabled": True}})


def test_images_of_bitnami_go_with_its_charts(tmp_path: Path) -> None:
    release = one("redis", tmp_path, {"image": {"repository": "bitnamilegacy/redis"}})
    assert release.values["image"] == {"repository": "bitnamilegacy/redis"}


def test_deployments_of_a_chart_are_recreated_whatever_stateful_sets_do(
    helm_on_path: Path, tmp_path: Path
) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    bundle = render(imported(tmp_path, {"mongodb": {"updateStrategy": rolling}}))
    strategy = bundle.find("Deployment", "clearml-mongodb")["spec"]["strategy"]
    assert strategy == {"type": "Recreate"}


SECRET = {"password": "test-secret", "existingSecretPasswordKey": "word"}
BEFORE_14 = {"usePassword": True, **SECRET, "cluster": {"enabled": True, "slaveCount": 3}}
FROM_14 = {
    "auth": {"enabled": True, **SECRET},
    "architecture": "replication",
    "replica": {"replicaCount": 3},
}


@pytest.mark.parametrize(
    ("version", "expected", "master"),
    [
        ("10.9.0", BEFORE_14 | {"redisPort": 6380}, {"service": {"port": 6380}}),
        ("13.0.1", BEFORE_14 | {"redisPort": 6380}, {"service": {"port": 6380}}),
        ("14.0.0", FROM_14, {"service": {"port": 6380}, "containerPort": 6380}),
        (
            "16.0.0",
            FROM_14,
            {"service": {"ports": {"redis": 6380}}, "containerPorts": {"redis": 6380}},
        ),
    ],
)
def test_redis_values_are_named_as_the_chart_names_them(
    version: str, expected: dict[str, Any], master: dict[str, Any]
) -> None:
    section = BEFORE_14 | {"master": {"port": 6380}, "chart": {"version": version}}
    values = dict(releases({"redis": section | {"provider": "helm"}})["redis"].values)
    made = values.pop("master")
    assert values == expected
    assert {key: made[key] for key in made if key != "persistence"} == master


@pytest.mark.parametrize(
    ("mongodb_chart", "redis_chart", "mongodb_port", "redis_port"),
    [
        ("11.2.0", "15.7.6", {"port": 27018}, {"port": 6380}),
        ("v12.0.0", "v16.0.0", {"ports": {"mongodb": 27018}}, {"ports": {"redis": 6380}}),
    ],
)
def test_ports_have_names_in_later_charts(
    mongodb_chart: str, redis_chart: str, mongodb_port: dict[str, Any], redis_port: dict[str, Any]
) -> None:
    values = {
        "mongodb": {"service": {"port": 27018}, "chart": {"version": mongodb_chart}},
        "redis": {"master": {"port": 6380}, "chart": {"version": redis_chart}},
    }
    made = releases({name: part | {"provider": "helm"} for name, part in values.items()})
    service = made["mongodb"].values["service"]
    assert {key: service[key] for key in service if key.startswith("port")} == mongodb_port | {
        "portName": "mongo-service"
    }
    assert made["redis"].values["master"]["service"] == redis_port


def test_elasticsearch_8_takes_a_list_of_roles_and_no_security() -> None:
    section = {"provider": "helm", "chart": {"version": "8.5.1"}, "roles": {"ingest": False}}
    values = releases({"elasticsearch": section})["elasticsearch"].values
    assert values["roles"] == ["master", "data", "remote_cluster_client"]
    assert values["secret"] == {"enabled": False}
    assert (values["createCert"], values["protocol"]) == (False, "http")


def test_null_drops_a_default_of_the_chart(each_helm: Path, tmp_path: Path) -> None:
    release = one("elasticsearch", tmp_path)
    without = HelmRelease(
        source=release.source,
        name=release.name,
        namespace=release.namespace,
        values={**release.values, "antiAffinity": None},
    )
    name = "clearml-elastic-master"
    assert "affinity" in pod(manifests(each_helm, release), "StatefulSet", name)
    assert "affinity" not in pod(manifests(each_helm, without), "StatefulSet", name)


def test_null_in_a_values_file_resets_our_values_and_reaches_the_chart_for_its_own(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("elasticsearch: {provider: helm, replicas: 3, antiAffinity: soft}")
    second.write_text("elasticsearch: {replicas: null, antiAffinity: null, resources: {a: null}}")
    (release,) = helm_releases(load([first, second]))
    assert release.values["replicas"] == 1
    assert release.values["antiAffinity"] is None
    assert release.values["resources"]["limits"] == {"memory": "4Gi"}


def test_any_text_reaches_the_chart_as_it_is(each_helm: Path, tmp_path: Path) -> None:
    text = "0o17 \u00e9 \U0001f600 'quoted\" \\ \n: #"
    section = {"extraEnvs": [{"name": "TEXT", "value": text}]}
    rendered = manifests(each_helm, one("elasticsearch", tmp_path, section))
    (container,) = pod(rendered, "StatefulSet", "clearml-elastic-master")["containers"]
    assert {"name": "TEXT", "value": text} in container["env"]


@pytest.mark.parametrize(
    ("store", "section", "path"),
    [
        ("mongodb", {"tls": {"enabled": True}}, "mongodb.tls.enabled"),
    ],
)
def test_secrets_that_the_chart_would_roll_must_be_given(
    store: str, section: dict[str, Any], path: str
) -> None:
    with pytest.raises(ValueError, match=r"need(s|ed) ") as caught:
        Values.model_validate({store: section | {"provider": "helm"}})
    places = [".".join(map(str, error["loc"])) for error in caught.value.errors()]  # type: ignore[attr-defined]
    assert places == [path]


# How it is rendered


def test_rendering_is_the_same_again_and_with_each_helm(
    each_helm: Path, helm: Path, tmp_path: Path
) -> None:
    for release in releases(imported(tmp_path, PASSWORDS)).values():
        first = manifests(each_helm, release)
        assert first == manifests(each_helm, release) == manifests(helm, release)
        assert not [m for m in first.objects if m["kind"] == "Pod"]


def test_definitions_of_a_chart_are_rendered(each_helm: Path, tmp_path: Path) -> None:
    name = "things.example.org"
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    extra = {"crds/things.yaml": json.dumps(kind | {"metadata": {"name": name}})}
    section = {"provider": "helm", "chart": source("redis", tmp_path, extra=extra)}
    rendered = manifests(each_helm, releases({"redis": section})["redis"])
    assert ("CustomResourceDefinition", name) in objects(rendered)


def test_nothing_of_the_caller_leaks_in(
    each_helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "kube.yaml"
    context = {"name": "mine", "context": {"namespace": "theirs", "cluster": "c", "user": "u"}}
    config.write_text(json.dumps({"contexts": [context], "current-context": "mine"}))
    release = one("elasticsearch", tmp_path)
    expected = manifests(each_helm, release)
    for name, value in {
        "HELM_NAMESPACE": "theirs",
        "HELM_KUBECONTEXT": "mine",
        "HELM_DEBUG": "true",
        "KUBECONFIG": str(config),
    }.items():
        monkeypatch.setenv(name, value)
    assert manifests(each_helm, release) == expected
    assert {m["metadata"]["namespace"] for m in expected.objects} == {"clearml"}


@pytest.mark.parametrize(("network", "known"), [(True, "/certificates proxy"), (False, "")])
def test_only_what_fetches_knows_proxies_and_certificates(
    network: bool, known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/certificates")
    monkeypatch.setenv("HTTPS_PROXY", "proxy")
    telling = fake_helm(tmp_path, "echo $SSL_CERT_FILE $HTTPS_PROXY")
    assert run_helm(telling, [], network=network).strip() == known


@pytest.mark.parametrize("fails", [False, True])
def test_no_file_is_left_behind(
    fails: bool, helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    extra = {"templates/fail.yaml": '{{ fail "no" }}'} if fails else {}
    section = {"provider": "helm", "chart": source("mongodb", tmp_path, extra=extra)}
    release = releases({"mongodb": PASSWORDS["mongodb"] | section})["mongodb"]
    if fails:
        with pytest.raises(ChartError):
            manifests(helm, release)
    else:
        manifests(helm, release)
    assert not list(scratch.iterdir())


# How it is patched


def test_objects_are_patched_for_present_clusters(helm: Path, tmp_path: Path) -> None:
    values = imported(tmp_path, {"redis": {"podDisruptionBudget": {"enabled": True}}})
    rendered = {name: manifests(helm, release) for name, release in releases(values).items()}
    mongo, redis, search = (objects(rendered[store]) for store in STORES)
    assert mongo["Deployment", "clearml-mongodb"]["spec"]["strategy"] == {"type": "Recreate"}
    assert "secrets" not in mongo["ServiceAccount", "clearml-mongodb"]
    assert "nodePort" not in mongo["Service", "clearml-mongodb"]["spec"]["ports"][0]
    assert redis["PodDisruptionBudget", "clearml-redis"]["apiVersion"] == "policy/v1"
    headless = search["Service", "clearml-elastic-master-headless"]
    assert "annotations" not in headless["metadata"]


def test_what_clusters_never_change_stays_as_rendered(helm: Path, tmp_path: Path) -> None:
    rendered = manifests(helm, one("redis", tmp_path))
    spec = objects(rendered)["StatefulSet", "clearml-redis-master"]["spec"]
    assert spec["serviceName"] == "clearml-redis-headless"
    assert spec["selector"]["matchLabels"] == {
        "app": "redis",
        "release": "clearml",
        "role": "master",
    }
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["metadata"]["labels"] == {
        "app": "redis",
        "component": "master",
        "heritage": "Helm",
        "release": "clearml",
    }


def test_other_annotations_than_the_obsolete_one_stay() -> None:
    annotations = {OBSOLETE_ANNOTATION: "true", "mine": "on"}
    service = {"kind": "Service", "metadata": {"name": "made", "annotations": annotations}}
    drop_obsolete_annotation([service])
    assert service == {
        "kind": "Service",
        "metadata": {"name": "made", "annotations": {"mine": "on"}},
    }


def test_the_namespace_is_set_where_there_can_be_one(tmp_path: Path) -> None:
    made = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": "made"}}
        for kind in ("ConfigMap", "StorageClass")
    ]
    printing = fake_helm(tmp_path, f"cat <<'END'\n{yaml.safe_dump_all(made)}\nEND")
    rendered = manifests(printing, one("redis", tmp_path))
    assert [m["metadata"].get("namespace") for m in rendered.objects] == ["clearml", None]


def test_the_secret_of_a_service_account_stays_where_there_is_one(
    helm: Path, tmp_path: Path
) -> None:
    rendered = manifests(helm, one("mongodb", tmp_path, PASSWORDS["mongodb"]))
    account = objects(rendered)["ServiceAccount", "clearml-mongodb"]
    assert account["secrets"] == [{"name": "clearml-mongodb"}]


@pytest.mark.parametrize("enabled", [False, True])
def test_the_privileged_container_can_be_switched_off(
    enabled: bool, helm: Path, tmp_path: Path
) -> None:
    values = {"sysctlInitContainer": {"enabled": enabled}}
    rendered = manifests(helm, one("elasticsearch", tmp_path, values))
    assert ("initContainers" in pod(rendered, "StatefulSet", "clearml-elastic-master")) is enabled


def test_pod_security_policies_are_refused(helm: Path, tmp_path: Path) -> None:
    release = one("redis", tmp_path, {"podSecurityPolicy": {"create": True}})
    with pytest.raises(ChartError, match="have no PodSecurityPolicy clearml-redis"):
        manifests(helm, release)


@pytest.mark.parametrize(
    ("image", "expected", "warned"),
    [
        ({}, "docker.io/bitnamilegacy/redis:6.0.8-debian-10-r0", True),
        ({"tag": "6.2.7"}, "docker.io/bitnamilegacy/redis:6.2.7", True),
        ({"tag": "latest"}, "docker.io/bitnami/redis:latest", False),
        ({"repository": "mine/redis", "tag": "6"}, "docker.io/mine/redis:6", False),
        ({"repository": "bitnami/redis", "tag": "6"}, "docker.io/bitnami/redis:6", False),
        (
            {"registry": "mirror.example.com", "tag": "6"},
            "mirror.example.com/bitnami/redis:6",
            False,
        ),
    ],
)
def test_dead_images_are_replaced_with_a_warning(
    image: dict[str, str], expected: str, warned: bool, helm: Path, tmp_path: Path
) -> None:
    rendered = manifests(helm, one("redis", tmp_path, {"image": image}))
    (container,) = pod(rendered, "StatefulSet", "clearml-redis-master")["containers"]
    assert container["image"] == expected
    assert [expected in warning for warning in rendered.warnings] == [True] * warned


def test_the_user_hears_what_the_charts_warn_of(helm: Path, tmp_path: Path) -> None:
    section = {"provider": "helm", "chart": source("redis", tmp_path)}
    run = run_main({"redis": section}, tmp_path / "dist", helm)
    assert run.returncode == 0
    assert "warning: redis.image: " in run.stderr


# How it fails: before helm runs


def test_a_missing_archive_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imports.archive.CHARTS", tmp_path / "imports" / "charts")
    monkeypatch.chdir(tmp_path)
    release = releases({"redis": {"provider": "helm"}})["redis"]
    with pytest.raises(ChartError) as caught:
        manifests(NO_HELM, release)
    assert caught.value.lines == [
        "redis.chart: imports/charts/redis-10.9.0.tgz is missing; run: make imports"
    ]


def test_another_digest_stops_with_both(tmp_path: Path) -> None:
    release = one("redis", tmp_path, {"chart": {"sha256": "0" * 64}})
    with pytest.raises(ChartError, match=r"has the SHA-256 digest [0-9a-f]{64}, expected is 0{64}"):
        manifests(NO_HELM, release)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00broken"])
def test_a_corrupt_archive_is_told(content: bytes, tmp_path: Path) -> None:
    archive = package("redis", tmp_path)
    archive.write_bytes(content)
    section = {"version": "10.0.1", "archive": str(archive)}
    release = releases({"redis": {"provider": "helm", "chart": section}})["redis"]
    with pytest.raises(ChartError, match=r"redis-10\.0\.1\.tgz is not a chart archive$"):
        manifests(NO_HELM, release)


@pytest.mark.parametrize(("packed", "version"), [("mongodb", "10.0.1"), ("redis", "10.0.2")])
def test_another_chart_is_told(packed: str, version: str, tmp_path: Path) -> None:
    section = {"version": version, "archive": str(package(packed, tmp_path))}
    release = releases({"redis": {"provider": "helm", "chart": section}})["redis"]
    said = f"holds the chart {packed} 10.0.1, expected is redis {version}"
    with pytest.raises(ChartError, match=re.escape(said)):
        manifests(NO_HELM, release)


def test_an_archive_without_a_known_digest_is_told_of(helm: Path, tmp_path: Path) -> None:
    section = {"version": "10.0.1", "archive": str(package("redis", tmp_path))}
    release = releases({"redis": {"provider": "helm", "chart": section}})["redis"]
    assert "redis.chart.sha256: is not set" in manifests(helm, release).warnings[0]


# How it fails: helm


def test_without_helm_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm, "INSTALLED", tmp_path / "helm")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValuesError) as caught:
        ReleasePool(Values.model_validate(imported(tmp_path))).wait()
    assert caught.value.lines == [
        "helm 3.11 or later, or helm 4 is needed and there is none; run: make imports"
    ]


@pytest.mark.parametrize("version", ["v3.10.3", "v2.17.0", "nonsense"])
def test_a_helm_too_old_is_refused(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_helm(tmp_path, "exit 0", version)
    monkeypatch.setattr(helm, "INSTALLED", tmp_path / "helm")
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    with pytest.raises(HelmError, match=r"^helm 3\.11 or later, or helm 4 is needed and .* is "):
        find_helm()


def test_the_installed_helm_stands_in_for_one_too_old(
    helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_helm(tmp_path, "exit 0", "v3.10.3")
    monkeypatch.setattr("imports.helm.INSTALLED", helm)
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    assert find_helm() == helm


def test_helms_error_is_one_line_without_secrets(each_helm: Path, tmp_path: Path) -> None:
    extra = {
        "templates/fail.yaml": "{{ $secret := .Values.auth.rootPassword }}"
        '{{ fail (printf "first\\nthen %s, in base64 %s" $secret (b64enc $secret)) }}'
    }
    section = {"provider": "helm", "chart": source("mongodb", tmp_path, extra=extra)}
    release = releases({"mongodb": PASSWORDS["mongodb"] | section})["mongodb"]
    with pytest.raises(ChartError) as caught:
        manifests(each_helm, release)
    (line,) = caught.value.lines
    assert line.startswith("mongodb.chart: ")
    assert "first then **********, in base64 **********" in line
    assert "test-secret" not in line
    assert "\n" not in line


def test_a_long_error_is_cut_after_its_secrets_were_taken_out(tmp_path: Path) -> None:
    secret = "test-secret " * 100
    failing = fake_helm(tmp_path, f'echo "WARNING: old" >&2; echo "Error: no {secret}" >&2; exit 1')
    section = {"chart": source("redis", tmp_path), "usePassword": True, "password": secret}
    release = releases({"redis": section | {"provider": "helm"}})["redis"]
    with pytest.raises(ChartError, match=r"^redis\.chart: no \*{10}$"):
        manifests(failing, release)


def test_of_a_very_long_error_the_beginning_is_told(tmp_path: Path) -> None:
    failing = fake_helm(tmp_path, 'printf "Error: no %02000d" 0 >&2; exit 1')
    with pytest.raises(ChartError, match=r"^redis\.chart: no 0{500,600}\.\.\.$"):
        manifests(failing, one("redis", tmp_path))


def test_nothing_is_left_of_a_secret_that_begins_with_another(tmp_path: Path) -> None:
    failing = fake_helm(tmp_path, 'echo "Error: no test-secret-longer" >&2; exit 1')
    secrets = {"password": "test-secret", "sentinel": {"authToken": "test-secret-longer"}}
    with pytest.raises(ChartError, match=r"^redis\.chart: no \*{10}$"):
        manifests(failing, one("redis", tmp_path, {"usePassword": True} | secrets))


def test_a_helm_that_hangs_is_given_up(tmp_path: Path) -> None:
    hanging = fake_helm(tmp_path, "exec sleep 60")
    release = one("redis", tmp_path)
    with pytest.raises(ChartError, match=r"helm did not answer within 0\.5 seconds"):
        manifests(hanging, release, timeout=0.5)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("{", "helm rendered what cannot be read"),
        ("a: 1", "helm rendered what is no Kubernetes object"),
        ("{apiVersion: v1, kind: Pod, metadata: {name: a}, x: '<<'}", "would not read as a string"),
        ("{apiVersion: v1, kind: A, metadata: {name: a}, '0o17': x}", "would not read as a string"),
        (
            "{apiVersion: v1, kind: A, metadata: {name: a}}\n---\n"
            "{apiVersion: v1, kind: A, metadata: {name: a}}",
            "makes A a twice",
        ),
    ],
)
def test_output_that_cannot_be_used_is_told(output: str, message: str, tmp_path: Path) -> None:
    strange = fake_helm(tmp_path, f"cat <<'END'\n{output}\nEND")
    with pytest.raises(ChartError, match=message):
        manifests(strange, one("redis", tmp_path))


def test_a_synthesis_that_fails_says_so_and_leaves_the_output_alone(tmp_path: Path) -> None:
    values = imported(tmp_path)
    for store in STORES:
        values[store]["chart"]["sha256"] = "0" * 64
    kept = tmp_path / "dist" / "0000-kept.k8s.yaml"
    kept.parent.mkdir()
    kept.write_text("kept")
    helm = fake_helm(tmp_path, "exit 1")
    run = run_main(values, kept.parent, helm)
    assert run.returncode == 1
    assert [line.split(":")[0] for line in run.stderr.splitlines()] == [
        "mongodb.chart",
        "redis.chart",
        "elasticsearch.chart",
        "3 mistakes",
    ]
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]
