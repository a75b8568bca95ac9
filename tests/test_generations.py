"""What each generation of servers is given: all that it needs, and nothing else."""

from __future__ import annotations

import functools
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import ANY
from urllib.parse import SplitResult, urlsplit

import pytest
from packaging.requirements import Requirement

from config import Values
from config.types.merging import merge
from rendering import Bundle, Object, render
from scenarios import OUTSIDE, OUTSIDE_STORES, SCENARIOS
from test_network import DNS, graph, may_talk, reach, selects

VERSIONS = ("1.0.2", "1.16.2", "2.0.0", "2.3.0")
NEWEST = "2.3.0"
API, FILES, WEB = (f"clearml-{server}" for server in ("apiserver", "fileserver", "webserver"))
DELETION = "clearml-apiserver-asyncdelete"
MONGODB, REDIS, ELASTIC = "clearml-mongodb", "clearml-redis-master", "clearml-elastic-master"


def version(number: str, values: Object | None = None) -> Object:
    """The values, for the servers of that version."""
    content: Object = merge(values or {}, {"clearml": {"version": number}})
    return content


def newest(values: Object | None = None) -> Bundle:
    return render(version(NEWEST, values))


# What each server is told

# An installation that makes use of whatever a server may be told.
TOLD: Object = {
    "clearml": {"cookieName": "token"},
    "apiserver": {"processes": {"count": 4}},
    "redis": {"usePassword": True, "password": "test-secret-redis"},
    "ingress": {"enabled": True, "host": "example.com", "className": "nginx"},
    "webserver": {"ingress": {"enabled": True, "hostName": "example.com", "path": "/clearml"}},
}
API_URL, FILES_URL = "http://api.example.com", "http://files.example.com"


def key(name: str, secret: str = "clearml-conf") -> Object:
    return {"secretKeyRef": {"name": secret, "key": name}}


PASSWORD = '"$(CLEARML_REDIS_SERVICE_PASSWORD)"'
REDIS_ADDRESS: Object = {
    "CLEARML_REDIS_SERVICE_HOST": REDIS,
    "CLEARML_REDIS_SERVICE_PORT": "6379",
    "CLEARML_REDIS_SERVICE_PASSWORD": key("redis-password", "clearml-redis"),
}
OF_1_0: dict[str, Object] = {
    API: {
        "CLEARML_ELASTIC_SERVICE_HOST": ELASTIC,
        "CLEARML_ELASTIC_SERVICE_PORT": "9200",
        "CLEARML_MONGODB_SERVICE_HOST": MONGODB,
        "CLEARML_MONGODB_SERVICE_PORT": "27017",
        **REDIS_ADDRESS,
        "CLEARML__HOSTS__REDIS__APISERVER__DB": "0",
        "CLEARML__HOSTS__REDIS__APISERVER__PASSWORD": PASSWORD,
        "CLEARML__HOSTS__REDIS__WORKERS__DB": "4",
        "CLEARML__HOSTS__REDIS__WORKERS__PASSWORD": PASSWORD,
        "CLEARML_SERVER_DEPLOYMENT_TYPE": "kubernetes",
        "CLEARML_CONFIG_DIR": "/opt/clearml/config",
        "CLEARML__APISERVER__DEFAULT_COMPANY": "d1bd92a3b039400cbafc60a7a5b1e52b",
        "CLEARML__APISERVER__PRE_POPULATE__ENABLED": "true",
        "CLEARML__APISERVER__PRE_POPULATE__ZIP_FILES": "/opt/clearml/db-pre-populate",
        "CLEARML__APISERVER__PRE_POPULATE__ARTIFACTS_PATH": "/mnt/fileserver",
        "CLEARML__APISERVER__AUTH__SESSION_AUTH_COOKIE_NAME": "token",
        "CLEARML__SECURE__HTTP__SESSION_SECRET__APISERVER": key("http_session"),
        "CLEARML__SECURE__AUTH__TOKEN_SECRET": key("auth_token"),
        "CLEARML__SECURE__CREDENTIALS__APISERVER__USER_KEY": key("apiserver_key"),
        "CLEARML__SECURE__CREDENTIALS__APISERVER__USER_SECRET": key("apiserver_secret"),
        "CLEARML__SECURE__CREDENTIALS__WEBSERVER__USER_KEY": key("webserver_key"),
        "CLEARML__SECURE__CREDENTIALS__WEBSERVER__USER_SECRET": key("webserver_secret"),
        "CLEARML__SECURE__CREDENTIALS__TESTS__USER_KEY": key("tests_user_key"),
        "CLEARML__SECURE__CREDENTIALS__TESTS__USER_SECRET": key("tests_user_secret"),
        "CLEARML__SECURE__CREDENTIALS__SERVICES_AGENT__ROLE": "user",
        "CLEARML__SECURE__CREDENTIALS__SERVICES_AGENT__DISPLAY_NAME": '"ClearML agents"',
        "CLEARML__SECURE__CREDENTIALS__SERVICES_AGENT__USER_KEY": key("services_agent_key"),
        "CLEARML__SECURE__CREDENTIALS__SERVICES_AGENT__USER_SECRET": key("services_agent_secret"),
    },
    FILES: {"CLEARML_UPLOAD_FOLDER": "/mnt/fileserver"},
    WEB: {
        "NGINX_APISERVER_ADDRESS": "http://clearml-apiserver:8008",
        "NGINX_FILESERVER_ADDRESS": "http://clearml-fileserver:8081",
        "COMPANY_ID": "d1bd92a3b039400cbafc60a7a5b1e52b",
        "USER_KEY": key("webserver_key"),
        "USER_SECRET": key("webserver_secret"),
    },
}
FILESERVER_USER = {
    "CLEARML__SECURE__CREDENTIALS__FILESERVER__USER_KEY": key("fileserver_key"),
    "CLEARML__SECURE__CREDENTIALS__FILESERVER__USER_SECRET": key("fileserver_secret"),
}
OF_DELETION = {
    "CLEARML__SERVICES__ASYNC_URLS_DELETE__ENABLED": "true",
    "CLEARML__SERVICES__ASYNC_URLS_DELETE__FILESERVER__URL_PREFIXES": ANY,
}
PAGE_URLS = {"apiServer": API_URL, "filesServer": FILES_URL}
# Its directory is made by the image's entrypoint, which asynchronous delete does not start with.
LOG_FILE = "CLEARML__LOGGING__HANDLERS__TEXT_FILE__FILENAME"
# What 1.16 and all later ones have beside.
MORE: dict[str, Object] = {
    API: {
        **FILESERVER_USER,
        **OF_DELETION,
        "CLEARML__APISERVER__AUTH__COOKIES__DOMAIN": "example.com",
        "CLEARML_USE_GUNICORN": "true",
        "CLEARML_GUNICORN_WORKERS": "4",
    },
    DELETION: {
        **OF_1_0[API],
        **FILESERVER_USER,
        **OF_DELETION,
        "CLEARML__APISERVER__AUTH__COOKIES__DOMAIN": "example.com",
        "PYTHONPATH": "/opt/clearml/apiserver",
        LOG_FILE: "/dev/null",
    },
    FILES: {
        **REDIS_ADDRESS,
        **FILESERVER_USER,
        "CLEARML__HOSTS__REDIS__FILESERVER__DB": "8",
        "CLEARML__HOSTS__REDIS__FILESERVER__PASSWORD": PASSWORD,
        "CLEARML__HOSTS__API_SERVER": '"http://clearml-apiserver:8008"',
        "CLEARML__FILESERVER__AUTH__COOKIE_NAMES": '["token"]',
    },
    WEB: {
        "WEBSERVER__apiBaseUrl": json.dumps(API_URL),
        "WEBSERVER__fileBaseUrl": json.dumps(FILES_URL),
        "WEBSERVER__displayedServerUrls": json.dumps(PAGE_URLS),
        "CLEARML_SERVER_SUB_PATH": "clearml",
    },
}


@pytest.mark.parametrize("number", VERSIONS)
@pytest.mark.parametrize("server", [API, DELETION, FILES, WEB])
def test_a_server_is_told_what_its_generation_needs_and_no_more(server: str, number: str) -> None:
    old = number == "1.0.2"
    demanded = OF_1_0.get(server, {}) | ({} if old else MORE[server])
    bundle = render(version(number, TOLD))
    told = bundle.env(server) if server in bundle.workloads else {}
    assert told == demanded


@dataclass(frozen=True)
class Probed:
    """What the probes of a server ask: a path, or its port alone."""

    server: str
    of_1_0_2: Object
    later: Object


HTTP_ROOT: Object = {"httpGet": {"path": "/", "port": "http"}}
PING: Object = {"httpGet": {"path": "/debug.ping", "port": "http"}}
PORT: Object = {"tcpSocket": {"port": "http"}}


@pytest.mark.parametrize("number", VERSIONS)
@pytest.mark.parametrize(
    "probed",
    [Probed(API, PING, PING), Probed(FILES, PORT, HTTP_ROOT), Probed(WEB, HTTP_ROOT, HTTP_ROOT)],
    ids=lambda probed: probed.server,
)
def test_probes_ask_what_the_generation_answers(probed: Probed, number: str) -> None:
    container = render(version(number)).container(probed.server)
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = {k: v for k, v in container[kind].items() if k in ("httpGet", "tcpSocket")}
        assert asked == (probed.of_1_0_2 if number == "1.0.2" else probed.later)


def _names(bundle: Bundle) -> set[tuple[str, str]]:
    """Kind and name of all objects; a Job's name is that of its content."""
    return {(k, n.rpartition("-")[0] if k == "Job" else n) for k, n in bundle.inventory}


def _has_version(values: Any) -> bool:
    tags = (
        values.get(s, {}).get("image", {}).get("tag")
        for s in ("apiserver", "fileserver", "webserver")
    )
    return any(tags) or "version" in values.get("clearml", {})


@pytest.mark.parametrize("number", VERSIONS[1:])
@pytest.mark.parametrize(
    "name", [name for name, values in SCENARIOS.items() if not _has_version(values)]
)
def test_values_of_1_0_2_need_no_change_but_the_version(name: str, number: str) -> None:
    values, outside = SCENARIOS[name], OUTSIDE.get(name, ())
    before, after = (render(v, outside=outside) for v in (values, version(number, values)))
    more = {("Deployment", DELETION)}
    if name == "surrounded":
        more.add(("NetworkPolicy", DELETION))
    of_the_job = {
        (kind, "clearml-credentials")
        for kind in ("Job", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy")
    }
    assert _names(after) - _names(before) - of_the_job == more
    assert _names(before) <= _names(after)


# The file server's login

OFF: Object = {"fileserver": {"auth": {"enabled": False}}}


def _waits(bundle: Bundle, workload: str) -> dict[str, str]:
    """What the pods of a workload wait for, with its address."""
    containers = bundle.pod(workload).get("initContainers", [])
    (args,) = (c["args"] for c in containers if c["name"].startswith("wait-for-"))
    return dict(argument.split("=", 1) for argument in args)


def test_the_file_server_waits_for_who_checks_and_keeps_its_logins() -> None:
    assert _waits(newest(), FILES) == {
        "redis": f"tcp://{REDIS}:6379",
        "apiserver": "http://clearml-apiserver:8008/debug.ping",
    }


def test_both_sides_of_the_file_servers_login_have_the_same_credential() -> None:
    bundle = newest()
    for variable, value in FILESERVER_USER.items():
        assert bundle.env(API)[variable] == bundle.env(FILES)[variable] == value
    made = bundle.made["clearml-conf"]["lengths"]
    assert {"fileserver_key", "fileserver_secret"} <= made.keys()


def test_a_redis_elsewhere_remembers_the_logins() -> None:
    env = newest(OUTSIDE_STORES).env(FILES)
    assert env["CLEARML_REDIS_SERVICE_HOST"] == "redis.example.com"
    assert env["CLEARML_REDIS_SERVICE_PORT"] == "6380"


ELSEWHERE: Object = {
    "apiserver": {"enabled": False},
    "clearml": {
        "clientConfigurationApiUrl": "https://api.example.com",
        "existingSecret": "mine",
    },
}


def test_an_api_server_elsewhere_checks_the_logins() -> None:
    bundle = render(version(NEWEST, ELSEWHERE), outside={("Secret", "mine")})
    assert bundle.env(FILES)["CLEARML__HOSTS__API_SERVER"] == '"https://api.example.com"'
    assert DELETION not in bundle.workloads


def test_without_any_api_server_nobody_checks_logins() -> None:
    values: Object = {
        "apiserver": {"enabled": False},
        "webserver": {"enabled": False},
        "agentservices": {"enabled": False},
        "agentGroups": {"agent-group0": {"enabled": False}},
    }
    with pytest.raises(ValueError, match=r"fileserver\.auth\.enabled: needs an API server"):
        Values.read(version(NEWEST, values))
    assert Values.read(version(NEWEST, merge(values, OFF)))
    assert Values.read(version("1.0.2", values))
    assert Values.read(version(NEWEST, merge(values, {"fileserver": {"enabled": False}})))


def test_a_file_server_without_logins_is_told_so_and_needs_nobody() -> None:
    bundle = newest(OFF)
    assert bundle.env(FILES) == {
        "CLEARML_UPLOAD_FOLDER": "/mnt/fileserver",
        "CLEARML__FILESERVER__AUTH__ENABLED": "false",
    }
    names = [container["name"] for container in bundle.pod(FILES)["initContainers"]]
    assert names == ["unpack-examples"]
    assert not any("checksum/clearml-conf" in note for note in bundle.annotations(FILES))


def test_pods_of_the_file_server_roll_with_its_credential() -> None:
    def annotations(secret: str) -> Any:
        given = {"clearml": {"credentials": {"fileserverSecret": secret}}}
        return newest(given).annotations(FILES)["checksum/clearml-conf"]

    assert annotations("test-secret-1") != annotations("test-secret-2")


@pytest.mark.parametrize(
    ("values", "known_since"),
    [
        ({"fileserver": {"auth": {"enabled": True}}}, "1.16.0"),
        ({"apiserver": {"asyncdelete": {"enabled": False}}}, "1.9.2"),
        ({"apiserver": {"asyncdelete": {"urlPrefixes": ["http://old.org"]}}}, "1.9.2"),
        ({"apiserver": {"processes": {"count": 2}}}, "1.2.0"),
    ],
)
def test_what_the_servers_do_not_know_is_warned_of(values: Object, known_since: str) -> None:
    def told(number: str) -> list[str]:
        lines = Values.read(version(number, values)).warnings()
        return [line.partition(":")[0] for line in lines if "has no such thing" in line]

    ((section, inner),) = values.items()
    assert told("1.0.2") == [f"{section}.{next(iter(inner))}"]
    assert told(known_since) == []


def test_what_is_left_alone_is_not_warned_of() -> None:
    assert not any("no such thing" in line for line in Values.read({}).warnings())


# Asynchronous delete


def test_no_service_finds_the_pods_of_asynchronous_delete() -> None:
    bundle = newest()
    labels = bundle.template(DELETION)["metadata"]["labels"]
    for service in bundle.of("Service").values():
        assert not service["spec"]["selector"].items() <= labels.items()
    selectors = {name: workload["spec"]["selector"] for name, workload in bundle.workloads.items()}
    assert [name for name, own in selectors.items() if selects(own, labels)] == [DELETION]
    api = bundle.template(API)["metadata"]["labels"]
    assert not selects(selectors[DELETION], api)


CONFIGURED: Object = {
    "mongodb": {"auth": {"enabled": True, "rootPassword": "test-secret-mongodb"}},
    "clearml": {
        "fixedUsers": {
            "enabled": True,
            "users": [{"username": "jane", "password": "test-secret-jane", "name": "Jane"}],
        },
    },
    "apiserver": {"additionalConfigs": {"services.conf": "a: 1"}},
}
# Said to the API server alone, or to the other.
OF_ONE = {"CLEARML_USE_GUNICORN", "CLEARML_GUNICORN_WORKERS", "PYTHONPATH", LOG_FILE}


@pytest.mark.parametrize("values", [{}, CONFIGURED, OUTSIDE_STORES, TOLD])
def test_asynchronous_delete_has_the_settings_of_the_api_server(values: Object) -> None:
    bundle = newest(values)
    api, deletion = bundle.env(API), bundle.env(DELETION)
    assert set(_unlike(api, deletion)) <= OF_ONE
    assert bundle.container(API)["image"] == bundle.container(DELETION)["image"]
    assert bundle.container(API)["volumeMounts"] == bundle.container(DELETION)["volumeMounts"]
    assert bundle.pod(API)["volumes"] == bundle.pod(DELETION)["volumes"]
    assert bundle.annotations(API) == bundle.annotations(DELETION)


def _unlike(one: Object, other: Object) -> Iterator[str]:
    return (name for name in one | other if one.get(name) != other.get(name))


def test_asynchronous_delete_sees_no_files_by_hand() -> None:
    bundle = newest({"apiserver": {"storage": {"enableConfigVolume": True}}})
    volumes = [volume["name"] for volume in bundle.pod(DELETION)["volumes"]]
    assert "apiserver-config" not in volumes
    assert "strategy" not in bundle.workloads[DELETION]["spec"]
    directories = bundle.env(DELETION)["CLEARML_CONFIG_DIR"].split(":")
    mounts = bundle.container(DELETION)["volumeMounts"]
    assert set(directories) <= {mount["mountPath"] for mount in mounts}


def test_asynchronous_delete_talks_to_the_file_server_that_it_waits_for() -> None:
    bundle = newest({"fileserver": {"service": {"port": 8123}}})
    url = "http://clearml-fileserver:8123"
    container = bundle.container(DELETION)
    assert container["command"][-3:] == ["python3", "-m", "jobs.async_urls_delete"]
    assert container["args"] == ["--fileserver-host", url]
    assert _waits(bundle, DELETION)["fileserver"].startswith(url)
    assert not [name for name in container if name.endswith("Probe")]


URL_PREFIXES = "CLEARML__SERVICES__ASYNC_URLS_DELETE__FILESERVER__URL_PREFIXES"


def prefixes_of(values: Object) -> list[str]:
    """What the API server and asynchronous delete are told of the URLs of files, both the same."""
    bundle = render(version(NEWEST, values), outside={("Secret", "clearml-tls")})
    told = {bundle.env(workload)[URL_PREFIXES] for workload in (API, DELETION)}
    (prefixes,) = map(json.loads, told)
    return list(prefixes)


def path_of(url: str, prefixes: list[str]) -> str | None:
    """What is deleted on the file server for a URL; None if the API server leaves it to others.

    The API server compares texts, the program that deletes compares hosts and paths: the first
    that fits counts, and without any the file stays.
    """
    if not any(url.startswith(prefix) for prefix in prefixes):
        return None
    file = urlsplit(url)
    for prefix in map(urlsplit, prefixes):
        if _origin(prefix) == _origin(file) and file.path.startswith(prefix.path.rstrip("/") + "/"):
            return file.path.removeprefix(prefix.path.rstrip("/"))
    raise AssertionError(f"{url} is taken by the API server and found by nobody")


def _origin(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}[url.scheme]


def moved(*urls: str) -> Object:
    return {"apiserver": {"asyncdelete": {"urlPrefixes": [*urls]}}}


def ingress_of(server: str, host: str, path: str = "/") -> Object:
    return {server: {"ingress": {"enabled": True, "hostName": host, "path": path}}}


NODE: Object = {"clearml": {"nodeAddress": "10.0.0.1"}}
GATEWAY: Object = {
    "gateway": {"enabled": True, "host": "g.org", "parentRefs": [{"name": "g"}]},
}
GIVEN: Object = {"clearml": {"clientConfigurationFilesUrl": "https://given.org/files/"}}
BALANCED: Object = {
    "fileserver": {"service": {"type": "LoadBalancer", "loadBalancerIP": "192.0.2.1", "port": 80}},
}
ONE_HOST = merge(ingress_of("webserver", "one.org"), ingress_of("fileserver", "one.org", "/store"))
OFF_AGAIN: Object = {
    "agent-group0": {"enabled": False, "clearmlFilesHost": "http://group.org:8081"}
}


@pytest.mark.parametrize(
    ("values", "base"),
    [
        *(
            ({}, f"http://clearml-fileserver{domain}:8081")
            for domain in ("", ".clearml", ".clearml.svc", ".clearml.svc.cluster.local")
        ),
        (NODE, "http://10.0.0.1:30081"),
        ({"clearml": {"nodeAddress": "fd00::1"}}, "http://[fd00::1]:30081"),
        (SCENARIOS["ingress-tls"], "https://files.clearml.example.com"),
        # TLS ends in front, was added later, or the port is spelled out.
        (SCENARIOS["ingress-tls"], "http://files.clearml.example.com"),
        (SCENARIOS["ingress-tls"], "https://files.clearml.example.com:443"),
        (TOLD, "https://files.example.com"),
        (GATEWAY, "http://files.g.org:80"),
        (GATEWAY, "https://files.g.org"),
        (BALANCED, "http://192.0.2.1"),
        (BALANCED, "http://clearml-fileserver.clearml:80"),
        (GIVEN, "https://given.org/files"),
        # All ways count, not only the one that browsers are told.
        (merge(GIVEN, NODE), "http://10.0.0.1:30081"),
        (merge(GIVEN, GATEWAY), "http://files.g.org"),
        (merge(BALANCED, NODE), "http://10.0.0.1:30081"),
        # The web server passes them on.
        (NODE, "http://10.0.0.1:30080/files"),
        (ingress_of("webserver", "app.org", "/clearml"), "https://app.org/clearml/files"),
        (ONE_HOST, "https://one.org/store"),
        (ONE_HOST, "https://one.org/files"),
        # Tasks of agents report what their agent was told.
        ({"agentservices": {"clearmlFilesHost": "http://mine.org:8081/"}}, "http://mine.org:8081"),
        ({"agentGroups": OFF_AGAIN}, "http://group.org:8081"),
        (moved("http://localhost:8081"), "http://localhost:8081"),
        (moved("http://Old.example.com"), "http://Old.example.com"),
        (moved("https://old.org", "https://old.org/a"), "https://old.org/a"),
        (moved("https://old.org", "https://old.org/a"), "https://old.org"),
        (moved("https://old.org:8443/"), "https://old.org:8443"),
        (merge(moved("http://10.0.0.2:30081"), NODE), "http://10.0.0.1:30081"),
    ],
)
def test_files_are_known_by_all_urls_that_the_file_server_has(values: Object, base: str) -> None:
    prefixes = prefixes_of(values)
    file = "/project/task.0123/artifacts/model.pkl"
    assert path_of(base + file, prefixes) == file
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:30080/project/x",
        "http://10.0.0.1:300812/x",
        "http://10.0.0.11:30081/x",
        "https://10.0.0.1:30081/x",
        "https://given.org/other/x",
        "http://clearml-fileserver:8082/x",
        "s3://bucket/x",
    ],
)
def test_files_of_others_are_left_to_those_who_delete_the_task(url: str) -> None:
    assert path_of(url, prefixes_of(merge(GIVEN, NODE))) is None


@pytest.mark.parametrize(
    "host",
    [
        "s3://bucket/a",
        "files.example.com",
        "http://[bad",
        "http:///x",
        "http://a:99999",
        "http://[::::]",
    ],
)
def test_what_is_no_url_of_a_file_server_is_no_prefix(host: str) -> None:
    assert prefixes_of({"agentservices": {"clearmlFilesHost": host}}) == prefixes_of({})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "clearml.nodeAddress"),
        ({"fileserver": {"service": {"nodePort": 31081}}}, "clearml.nodeAddress"),
        (ingress_of("webserver", "app.org"), "clearml.nodeAddress"),
        (
            {"agentservices": {"clearmlFilesHost": "http://clearml-fileserver.a:8081"}},
            "clearml.nodeAddress",
        ),
        ({"fileserver": {"service": {"nodePort": 0}}}, "clearml.clientConfigurationFilesUrl"),
        (
            {"fileserver": {"service": {"type": "ClusterIP"}}, **NODE},
            "clearml.clientConfigurationFilesUrl",
        ),
        (
            {"fileserver": {"service": {"type": "LoadBalancer"}}},
            "clearml.clientConfigurationFilesUrl",
        ),
        (ingress_of("fileserver", "*.example.com"), "clearml.clientConfigurationFilesUrl"),
    ],
)
@pytest.mark.parametrize("number", ["1.7.0", NEWEST])
def test_files_that_will_be_forgotten_are_warned_of(values: Object, told: str, number: str) -> None:
    assert forgotten(version(number, values)) == [told]


@pytest.mark.parametrize(
    "values",
    [
        version("1.3.1"),
        version(NEWEST, NODE),
        version(NEWEST, TOLD),
        version(NEWEST, GATEWAY),
        version(NEWEST, BALANCED),
        version(NEWEST, GIVEN),
        version(NEWEST, {"clearml": {"clientConfigurationFilesUrl": "s3://bucket"}}),
        version(NEWEST, moved("http://localhost:8081")),
        version(NEWEST, {"apiserver": {"asyncdelete": {"enabled": False}}}),
        version(
            NEWEST,
            {
                "fileserver": {"enabled": False},
                "clearml": {"clientConfigurationFilesUrl": "http://files.org"},
            },
        ),
        version(
            NEWEST,
            {
                "apiserver": {"enabled": False},
                "clearml": {"clientConfigurationApiUrl": "http://api.org"},
            },
        ),
    ],
)
def test_who_forgets_no_files_is_not_warned(values: Object) -> None:
    assert forgotten(values) == []


def forgotten(values: Object) -> list[str]:
    """The values that would tell where clients upload files."""
    warnings = Values.read(values).warnings()
    return [line.partition(":")[0] for line in warnings if "upload files" in line]


@pytest.mark.parametrize(
    ("number", "told"),
    [("1.6.0", False), ("1.7.0", True), ("1.8.0", True), ("1.9.2", False), (NEWEST, False)],
)
def test_a_file_server_that_must_be_told_deletes_several_files_at_once(
    number: str, told: bool
) -> None:
    env = render(version(number)).env(FILES)
    assert env.get("CLEARML__FILESERVER__DELETE__ALLOW_BATCH") == ("true" if told else None)


FILES_ELSEWHERE: Object = {
    "fileserver": {"enabled": False},
    "clearml": {"clientConfigurationFilesUrl": "s3://bucket"},
}


@pytest.mark.parametrize(
    "values",
    [{"apiserver": {"asyncdelete": {"enabled": False}}}, FILES_ELSEWHERE],
)
def test_without_asynchronous_delete_the_api_server_is_told(values: Object) -> None:
    bundle = newest(values)
    assert DELETION not in bundle.workloads
    prefix = "CLEARML__SERVICES__ASYNC_URLS_DELETE__"
    told = {k: v for k, v in bundle.env(API).items() if k.startswith(prefix)}
    assert told == {f"{prefix}ENABLED": "false"}


def test_variables_of_asynchronous_delete_are_its_own() -> None:
    env = [{"name": "PROBE", "value": "on"}, {"name": "PYTHONPATH", "value": "/mine"}]
    bundle = newest({"apiserver": {"asyncdelete": {"extraEnvs": env}}})
    assert bundle.env(DELETION)["PROBE"] == "on"
    assert bundle.env(DELETION)["PYTHONPATH"] == "/mine"
    assert bundle.env(API) == newest().env(API)


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe", "startupProbe"])
def test_asynchronous_delete_has_no_probes_to_time(probe: str) -> None:
    values = {"apiserver": {"asyncdelete": {probe: {"periodSeconds": 5}}}}
    with pytest.raises(ValueError, match="there is no such probe"):
        Values.read(version(NEWEST, values))


# Processes of the API server


def _gunicorn(bundle: Bundle) -> Object:
    return {k: v for k, v in bundle.env(API).items() if "GUNICORN" in k}


@pytest.mark.parametrize(
    ("processes", "told"),
    [
        ({}, {}),
        ({"count": 4}, {"CLEARML_GUNICORN_WORKERS": "4"}),
        (
            {"timeout": 60, "maxRequests": 1000, "maxRequestsJitter": 300},
            {
                "CLEARML_GUNICORN_TIMEOUT": "60",
                "CLEARML_GUNICORN_MAX_REQUESTS": "1000",
                "CLEARML_GUNICORN_MAX_REQUESTS_JITTER": "300",
            },
        ),
    ],
)
def test_processes_are_those_of_the_values(processes: Object, told: Object) -> None:
    values = {"apiserver": {"processes": processes}}
    assert _gunicorn(newest(values)) == (told and told | {"CLEARML_USE_GUNICORN": "true"})
    assert _gunicorn(render(version("1.2.0", values))).keys() >= told.keys()
    assert _gunicorn(render(version("1.1.1", values))) == {}


def test_a_jitter_of_no_requests_is_a_mistake() -> None:
    values = {"apiserver": {"processes": {"count": 2, "maxRequestsJitter": 3}}}
    with pytest.raises(ValueError, match=r"maxRequestsJitter: needs maxRequests"):
        Values.read(version(NEWEST, values))


# Agents

GROUP, SERVICES = "clearml-agent-group0-agent", "clearml-agentservices"


@functools.cache
def _installed(number: str, python: str) -> set[str]:
    """What pip installs on that Python where the values name no version of the agent."""
    (script,) = (part for part in render(version(number)).container(GROUP)["command"][2:3])
    lines = re.findall(r"pip install (\"clearml-agent[^$\n]*)$", script, re.MULTILINE)
    (line,) = lines
    needed = map(Requirement, shlex.split(line))
    return {
        str(requirement.specifier)
        for requirement in needed
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python})
    }


@pytest.mark.parametrize(
    ("number", "image", "services", "old_python", "new_python"),
    [
        (
            "1.0.2",
            "nvidia/cuda:11.0-base-ubuntu18.04",
            "allegroai/clearml-agent-services:latest",
            "==1.9.3",
            "==1.9.3",
        ),
        (
            "1.16.2",
            "nvidia/cuda:11.0-base-ubuntu18.04",
            "allegroai/clearml-agent-services:latest",
            "==1.9.3",
            "==1.9.3",
        ),
        (
            "2.0.0",
            "nvidia/cuda:12.4.1-base-ubuntu22.04",
            "allegroai/clearml-agent-services:latest",
            "==1.9.3",
            "==2.0.7",
        ),
        (
            "2.3.0",
            "nvidia/cuda:12.4.1-base-ubuntu22.04",
            "clearml/clearml-agent-services:latest",
            "==1.9.3",
            "==2.0.7",
        ),
    ],
)
def test_agents_go_with_the_servers(
    number: str, image: str, services: str, old_python: str, new_python: str
) -> None:
    bundle = render(version(number))
    assert bundle.container(GROUP)["image"] == image
    assert bundle.container(SERVICES)["image"] == services
    assert _installed(number, "3.6") == {old_python}
    assert _installed(number, "3.8") == _installed(number, "3.12") == {new_python}


@pytest.mark.parametrize("number", VERSIONS)
def test_an_image_of_the_user_stays_theirs(number: str) -> None:
    image = {"repository": "python", "tag": "3.11-slim"}
    group: Object = {"image": image, "agentVersion": ">=1.5"}
    bundle = render(version(number, {"agentGroups": {"agent-group0": group}}))
    assert bundle.container(GROUP)["image"] == "python:3.11-slim"
    assert bundle.env(GROUP)["AGENT_VERSION"] == ">=1.5"


# NetworkPolicies


def test_policies_let_the_new_ways_through_and_no_others() -> None:
    isolated: Object = {"networkPolicy": {"enabled": True}}
    old, new = render(isolated), newest(isolated)
    assert graph(new) - graph(old) == {
        (FILES, REDIS, 6379),
        (FILES, API, 8008),
        (DELETION, MONGODB, 27017),
        (DELETION, REDIS, 6379),
        (DELETION, ELASTIC, 9200),
        (DELETION, FILES, 8081),
    }
    assert graph(old) <= graph(new)
    assert reach(new, DELETION) == DNS


def test_a_file_server_without_logins_reaches_nobody() -> None:
    bundle = newest({"networkPolicy": {"enabled": True}} | OFF)
    assert not may_talk(bundle, FILES, REDIS, 6379)
    assert not may_talk(bundle, FILES, API, 8008)


def test_stores_let_in_whoever_needs_them_without_policies_of_the_servers() -> None:
    edges = {edge for edge in graph(newest()) if edge[1] in (MONGODB, REDIS, ELASTIC)}
    assert {client for client, server, _ in edges if server == REDIS} == {API, DELETION, FILES}
    assert {client for client, server, _ in edges if server == MONGODB} == {API, DELETION}
