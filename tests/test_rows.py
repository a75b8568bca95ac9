"""Each value flipped, with all that changes in the manifests: these places and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import yaml
from pydantic import BaseModel

from config import Values
from config.agent_groups import AgentGroup
from config.release import KEPT
from config.types.merging import merge
from effects import Effects, changes
from rendering import render
from scenarios import CERTIFICATE
from test_pods import NAMES, SETTINGS
from test_traits import EFFECTS

# The table of the Helm chart's documentation.
DEFAULTS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("rows.yaml").read_text())

GROUP = "agentGroups.agent-group0"
WORKLOADS = {
    "apiserver": ("clearml-apiserver", "apiserver"),
    "fileserver": ("clearml-fileserver", "fileserver"),
    "webserver": ("clearml-webserver", "webserver"),
    "agentservices": ("clearml-agentservices", "agentservices"),
    GROUP: ("clearml-agent-group0-agent", "agent"),
}
DEPLOYMENT = {section: f"Deployment/{name}" for section, (name, _) in WORKLOADS.items()}
MAIN = {
    section: f"Deployment/{name} pod.containers.{container}"
    for section, (name, container) in WORKLOADS.items()
}
AGENTS = ("agentservices", GROUP)
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
            ]
        }
    }
}
TOLERATIONS = [{"key": "dedicated", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}]

REGISTRY_KEY = frozenset({("Secret", "registry-key")})
MY_CLAIM = frozenset({("PersistentVolumeClaim", "mine")})
DIGEST = "sha256:" + 64 * "0"


@dataclass(frozen=True)
class Row:
    """A value, what changes when it is set, and what else must be set for that to show."""

    key: str
    value: Any
    effects: Effects
    context: Mapping[str, Any] = field(default_factory=dict)
    outside: frozenset[tuple[str, str]] = frozenset()


def values_file(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted key as a values file; of a list the other items are as in the table."""
    lists = {key.partition("[")[0] for key in values if "[" in key}
    items = {k: v for k, v in DEFAULTS.items() if "[" in k and k.partition("[")[0] in lists}
    root: dict[Any, Any] = {}
    for key, value in {**items, **values}.items():
        *path, last = steps(key)
        section = root
        for step in path:
            section = section.setdefault(step, {})
        section[last] = value
    content: dict[str, Any] = with_lists(root)
    return content


def steps(key: str) -> list[str | int]:
    found = re.findall(r'"([^"]+)"|\[(\d+)\]|([^."\[\]]+)', key)
    return [int(index) if index else quoted or plain for quoted, index, plain in found]


def with_lists(content: Any) -> Any:
    """Mappings from 0, 1, 2... as the lists that they stand for."""
    if not isinstance(content, dict):
        return content
    inner = {key: with_lists(value) for key, value in content.items()}
    return [inner[index] for index in range(len(inner))] if 0 in inner else inner


def env_from(secret: str, key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"key": key, "name": secret}}


@dataclass(frozen=True)
class Containing:
    """Equal to every text that has the fragment in it."""

    fragment: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.fragment in other


# Workloads


def workload_rows(section: str) -> Iterator[Row]:
    deployment, main = DEPLOYMENT[section], MAIN[section]
    pod = f"{deployment} pod"
    requests = {"cpu": "250m", "memory": "1Gi"}
    # Given, they replace the default as a whole; agents have no limits.
    resources: Effects = {
        f"{main}.resources.requests.{name}": amount for name, amount in requests.items()
    }
    if section not in (GROUP, "agentservices"):
        resources[f"{main}.resources.limits"] = None

    def row(key: str, value: Any, effects: Effects, **options: Any) -> Row:
        return Row(f"{section}.{key}", value, effects, **options)

    # The Job that makes credentials runs where the API server does.
    scheduled = [pod, *(["Job/clearml-credentials pod"] if section == "apiserver" else [])]
    for key, value in (
        ("affinity", AFFINITY),
        ("nodeSelector", {"pool": "ml"}),
        ("tolerations", TOLERATIONS),
    ):
        yield row(key, value, {f"{place}.{key}": value for place in scheduled})
    yield row("podAnnotations", {"probe": "on"}, {f"{deployment} annotations.probe": "on"})
    yield row(
        "replicaCount", 3, {f"{deployment} spec.replicas": 3}, context=SHARED.get(section, {})
    )
    yield row("resources", {"requests": requests}, resources)
    yield row("extraEnvs", [{"name": "PROBE", "value": "on"}], {f"{main}.env.PROBE": "on"})


SHARED = {"fileserver": {"fileserver.storage.data.accessModes": ["ReadWriteMany"]}}


def image_rows(section: str, repository: str, tag: str, *containers: str) -> Iterator[Row]:
    for key, value, place, new in (
        ("repository", "example.org/mine", "image", f"example.org/mine:{tag}"),
        ("tag", "1.1", "image", f"{repository}:1.1"),
        ("pullPolicy", "Always", "imagePullPolicy", "Always"),
        ("registry", "example.org", "image", f"example.org/{repository}:{tag}"),
        ("digest", DIGEST, "image", f"{repository}@{DIGEST}"),
    ):
        effects = {f"{c}.{place}": new for c in containers}
        yield Row(f"{section}.image.{key}", value, effects, {"clearml.version": "1.0.2"})


def service_rows(section: str, addresses: Effects) -> Iterator[Row]:
    """`addresses` is what changes with the port, beside the Service itself."""
    service = f"Service/{WORKLOADS[section][0]} spec"
    port = f"{service}.ports.http"
    yield Row(f"{section}.service.port", 8123, {f"{port}.port": 8123, **addresses})
    yield Row(f"{section}.service.nodePort", 31234, {f"{port}.nodePort": 31234})
    metadata = f"Service/{WORKLOADS[section][0]} metadata"
    balanced = {f"{section}.service.type": "LoadBalancer"}
    sticky = {f"{section}.service.sessionAffinity": "ClientIP"}
    for key, value, effects, context in (
        ("annotations", {"probe": "on"}, {f"{metadata}.annotations": {"probe": "on"}}, {}),
        ("labels", {"probe": "on"}, {f"{metadata}.labels.probe": "on"}, {}),
        ("loadBalancerClass", "a/b", {f"{service}.loadBalancerClass": "a/b"}, balanced),
        (
            "loadBalancerSourceRanges",
            ["10.0.0.0/8", "2001:db8::/32"],
            {f"{service}.loadBalancerSourceRanges": ["10.0.0.0/8", "2001:db8::/32"]},
            balanced,
        ),
        ("externalTrafficPolicy", "Local", {f"{service}.externalTrafficPolicy": "Local"}, {}),
        ("sessionAffinity", "ClientIP", {f"{service}.sessionAffinity": "ClientIP"}, {}),
        (
            "sessionAffinityTimeoutSeconds",
            60,
            {f"{service}.sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}},
            sticky,
        ),
        ("ipFamilyPolicy", "PreferDualStack", {f"{service}.ipFamilyPolicy": "PreferDualStack"}, {}),
        ("ipFamilies", ["IPv6"], {f"{service}.ipFamilies": ["IPv6"]}, {}),
        ("externalIPs", ["192.0.2.7"], {f"{service}.externalIPs": ["192.0.2.7"]}, {}),
        (
            "allocateLoadBalancerNodePorts",
            False,
            {f"{service}.allocateLoadBalancerNodePorts": False},
            balanced,
        ),
        (
            "trafficDistribution",
            "PreferClose",
            {f"{service}.trafficDistribution": "PreferClose"},
            {},
        ),
    ):
        yield Row(f"{section}.service.{key}", value, effects, context)
    yield Row(
        f"{section}.service.type",
        "ClusterIP",
        {f"{service}.type": "ClusterIP", f"{port}.nodePort": None},
    )


def claim_rows(
    key: str, claim: str, section: str, context: Mapping[str, Any] | None = None
) -> Iterator[Row]:
    spec = f"PersistentVolumeClaim/{claim} spec"
    volume = f"{DEPLOYMENT[section]} pod.volumes.{claim.removeprefix('clearml-')}"
    mounted = {
        f"PersistentVolumeClaim/{claim}": None,
        f"{volume}.persistentVolumeClaim.claimName": "mine",
    }
    for name in ("existingClaim", "existingPVC"):
        yield Row(f"{key}.{name}", "mine", mounted, context or {}, MY_CLAIM)
    annotations = f"PersistentVolumeClaim/{claim} metadata.annotations"
    shared = {
        f"{spec}.accessModes": ["ReadWriteMany"],
        f"{DEPLOYMENT[section]} spec.strategy": None,
    }
    for name, value, effects in (
        ("annotations", {"probe": "on"}, {annotations: {"probe": "on"}}),
        ("keep", True, {annotations: KEPT, "Namespace/clearml metadata.annotations": KEPT}),
        ("accessMode", "ReadWriteMany", shared),
        ("accessModes", ["ReadWriteMany"], shared),
        ("class", "fast", {f"{spec}.storageClassName": "fast"}),
        ("size", "7Gi", {f"{spec}.resources.requests.storage": "7Gi"}),
    ):
        yield Row(f"{key}.{name}", value, effects, context or {})


def storage_rows(section: str, claim: str) -> Iterator[Row]:
    """Rows of a volume that can do without a claim."""
    name = claim.removeprefix("clearml-")
    yield Row(
        f"{section}.storage.enabled",
        False,
        {
            f"PersistentVolumeClaim/{claim}": None,
            f"{DEPLOYMENT[section]} pod.volumes.{name}.persistentVolumeClaim": None,
            f"{DEPLOYMENT[section]} pod.volumes.{name}.emptyDir": {},
            f"{DEPLOYMENT[section]} spec.strategy": None,
        },
    )
    yield from claim_rows(f"{section}.storage.data", claim, section)


def wait_for_apiserver(port: int) -> Effects:
    return {
        f"{DEPLOYMENT[agent]} pod.initContainers.wait-for-apiserver.args": [
            f"apiserver=http://clearml-apiserver:{port}/debug.ping"
        ]
        for agent in AGENTS
    }


# Servers

UNPACK = "Deployment/clearml-fileserver pod.initContainers.unpack-examples"
PRE_POPULATE = f"{MAIN['apiserver']}.env.CLEARML__APISERVER__PRE_POPULATE__"
CONFIG_VOLUME = {"apiserver.storage.enableConfigVolume": True}


def server_rows() -> Iterator[Row]:
    api, web = MAIN["apiserver"], MAIN["webserver"]
    waits = [f"{DEPLOYMENT[agent]} pod.initContainers.wait-for-apiserver" for agent in AGENTS]
    stores = "Deployment/clearml-apiserver pod.initContainers.wait-for-mongodb-redis-elasticsearch"
    server = ("allegroai/clearml", "1.0.2")
    job = "Job/clearml-credentials pod.containers.credentials"
    yield from image_rows("apiserver", *server, api, stores, UNPACK, *waits, job)
    yield from image_rows("fileserver", *server, MAIN["fileserver"])
    yield from image_rows("webserver", *server, web)
    url = "http://clearml-{}:8123".format
    yield from service_rows(
        "apiserver",
        {
            f"{web}.env.NGINX_APISERVER_ADDRESS": url("apiserver"),
            **{f"{MAIN[agent]}.env.CLEARML_API_HOST": url("apiserver") for agent in AGENTS},
            **wait_for_apiserver(8123),
        },
    )
    yield from service_rows(
        "fileserver",
        {
            f"{web}.env.NGINX_FILESERVER_ADDRESS": url("fileserver"),
            **{f"{MAIN[agent]}.env.CLEARML_FILES_HOST": url("fileserver") for agent in AGENTS},
        },
    )
    yield from service_rows(
        "webserver",
        {f"{MAIN[agent]}.env.CLEARML_WEB_HOST": url("webserver") for agent in AGENTS},
    )
    yield from storage_rows("fileserver", "clearml-fileserver-data")
    yield from claim_rows(
        "apiserver.storage.config", "clearml-apiserver-config", "apiserver", CONFIG_VOLUME
    )
    generated = {"mountPath": ANY, "name": "generated-config", "readOnly": True}
    yield Row(
        "apiserver.configDir",
        "/etc/clearml",
        {
            f"{api}.env.CLEARML_CONFIG_DIR": "/etc/clearml",
            f"{api}.volumeMounts./etc/clearml": generated,
            f"{api}.volumeMounts./opt/clearml/config": None,
        },
    )
    yield Row(
        "apiserver.storage.enableConfigVolume",
        True,
        {
            "PersistentVolumeClaim/clearml-apiserver-config": ANY,
            "Deployment/clearml-apiserver spec.strategy": {"type": "Recreate"},
            "Deployment/clearml-apiserver pod.volumes.apiserver-config": {
                "name": "apiserver-config",
                "persistentVolumeClaim": {"claimName": "clearml-apiserver-config"},
            },
            f"{api}.env.CLEARML_CONFIG_DIR": "/opt/clearml/generated-config:/opt/clearml/config",
            f"{api}.volumeMounts./opt/clearml/generated-config": generated,
            f"{api}.volumeMounts./opt/clearml/config.name": "apiserver-config",
            f"{api}.volumeMounts./opt/clearml/config.readOnly": None,
        },
    )
    for section in ("apiserver", "fileserver"):
        yield from additional_configs_rows(section)
    yield from web_page_rows()
    for probe in ("liveness", "readiness"):
        yield Row(f"apiserver.{probe}Delay", 17, {f"{api}.{probe}Probe.initialDelaySeconds": 17})
    yield Row(
        "apiserver.readiness",
        "stores",
        {
            f"{api}.readinessProbe.httpGet": None,
            f"{api}.readinessProbe.exec": {"command": ANY},
            f"{api}.readinessProbe.timeoutSeconds": 10,
        },
    )
    yield Row(
        "apiserver.prepopulateEnabled", "false", {f"{PRE_POPULATE}ENABLED": "false", UNPACK: None}
    )
    yield Row(
        "apiserver.prepopulateZipFiles",
        "/examples",
        {
            f"{PRE_POPULATE}ZIP_FILES": "/examples",
            f"{UNPACK}.args": ["/examples", "/mnt/fileserver"],
        },
    )
    yield Row(
        "apiserver.prepopulateArtifactsPath",
        "/artifacts",
        {
            f"{PRE_POPULATE}ARTIFACTS_PATH": "/artifacts",
            f"{UNPACK}.args": ["/opt/clearml/db-pre-populate", "/artifacts"],
            f"{UNPACK}.volumeMounts./mnt/fileserver": None,
            f"{UNPACK}.volumeMounts./artifacts": {
                "mountPath": "/artifacts",
                "name": "fileserver-data",
            },
        },
    )
    yield Row(
        "clearml.defaultCompany",
        "acme",
        {
            f"{api}.env.CLEARML__APISERVER__DEFAULT_COMPANY": "acme",
            f"{web}.env.COMPANY_ID": "acme",
        },
    )


# Kinds with files of the user's own: what a volume and what its directory calls them.
FILES = {"Secret": ("secret", "secret"), "ConfigMap": ("configMap", "config-map")}


def additional_configs_rows(server: str) -> Iterator[Row]:
    deployment, main = DEPLOYMENT[server], MAIN[server]
    generated = "/opt/clearml/config:" if server == "apiserver" else ""

    def added(name: str, source: Mapping[str, Any]) -> Effects:
        path, volume = f"/opt/clearml/additional-configs/{name}", f"additional-configs-{name}"
        mount = {"mountPath": path, "name": volume, "readOnly": True}
        return {
            f"{deployment} pod.volumes.{volume}": {
                "name": volume,
                "projected": {"sources": [source]},
            },
            f"{main}.volumeMounts.{path}": mount,
            f"{main}.env.CLEARML_CONFIG_DIR": f"{generated}{path}",
        }

    secret = f"clearml-{server}-additional-configs"
    yield Row(
        f"{server}.additionalConfigs",
        {"services.conf": "a: 1"},
        {
            f"Secret/{secret}": ANY,
            f"{deployment} annotations.checksum/{secret}": ANY,
            **added("files", {"secret": {"name": secret}}),
        },
    )
    for kind, (source, name) in FILES.items():
        yield Row(
            f"{server}.existingAdditionalConfigs{kind}",
            "mine",
            added(name, {source: {"name": "mine"}}),
            outside=frozenset({(kind, "mine")}),
        )


def web_page_rows() -> Iterator[Row]:
    deployment, main = DEPLOYMENT["webserver"], MAIN["webserver"]
    volume, path = "additional-configs-files", "/usr/share/nginx/html/configuration.json"
    mount = {
        "mountPath": path,
        "name": volume,
        "readOnly": True,
        "subPath": "configuration.json",
    }

    def added(source: Mapping[str, Any]) -> Effects:
        return {
            f"{deployment} pod.volumes.{volume}": {
                "name": volume,
                "projected": {"sources": [source]},
            },
            f"{main}.volumeMounts.{path}": mount,
        }

    secret = "clearml-webserver-additional-configs"
    yield Row(
        "webserver.additionalConfigs",
        {"configuration.json": "{}"},
        {
            f"Secret/{secret}": ANY,
            f"{deployment} annotations.checksum/{secret}": ANY,
            **added({"secret": {"name": secret}}),
        },
    )
    for kind, (source, _) in FILES.items():
        yield Row(
            f"webserver.existingAdditionalConfigs{kind}",
            "mine",
            added({source: {"name": "mine"}}),
            outside=frozenset({(kind, "mine")}),
        )


CREDENTIALS = {
    "httpSession": "http_session",
    "authToken": "auth_token",
    "apiserverKey": "apiserver_key",
    "apiserverSecret": "apiserver_secret",
    "webserverKey": "webserver_key",
    "webserverSecret": "webserver_secret",
    "fileserverKey": "fileserver_key",
    "fileserverSecret": "fileserver_secret",
    "testsUserKey": "tests_user_key",
    "testsUserSecret": "tests_user_secret",
    "servicesAgentKey": "services_agent_key",
    "servicesAgentSecret": "services_agent_secret",
}
CREDENTIAL_USERS = {
    "apiserver": {
        "CLEARML__SECURE__HTTP__SESSION_SECRET__APISERVER": "http_session",
        "CLEARML__SECURE__AUTH__TOKEN_SECRET": "auth_token",
        "CLEARML__SECURE__CREDENTIALS__APISERVER__USER_KEY": "apiserver_key",
        "CLEARML__SECURE__CREDENTIALS__APISERVER__USER_SECRET": "apiserver_secret",
        "CLEARML__SECURE__CREDENTIALS__WEBSERVER__USER_KEY": "webserver_key",
        "CLEARML__SECURE__CREDENTIALS__WEBSERVER__USER_SECRET": "webserver_secret",
        "CLEARML__SECURE__CREDENTIALS__TESTS__USER_KEY": "tests_user_key",
        "CLEARML__SECURE__CREDENTIALS__TESTS__USER_SECRET": "tests_user_secret",
        "CLEARML__SECURE__CREDENTIALS__SERVICES_AGENT__USER_KEY": "services_agent_key",
        "CLEARML__SECURE__CREDENTIALS__SERVICES_AGENT__USER_SECRET": "services_agent_secret",
    },
    "webserver": {"USER_KEY": "webserver_key", "USER_SECRET": "webserver_secret"},
    **{
        agent: {
            "CLEARML_API_ACCESS_KEY": "services_agent_key",
            "CLEARML_API_SECRET_KEY": "services_agent_secret",
        }
        for agent in AGENTS
    },
}
USER = {"username": "jane", "password": "test-secret-jane", "name": "Jane"}
# The base64 form of a bcrypt hash.
HASHED = "JDJiJDEyJHRlc3RzZWNyZXR0ZXN0c2VjcmV0dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0dGVz"
FIXED_USERS = {
    "clearml.fixedUsers.enabled": True,
    "clearml.fixedUsers.users": [USER | {"password": HASHED}],
}
SERVER_CONFIGURATION = "Secret/clearml-apiserver-conf data"


MADE = "Job/clearml-credentials made.clearml-conf"
JOB_OBJECTS = [
    f"{kind}/clearml-credentials"
    for kind in ("Job", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy")
]


def clearml_rows() -> Iterator[Row]:
    for key, name in CREDENTIALS.items():
        readers = [user for user, read in CREDENTIAL_USERS.items() if name in read.values()]
        value = f"test-secret-{name}"
        yield Row(
            f"clearml.credentials.{key}",
            value,
            {
                "Secret/clearml-conf": ANY,
                f"{MADE}.lengths.{name}": None,
                f"{MADE}.whole": False,
                **{
                    f"{DEPLOYMENT[user]} annotations.checksum/clearml-conf": ANY for user in readers
                },
            },
        )
    yield Row(
        "clearml.checkForUpdates",
        False,
        {f"{API_ENV}.CLEARML__APISERVER__CHECK_FOR_UPDATES__ENABLED": "false"},
    )
    yield Row(
        "clearml.existingSecret",
        "made-by-hand",
        {
            **dict.fromkeys(JOB_OBJECTS, None),
            **{
                f"{MAIN[user]}.env.{variable}.secretKeyRef.name": "made-by-hand"
                for user, variables in CREDENTIAL_USERS.items()
                for variable in variables
            },
        },
        outside=frozenset({("Secret", "made-by-hand")}),
    )
    yield Row(
        "clearml.existingSecretKeys",
        {"authToken": "token"},
        {
            **dict.fromkeys(JOB_OBJECTS, ANY),
            **{
                f"{MAIN[user]}.env.{variable}.secretKeyRef.name": "clearml-conf"
                for user, variables in CREDENTIAL_USERS.items()
                for variable in variables
                if not variable.endswith("AUTH__TOKEN_SECRET")
            },
            f"{API_ENV}.CLEARML__SECURE__AUTH__TOKEN_SECRET.secretKeyRef.key": "token",
        },
        {"clearml.existingSecret": "mine"},
        frozenset({("Secret", "mine")}),
    )
    configuration = {
        "Deployment/clearml-apiserver annotations.checksum/clearml-apiserver-conf": ANY
    }
    users_file = {f"{SERVER_CONFIGURATION}.apiserver.conf": ANY, **configuration}
    users: Mapping[str, Any] = {"clearml.fixedUsers.users": [USER]}
    yield Row("clearml.fixedUsers.enabled", True, users_file, users)
    yield Row("clearml.fixedUsers.users", [USER], users_file, FIXED_USERS)
    yield Row("clearml.fixedUsers.passHashed", True, users_file, FIXED_USERS)
    users_volume = "Deployment/clearml-apiserver pod.volumes.fixed-users.secret"
    own_users = {"clearml.fixedUsers.enabled": True, "clearml.fixedUsers.existingSecret": "first"}
    own_secrets = frozenset({("Secret", "first"), ("Secret", "mine")})
    yield Row(
        "clearml.fixedUsers.existingSecret",
        "mine",
        {f"{users_volume}.secretName": "mine"},
        own_users,
        own_secrets,
    )
    yield Row(
        "clearml.fixedUsers.existingSecretKey",
        "users",
        {f"{users_volume}.items": [{"key": "users", "path": "apiserver.conf"}]},
        own_users,
        own_secrets,
    )
    watchdog_file = {f"{SERVER_CONFIGURATION}.services.conf": ANY, **configuration}
    for key, setting in (("enabled", False), ("thresholdSec", 60), ("watchIntervalSec", 30)):
        yield Row(f"clearml.watchdog.{key}", setting, watchdog_file)


NEWEST = {"clearml.version": "2.3.0"}


def newer_server_rows() -> Iterator[Row]:
    """What the servers of the default version do not know."""
    files, gunicorn = MAIN["fileserver"], f"{MAIN['apiserver']}.env.CLEARML_GUNICORN_"
    yield Row(
        "fileserver.auth.enabled",
        False,
        {
            f"{files}.env.CLEARML__FILESERVER__AUTH__ENABLED": "false",
            **{
                f"{files}.env.{variable}": None
                for variable in (
                    "CLEARML_REDIS_SERVICE_HOST",
                    "CLEARML_REDIS_SERVICE_PORT",
                    "CLEARML__HOSTS__REDIS__FILESERVER__DB",
                    "CLEARML__HOSTS__API_SERVER",
                    "CLEARML__SECURE__CREDENTIALS__FILESERVER__USER_KEY",
                    "CLEARML__SECURE__CREDENTIALS__FILESERVER__USER_SECRET",
                )
            },
            "Deployment/clearml-fileserver pod.initContainers.wait-for-redis-apiserver": None,
            "NetworkPolicy/clearml-redis-master spec.ingress": ANY,
        },
        NEWEST,
    )
    prefix = f"{MAIN['apiserver']}.env.CLEARML__SERVICES__ASYNC_URLS_DELETE__"
    yield Row(
        "apiserver.asyncdelete.enabled",
        False,
        {
            "Deployment/clearml-apiserver-asyncdelete": None,
            f"{prefix}ENABLED": "false",
            f"{prefix}FILESERVER__URL_PREFIXES": None,
            **{
                f"NetworkPolicy/clearml-{store} spec.ingress": ANY
                for store in ("mongodb", "redis-master", "elastic-master")
            },
        },
        NEWEST,
    )
    deletion = "Deployment/clearml-apiserver-asyncdelete pod.containers.asyncdelete"
    variable = "CLEARML__SERVICES__ASYNC_URLS_DELETE__FILESERVER__URL_PREFIXES"
    yield Row(
        "apiserver.asyncdelete.urlPrefixes",
        ["http://old.example.com:8081"],
        {
            f"{container}.env.{variable}": Containing('"http://old.example.com:8081/"')
            for container in (MAIN["apiserver"], deletion)
        },
        NEWEST,
    )
    several = {"apiserver.processes.count": 2, "apiserver.processes.maxRequests": 10}
    for key, variable in (
        ("count", "WORKERS"),
        ("timeout", "TIMEOUT"),
        ("maxRequests", "MAX_REQUESTS"),
        ("maxRequestsJitter", "MAX_REQUESTS_JITTER"),
    ):
        yield Row(
            f"apiserver.processes.{key}", 7, {gunicorn + variable: "7"}, {**NEWEST, **several}
        )


PARTS = {"app": "webserver", "api": "apiserver", "files": "fileserver"}


def agents_told(server: str, url: str) -> Effects:
    """What agents are told of a server that browsers open too."""
    variable = {"webserver": "CLEARML_WEB_HOST", "fileserver": "CLEARML_FILES_HOST"}.get(server)
    return {f"{MAIN[agent]}.env.{variable}": url for agent in AGENTS} if variable else {}


def told_urls(scheme: str, domain: str) -> Effects:
    """What agents are told of all servers below a domain."""
    return {
        place: url
        for part, server in PARTS.items()
        for place, url in agents_told(server, f"{scheme}://{part}.{domain}").items()
    }


INGRESS = "Ingress/clearml-server-ingress"
INGRESS_ON = {"ingress.enabled": True, "ingress.host": "example.com"}


def ingress_rows() -> Iterator[Row]:
    hosts = ["app.ml.org", "api.ml.org", "files.ml.org"]
    rule = "{}.{}".format

    def rules(host: str) -> list[dict[str, Any]]:
        return [
            {
                "host": rule(subdomain, host),
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {
                                "service": {"name": f"clearml-{name}", "port": {"name": "http"}}
                            },
                        }
                    ]
                },
            }
            for subdomain, name in (
                ("app", "webserver"),
                ("api", "apiserver"),
                ("files", "fileserver"),
            )
        ]

    yield Row(
        "ingress.enabled",
        True,
        {INGRESS: ANY, **told_urls("http", "example.com")},
        {"ingress.host": "example.com"},
    )
    yield Row(
        "ingress.host",
        "ml.org",
        {f"{INGRESS} spec.rules": rules("ml.org"), **told_urls("http", "ml.org")},
        INGRESS_ON,
    )
    yield Row("ingress.name", "front", {INGRESS: None, "Ingress/front": ANY}, INGRESS_ON)
    yield Row(
        "ingress.className", "nginx", {f"{INGRESS} spec.ingressClassName": "nginx"}, INGRESS_ON
    )
    yield Row(
        "ingress.annotations",
        {"probe": "on"},
        {f"{INGRESS} metadata.annotations": {"probe": "on"}},
        INGRESS_ON,
    )
    yield Row(
        "ingress.tls.secretName",
        "certificate",
        {
            f"{INGRESS} spec.tls": [{"hosts": hosts, "secretName": "certificate"}],
            **told_urls("https", "ml.org"),
        },
        {"ingress.enabled": True, "ingress.host": "ml.org"},
        frozenset({("Secret", "certificate")}),
    )

    for part, server in PARTS.items():
        for key, value, host in (
            (f"hostPrefix{part.title()}", "mine-", "mine-example.com"),
            (f"{part}.hostName", "ml.org", "ml.org"),
        ):
            told = agents_told(server, f"http://{host}")
            yield Row(f"ingress.{key}", value, {f"{INGRESS} spec.rules": ANY} | told, INGRESS_ON)
        host = f"{part}.example.com"
        yield Row(
            f"ingress.{part}.tlsSecretName",
            "certificate",
            {
                f"{INGRESS} spec.tls": [{"hosts": [host], "secretName": "certificate"}],
                **agents_told(server, f"https://{host}"),
            },
            INGRESS_ON,
            frozenset({("Secret", "certificate")}),
        )
        yield from own_ingress_rows(server)


def own_ingress_rows(server: str) -> Iterator[Row]:
    made = f"Ingress/clearml-{server}"
    on = {f"{server}.ingress.enabled": True, f"{server}.ingress.hostName": "ml.org"}
    path = f"{made} spec.rules"

    def row(key: str, value: Any, effects: Effects, **options: Any) -> Row:
        return Row(f"{server}.ingress.{key}", value, effects, on, **options)

    yield Row(
        f"{server}.ingress.enabled",
        True,
        {made: ANY, **agents_told(server, "http://ml.org")},
        {f"{server}.ingress.hostName": "ml.org"},
    )
    yield row("hostName", "a.org", {path: ANY, **agents_told(server, "http://a.org")})
    prefix = {f"{MAIN[server]}.env.CLEARML__APISERVER__REQUEST__STRIP_PREFIX": "/ml"}
    yield row(
        "path",
        "/ml",
        {
            path: ANY,
            **(prefix if server == "apiserver" else agents_told(server, "http://ml.org/ml")),
        },
    )
    yield row("pathType", "Exact", {path: ANY})
    yield row("ingressClassName", "nginx", {f"{made} spec.ingressClassName": "nginx"})
    yield row("annotations", {"a": "b"}, {f"{made} metadata.annotations": {"a": "b"}})
    yield row(
        "tlsSecretName",
        "certificate",
        {
            f"{made} spec.tls": [{"hosts": ["ml.org"], "secretName": "certificate"}],
            **agents_told(server, "https://ml.org"),
        },
        outside=frozenset({("Secret", "certificate")}),
    )


ROUTES = {part: f"HTTPRoute/clearml-{server}" for part, server in PARTS.items()}
GATEWAY_ON = {
    "gateway.enabled": True,
    "gateway.host": "example.com",
    "gateway.parentRefs": [{"name": "front"}],
}


def gateway_rows() -> Iterator[Row]:
    def row(key: str, value: Any, effects: Effects, more: Mapping[str, Any] | None = None) -> Row:
        return Row(f"gateway.{key}", value, effects, {**GATEWAY_ON, **(more or {})})

    def hosts(domain: str) -> Effects:
        return {f"{route} spec.hostnames": [f"{part}.{domain}"] for part, route in ROUTES.items()}

    off = {key: value for key, value in GATEWAY_ON.items() if key != "gateway.enabled"}
    made = dict.fromkeys(ROUTES.values(), ANY)
    yield Row("gateway.enabled", True, made | told_urls("http", "example.com"), off)
    yield row("host", "ml.org", hosts("ml.org") | told_urls("http", "ml.org"))
    parent = {"name": "other", "namespace": "infra", "sectionName": "https", "port": 443}
    attached = {"front": None, "other": parent}
    yield row(
        "parentRefs",
        [parent],
        {
            f"{route} spec.parentRefs.{name}": given
            for route in ROUTES.values()
            for name, given in attached.items()
        }
        | told_urls("https", "example.com"),
    )
    yield row(
        "annotations",
        {"a": "b"},
        {f"{route} metadata.annotations": {"a": "b"} for route in ROUTES.values()},
    )
    for part, server in PARTS.items():
        for key, value, host in (
            (f"hostPrefix{part.title()}", "mine-", "mine-example.com"),
            (f"{part}.hostName", "ml.org", "ml.org"),
        ):
            effects = {f"{ROUTES[part]} spec.hostnames": [host]}
            yield row(key, value, effects | agents_told(server, f"http://{host}"))
    https = told_urls("https", "example.com")
    yield row("tls.enabled", True, https)
    yield row(
        "tls.secretName",
        "certificate",
        {"Certificate/clearml-gateway": ANY} | https,
        {"certManager.issuer": "letsencrypt"},
    )


def cert_manager_rows() -> Iterator[Row]:
    annotations = f"{INGRESS} metadata.annotations"
    yield Row(
        "certManager.issuer",
        "letsencrypt",
        {
            annotations: {"cert-manager.io/cluster-issuer": "letsencrypt"},
            f"{INGRESS} spec.tls": ANY,
            **told_urls("https", "example.com"),
        },
        INGRESS_ON,
    )
    yield Row(
        "certManager.kind",
        "Issuer",
        {
            f"{annotations}.cert-manager.io/cluster-issuer": None,
            f"{annotations}.cert-manager.io/issuer": "letsencrypt",
        },
        {**INGRESS_ON, "certManager.issuer": "letsencrypt"},
    )


WAIT_ELSEWHERE = {a: f"{DEPLOYMENT[a]} pod.initContainers.wait-for-apiserver" for a in AGENTS}
REACHED_BY_THE_API_SERVER = ("clearml-mongodb", "clearml-redis-master", "clearml-elastic-master")
ELSEWHERE = {
    "clearml.clientConfigurationApiUrl": "http://api.example.com",
    "clearml.clientConfigurationFilesUrl": "s3://bucket",
}


def address_rows() -> Iterator[Row]:
    """Where servers are that have no Ingress, and servers that are elsewhere."""
    web, api = MAIN["webserver"], MAIN["apiserver"]
    for key, server in (("Web", "webserver"), ("Files", "fileserver")):
        url = f"http://{server}.example.com"
        yield Row(f"clearml.clientConfiguration{key}Url", url, agents_told(server, url))
    yield Row(
        "clearml.clientConfigurationApiUrl",
        "http://b.org",
        {
            f"{web}.env.NGINX_APISERVER_ADDRESS": "http://b.org",
            **{f"{MAIN[agent]}.env.CLEARML_API_HOST": "http://b.org" for agent in AGENTS},
            **{f"{WAIT_ELSEWHERE[agent]}.args": ["apiserver=tcp://b.org:80"] for agent in AGENTS},
        },
        {**ELSEWHERE, "apiserver.enabled": False},
    )
    yield Row(
        "clearml.nodeAddress",
        "node.org",
        agents_told("webserver", "http://node.org:30080")
        | agents_told("fileserver", "http://node.org:30081"),
    )
    yield Row(
        "clearml.urlScheme",
        "https",
        agents_told("webserver", "https://app.example.com")
        | agents_told("fileserver", "https://files.example.com"),
        INGRESS_ON,
    )
    for server, port in (("webserver", ""), ("apiserver", ":8008"), ("fileserver", ":8081")):
        yield Row(
            f"{server}.service.loadBalancerIP",
            "10.0.0.9",
            {
                f"Service/clearml-{server} spec.loadBalancerIP": "10.0.0.9",
                **agents_told(server, f"http://10.0.0.9{port}"),
            },
            {f"{server}.service.type": "LoadBalancer"},
        )
    auth = f"{api}.env.CLEARML__APISERVER__AUTH__"
    yield Row("clearml.cookieName", "token", {f"{auth}SESSION_AUTH_COOKIE_NAME": "token"})
    yield Row("clearml.cookieDomain", "example.com", {f"{auth}COOKIES__DOMAIN": "example.com"})
    yield Row("apiserver.authCookiesMaxAge", 600, {f"{auth}COOKIES__MAX_AGE": "600"})
    yield Row(
        "webserver.enabled",
        False,
        {
            "Deployment/clearml-webserver": None,
            "Service/clearml-webserver": None,
            **{f"{MAIN[agent]}.env.CLEARML_WEB_HOST": None for agent in AGENTS},
        },
    )
    yield Row(
        "fileserver.enabled",
        False,
        {
            "Deployment/clearml-fileserver": None,
            "Service/clearml-fileserver": None,
            "PersistentVolumeClaim/clearml-fileserver-data": None,
            f"{web}.env.NGINX_FILESERVER_ADDRESS": ANY,
        },
        ELSEWHERE,
    )
    yield Row(
        "apiserver.enabled",
        False,
        {
            "Deployment/clearml-apiserver": None,
            "Service/clearml-apiserver": None,
            "Secret/clearml-apiserver-conf": None,
            UNPACK: None,
            f"{web}.env.NGINX_APISERVER_ADDRESS": "http://api.example.com",
            **{f"{MAIN[agent]}.env.CLEARML_API_HOST": "http://api.example.com" for agent in AGENTS},
            **{
                f"{WAIT_ELSEWHERE[agent]}.args": ["apiserver=tcp://api.example.com:80"]
                for agent in AGENTS
            },
            **{f"NetworkPolicy/{name} spec.ingress": ANY for name in REACHED_BY_THE_API_SERVER},
        },
        ELSEWHERE,
    )


# Agents

AGENT_SECRETS = {
    "clearmlGitUser": "CLEARML_AGENT_GIT_USER",
    "clearmlGitPassword": "CLEARML_AGENT_GIT_PASS",
    "awsAccessKeyId": "AWS_ACCESS_KEY_ID",
    "awsSecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "azureStorageAccount": "AZURE_STORAGE_ACCOUNT",
    "azureStorageKey": "AZURE_STORAGE_KEY",
}
PAIR = {"clearmlAccessKey": "CLEARML_API_ACCESS_KEY", "clearmlSecretKey": "CLEARML_API_SECRET_KEY"}
OWN_SECRETS = frozenset({("Secret", "first"), ("Secret", "second")})


def agent_rows(section: str) -> Iterator[Row]:
    env, secret = f"{MAIN[section]}.env", WORKLOADS[section][0]

    def row(
        key: str, value: Any, effects: Effects, context: Mapping[str, Any] | None = None
    ) -> Row:
        return Row(
            f"{section}.{key}",
            value,
            effects,
            {f"{section}.{name}": given for name, given in (context or {}).items()},
            OWN_SECRETS,
        )

    for key, variable in AGENT_SECRETS.items():
        # With another secret set the Secret is there before and after.
        other = next(name for name in AGENT_SECRETS if name != key)
        yield row(
            key,
            "test-secret-value",
            {
                f"{env}.{variable}": env_from(secret, variable),
                f"Secret/{secret} data.{variable}": "test-secret-value",
                f"{DEPLOYMENT[section]} annotations.checksum/{WORKLOADS[section][0]}": ANY,
            },
            {other: "test-secret-other"},
        )
    rolled = {f"{DEPLOYMENT[section]} annotations.checksum/{WORKLOADS[section][0]}": ANY}
    for key, variable in PAIR.items():
        yield row(
            key,
            "test-new",
            {f"Secret/{secret} data.{variable}": "test-new", **rolled},
            dict.fromkeys(PAIR, "test-secret"),
        )
    yield row(
        "existingSecrets",
        {"first": {"awsSecretAccessKey": "key"}},
        {f"{env}.AWS_SECRET_ACCESS_KEY": env_from("first", "key")},
    )
    yield row(
        "clearmlConfig",
        "sdk {a: 1}",
        {f"Secret/{secret} data.clearml.conf": "sdk {a: 1}", **rolled},
        {"clearmlConfig": "sdk {a: 0}"},
    )
    yield row("googleCredentials", "/probe", {f"{env}.GOOGLE_APPLICATION_CREDENTIALS": "/probe"})
    yield from git_ssh_rows(section)
    wait = f"{DEPLOYMENT[section]} pod.initContainers.wait-for-apiserver.args"
    yield row(
        "clearmlApiHost",
        "https://example.org",
        {
            f"{env}.CLEARML_API_HOST": "https://example.org",
            wait: ["apiserver=tcp://example.org:443"],
        },
    )
    yield row(
        "shmSize",
        "8Gi",
        {
            f"{DEPLOYMENT[section]} pod.volumes.shm": {
                "name": "shm",
                "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"},
            },
            f"{MAIN[section]}.volumeMounts./dev/shm": {"name": "shm", "mountPath": "/dev/shm"},
        },
    )
    yield row(
        "setupScript",
        "exit 7",
        {f"Secret/{secret} data.setup-script": "exit 7", **rolled},
        {"setupScript": "exit 0"},
    )
    for key, variable in (
        ("clearmlWebHost", "CLEARML_WEB_HOST"),
        ("clearmlFilesHost", "CLEARML_FILES_HOST"),
    ):
        yield row(key, "https://example.org", {f"{env}.{variable}": "https://example.org"})
    yield row("awsDefaultRegion", "eu-west-1", {f"{env}.AWS_DEFAULT_REGION": "eu-west-1"})
    yield row("agentVersion", ">=0.16.1", {f"{env}.AGENT_VERSION": ">=0.16.1"})
    context = f"{MAIN[section]}.securityContext"
    confined = {f"{context}.{name}": None for name in ("allowPrivilegeEscalation", "capabilities")}
    yield row("privileged", True, {f"{context}.privileged": True, **confined})


def git_ssh_rows(section: str) -> Iterator[Row]:
    env, secret = f"{MAIN[section]}.env", f"Secret/{WORKLOADS[section][0]}"
    volume = f"{DEPLOYMENT[section]} pod.volumes.ssh.projected.sources"
    rolled = {f"{DEPLOYMENT[section]} annotations.checksum/{WORKLOADS[section][0]}": ANY}
    inline = {"privateKey": "test-secret-key", "knownHosts": "a"}
    existing = {"existingSecret": "first", "acceptNewHosts": True}

    def files(name: str, **items: str) -> list[Any]:
        return [
            {"secret": {"name": name, "items": [{"key": key, "path": path}]}}
            for path, key in items.items()
        ]

    for key, value, effects, context in (
        ("existingSecret", "second", {volume: files("second", id_rsa="ssh-privatekey")}, existing),
        ("existingSecretKey", "key", {volume: files("first", id_rsa="key")}, existing),
        (
            "knownHostsKey",
            "hosts",
            {volume: files("first", id_rsa="ssh-privatekey", known_hosts="hosts")},
            existing,
        ),
        (
            "privateKey",
            "test-secret-2",
            {f"{secret} data.ssh-privatekey": "test-secret-2\n", **rolled},
            inline,
        ),
        ("knownHosts", "b", {f"{secret} data.known_hosts": "b", **rolled}, inline),
        ("acceptNewHosts", True, {f"{env}.GIT_SSH_COMMAND": ANY}, inline),
        ("force", True, {f"{env}.CLEARML_AGENT__AGENT__FORCE_GIT_SSH_PROTOCOL": "true"}, inline),
    ):
        given = {f"{section}.gitSsh.{name}": setting for name, setting in context.items()}
        yield Row(f"{section}.gitSsh.{key}", value, effects, given, OWN_SECRETS)


def agent_services_rows() -> Iterator[Row]:
    main = MAIN["agentservices"]
    options = ["--services-mode", "--queue"]
    yield Row(
        "agentservices.queues",
        ["a", "b c"],
        {f"{main}.args": [*options, "a", "b c", "--create-queue", "--cpu-only"]},
    )
    yield Row(
        "agentservices.createQueue", False, {f"{main}.args": [*options, "services", "--cpu-only"]}
    )
    for key, variable in (
        ("clearmlHostIp", "CLEARML_HOST_IP"),
        ("clearmlWorkerId", "CLEARML_WORKER_ID"),
        ("defaultBaseDocker", "CLEARML_AGENT_DEFAULT_BASE_DOCKER"),
    ):
        yield Row(f"agentservices.{key}", "/probe", {f"{main}.env.{variable}": "/probe"})
    yield from image_rows("agentservices", "allegroai/clearml-agent-services", "latest", main)
    yield from storage_rows("agentservices", "clearml-agentservices-data")
    yield Row(
        "agentservices.enabled",
        False,
        {
            "Deployment/clearml-agentservices": None,
            "PersistentVolumeClaim/clearml-agentservices-data": None,
        },
    )


def agent_group_rows() -> Iterator[Row]:
    main, secret = MAIN[GROUP], "Secret/clearml-agent-group0-agent"
    yield Row(f"{GROUP}.queues", "fast slow", {f"{main}.args": ["--queue", "fast", "slow"]})
    yield Row(
        f"{GROUP}.createQueue", True, {f"{main}.args": ["--queue", "default", "--create-queue"]}
    )
    yield Row(
        f"{GROUP}.gpuResource",
        "amd.com/gpu",
        {
            f"{main}.resources.limits.nvidia.com/gpu": None,
            f"{main}.resources.limits.amd.com/gpu": "1",
        },
    )
    claim, volume = "clearml-agent-group0-agent-data", "agent-group0-agent-data"
    cached = {
        f"{DEPLOYMENT[GROUP]} pod.volumes.{volume}": ANY,
        f"{main}.volumeMounts./root/.clearml": ANY,
        f"{main}.env.PIP_CACHE_DIR": "/root/.clearml/pip-cache",
    }
    yield Row(
        f"{GROUP}.storage.enabled",
        True,
        {
            f"PersistentVolumeClaim/{claim}": ANY,
            **cached,
            f"{DEPLOYMENT[GROUP]} pod.volumes.builds": ANY,
            f"{main}.volumeMounts./root/.clearml/venvs-builds": ANY,
            f"{DEPLOYMENT[GROUP]} spec.strategy": {"type": "Recreate"},
        },
    )
    limited = {"name": volume, "emptyDir": {"sizeLimit": "7Gi"}}
    yield Row(
        f"{GROUP}.storage.sizeLimit",
        "7Gi",
        {**cached, f"{DEPLOYMENT[GROUP]} pod.volumes.{volume}": limited},
    )
    yield from claim_rows(f"{GROUP}.storage.data", claim, GROUP, {f"{GROUP}.storage.enabled": True})
    yield Row(f"{GROUP}.nvidiaGpusPerAgent", 4, {f"{main}.resources.limits.nvidia.com/gpu": "4"})
    yield from image_rows(GROUP, "nvidia/cuda", "11.0-base-ubuntu18.04", main)
    removed = {secret: None, DEPLOYMENT[GROUP]: None}
    yield Row(f"{GROUP}.enabled", False, removed)
    yield Row(
        f"{GROUP}.name",
        "gpu",
        {**removed, "Secret/clearml-gpu-agent": ANY, "Deployment/clearml-gpu-agent": ANY},
    )


# Stores

API_ENV = f"{MAIN['apiserver']}.env"
STORE_POD = {
    "mongodb": "StatefulSet/clearml-mongodb",
    "redis": "StatefulSet/clearml-redis-master",
    "elasticsearch": "StatefulSet/clearml-elastic-master",
}
EMBEDDED = {
    "mongodb": {
        "StatefulSet/clearml-mongodb": None,
        "Service/clearml-mongodb": None,
        "Service/clearml-mongodb-headless": None,
        "NetworkPolicy/clearml-mongodb": None,
    },
    "redis": {
        "StatefulSet/clearml-redis-master": None,
        "Service/clearml-redis-master": None,
        "Service/clearml-redis-master-headless": None,
        "NetworkPolicy/clearml-redis-master": None,
    },
    "elasticsearch": {
        "StatefulSet/clearml-elastic-master": None,
        "Service/clearml-elastic-master": None,
        "Service/clearml-elastic-master-headless": None,
        "NetworkPolicy/clearml-elastic-master": None,
        "ConfigMap/clearml-elastic-master-config": None,
    },
}


def told(store: str, hosts: str) -> Effects:
    """What the API server waits for; the other stores are the default ones."""
    targets = {
        "mongodb": "tcp://clearml-mongodb:27017",
        "redis": "tcp://clearml-redis-master:6379",
        "elasticsearch": "tcp://clearml-elastic-master:9200",
        store: f"tcp://{hosts}",
    }
    wait = f"{DEPLOYMENT['apiserver']} pod.initContainers.wait-for-mongodb-redis-elasticsearch"
    return {f"{wait}.args": [f"{name}={url}" for name, url in targets.items()]}


def store_rows(store: str, pod_section: str, claim: str) -> Iterator[Row]:
    """Rows that the three stores have in common; `claim` is the name of the claim template."""
    owner, pod = STORE_POD[store], f"{STORE_POD[store]} pod"
    main = f"{pod}.containers.{store}"
    yield Row(f"{store}.enabled", False, EMBEDDED[store])
    yield Row(f"{store}.provider", "external", EMBEDDED[store])
    service_section = "redis.master.service" if store == "redis" else f"{store}.service"
    yield Row(
        f"{service_section}.annotations",
        {"probe": "on"},
        {f"Service/{owner.rpartition('/')[2]} metadata.annotations": {"probe": "on"}},
    )
    yield Row(
        f"{pod_section}.nodeSelector", {"pool": "db"}, {f"{pod}.nodeSelector": {"pool": "db"}}
    )
    yield Row(f"{pod_section}.tolerations", TOLERATIONS, {f"{pod}.tolerations": TOLERATIONS})
    yield Row(
        f"{pod_section}.podAnnotations", {"probe": "on"}, {f"{owner} annotations.probe": "on"}
    )
    pull_secrets = {
        "mongodb": ("mongodb.image.pullSecrets", ["registry-key"]),
        "redis": ("redis.image.pullSecrets", ["registry-key"]),
        "elasticsearch": ("elasticsearch.imagePullSecrets", [{"name": "registry-key"}]),
    }
    yield Row(
        *pull_secrets[store],
        {f"{pod}.imagePullSecrets": [{"name": "registry-key"}]},
        outside=REGISTRY_KEY,
    )
    yield from metrics_rows(store)
    if store == "elasticsearch":
        return
    yield Row(f"{pod_section}.affinity", AFFINITY, {f"{pod}.affinity": AFFINITY})
    requests = {"requests": {"cpu": "250m"}}
    yield Row(
        f"{pod_section}.resources",
        requests,
        {
            f"{main}.resources.requests.cpu": requests["requests"]["cpu"],
            f"{main}.resources.requests.memory": None,
            f"{main}.resources.limits": None,
        },
    )
    repository, tag = {"mongodb": ("mongo", "4.4.30"), "redis": ("redis", "6.2.22")}[store]
    yield from image_rows(store, repository, tag, main)
    template = f"{owner} spec.volumeClaimTemplates"
    persistence = f"{pod_section}.persistence"
    yield Row(
        f"{persistence}.accessModes[0]",
        "ReadWriteMany",
        {f"{template}.{claim}.spec.accessModes": ["ReadWriteMany"]},
    )
    yield Row(
        f"{persistence}.size", "7Gi", {f"{template}.{claim}.spec.resources.requests.storage": "7Gi"}
    )
    yield Row(
        f"{persistence}.storageClass", "fast", {f"{template}.{claim}.spec.storageClassName": "fast"}
    )
    yield Row(
        f"{persistence}.annotations",
        {"probe": "on"},
        {f"{template}.{claim}.metadata.annotations": {"probe": "on"}},
    )
    mine = {"name": claim, "persistentVolumeClaim": {"claimName": "mine"}}
    yield Row(
        f"{persistence}.existingClaim",
        "mine",
        {template: None, f"{pod}.volumes.{claim}": mine},
        outside=MY_CLAIM,
    )
    yield Row(
        f"{persistence}.enabled",
        False,
        {template: None, f"{pod}.volumes.{claim}": {"name": claim, "emptyDir": {}}},
    )


EXPORTERS = {
    "mongodb": "percona/mongodb_exporter",
    "redis": "oliver006/redis_exporter",
    "elasticsearch": "quay.io/prometheuscommunity/elasticsearch-exporter",
}


def metrics_rows(store: str) -> Iterator[Row]:
    name = STORE_POD[store].partition("/")[2]
    section, pod = f"{store}.metrics", f"{STORE_POD[store]} pod"
    exporter, monitor = f"{pod}.containers.metrics", f"ServiceMonitor/{name}"
    enabled = {f"{section}.enabled": True}
    monitored = enabled | {f"{section}.serviceMonitor.enabled": True}
    yield Row(
        f"{section}.enabled",
        True,
        {
            exporter: ANY,
            f"Service/{name}-headless spec.ports.metrics": ANY,
            f"NetworkPolicy/{name} spec.ingress": ANY,
        },
    )
    yield Row(f"{section}.serviceMonitor.enabled", True, {monitor: ANY}, enabled)
    release = {"release": "prometheus"}
    yield Row(
        f"{section}.serviceMonitor.labels",
        release,
        {f"{monitor} metadata.labels.release": "prometheus"},
        monitored,
    )
    yield Row(
        f"{section}.serviceMonitor.interval",
        "1m30s",
        {f"{monitor} spec.endpoints": [{"interval": "1m30s", "port": "metrics"}]},
        monitored,
    )
    limits = {"limits": {"memory": "64Mi"}}
    yield Row(f"{section}.resources", limits, {f"{exporter}.resources": limits}, enabled)
    for key, value, place, new in (
        ("repository", "example.org/mine", "image", Containing("example.org/mine:")),
        ("tag", "9.9", "image", f"{EXPORTERS[store]}:9.9"),
        ("pullPolicy", "Always", "imagePullPolicy", "Always"),
        ("registry", "own.org", "image", Containing("own.org/")),
        ("digest", DIGEST, "image", f"{EXPORTERS[store]}@{DIGEST}"),
    ):
        yield Row(f"{section}.image.{key}", value, {f"{exporter}.{place}": new}, enabled)
    yield Row(
        f"{section}.image.pullSecrets",
        ["registry-key"],
        {f"{pod}.imagePullSecrets": [{"name": "registry-key"}]},
        enabled,
        REGISTRY_KEY,
    )


# What goes when the server is told of a store by URLs.
BY_HOST_AND_PORT: dict[str, Effects] = {
    store: {f"{API_ENV}.CLEARML_{store}_SERVICE_{part}": None for part in ("HOST", "PORT")}
    for store in ("MONGODB", "ELASTIC")
}
FIRST_AND_SECOND = frozenset({("Secret", "first"), ("Secret", "second")})


def mongodb_urls(url: str) -> Effects:
    """The two databases, at a URL with a gap for the name."""
    return {
        f"{API_ENV}.CLEARML__HOSTS__MONGO__{database.upper()}__HOST": f'"{url.format(database)}"'
        for database in ("backend", "auth")
    }


def member_hosts(count: int) -> str:
    """The members of a replica set."""
    return ",".join(f"clearml-mongodb-{n}.clearml-mongodb-headless:27017" for n in range(count))


def replica_set(count: int) -> Effects:
    """What the API server is told of a replica set."""
    return {
        **told("mongodb", member_hosts(count)),
        **mongodb_urls(f"mongodb://{member_hosts(count)}/{{}}?replicaSet=rs0"),
    }


def mongodb_rows() -> Iterator[Row]:
    service, main = "Service/clearml-mongodb", f"{STORE_POD['mongodb']} pod.containers.mongodb"
    password = {"mongodb.auth.rootPassword": "test-secret-1"}
    existing = {"mongodb.auth.enabled": True, "mongodb.auth.existingSecret": "first"}
    key = "mongodb-root-password"
    yield from store_rows("mongodb", "mongodb", "data")
    yield Row(
        "mongodb.service.name",
        "db",
        {
            service: None,
            "Service/db": ANY,
            f"{API_ENV}.CLEARML_MONGODB_SERVICE_HOST": "db",
            **told("mongodb", "db:27017"),
        },
    )
    yield Row(
        "mongodb.service.port",
        27018,
        {
            f"{service} spec.ports.mongo-service.port": 27018,
            f"{API_ENV}.CLEARML_MONGODB_SERVICE_PORT": "27018",
            **told("mongodb", "clearml-mongodb:27018"),
        },
    )
    yield Row(
        "mongodb.service.portName",
        "mongo",
        {
            f"{service} spec.ports.mongo-service": None,
            f"{service} spec.ports.mongo": {
                "name": "mongo",
                "port": 27017,
                "targetPort": "mongodb",
            },
        },
    )
    yield Row(
        "mongodb.service.type",
        "LoadBalancer",
        {
            f"{service} spec.type": "LoadBalancer",
            "NetworkPolicy/clearml-mongodb spec.ingress": [
                {"ports": [{"port": 27017, "protocol": "TCP"}]}
            ],
        },
    )
    url = "mongodb://root:$(MONGODB_PASSWORD)@clearml-mongodb:27017/{}?authSource=admin"
    yield Row(
        "mongodb.auth.enabled",
        True,
        {
            "Secret/clearml-mongodb": ANY,
            f"{STORE_POD['mongodb']} annotations.checksum/clearml-mongodb": ANY,
            f"{main}.env.MONGO_INITDB_ROOT_USERNAME": "root",
            f"{main}.env.MONGO_INITDB_ROOT_PASSWORD": env_from("clearml-mongodb", key),
            "Deployment/clearml-apiserver annotations.checksum/clearml-mongodb": ANY,
            f"{API_ENV}.MONGODB_PASSWORD": env_from("clearml-mongodb", key),
            **BY_HOST_AND_PORT["MONGODB"],
            **mongodb_urls(url),
        },
        password,
    )
    yield Row(
        "mongodb.auth.rootPassword",
        "test-secret-2",
        {
            f"Secret/clearml-mongodb data.{key}": "test-secret-2",
            f"{STORE_POD['mongodb']} annotations.checksum/clearml-mongodb": ANY,
            "Deployment/clearml-apiserver annotations.checksum/clearml-mongodb": ANY,
        },
        password | {"mongodb.auth.enabled": True},
    )
    yield Row(
        "mongodb.auth.existingSecret",
        "second",
        {
            f"{main}.env.MONGO_INITDB_ROOT_PASSWORD.secretKeyRef.name": "second",
            f"{API_ENV}.MONGODB_PASSWORD.secretKeyRef.name": "second",
        },
        existing,
        FIRST_AND_SECOND,
    )
    yield Row(
        "mongodb.auth.existingSecretKey",
        "other",
        {
            f"{main}.env.MONGO_INITDB_ROOT_PASSWORD.secretKeyRef.key": "other",
            f"{API_ENV}.MONGODB_PASSWORD.secretKeyRef.key": "other",
        },
        existing,
        FIRST_AND_SECOND,
    )
    yield from replica_set_rows()
    yield from mongodb_external_rows()


def replica_set_rows() -> Iterator[Row]:
    pod = f"{STORE_POD['mongodb']} pod"
    keeper = f"{pod}.containers.replica-set"
    options = ["--setParameter", "internalQueryMaxBlockingSortMemoryUsageBytes=196100200"]
    several = {"mongodb.architecture": "replicaset"}
    yield Row(
        "mongodb.architecture",
        "replicaset",
        {
            f"{pod}.affinity": {"podAntiAffinity": ANY},
            keeper: ANY,
            f"{pod}.volumes.shell": {"name": "shell", "emptyDir": {}},
            "NetworkPolicy/clearml-mongodb spec.ingress": ANY,
            "NetworkPolicy/clearml-mongodb spec.egress": ANY,
            f"{pod}.containers.mongodb.args": [*options, "--replSet", "rs0"],
            **BY_HOST_AND_PORT["MONGODB"],
            **replica_set(1),
        },
    )
    yield Row(
        "mongodb.replicaCount",
        3,
        {
            f"{STORE_POD['mongodb']} spec.replicas": 3,
            "PodDisruptionBudget/clearml-mongodb-pdb": ANY,
            **{f"{keeper}.env.{text}": ANY for text in ("REPLICA_SET_URL", "INITIATE", "ADJUST")},
            **replica_set(3),
        },
        several,
    )
    yield Row(
        "mongodb.replicaSetName",
        "mine",
        {
            f"{pod}.containers.mongodb.args": [*options, "--replSet", "mine"],
            f"{keeper}.env.REPLICA_SET_URL": Containing("?replicaSet=mine"),
            f"{keeper}.env.INITIATE": Containing('"_id": "mine"'),
            **mongodb_urls(f"mongodb://{member_hosts(1)}/{{}}?replicaSet=mine"),
        },
        several,
    )
    yield Row(
        "mongodb.auth.replicaSetKey",
        "testsecretkey2",
        {
            "Secret/clearml-mongodb data.mongodb-replica-set-key": "testsecretkey2",
            f"{STORE_POD['mongodb']} annotations.checksum/clearml-mongodb": ANY,
        },
        several
        | {
            "mongodb.auth.enabled": True,
            "mongodb.auth.rootPassword": "test-secret-1",
            "mongodb.auth.replicaSetKey": "testsecretkey1",
        },
    )


def mongodb_external_rows() -> Iterator[Row]:
    off = {"mongodb.enabled": False}
    urls = {
        f"mongodb.external.{database}": f"mongodb://test-user:test-secret-1@db/{database}"
        for database in ("backend", "auth")
    }
    wait = f"{DEPLOYMENT['apiserver']} pod.initContainers.wait-for-mongodb-redis-elasticsearch"
    for database in ("backend", "auth"):
        url = f"mongodb+srv://test-user:test-secret-2@db/{database}"
        yield Row(
            f"mongodb.external.{database}",
            url,
            {
                f"Secret/clearml-mongodb data.{database}": url,
                "Deployment/clearml-apiserver annotations.checksum/clearml-mongodb": ANY,
            },
            off | urls,
        )
        users = [f"{API_ENV}.MONGODB_{database.upper()}"]
        if database == "backend":  # both are in the same place
            users.append(f"{wait}.env.MONGODB_BACKEND")
        yield Row(
            f"mongodb.external.{database}Key",
            "other",
            {f"{user}.secretKeyRef.key": "other" for user in users},
            off | {"mongodb.external.existingSecret": "first"},
            FIRST_AND_SECOND,
        )
    yield Row(
        "mongodb.external.existingSecret",
        "second",
        {
            f"{user}.secretKeyRef.name": "second"
            for user in (
                f"{API_ENV}.MONGODB_BACKEND",
                f"{API_ENV}.MONGODB_AUTH",
                f"{wait}.env.MONGODB_BACKEND",
            )
        },
        off | {"mongodb.external.existingSecret": "first"},
        FIRST_AND_SECOND,
    )


def redis_rows() -> Iterator[Row]:
    owner = STORE_POD["redis"]
    main = f"{owner} pod.containers.redis"
    password = {"redis.password": "test-secret-1"}
    variable = f"{main}.env.REDISCLI_AUTH"
    yield from store_rows("redis", "redis.master", "redis-data")
    db = f"{API_ENV}.CLEARML__HOSTS__REDIS__"
    yield Row("redis.databaseNumber", 2, {f"{db}APISERVER__DB": "2", f"{db}WORKERS__DB": "6"})
    yield Row(
        "redis.master.name",
        "cache",
        {
            "Service/clearml-redis-master": None,
            "Service/cache": ANY,
            f"{API_ENV}.CLEARML_REDIS_SERVICE_HOST": "cache",
            **told("redis", "cache:6379"),
        },
    )
    options = ["--databases", "16", "--appendonly", "yes", "--save", ""]
    yield Row(
        "redis.master.port",
        6380,
        {
            "Service/clearml-redis-master spec.ports.redis.port": 6380,
            "Service/clearml-redis-master-headless spec.ports.redis.port": 6380,
            "NetworkPolicy/clearml-redis-master spec.ingress": ANY,
            f"{main}.ports.redis.containerPort": 6380,
            f"{main}.args": ["redis-server", "--port", "6380", *options],
            f"{main}.readinessProbe.exec.command": [
                "sh",
                "-c",
                '[ "$(redis-cli -p 6380 ping)" = PONG ]',
            ],
            f"{API_ENV}.CLEARML_REDIS_SERVICE_PORT": "6380",
            **told("redis", "clearml-redis-master:6380"),
        },
    )
    from_secret = env_from("clearml-redis", "redis-password")
    yield Row(
        "redis.usePassword",
        True,
        {
            "Secret/clearml-redis": ANY,
            f"{owner} annotations.checksum/clearml-redis": ANY,
            variable: from_secret,
            f"{main}.args": [
                "redis-server",
                "--port",
                "6379",
                *options,
                "--requirepass",
                "$(REDISCLI_AUTH)",
            ],
            "Deployment/clearml-apiserver annotations.checksum/clearml-redis": ANY,
            f"{API_ENV}.CLEARML_REDIS_SERVICE_PASSWORD": from_secret,
            f"{db}APISERVER__PASSWORD": '"$(CLEARML_REDIS_SERVICE_PASSWORD)"',
            f"{db}WORKERS__PASSWORD": '"$(CLEARML_REDIS_SERVICE_PASSWORD)"',
        },
        password,
    )
    yield Row(
        "redis.password",
        "test-secret-2",
        {
            "Secret/clearml-redis data.redis-password": "test-secret-2",
            f"{owner} annotations.checksum/clearml-redis": ANY,
            "Deployment/clearml-apiserver annotations.checksum/clearml-redis": ANY,
        },
        password | {"redis.usePassword": True},
    )
    yield Row(
        "redis.existingSecret",
        "second",
        {
            f"{variable}.secretKeyRef.name": "second",
            f"{API_ENV}.CLEARML_REDIS_SERVICE_PASSWORD.secretKeyRef.name": "second",
        },
        {"redis.usePassword": True, "redis.existingSecret": "first"},
        FIRST_AND_SECOND,
    )
    yield Row(
        "redis.existingSecretPasswordKey",
        "other",
        {
            f"{variable}.secretKeyRef.key": "other",
            f"{API_ENV}.CLEARML_REDIS_SERVICE_PASSWORD.secretKeyRef.key": "other",
        },
        {"redis.usePassword": True, "redis.existingSecret": "first"},
        FIRST_AND_SECOND,
    )
    yield Row(
        "redis.external.tls",
        True,
        {f"{db}{user}__SSL": "true" for user in ("APISERVER", "WORKERS")},
        {"redis.enabled": False},
    )
    replicas = "clearml-redis-slave"
    yield Row(
        "redis.cluster.enabled",
        True,
        {
            f"StatefulSet/{replicas}": ANY,
            f"Service/{replicas}": ANY,
            f"Service/{replicas}-headless": ANY,
            f"NetworkPolicy/{replicas}": ANY,
            "NetworkPolicy/clearml-redis-master spec.ingress": ANY,
            f"PodDisruptionBudget/{replicas}-pdb": ANY,
        },
    )
    yield Row(
        "redis.cluster.slaveCount",
        3,
        {
            f"StatefulSet/{replicas} spec.replicas": 3,
            f"PodDisruptionBudget/{replicas}-pdb spec.minAvailable": 2,
        },
        {"redis.cluster.enabled": True},
    )


def elasticsearch_rows() -> Iterator[Row]:
    name, owner = "clearml-elastic-master", STORE_POD["elasticsearch"]
    main, pod = f"{owner} pod.containers.elasticsearch", f"{owner} pod"
    image = "docker.elastic.co/elasticsearch/elasticsearch"
    claim = f"{owner} spec.volumeClaimTemplates.{name}.spec"
    yield from store_rows("elasticsearch", "elasticsearch", name)

    def row(
        key: str, value: Any, effects: Effects, context: Mapping[str, Any] | None = None
    ) -> Row:
        return Row(f"elasticsearch.{key}", value, effects, context or {})

    for key, variable, value in (
        ("clusterHealthCheckParams", "HEALTH_CHECK_PARAMS", "wait_for_status=green"),
        ("esJavaOpts", "ES_JAVA_OPTS", "-Xmx1g"),
    ):
        yield row(key, value, {f"{main}.env.{variable}": value})
    roles = ("master", "data", "ingest", "remote_cluster_client")
    for role in roles:
        left = {f"{main}.env.node.roles": ",".join(other for other in roles if other != role)}
        masters = {f"{main}.env.cluster.initial_master_nodes": None} if role == "master" else {}
        yield row(f"roles.{role}", "false", {**left, **masters})
    renamed = {
        place.replace("clearml-elastic", "search"): ANY for place in EMBEDDED["elasticsearch"]
    }
    yield row(
        "clusterName",
        "search",
        {
            **EMBEDDED["elasticsearch"],
            **renamed,
            f"{API_ENV}.CLEARML_ELASTIC_SERVICE_HOST": "search-master",
            **told("elasticsearch", "search-master:9200"),
        },
    )
    yield row(
        'esConfig."elasticsearch.yml"',
        "xpack.security.enabled: true\n",
        {
            f"ConfigMap/{name}-config data.elasticsearch.yml": "xpack.security.enabled: true\n",
            f"{owner} annotations.checksum/clearml-elastic-master-config": ANY,
        },
    )
    count = sum(
        re.fullmatch(r"elasticsearch\.extraEnvs\[\d+\]\.name", key) is not None for key in DEFAULTS
    )
    for index in range(count):
        variable, value = (
            DEFAULTS[f"elasticsearch.extraEnvs[{index}].{k}"] for k in ("name", "value")
        )
        # Ours of the former name stays.
        yield row(f"extraEnvs[{index}].name", "probe", {f"{main}.env.probe": value})
        yield row(f"extraEnvs[{index}].value", "probe", {f"{main}.env.{variable}": "probe"})
    yield row(
        "httpPort",
        9201,
        {
            f"Service/{name} spec.ports.http.port": 9201,
            f"Service/{name}-headless spec.ports.http.port": 9201,
            f"NetworkPolicy/{name} spec.ingress": ANY,
            f"{main}.ports.http.containerPort": 9201,
            f"{main}.env.http.port": "9201",
            f"{main}.readinessProbe.exec.command": ["bash", "-ec", Containing("127.0.0.1:9201\n")],
            f"{API_ENV}.CLEARML_ELASTIC_SERVICE_PORT": "9201",
            **told("elasticsearch", f"{name}:9201"),
        },
    )
    yield row(
        "replicas",
        3,
        {
            f"{owner} spec.replicas": 3,
            f"{main}.env.cluster.initial_master_nodes": f"{name}-0,{name}-1,{name}-2",
            f"PodDisruptionBudget/{name}-pdb": ANY,
        },
    )
    yield row(
        "minimumMasterNodes",
        4,
        {f"PodDisruptionBudget/{name}-pdb spec.minAvailable": 4},
        {"elasticsearch.replicas": 5},
    )
    yield row(
        "persistence.enabled",
        False,
        {
            f"{owner} spec.volumeClaimTemplates": None,
            f"{pod}.volumes.{name}": {"name": name, "emptyDir": {}},
        },
    )
    for limit in ("limits", "requests"):
        yield row(
            f"resources.{limit}.memory",
            {"limits": "8Gi", "requests": "2Gi"}[limit],
            {f"{main}.resources.{limit}.memory": {"limits": "8Gi", "requests": "2Gi"}[limit]},
        )
    template = "volumeClaimTemplate"
    yield row(
        f"{template}.accessModes[0]", "ReadWriteMany", {f"{claim}.accessModes": ["ReadWriteMany"]}
    )
    yield row(
        f"{template}.resources.requests.storage",
        "7Gi",
        {f"{claim}.resources.requests.storage": "7Gi"},
    )
    annotations = f"{owner} spec.volumeClaimTemplates.{name}.metadata.annotations"
    yield row("persistence.annotations", {"probe": "on"}, {annotations: {"probe": "on"}})
    yield row(f"{template}.storageClassName", "fast", {f"{claim}.storageClassName": "fast"})
    yield row("image", "example.org/es", {f"{main}.image": "example.org/es:7.17.29"})
    yield row("imageTag", "7.17.28", {f"{main}.image": f"{image}:7.17.28"})
    yield row("imagePullPolicy", "Always", {f"{main}.imagePullPolicy": "Always"})
    elsewhere = "example.org/elasticsearch/elasticsearch:7.17.29"
    yield row("imageRegistry", "example.org", {f"{main}.image": elsewhere})
    # A digest does not tell whether it is one that converts data of a former version.
    looks = {f"{pod}.initContainers.refuse-older-data": ANY}
    yield row("imageDigest", DIGEST, {f"{main}.image": f"{image}@{DIGEST}", **looks})
    affinity = AFFINITY["nodeAffinity"]
    yield row("nodeAffinity", affinity, {f"{pod}.affinity.nodeAffinity": affinity})
    yield row(
        "sysctlInitContainer.enabled",
        True,
        {f"{pod}.initContainers.configure-sysctl": ANY, f"{main}.env.node.store.allow_mmap": None},
    )


def search_hosts(*hosts: str | dict[str, Any]) -> Effects:
    """What the API server is told of the nodes of an Elasticsearch."""
    return {
        f"{API_ENV}.CLEARML__HOSTS__ELASTIC__{cluster}__HOSTS": json.dumps(hosts)
        for cluster in ("EVENTS", "WORKERS")
    }


def elasticsearch_external_rows() -> Iterator[Row]:
    hosts = {
        "elasticsearch.enabled": False,
        "elasticsearch.external.hosts": ["https://search.example.com"],
    }
    login = hosts | {
        "elasticsearch.external.username": "test-user",
        "elasticsearch.external.password": "test-secret-1",
    }
    password = f"{API_ENV}.CLEARML_ELASTIC_SERVICE_PASSWORD"
    rolled = {"Deployment/clearml-apiserver annotations.checksum/clearml-elasticsearch": ANY}
    yield Row(
        "elasticsearch.external.hosts",
        ["https://a.example.com", "b:9201"],
        {
            **BY_HOST_AND_PORT["ELASTIC"],
            **told("elasticsearch", "a.example.com:9200,b:9201"),
            **search_hosts("https://a.example.com:9200", "http://b:9201"),
        },
        {"elasticsearch.enabled": False},
    )
    yield Row(
        "elasticsearch.external.username",
        "test-other",
        search_hosts(
            "https://test-other:$(CLEARML_ELASTIC_SERVICE_PASSWORD)@search.example.com:9200"
        ),
        login,
    )
    yield Row(
        "elasticsearch.external.password",
        "test-secret-2",
        {"Secret/clearml-elasticsearch data.password": "test-secret-2", **rolled},
        login,
    )
    yield Row(
        "elasticsearch.external.passwordKey",
        "other",
        {
            "Secret/clearml-elasticsearch data.password": None,
            "Secret/clearml-elasticsearch data.other": "test-secret-1",
            f"{password}.secretKeyRef.key": "other",
            **rolled,
        },
        login,
    )
    yield from elasticsearch_tls_rows(hosts)
    yield Row(
        "elasticsearch.external.existingSecret",
        "second",
        {f"{password}.secretKeyRef.name": "second"},
        hosts
        | {
            "elasticsearch.external.username": "test-user",
            "elasticsearch.external.existingSecret": "first",
        },
        FIRST_AND_SECOND,
    )


def elasticsearch_tls_rows(hosts: Mapping[str, Any]) -> Iterator[Row]:
    pod = f"{DEPLOYMENT['apiserver']} pod"
    node: dict[str, Any] = {"host": "search.example.com", "port": 9200, "use_ssl": True}
    secret = {"elasticsearch.external.ca.existingSecret": "first"}
    yield Row(
        "elasticsearch.external.verifyCerts",
        False,
        search_hosts(node | {"verify_certs": False}),
        hosts,
    )
    mounted = {
        f"{pod}.volumes.elasticsearch-ca": ANY,
        f"{MAIN['apiserver']}.volumeMounts./run/elasticsearch-ca": ANY,
    }
    yield Row(
        "elasticsearch.external.ca.certificate",
        CERTIFICATE,
        {
            **mounted,
            **search_hosts(node | {"ca_certs": "/run/elasticsearch-ca/ca.crt"}),
            "Secret/clearml-elasticsearch": ANY,
            "Deployment/clearml-apiserver annotations.checksum/clearml-elasticsearch": ANY,
        },
        hosts,
    )
    yield Row(
        "elasticsearch.external.ca.existingSecret",
        "second",
        {f"{pod}.volumes.elasticsearch-ca.secret.secretName": "second"},
        {**hosts, **secret},
        FIRST_AND_SECOND,
    )
    yield Row(
        "elasticsearch.external.ca.key",
        "other",
        {
            f"{pod}.volumes.elasticsearch-ca.secret.items": [{"key": "other", "path": "other"}],
            **search_hosts(node | {"ca_certs": "/run/elasticsearch-ca/other"}),
        },
        {**hosts, **secret},
        FIRST_AND_SECOND,
    )


def external_services_rows() -> Iterator[Row]:
    """The words of later charts; test_external.py compares each with ours."""

    def row(key: str, value: Any, effects: Effects, **context: Any) -> Row:
        store = re.sub("[A-Z].*", "", key)
        given = {f"externalServices.{name}": other for name, other in context.items()}
        return Row(f"externalServices.{key}", value, effects, {f"{store}.enabled": False, **given})

    for store, host, port in (
        ("redis", "clearml-redis-master", 6379),
        ("mongodb", "clearml-mongodb", 27017),
    ):
        variable = f"{API_ENV}.CLEARML_{store.upper()}_SERVICE"
        yield row(
            f"{store}Host",
            "mine.example.com",
            {f"{variable}_HOST": "mine.example.com", **told(store, f"mine.example.com:{port}")},
        )
        yield row(f"{store}Port", 7777, {f"{variable}_PORT": "7777", **told(store, f"{host}:7777")})
    backend, auth = "mongodbConnectionStringBackend", "mongodbConnectionStringAuth"
    urls = {
        backend: "mongodb://test-user:test-secret-1@db/backend",
        auth: "mongodb://test-user:test-secret-1@db/auth",
    }
    for key, name in ((backend, "backend"), (auth, "auth")):
        url = f"mongodb://test-user:test-secret-2@db/{name}"
        yield row(
            key,
            url,
            {
                f"Secret/clearml-mongodb data.{name}": url,
                "Deployment/clearml-apiserver annotations.checksum/clearml-mongodb": ANY,
            },
            **urls,
        )
    yield row(
        "elasticsearchHost",
        "search",
        {
            **BY_HOST_AND_PORT["ELASTIC"],
            **told("elasticsearch", "search:9200"),
            **search_hosts("http://search:9200"),
        },
    )
    yield row(
        "elasticsearchPort",
        9201,
        {**told("elasticsearch", "search:9201"), **search_hosts("http://search:9201")},
        elasticsearchHost="search",
    )
    yield row(
        "elasticsearchConnectionString",
        '[{"host": "a"}, {"host": "b", "port": 9201, "scheme": "https"}]',
        {
            **BY_HOST_AND_PORT["ELASTIC"],
            **told("elasticsearch", "a:9200,b:9201"),
            **search_hosts("http://a:9200", "https://b:9201"),
        },
    )


ROWS: tuple[Row, ...] = (
    *(row for section in WORKLOADS for row in workload_rows(section)),
    *server_rows(),
    *clearml_rows(),
    *newer_server_rows(),
    *ingress_rows(),
    *gateway_rows(),
    *cert_manager_rows(),
    *address_rows(),
    *(row for section in AGENTS for row in agent_rows(section)),
    *agent_services_rows(),
    *agent_group_rows(),
    *mongodb_rows(),
    *redis_rows(),
    *elasticsearch_rows(),
    *elasticsearch_external_rows(),
    *external_services_rows(),
)

# Read with provider helm only: test_helm_chart.py and test_make_imports.py look at these.
OF_THE_HELM_CHARTS = {
    f"{store}.chart.{key}"
    for store in ("mongodb", "redis", "elasticsearch")
    for key in ("version", "repository", "archive", "sha256")
}

# They change every object, add any, or none: test_inventory.py, test_pods.py, test_argocd.py,
# test_network.py, test_extra_objects.py, test_server_version.py, test_upgrading.py and
# test_upgrade_steps.py look at them.
OF_THE_WHOLE = {
    "clearml.version",
    "clearml.upgradingFrom",
    "clearml.allowUnsafeUpgrade",
    "release.name",
    "release.namespace",
    "release.createNamespace",
    "nameOverride",
    "fullnameOverride",
    "commonLabels",
    "commonAnnotations",
    "argocd.syncWaves",
    "networkPolicy.enabled",
    "extraObjects",
}

# Of all pods and claims: test_images.py and test_claims.py look at these.
OF_ALL_COMPONENTS = {
    *(
        f"global.{key}"
        for key in ("imageRegistry", "imagePullSecrets", "storageClass", "defaultStorageClass")
    ),
    *(
        f"imageCredentials.{key}"
        for key in ("enabled", "existingSecret", "registry", "username", "password", "email")
    ),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_a_value_changes_what_it_should_and_nothing_else(row: Row) -> None:
    before = render(values_file(row.context), outside=row.outside)
    after = render(values_file({**row.context, row.key: row.value}), outside=row.outside)
    assert row.effects
    assert changes(before, after) == row.effects


def test_every_row_of_the_table_is_flipped() -> None:
    flipped = [row.key for row in ROWS]
    assert len(flipped) == len(set(flipped))
    assert len(DEFAULTS) == 155
    assert set(DEFAULTS) <= set(flipped)


def test_every_flip_is_a_flip() -> None:
    for row in ROWS:
        if row.key in DEFAULTS:
            assert row.value != DEFAULTS[row.key], row.key


def test_every_value_that_exists_is_flipped() -> None:
    flipped = {re.sub(r'\[.*|\."elasticsearch.yml"', "", row.key) for row in ROWS}
    inside_a_fragment = {"elasticsearch.resources"}
    pods = {f"{section}.{key}" for section in NAMES for key in (*SETTINGS, "updateStrategy")}
    around = {
        f"{section}.{trait}" for section in NAMES for trait in (trait.key for trait in EFFECTS)
    }
    # test_credentials.py and test_backup.py ask for these.
    elsewhere = ("credentialsJob.", "backup.", "restore.")
    jobs = {key for key in leaves(Values) if key.startswith(elsewhere)}
    missing = set(leaves(Values)) - flipped - inside_a_fragment - pods - around - jobs
    assert missing == OF_THE_WHOLE | OF_ALL_COMPONENTS | OF_THE_HELM_CHARTS


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The keys of all values that are no sections."""
    for info in model.model_fields.values():
        key, kind = f"{prefix}{info.alias}", info.annotation
        if key == "agentGroups":
            yield from leaves(AgentGroup, f"{GROUP}.")
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{key}.")
        else:
            yield key


def test_the_table_as_a_values_file_gives_the_same_as_no_values() -> None:
    given = values_file(DEFAULTS)
    assert given["elasticsearch"]["esConfig"] == {"elasticsearch.yml": ANY}
    assert len(given["elasticsearch"]["extraEnvs"]) == 9
    # As the loader does it: null means the default.
    assert render(merge({}, given)).files == render().files
