"""MongoDB, Redis and Elasticsearch: embedded, or somebody else's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from config.types.merging import merge
from effects import changes
from programs import Stubs
from rendering import Bundle, render
from scenarios import MONITORED, OUTSIDE, OUTSIDE_STORES, REPLICATED, SCENARIOS, STORES

MONGODB, REDIS, ELASTIC = "clearml-mongodb", "clearml-redis-master", "clearml-elastic-master"
EMBEDDED = pytest.mark.parametrize("store", [MONGODB, REDIS, ELASTIC])
PASSWORDS: dict[str, Any] = {
    "mongodb": {"auth": {"enabled": True, "rootPassword": "test-mongodb-password"}},
    "redis": {"usePassword": True, "password": "test-redis-password"},
}


def store_env(bundle: Bundle) -> dict[str, Any]:
    """What the API server is told about the stores."""
    names = re.compile("CLEARML_(MONGODB|REDIS|ELASTIC)_SERVICE|CLEARML__HOSTS__|MONGODB_PASSWORD")
    return {k: v for k, v in bundle.env("clearml-apiserver").items() if names.match(k)}


# Embedded


def settings_of_elasticsearch(*given: dict[str, Any]) -> dict[str, Any]:
    return render({"elasticsearch": {"extraEnvs": [*given]}}).env(ELASTIC)


LOW = "cluster.routing.allocation.disk.watermark.low"


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        pytest.param({"name": "a.b", "value": "1"}, {"a.b": "1"}, id="one more"),
        pytest.param({"name": LOW, "value": "1gb"}, {LOW: "1gb"}, id="another value"),
        pytest.param({"name": LOW, "value": ""}, {LOW: ""}, id="an empty value"),
        pytest.param({"name": LOW, "value": None}, {LOW: None}, id="one less"),
        pytest.param({"name": "a.b", "value": None}, {}, id="one less that is not there"),
        pytest.param({"name": "node.name", "value": "n"}, {"node.name": "n"}, id="of the pod"),
    ],
)
def test_variables_of_elasticsearch_are_joined_by_name(
    given: dict[str, Any], changed: dict[str, Any]
) -> None:
    wanted = render().env(ELASTIC) | changed
    assert settings_of_elasticsearch(given) == {k: v for k, v in wanted.items() if v is not None}


@pytest.mark.parametrize("version", ["1.0.2", "2.3.0"])
def test_security_stays_off_beside_files_of_ones_own(version: str) -> None:
    """Elasticsearch 8 would ask for TLS, and not start."""
    own: dict[str, Any] = {
        "esConfig": {"elasticsearch.yml": "indices.query.bool.max_clause_count: 4096\n"},
        "extraEnvs": [{"name": "a.b", "value": "1"}],
    }
    env = render({"clearml": {"version": version}, "elasticsearch": own}).env(ELASTIC)
    assert env["xpack.security.enabled"] == "false"


@pytest.mark.usefixtures("helm_on_path")
def test_a_chart_gets_the_variables_that_are_ours_too(charts: dict[str, Any]) -> None:
    own = {"elasticsearch": {"extraEnvs": [{"name": "a.b", "value": "1"}]}}
    before, after = (render(values).env(ELASTIC) for values in (charts, merge(charts, own)))
    assert after == before | {"a.b": "1"}


UNPRIVILEGED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
}


@EMBEDDED
def test_stores_run_without_any_rights(store: str) -> None:
    bundle = render()
    context = dict(bundle.container(store)["securityContext"])
    # The entrypoint of Elasticsearch's image writes beside its configuration.
    assert context.pop("readOnlyRootFilesystem", False) is (store != "clearml-elastic-master")
    assert context == UNPRIVILEGED
    identity = bundle.pod(store)["securityContext"]
    assert identity["runAsUser"] > 0
    # The volume belongs to a group that the process is in.
    assert identity["fsGroup"] == identity["runAsGroup"]


@EMBEDDED
def test_data_lives_on_a_claim_of_the_clusters_default_class(store: str) -> None:
    bundle = render()
    (claim,) = bundle.find("StatefulSet", store)["spec"]["volumeClaimTemplates"]
    assert "storageClassName" not in claim["spec"]
    mounted = [m["name"] for m in bundle.container(store)["volumeMounts"]]
    assert claim["metadata"]["name"] in mounted


@EMBEDDED
def test_without_persistence_data_goes_with_the_pod(store: str) -> None:
    bundle = render(SCENARIOS["no-persistence"])
    persistent = render().container(store)["volumeMounts"]
    assert "volumeClaimTemplates" not in bundle.find("StatefulSet", store)["spec"]
    assert bundle.container(store)["volumeMounts"] == persistent
    before, after = (
        {volume["name"] for volume in each.pod(store).get("volumes", []) if "emptyDir" in volume}
        for each in (render(), bundle)
    )
    (data,) = after - before
    assert data in {m["name"] for m in persistent}


def test_redis_and_elasticsearch_are_probed_by_asking_them() -> None:
    bundle = render()
    for store in (REDIS, ELASTIC):
        assert "exec" in bundle.container(store)["readinessProbe"]


@pytest.mark.parametrize("values", [{}, REPLICATED])
def test_no_probe_starts_a_shell_of_mongodb(values: dict[str, Any]) -> None:
    """Each start takes a second of CPU, and writes a log."""
    bundle = render(values)
    probes = [
        container[kind]
        for _, container in bundle.containers()
        for kind in ("startupProbe", "livenessProbe", "readinessProbe")
        if kind in container
    ]
    assert probes
    assert "mongo" not in json.dumps([probe["exec"] for probe in probes if "exec" in probe])


@pytest.mark.parametrize("values", [{}, REPLICATED])
def test_the_shell_of_mongodb_writes_its_logs_where_they_go_with_the_pod(
    values: dict[str, Any],
) -> None:
    pod = render(values).pod(MONGODB)
    scratch = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
    for container in pod["containers"]:
        (home,) = (v["value"] for v in container["env"] if v["name"] == "HOME")
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert mounts[home] in scratch


@pytest.mark.parametrize(("answer", "ready"), [("PONG", True), ("NOAUTH", False), ("", False)])
def test_redis_is_ready_when_it_says_so(answer: str, ready: bool, tmp_path: Path) -> None:
    stubs = Stubs(tmp_path)
    # redis-cli ends with success even when the answer is an error.
    stubs.add("redis-cli", f"echo {answer}")
    bundle = render({"redis": {"master": {"port": 6380}}})
    command = bundle.container(REDIS)["readinessProbe"]["exec"]["command"]
    assert (stubs.run(command).returncode == 0) is ready
    assert stubs.calls == [["redis-cli", "-p", "6380", "ping"]]


def test_redis_has_as_many_databases_as_the_servers_use() -> None:
    bundle = render({"clearml": {"version": "2.3.0"}, "redis": {"databaseNumber": 30}})
    args = bundle.container(REDIS)["args"]
    databases = int(args[args.index("--databases") + 1])
    used = {
        int(value)
        for workload in bundle.workloads
        for name, value in bundle.env(workload).items()
        if re.match(r"CLEARML__.*__DB$", name)
    }
    assert used == {30, 34, 38}
    assert databases == 39


# Passwords


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (
            "authentication",
            {
                "MONGODB_PASSWORD",
                "CLEARML_REDIS_SERVICE_PASSWORD",
                "REDISCLI_AUTH",
            },
        ),
        (
            "external-services",
            {
                "MONGODB_BACKEND",
                "MONGODB_AUTH",
                "CLEARML_REDIS_SERVICE_PASSWORD",
                "CLEARML_ELASTIC_SERVICE_PASSWORD",
            },
        ),
        (
            "replicated",
            {
                "MONGODB_PASSWORD",
                "CLEARML_REDIS_SERVICE_PASSWORD",
                "REDISCLI_AUTH",
                "PASSWORD",
            },
        ),
    ],
)
def test_variables_are_defined_before_they_are_used(scenario: str, expected: set[str]) -> None:
    """Kubernetes expands $(NAME) only if NAME comes earlier in the list."""
    bundle = render(SCENARIOS[scenario], outside=OUTSIDE.get(scenario, set()))
    used = set()
    for workload, container in bundle.containers():
        defined: set[str] = set()
        for variable in container.get("env", []):
            references = set(re.findall(r"(?<!\$)\$\((\w+)\)", variable.get("value", "")))
            assert references <= defined, (workload, variable["name"])
            used |= references
            defined.add(variable["name"])
        # Scripts have $(...) of the shell's own, so only the arguments count.
        references = set(re.findall(r"(?<!\$)\$\((\w+)\)", " ".join(container.get("args", []))))
        assert references <= defined, workload
        used |= references
    assert used == expected


def test_the_mongodb_password_reaches_both_sides() -> None:
    bundle = render(PASSWORDS)
    server, mongodb = bundle.env("clearml-apiserver"), bundle.env(MONGODB)
    assert mongodb["MONGO_INITDB_ROOT_USERNAME"] == "root"
    reference = mongodb["MONGO_INITDB_ROOT_PASSWORD"]["secretKeyRef"]
    assert server["MONGODB_PASSWORD"]["secretKeyRef"] == reference
    assert bundle.secret(reference["name"])[reference["key"]] == "test-mongodb-password"
    for database in ("backend", "auth"):
        # HOCON takes @ and $ only in double quotes.
        assert server[f"CLEARML__HOSTS__MONGO__{database.upper()}__HOST"] == (
            f'"mongodb://root:$(MONGODB_PASSWORD)@{MONGODB}:27017/{database}?authSource=admin"'
        )
    # Which the server would prefer to the URL.
    assert "CLEARML_MONGODB_SERVICE_HOST" not in server


def test_the_redis_password_reaches_both_sides() -> None:
    bundle = render(PASSWORDS)
    server, redis = bundle.env("clearml-apiserver"), bundle.env(REDIS)
    reference = redis["REDISCLI_AUTH"]["secretKeyRef"]
    assert server["CLEARML_REDIS_SERVICE_PASSWORD"]["secretKeyRef"] == reference
    assert bundle.secret(reference["name"])[reference["key"]] == "test-redis-password"
    args = bundle.container(REDIS)["args"]
    assert args[args.index("--requirepass") + 1] == "$(REDISCLI_AUTH)"
    for user in ("APISERVER", "WORKERS"):
        assert (
            server[f"CLEARML__HOSTS__REDIS__{user}__PASSWORD"]
            == '"$(CLEARML_REDIS_SERVICE_PASSWORD)"'
        )


def test_without_passwords_the_servers_are_told_of_none() -> None:
    assert not [name for name in store_env(render()) if "PASSWORD" in name or "MONGO__" in name]


@pytest.mark.parametrize("password", [None, "test-secret-that-does-not-count"])
@pytest.mark.parametrize("enabled", [True, False])
def test_passwords_may_come_from_existing_secrets(enabled: bool, password: str | None) -> None:
    auth = {"enabled": True, "existingSecret": "mine", "rootPassword": password}
    redis = {"usePassword": True, "existingSecret": "mine-too", "password": password}
    bundle = render(
        {"mongodb": {"enabled": enabled, "auth": auth}, "redis": {"enabled": enabled} | redis},
        outside={("Secret", "mine"), ("Secret", "mine-too")},
    )
    env = store_env(bundle)
    assert env["MONGODB_PASSWORD"]["secretKeyRef"]["name"] == "mine"
    assert env["CLEARML_REDIS_SERVICE_PASSWORD"]["secretKeyRef"]["name"] == "mine-too"
    assert not {"clearml-mongodb", "clearml-redis"} & set(bundle.of("Secret"))


# Metrics


def test_exporters_ask_the_store_beside_them() -> None:
    bundle = render(
        SCENARIOS["metrics"] | {"redis": {"master": {"port": 6380}, "metrics": {"enabled": True}}}
    )
    told = json.dumps([bundle.container(store, "metrics") for store in (MONGODB, REDIS, ELASTIC)])
    for address in ("mongodb://127.0.0.1:27017", "redis://127.0.0.1:6380", "http://127.0.0.1:9200"):
        assert address in told


def test_exporters_log_in_with_the_stores_own_password() -> None:
    bundle = render(merge(PASSWORDS, SCENARIOS["metrics"]))
    for store, own, theirs in (
        (MONGODB, "MONGO_INITDB_ROOT_PASSWORD", "MONGODB_PASSWORD"),
        (REDIS, "REDISCLI_AUTH", "REDIS_PASSWORD"),
    ):
        main, exporter = (
            {v["name"]: v for v in bundle.container(store, name)["env"]}
            for name in (bundle.pod(store)["containers"][0]["name"], "metrics")
        )
        assert exporter[theirs]["valueFrom"] == main[own]["valueFrom"]


@EMBEDDED
def test_exporters_run_without_any_rights(store: str) -> None:
    bundle = render(SCENARIOS["metrics"])
    _, exporter = bundle.pod(store)["containers"]
    assert exporter["securityContext"] == UNPRIVILEGED | {"readOnlyRootFilesystem": True}


def test_each_pod_of_a_store_is_scraped_once() -> None:
    bundle = render(merge(REPLICATED, MONITORED))
    assert set(bundle.of("ServiceMonitor")) == set(bundle.of("StatefulSet"))
    for name, monitor in bundle.of("ServiceMonitor").items():
        selector, (endpoint,) = monitor["spec"]["selector"], monitor["spec"]["endpoints"]
        (service,) = (
            service["spec"]
            for service in bundle.of("Service").values()
            if selector["matchLabels"].items() <= service["metadata"]["labels"].items()
            and endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
        )
        assert service["clusterIP"] == "None"
        labels = bundle.template(name)["metadata"]["labels"]
        assert service["selector"].items() <= labels.items()


def test_prometheus_selects_a_monitor_by_its_own_labels_not_by_common_ones() -> None:
    monitor = {"enabled": True, "labels": {"team": "metrics"}}
    metrics = {"enabled": True, "serviceMonitor": monitor}
    bundle = render({"commonLabels": {"team": "ml"}, "redis": {"metrics": metrics}})
    (made,) = bundle.of("ServiceMonitor").values()
    assert made["metadata"]["labels"]["team"] == "metrics"


@pytest.mark.parametrize("architecture", ["standalone", "replicaset"])
def test_only_members_of_a_replica_set_are_asked_about_it(architecture: str) -> None:
    values = {"mongodb": {"architecture": architecture, "metrics": {"enabled": True}}}
    args = render(values).container(MONGODB, "metrics")["args"]
    assert ("--collector.replicasetstatus" in args) is (architecture == "replicaset")


def test_no_exporter_without_metrics_whatever_is_monitored() -> None:
    monitor = {"metrics": {"serviceMonitor": {"enabled": True}}}
    assert render(dict.fromkeys(STORES, monitor)).files == render().files


# Words of Helm charts


@pytest.mark.parametrize(
    ("given", "strategy"),
    [
        ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, "type"),
        ({"rollingUpdate": {"maxSurge": "25%", "partition": 2}}, "rollingUpdate"),
        ({"rollingUpdate": {"maxSurge": 0}}, None),
    ],
)
def test_the_strategy_of_a_deployment_is_read_as_a_stateful_sets(
    given: dict[str, Any], strategy: str | None
) -> None:
    spec = render({"mongodb": {"updateStrategy": given}}).find("StatefulSet", MONGODB)["spec"]
    expected: dict[str | None, Any] = {
        "type": {"type": "RollingUpdate"},
        "rollingUpdate": {"rollingUpdate": {"partition": 2}},
    }
    assert spec.get("updateStrategy") == expected.get(strategy)


def test_empty_lists_may_be_written_as_empty_mappings() -> None:
    keys = (
        "additionalVolumes",
        "additionalVolumeMounts",
        "extraEnvs",
        "envFrom",
        "tolerations",
        "hostAliases",
        "topologySpreadConstraints",
        "extraInitContainers",
        "extraContainers",
    )
    nothing: dict[str, Any] = {key: {} for key in keys}
    values = {"apiserver": nothing, "mongodb": nothing, "redis": {"master": nothing}}
    assert render(values).files == render().files


# Elasticsearch


def test_elasticsearch_nodes_find_and_elect_each_other() -> None:
    bundle = render({"elasticsearch": {"replicas": 3}, "release": {"name": "prod"}})
    (name,) = (name for name in bundle.of("StatefulSet") if "elastic" in name)
    spec = bundle.find("StatefulSet", name)["spec"]
    env = bundle.env(name)
    pods = [f"{name}-{ordinal}" for ordinal in range(spec["replicas"])]
    assert env["cluster.initial_master_nodes"].split(",") == pods
    assert env["node.name"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert env["discovery.seed_hosts"] == spec["serviceName"]
    headless = bundle.find("Service", spec["serviceName"])["spec"]
    # Nodes must find each other before any of them is ready.
    assert headless["publishNotReadyAddresses"] is True
    assert spec["podManagementPolicy"] == "Parallel"


@pytest.mark.parametrize(
    ("values", "stay"),
    [
        ({"replicas": 2}, 2),
        ({"replicas": 3}, 2),
        ({"replicas": 5}, 3),
        ({"replicas": 5, "minimumMasterNodes": 4}, 4),
    ],
)
def test_a_drain_leaves_a_majority(values: dict[str, int], stay: int) -> None:
    bundle = render({"elasticsearch": values})
    budget = bundle.find("PodDisruptionBudget", f"{ELASTIC}-pdb")["spec"]
    assert budget["minAvailable"] == stay
    labels = bundle.template(ELASTIC)["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_a_single_node_may_be_drained() -> None:
    assert not render().of("PodDisruptionBudget")


def test_only_the_sysctl_container_is_privileged() -> None:
    bundle = render({"elasticsearch": {"sysctlInitContainer": {"enabled": True}}})
    (sysctl,) = bundle.pod(ELASTIC)["initContainers"]
    assert sysctl["command"] == ["sysctl", "-w", "vm.max_map_count=262144"]
    assert sysctl["securityContext"]["privileged"] is True
    assert bundle.container(ELASTIC)["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize("raised", [True, False])
def test_elasticsearch_maps_files_only_where_the_node_allows_it(raised: bool) -> None:
    bundle = render({"elasticsearch": {"sysctlInitContainer": {"enabled": raised}}})
    assert bundle.env(ELASTIC).get("node.store.allow_mmap") == (None if raised else "false")


def test_configuration_files_are_mounted_one_by_one() -> None:
    bundle = render({"elasticsearch": {"esConfig": {"log4j2.properties": "status = error\n"}}})
    files = bundle.find("ConfigMap", f"{ELASTIC}-config")["data"]
    assert set(files) == {"elasticsearch.yml", "log4j2.properties"}
    mounts = {
        m["mountPath"]: m["subPath"]
        for m in bundle.container(ELASTIC)["volumeMounts"]
        if "subPath" in m
    }
    assert mounts == {f"/usr/share/elasticsearch/config/{name}": name for name in files}


def test_elasticsearch_is_ready_with_its_cluster_and_stays_so_by_itself(tmp_path: Path) -> None:
    stubs = Stubs(tmp_path)
    stubs.add("curl", 'case "$*" in *health*) [ -e healthy ];; *) [ ! -e dead ];; esac')
    stubs.add("touch", '/bin/touch "$@"')
    params = "wait_for_status=green&timeout=7s"
    bundle = render({"elasticsearch": {"clusterHealthCheckParams": params}})
    *shell, script = bundle.container(ELASTIC)["readinessProbe"]["exec"]["command"]
    marker = tmp_path / "started"
    command = [*shell, script.replace("/tmp/.started", str(marker))]
    env = {"HEALTH_CHECK_PARAMS": bundle.env(ELASTIC)["HEALTH_CHECK_PARAMS"]}

    def ready() -> bool:
        return stubs.run(command, env).returncode == 0

    assert not ready()
    assert stubs.calls[-1][-1] == f"http://127.0.0.1:9200/_cluster/health?{params}"
    (stubs.directory / "healthy").touch()
    assert ready()
    assert marker.exists()
    (stubs.directory / "healthy").unlink()
    assert ready()
    (stubs.directory / "dead").touch()
    assert not ready()


# Outside


def test_servers_are_told_of_outside_stores() -> None:
    bundle = render(OUTSIDE_STORES)
    env = store_env(bundle)
    assert {name: env[name] for name in env if "SERVICE" in name} == {
        "CLEARML_MONGODB_SERVICE_HOST": "mongo.db.svc.cluster.local",
        "CLEARML_MONGODB_SERVICE_PORT": "27018",
        "CLEARML_REDIS_SERVICE_HOST": "redis.example.com",
        "CLEARML_REDIS_SERVICE_PORT": "6380",
        "CLEARML_ELASTIC_SERVICE_HOST": "search-master",
        "CLEARML_ELASTIC_SERVICE_PORT": "9201",
    }
    (wait,) = bundle.pod("clearml-apiserver")["initContainers"]
    assert [re.sub("=.*://", " at ", target) for target in wait["args"]] == [
        "mongodb at mongo.db.svc.cluster.local:27018",
        "redis at redis.example.com:6380",
        "elasticsearch at search-master:9201",
    ]


def test_outside_stores_leave_no_object() -> None:
    bundle = render(OUTSIDE_STORES)
    assert not bundle.of("StatefulSet")
    assert not re.search("mongo|redis|elastic", json.dumps(bundle.inventory))


@pytest.mark.parametrize("store", ["mongodb", "redis", "elasticsearch"])
def test_a_store_that_is_not_enabled_is_an_external_one(store: str) -> None:
    switched_off, external = (
        render({store: values}) for values in ({"enabled": False}, {"provider": "external"})
    )
    assert changes(switched_off, external) == {}
    assert changes(render(), external)


def test_service_names_are_expanded_like_helm_templates() -> None:
    bundle = render(
        {
            "release": {"name": "prod", "namespace": "ml"},
            "mongodb": {"service": {"name": "{{ .Release.Name }}-{{.Release.Namespace}}-db"}},
        }
    )
    assert "prod-ml-db" in bundle.of("Service")
