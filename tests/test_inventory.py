"""Which objects there are, in which files, under which names, in which namespace."""

from __future__ import annotations

from typing import Any

import pytest

from rendering import Bundle, render
from scenarios import EXTERNAL_SERVICES, OUTSIDE, REPLICATED

CLUSTER_SCOPED = {"Namespace"}


def servers_talk_to(bundle: Bundle) -> dict[str, str]:
    """The host of each store that the API server is told."""
    (apiserver,) = (name for name in bundle.workloads if name.endswith("apiserver"))
    env = bundle.env(apiserver)
    stores = ("MONGODB", "REDIS", "ELASTIC")
    return {store: env[f"CLEARML_{store}_SERVICE_HOST"] for store in stores}


def test_default_objects() -> None:
    inventory = render().inventory
    (name_of_job,) = render().of("Job")
    assert len(inventory) == len(set(inventory))
    assert set(inventory) == {
        ("Namespace", "clearml"),
        ("ServiceAccount", "clearml-credentials"),
        ("Role", "clearml-credentials"),
        ("RoleBinding", "clearml-credentials"),
        ("NetworkPolicy", "clearml-credentials"),
        ("Job", name_of_job),
        ("NetworkPolicy", "clearml-credentials"),
        ("Service", "clearml-mongodb"),
        ("Service", "clearml-mongodb-headless"),
        ("StatefulSet", "clearml-mongodb"),
        ("NetworkPolicy", "clearml-mongodb"),
        ("Service", "clearml-redis-master"),
        ("Service", "clearml-redis-master-headless"),
        ("StatefulSet", "clearml-redis-master"),
        ("NetworkPolicy", "clearml-redis-master"),
        ("Service", "clearml-elastic-master"),
        ("Service", "clearml-elastic-master-headless"),
        ("ConfigMap", "clearml-elastic-master-config"),
        ("StatefulSet", "clearml-elastic-master"),
        ("NetworkPolicy", "clearml-elastic-master"),
        ("Service", "clearml-apiserver"),
        ("Secret", "clearml-apiserver-conf"),
        ("Deployment", "clearml-apiserver"),
        ("Service", "clearml-fileserver"),
        ("PersistentVolumeClaim", "clearml-fileserver-data"),
        ("Deployment", "clearml-fileserver"),
        ("Service", "clearml-webserver"),
        ("Deployment", "clearml-webserver"),
        ("PersistentVolumeClaim", "clearml-agentservices-data"),
        ("Deployment", "clearml-agentservices"),
        ("Secret", "clearml-agent-group0-agent"),
        ("Deployment", "clearml-agent-group0-agent"),
    }


def test_replicas_add_objects_and_take_none_away() -> None:
    assert set(render(REPLICATED).inventory) - set(render().inventory) == {
        ("Secret", "clearml-mongodb"),
        ("PodDisruptionBudget", "clearml-mongodb-pdb"),
        ("Secret", "clearml-redis"),
        ("Service", "clearml-redis-slave"),
        ("Service", "clearml-redis-slave-headless"),
        ("StatefulSet", "clearml-redis-slave"),
        ("NetworkPolicy", "clearml-redis-slave"),
        ("PodDisruptionBudget", "clearml-redis-slave-pdb"),
        ("PodDisruptionBudget", "clearml-elastic-master-pdb"),
    }
    assert set(render().inventory) < set(render(REPLICATED).inventory)


def test_of_outside_stores_there_are_only_credentials() -> None:
    bundle = render(EXTERNAL_SERVICES, outside=OUTSIDE["external-services"])
    stores = {
        name: [manifest["kind"] for manifest in manifests]
        for name, manifests in bundle.files.items()
        if any(store in name for store in ("mongodb", "redis", "elasticsearch"))
    }
    # The password of Redis is in a Secret that is there already.
    assert stores == {
        "0200-mongodb.k8s.yaml": ["Secret"],
        "0400-elasticsearch.k8s.yaml": ["Secret"],
    }
    assert not bundle.of("StatefulSet")


def test_files_are_numbered_so_that_dependencies_come_first() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}
    ingress = {"enabled": True, "host": "example.com"}
    bundle = render({"ingress": ingress, "extraObjects": [manifest]})
    assert list(bundle.files) == [
        "0000-namespace.k8s.yaml",
        "0050-extra-objects.k8s.yaml",
        "0100-credentials.k8s.yaml",
        "0200-mongodb.k8s.yaml",
        "0300-redis.k8s.yaml",
        "0400-elasticsearch.k8s.yaml",
        "0500-apiserver.k8s.yaml",
        "0600-fileserver.k8s.yaml",
        "0700-webserver.k8s.yaml",
        "0800-ingress.k8s.yaml",
        "0900-agentservices.k8s.yaml",
        "1000-agent-groups.k8s.yaml",
    ]


def test_a_chart_without_objects_makes_no_file() -> None:
    bundle = render(
        {
            "release": {"createNamespace": False},
            "clearml": {"existingSecret": "mine"},
            "mongodb": {"enabled": False},
            "agentservices": {"enabled": False},
            "agentGroups": {"agent-group0": {"enabled": False}},
        },
        outside={("Secret", "mine")},
    )
    assert [name.split("-", 1)[1] for name in bundle.files] == [
        "redis.k8s.yaml",
        "elasticsearch.k8s.yaml",
        "apiserver.k8s.yaml",
        "fileserver.k8s.yaml",
        "webserver.k8s.yaml",
    ]
    assert all(bundle.files.values())


@pytest.mark.parametrize("created", [True, False])
def test_everything_namespaced_is_in_the_release_namespace(created: bool) -> None:
    bundle = render({"release": {"namespace": "ml-team", "createNamespace": created}})
    namespaces = {
        manifest["metadata"].get("namespace")
        for manifest in bundle.objects
        if manifest["kind"] not in CLUSTER_SCOPED
    }
    assert namespaces == {"ml-team"}
    assert list(bundle.of("Namespace")) == (["ml-team"] if created else [])


def test_the_namespace_comes_before_what_is_in_it() -> None:
    assert render().inventory[0] == ("Namespace", "clearml")


@pytest.mark.parametrize(
    ("values", "fullname"),
    [
        ({"release": {"name": "prod"}}, "prod-clearml"),
        ({"release": {"name": "clearml-prod"}}, "clearml-prod"),
        ({"release": {"name": "my-mongodb"}}, "my-mongodb-clearml"),
        ({"release": {"name": "my-clearml-2"}}, "my-clearml-2"),
        ({"release": {"name": "redis"}}, "redis-clearml"),
        ({"nameOverride": "mlops"}, "clearml-mlops"),
        ({"release": {"name": "mlops-1"}, "nameOverride": "mlops"}, "mlops-1"),
        ({"fullnameOverride": "everything"}, "everything"),
        ({"release": {"name": "clearml-of-the-whole-company"}}, "clearml-of-the-whole-company"),
    ],
)
def test_names_follow_the_rule_of_helm(values: dict[str, Any], fullname: str) -> None:
    bundle = render(values)
    assert set(bundle.of("Deployment")) == {
        f"{fullname}-apiserver",
        f"{fullname}-fileserver",
        f"{fullname}-webserver",
        f"{fullname}-agentservices",
        f"{fullname}-agent-group0-agent",
    }
    assert set(bundle.of("PersistentVolumeClaim")) == {
        f"{fullname}-fileserver-data",
        f"{fullname}-agentservices-data",
    }
    assert set(bundle.made) == {f"{fullname}-conf"}


@pytest.mark.parametrize("release", ["clearml", "prod", "my-mongodb", "redis", "elastic"])
@pytest.mark.parametrize("override", [{}, {"fullnameOverride": "other"}])
def test_servers_are_told_the_services_that_exist(release: str, override: dict[str, str]) -> None:
    bundle = render({"release": {"name": release}, **override})
    addresses = servers_talk_to(bundle)
    assert len(set(addresses.values())) == 3
    assert set(addresses.values()) <= set(bundle.of("Service"))


@pytest.mark.parametrize("release", ["clearml", "prod"])
def test_every_address_in_a_variable_is_a_service_of_the_bundle(release: str) -> None:
    bundle = render({"release": {"name": release}})
    services = {
        f"http://{name}:{port['port']}"
        for name, service in bundle.of("Service").items()
        for port in service["spec"]["ports"]
    }
    urls = {
        value
        for workload in bundle.workloads
        for value in bundle.env(workload).values()
        if isinstance(value, str) and value.startswith("http://")
    }
    assert len(urls) == 3
    assert urls <= services


def test_two_releases_in_one_namespace_share_no_object() -> None:
    first, second = (
        {
            (manifest["kind"], manifest["metadata"]["name"])
            for manifest in render({"release": {"name": name}}).objects
            if manifest["kind"] not in CLUSTER_SCOPED
        }
        for name in ("clearml", "prod")
    )
    assert not first & second


def test_two_releases_in_one_namespace_select_no_pod_of_each_other() -> None:
    first, second = (render({"release": {"name": name}}) for name in ("clearml", "prod"))
    labels = [first.template(name)["metadata"]["labels"] for name in first.workloads]
    selectors = [service["spec"]["selector"] for service in second.of("Service").values()]
    assert labels
    assert selectors
    assert not any(s.items() <= pod.items() for s in selectors for pod in labels)


def test_all_objects_carry_the_labels_of_the_release() -> None:
    for manifest in render({"release": {"name": "prod"}, "nameOverride": "mlops"}).objects:
        if manifest["kind"] not in CLUSTER_SCOPED:
            labels = manifest["metadata"]["labels"]
            assert labels["app.kubernetes.io/instance"] == "prod"
            assert labels["app.kubernetes.io/part-of"] == "mlops"
