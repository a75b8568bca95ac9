"""The API server, the file server and the web server."""

from __future__ import annotations

import ast
import base64
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyhocon
import pytest

from config.secret_layout import LAYOUTS
from programs import run_python
from rendering import Bundle, render
from scenarios import AUTHENTICATION, OUTSIDE, SCENARIOS, SECRET_MARK

SERVERS = ("apiserver", "fileserver", "webserver")
STORES_WAIT = "wait-for-mongodb-redis-elasticsearch"
USER = {"username": "jane", "password": "test-secret-jane", "name": 'Jane "JD" Doe'}


def service_port(bundle: Bundle, server: str) -> dict[str, Any]:
    (port,) = bundle.find("Service", f"clearml-{server}")["spec"]["ports"]
    return dict(port)


def test_cluster_ip_services_have_no_node_ports() -> None:
    bundle = render({server: {"service": {"type": "ClusterIP"}} for server in SERVERS})
    for server in SERVERS:
        assert bundle.find("Service", f"clearml-{server}")["spec"]["type"] == "ClusterIP"
        assert "nodePort" not in service_port(bundle, server)


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_node_ports_are_those_of_the_values(kind: str) -> None:
    ports = dict(zip(SERVERS, (31001, 31002, 31003), strict=True))
    bundle = render(
        {name: {"service": {"type": kind, "nodePort": port}} for name, port in ports.items()}
    )
    assert {server: service_port(bundle, server)["nodePort"] for server in SERVERS} == ports


def test_the_cluster_chooses_a_node_port_that_is_0() -> None:
    bundle = render({"apiserver": {"service": {"nodePort": 0}}})
    assert "nodePort" not in service_port(bundle, "apiserver")


@pytest.mark.parametrize(
    ("server", "listens_on"), [("apiserver", 8008), ("fileserver", 8081), ("webserver", 80)]
)
def test_services_reach_the_container_whatever_their_own_port(server: str, listens_on: int) -> None:
    bundle = render({server: {"service": {"port": 9999}}})
    service = service_port(bundle, server)
    assert service["port"] == 9999
    ports = bundle.container(f"clearml-{server}")["ports"]
    assert {port["name"]: port["containerPort"] for port in ports} == {
        service["targetPort"]: listens_on
    }


@pytest.mark.parametrize(
    ("modes", "strategy"),
    [
        (["ReadWriteOnce"], "Recreate"),
        (["ReadWriteOncePod"], "Recreate"),
        (["ReadWriteMany"], None),
    ],
)
def test_pods_give_up_a_volume_of_one_node_before_new_ones_start(
    modes: list[str], strategy: str | None
) -> None:
    claim = {"accessModes": modes}
    bundle = render(
        {
            "fileserver": {"storage": {"data": claim}},
            "agentservices": {"storage": {"data": claim}},
            "apiserver": {"storage": {"enableConfigVolume": True, "config": claim}},
        }
    )
    for name in ("fileserver", "agentservices", "apiserver"):
        spec = bundle.find("Deployment", f"clearml-{name}")["spec"]
        assert spec.get("strategy", {}).get("type") == strategy


def test_servers_without_volume_are_rolled_without_a_gap() -> None:
    bundle = render({"fileserver": {"storage": {"enabled": False}}})
    for server in ("apiserver", "fileserver", "webserver"):
        assert "strategy" not in bundle.find("Deployment", f"clearml-{server}")["spec"]


def test_an_empty_storage_class_is_left_out() -> None:
    bundle = render(
        {
            "fileserver": {"storage": {"data": {"class": ""}}},
            "agentservices": {"storage": {"data": {"class": ""}}},
            "apiserver": {"storage": {"enableConfigVolume": True, "config": {"class": ""}}},
        }
    )
    claims = bundle.of("PersistentVolumeClaim")
    assert len(claims) == 3
    assert not any("storageClassName" in claim["spec"] for claim in claims.values())


def test_several_file_servers_share_a_volume_of_many_nodes() -> None:
    values = {"replicaCount": 3, "storage": {"data": {"accessModes": ["ReadWriteMany"]}}}
    assert render({"fileserver": values}).workloads["clearml-fileserver"]["spec"]["replicas"] == 3


def test_a_slow_start_is_no_reason_to_kill_a_server() -> None:
    bundle = render()
    for server in SERVERS:
        container = bundle.container(f"clearml-{server}")
        startup = container["startupProbe"]
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 300
        assert {"livenessProbe", "readinessProbe"} <= set(container)


def test_the_api_server_is_probed_where_it_says_whether_it_works() -> None:
    container = render().container("clearml-apiserver")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] == "/debug.ping"


class ApiServer(BaseHTTPRequestHandler):
    """Answers as a server does that reaches its stores, if the login is right."""

    reaches_stores = True

    def do_POST(self) -> None:  # the name that http.server calls
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        login = base64.b64encode(b"test-key:test-secret").decode()
        if (self.path, set(asked), self.headers["Authorization"]) != (
            "/queues.get_queue_metrics",
            {"from_date", "to_date", "interval"},
            f"Basic {login}",
        ):
            status, reason = 401, "Unauthorized"
        else:
            status, reason = (200, "OK") if self.reaches_stores else (500, "no Elasticsearch")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(reason.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("reaches_stores", "key", "status", "reason"),
    [
        (True, "test-key", 0, ""),
        (True, '"test-key"', 0, ""),  # as HOCON may have it
        (False, "test-key", 1, "no Elasticsearch"),
        (True, "test-other-key", 1, "Unauthorized"),
    ],
)
def test_a_server_may_be_ready_only_while_its_stores_answer_it(
    reaches_stores: bool, key: str, status: int, reason: str
) -> None:
    container = render({"apiserver": {"readiness": "stores"}}).container("clearml-apiserver")
    python, *program, url = container["readinessProbe"]["exec"]["command"]
    assert (python, url) == ("python3", "http://127.0.0.1:8008")
    prefix = "CLEARML__SECURE__CREDENTIALS__APISERVER__USER_"
    assert {f"{prefix}KEY", f"{prefix}SECRET"} <= {v["name"] for v in container["env"]}
    handler = type("Handler", (ApiServer,), {"reaches_stores": reaches_stores})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            result = subprocess.run(
                [sys.executable, *program, f"http://127.0.0.1:{server.server_port}"],
                env={
                    f"{prefix}KEY": key,
                    f"{prefix}SECRET": "test-secret",
                    # Nothing listens on port 1.
                    "http_proxy": "http://127.0.0.1:1",
                },
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
        finally:
            server.shutdown()
            thread.join()
    assert (result.returncode, result.stdout) == (status, "")
    assert reason in result.stderr
    assert bool(result.stderr) == bool(status)
    assert "test-secret" not in result.stderr


def test_a_server_that_does_not_answer_is_not_ready() -> None:
    container = render({"apiserver": {"readiness": "stores"}}).container("clearml-apiserver")
    _, *program, _ = container["readinessProbe"]["exec"]["command"]
    prefix = "CLEARML__SECURE__CREDENTIALS__APISERVER__USER_"
    result = subprocess.run(
        [sys.executable, *program, "http://127.0.0.1:1"],
        env={f"{prefix}KEY": "test-key", f"{prefix}SECRET": "test-secret"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 1
    assert "Connection refused" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_users_variable_replaces_ours_of_the_same_name() -> None:
    name = "CLEARML__APISERVER__PRE_POPULATE__ENABLED"
    bundle = render({"apiserver": {"extraEnvs": [{"name": name, "value": "mine"}]}})
    variables = bundle.container("clearml-apiserver")["env"]
    assert [v["value"] for v in variables if v["name"] == name] == ["mine"]


def test_a_variable_may_come_from_a_secret_of_the_user() -> None:
    source = {"secretKeyRef": {"name": "mine", "key": "token"}}
    values = {"webserver": {"extraEnvs": [{"name": "TOKEN", "valueFrom": source}]}}
    bundle = render(values, outside={("Secret", "mine")})
    assert bundle.env("clearml-webserver")["TOKEN"] == source


# Configuration


@pytest.mark.parametrize("company", ["123456", "30d", "true", "1e5", "TRUE", "Null", "false-1"])
def test_a_company_that_the_server_would_read_as_something_else_is_quoted(company: str) -> None:
    bundle = render({"clearml": {"defaultCompany": company}})
    variable = bundle.env("clearml-apiserver")["CLEARML__APISERVER__DEFAULT_COMPANY"]
    assert variable == f'"{company}"'
    assert pyhocon.ConfigFactory.parse_string(f"company: {variable}")["company"] == company
    assert bundle.env("clearml-webserver")["COMPANY_ID"] == company


@pytest.mark.parametrize("path", ["/a+b", "/a b", "/a//b", "/a#b", "/a=b"])
def test_a_path_that_the_servers_parser_would_stumble_over_is_quoted(path: str) -> None:
    bundle = render({"apiserver": {"prepopulateArtifactsPath": path}})
    env = bundle.env("clearml-apiserver")
    assert env["CLEARML__APISERVER__PRE_POPULATE__ARTIFACTS_PATH"] == f'"{path}"'


@pytest.mark.parametrize("pass_hashed", [True, False])
def test_fixed_users_reach_the_servers_configuration(pass_hashed: bool) -> None:
    password = (
        "JDJiJDEyJHRlc3RzZWNyZXR0ZXN0c2VjcmV0dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0dGVz"
        if pass_hashed
        else "test-secret-jane"
    )
    user = USER | {"password": password}
    fixed = {"enabled": True, "passHashed": pass_hashed, "users": [user]}
    bundle = render({"clearml": {"fixedUsers": fixed}})
    # JSON is HOCON; apiserver.conf is the path `apiserver`, so it starts at `auth`.
    assert json.loads(bundle.secret("clearml-apiserver-conf")["apiserver.conf"]) == {
        "auth": {"fixed_users": {"enabled": True, "pass_hashed": pass_hashed, "users": [user]}}
    }


@pytest.mark.parametrize(
    "text",
    [
        "Jäne ÿ",
        'a"b\\c',
        "\\u00e4\\n\\",
        "${a} $(b) $$",
        "a // b # c = d, {e} [f]",
        '""" "" "',
    ],
)
def test_the_server_reads_fixed_users_as_they_were_written(text: str) -> None:
    user = {"username": text, "password": f"test-secret {text} ", "name": f"{text} 日本 😀"}
    bundle = render({"clearml": {"fixedUsers": {"enabled": True, "users": [user]}}})
    file = bundle.secret("clearml-apiserver-conf")["apiserver.conf"]
    assert pyhocon.ConfigFactory.parse_string(file)["auth.fixed_users.users"] == [user]


@pytest.mark.parametrize("path", ["/ä", "/日本 😀", '/a"b\\c'])
def test_the_server_reads_a_path_as_it_was_written(path: str) -> None:
    bundle = render({"apiserver": {"prepopulateZipFiles": path}})
    name = "CLEARML__APISERVER__PRE_POPULATE__ZIP_FILES"
    setting = bundle.env("clearml-apiserver")[name]
    assert pyhocon.ConfigFactory.parse_string(f"{name}: {setting}")[name] == path


def test_fixed_users_that_are_off_configure_nothing() -> None:
    bundle = render({"clearml": {"fixedUsers": {"users": [USER]}}})
    assert set(bundle.secret("clearml-apiserver-conf")) == {"services.conf"}


def test_the_watchdog_reaches_the_servers_configuration() -> None:
    watchdog = {"enabled": False, "thresholdSec": 61, "watchIntervalSec": 31}
    bundle = render({"clearml": {"watchdog": watchdog}})
    assert json.loads(bundle.secret("clearml-apiserver-conf")["services.conf"]) == {
        "tasks": {
            "non_responsive_tasks_watchdog": {
                "enabled": False,
                "threshold_sec": 61,
                "watch_interval_sec": 31,
            }
        }
    }


@pytest.mark.parametrize("volume", [True, False])
def test_the_configuration_is_mounted_where_the_server_looks_for_it(volume: bool) -> None:
    values = {"configDir": "/etc/clearml", "storage": {"enableConfigVolume": volume}}
    bundle = render({"apiserver": values})
    mounts = {
        m["mountPath"]: m["name"] for m in bundle.container("clearml-apiserver")["volumeMounts"]
    }
    volumes = {v["name"]: v for v in bundle.pod("clearml-apiserver")["volumes"]}
    directories = bundle.env("clearml-apiserver")["CLEARML_CONFIG_DIR"].split(":")
    sources = [volumes[mounts[directory]] for directory in directories]
    assert sources[0]["secret"]["secretName"] == "clearml-apiserver-conf"
    # The later directory wins: the user's own files.
    assert [s.get("persistentVolumeClaim") for s in sources[1:]] == (
        [{"claimName": "clearml-apiserver-config"}] if volume else []
    )
    assert directories[-1] == "/etc/clearml"


MINE = frozenset({("Secret", "mine"), ("ConfigMap", "mine"), ("Secret", "users")})
THREE_SOURCES = {
    "additionalConfigs": {"services.conf": "a: test-secret"},
    "existingAdditionalConfigsSecret": "mine",
    "existingAdditionalConfigsConfigMap": "mine",
}


def config_directories(bundle: Bundle, server: str) -> dict[str, Any]:
    """The directories that a server loads files from, in that order, with what fills each."""
    name = f"clearml-{server}"
    mounts = {m["mountPath"]: m for m in bundle.container(name)["volumeMounts"]}
    volumes = {v["name"]: v for v in bundle.pod(name)["volumes"]}
    found = {}
    for directory in bundle.env(name)["CLEARML_CONFIG_DIR"].split(":"):
        below = [mounts[path] for path in mounts if path == directory or directory in path]
        found[directory] = dict(volumes[below[0]["name"]])
        del found[directory]["name"]
    return found


def projected(source: str, name: str) -> dict[str, Any]:
    return {"projected": {"sources": [{source: {"name": name}}]}}


def test_what_is_nearer_to_the_user_overrules_other_configuration_files() -> None:
    fixed_users = {"enabled": True, "existingSecret": "users", "existingSecretKey": "users.conf"}
    server = THREE_SOURCES | {"storage": {"enableConfigVolume": True}}
    bundle = render({"apiserver": server, "clearml": {"fixedUsers": fixed_users}}, outside=MINE)
    items = [{"key": "users.conf", "path": "apiserver.conf"}]
    assert list(config_directories(bundle, "apiserver").values()) == [
        {"secret": {"secretName": "clearml-apiserver-conf"}},
        {"secret": {"secretName": "users", "items": items}},
        projected("secret", "clearml-apiserver-additional-configs"),
        projected("secret", "mine"),
        projected("configMap", "mine"),
        {"persistentVolumeClaim": {"claimName": "clearml-apiserver-config"}},
    ]
    file_server = render({"fileserver": THREE_SOURCES}, outside=MINE)
    assert list(config_directories(file_server, "fileserver").values()) == [
        projected("secret", "clearml-fileserver-additional-configs"),
        projected("secret", "mine"),
        projected("configMap", "mine"),
    ]


def test_additional_files_are_in_a_secret_alone() -> None:
    page = {"additionalConfigs": {"configuration.json": '{"a": "test-secret"}'}}
    files = {"additionalConfigs": {"services.conf": "a: test-secret"}}
    bundle = render({"apiserver": files, "fileserver": files, "webserver": page})
    assert json.dumps([bundle.secret(name) for name in bundle.of("Secret")]).count(SECRET_MARK) == 3
    assert SECRET_MARK not in "".join(bundle.texts.values())


@pytest.mark.parametrize("path", ["/opt/clearml/config", "/opt/clearml/config/apiserver.conf"])
def test_a_mount_of_the_users_own_takes_the_place_of_our_files_and_overrules_them(
    path: str,
) -> None:
    mount = {"name": "own", "mountPath": path}
    source = {"configMap": {"name": "mine"}}
    own = {"additionalVolumes": [{"name": "own"} | source], "additionalVolumeMounts": [mount]}
    files = {"additionalConfigs": {"services.conf": "a: 1"}}
    bundle = render({"apiserver": own | files, "fileserver": own | files}, outside=MINE)
    for server in ("apiserver", "fileserver"):
        directories = config_directories(bundle, server)
        assert list(directories)[-1] == "/opt/clearml/config"
        assert directories["/opt/clearml/config"] == source
        paths = [m["mountPath"] for m in bundle.container(f"clearml-{server}")["volumeMounts"]]
        assert [p for p in paths if p.startswith("/opt/clearml/config")] == [path]


def test_a_file_server_without_files_of_its_own_looks_where_it_always_does() -> None:
    mount = {"name": "own", "mountPath": "/opt/clearml/config"}
    own = {"name": "own", "configMap": {"name": "mine"}}
    values = {"additionalVolumes": [own], "additionalVolumeMounts": [mount]}
    bundle = render({"fileserver": values}, outside=MINE)
    assert "CLEARML_CONFIG_DIR" not in bundle.env("clearml-fileserver")


def test_users_of_an_existing_secret_need_only_be_listed_there() -> None:
    fixed_users = {"enabled": True, "passHashed": True, "existingSecret": "users"}
    bundle = render({"clearml": {"fixedUsers": fixed_users}}, outside=MINE)
    assert json.loads(bundle.secret("clearml-apiserver-conf")["apiserver.conf"]) == {
        "auth": {"fixed_users": {"enabled": True, "pass_hashed": True}}
    }


def test_users_of_an_existing_secret_that_are_off_configure_nothing() -> None:
    fixed_users = {"existingSecret": "users"}
    assert render({"clearml": {"fixedUsers": fixed_users}}, outside=MINE).files == render().files


PAGE = "/usr/share/nginx/html/configuration.json"
LATER_PAGE = "/mnt/external_files/configs/configuration.json"


@pytest.mark.parametrize(
    ("version", "path"),
    [("1.0.2", PAGE), ("1.14.1", PAGE), ("1.15.0", LATER_PAGE), ("2.0", LATER_PAGE)],
)
def test_the_configuration_of_the_page_is_where_the_image_looks_for_it(
    version: str, path: str
) -> None:
    page = THREE_SOURCES | {"additionalConfigs": {"configuration.json": "{}"}}
    bundle = render({"webserver": page, "clearml": {"version": version}}, outside=MINE)
    (mount,) = bundle.container("clearml-webserver")["volumeMounts"]
    assert (mount["mountPath"], mount["subPath"]) == (path, "configuration.json")
    (volume,) = bundle.pod("clearml-webserver")["volumes"]
    assert volume["projected"]["sources"] == [
        {"secret": {"name": "clearml-webserver-additional-configs"}},
        {"secret": {"name": "mine"}},
        {"configMap": {"name": "mine"}},
    ]


# Credentials


@pytest.mark.parametrize(
    "layout", ["chart-2", "chart-5", {"servicesAgentKey": "key", "servicesAgentSecret": "secret"}]
)
def test_a_credential_that_the_existing_secret_lacks_is_in_ours(layout: Any) -> None:
    own = {"existingSecret": "mine", "existingSecretKeys": layout}
    bundle = render({"clearml": own}, outside=MINE)
    taken: dict[str, set[str]] = {}
    for workload in bundle.workloads:
        sources = [source for source in bundle.env(workload).values() if "secretKeyRef" in source]
        for reference in (source["secretKeyRef"] for source in sources):
            taken.setdefault(reference["name"], set()).add(reference["key"])
    keys = LAYOUTS[layout] if isinstance(layout, str) else layout
    made = set(bundle.made["clearml-conf"]["lengths"])
    assert taken["mine"] <= set(keys.values())
    assert taken["clearml-conf"] <= made
    assert made == {key for name, key in LAYOUTS["clearml-conf"].items() if name not in keys}


def test_a_secret_of_a_later_chart_is_read_by_its_keys() -> None:
    own = {"existingSecret": "mine", "existingSecretKeys": "chart-5"}
    env = render({"clearml": own}, outside=MINE).env("clearml-apiserver")
    taken = {
        name: source["secretKeyRef"]["key"]
        for name, source in env.items()
        if "secretKeyRef" in source and source["secretKeyRef"]["name"] == "mine"
    }
    users = "CLEARML__SECURE__CREDENTIALS__"
    assert taken == {
        "CLEARML__SECURE__AUTH__TOKEN_SECRET": "secure_auth_token_secret",
        f"{users}APISERVER__USER_KEY": "apiserver_key",
        f"{users}APISERVER__USER_SECRET": "apiserver_secret",
        f"{users}TESTS__USER_KEY": "test_user_key",
        f"{users}TESTS__USER_SECRET": "test_user_secret",
    }


def test_the_web_server_logs_in_as_the_user_that_the_api_server_knows() -> None:
    bundle = render()
    web, api = bundle.env("clearml-webserver"), bundle.env("clearml-apiserver")
    for half in ("USER_KEY", "USER_SECRET"):
        assert web[half] == api[f"CLEARML__SECURE__CREDENTIALS__WEBSERVER__{half}"]


def test_agents_keep_a_credential_that_fixed_users_do_not_revoke() -> None:
    bundle = render(AUTHENTICATION)
    user = "CLEARML__SECURE__CREDENTIALS__SERVICES_AGENT__"
    server = bundle.env("clearml-apiserver")
    assert server[f"{user}ROLE"] == "user"
    agent = bundle.env("clearml-agentservices")
    assert server[f"{user}USER_KEY"] == agent["CLEARML_API_ACCESS_KEY"]
    assert server[f"{user}USER_SECRET"] == agent["CLEARML_API_SECRET_KEY"]
    users_of_tests = {
        workload
        for workload in bundle.workloads
        if "tests_user" in json.dumps(bundle.container(workload))
    }
    assert users_of_tests == {"clearml-apiserver"}


# Secrets


def test_secrets_are_in_secrets_and_nowhere_else() -> None:
    bundle = render(AUTHENTICATION)
    kept = " ".join(text for name in bundle.of("Secret") for text in bundle.secret(name).values())
    given = [text for text in strings(AUTHENTICATION) if SECRET_MARK in text]
    assert len(given) > 25
    assert kept.count(SECRET_MARK) == len(given)
    elsewhere = [manifest for manifest in bundle.objects if manifest["kind"] != "Secret"]
    assert SECRET_MARK not in json.dumps(elsewhere)
    metadata = [manifest["metadata"] for manifest in bundle.of("Secret").values()]
    assert SECRET_MARK not in json.dumps(metadata)


def strings(values: Any) -> Iterator[str]:
    if isinstance(values, dict | list):
        for inner in values.values() if isinstance(values, dict) else values:
            yield from strings(inner)
    else:
        yield str(values)


def test_no_pod_talks_to_the_kubernetes_api() -> None:
    bundle = render()
    for workload in bundle.workloads:
        assert bundle.pod(workload)["automountServiceAccountToken"] is False


def test_nothing_is_privileged_unless_asked_for() -> None:
    asked = {"three-elasticsearch-nodes": [("clearml-elastic-master", "configure-sysctl")]}
    for scenario, values in SCENARIOS.items():
        bundle = render(values, outside=OUTSIDE.get(scenario, set()))
        privileged = [
            (workload, container["name"])
            for workload, container in bundle.containers()
            if container.get("securityContext", {}).get("privileged")
        ]
        assert privileged == asked.get(scenario, [])


# Waiting for the stores


def wait_command(bundle: Bundle, workload: str, name: str) -> list[str]:
    command: list[str] = bundle.container(workload, name)["command"]
    return command


def test_all_pods_wait_in_the_same_way() -> None:
    bundle = render()
    commands = {
        tuple(container["command"])
        for _, container in bundle.containers()
        if container["name"].startswith("wait-for-")
    }
    assert len(commands) == 1


def test_the_scripts_run_on_the_python_of_the_server_image() -> None:
    bundle = render()
    scripts = {
        container["command"][2]
        for _, container in bundle.containers()
        if container.get("command", [])[:2] == ["python3", "-c"]
    }
    assert len(scripts) == 2
    for script in scripts:
        ast.parse(script, feature_version=(3, 6))


# Time passes at once for the script.
NO_SLEEP = "import time\ntime.sleep = lambda seconds: None\n"


def each_try_takes(seconds: int) -> str:
    """A clock for the script."""
    clock = f"import itertools\nclock = itertools.count(0, {seconds})\n"
    return f"{NO_SLEEP}{clock}time.monotonic = lambda: next(clock)\n"


@contextmanager
def http_server(*answers: int) -> Iterator[str]:
    """The URL of a server that gives these status codes, one after the other."""
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            self.send_response(next(left))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/debug.ping"
        finally:
            server.shutdown()
            thread.join()


def test_waiting_ends_when_everything_answers() -> None:
    command = wait_command(render(), "clearml-apiserver", STORES_WAIT)
    with http_server(200) as url:
        store = f"tcp://{urlsplit(url).netloc}"
        result = run_python(command, f"mongodb={store}", f"apiserver={url}")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["mongodb answers", "apiserver answers"]


def test_waiting_says_what_for_and_takes_no_error_for_an_answer() -> None:
    command = wait_command(render(), "clearml-agentservices", "wait-for-apiserver")
    with http_server(500, 503, 200) as url:
        result = run_python(command, f"apiserver={url}", before=each_try_takes(290))
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("waiting for apiserver")
    assert urlsplit(url).netloc in lines[0]
    assert "500" in lines[0]
    assert lines[-1] == "apiserver answers"


def test_waiting_gives_up_and_says_what_is_missing() -> None:
    command = wait_command(render(), "clearml-apiserver", STORES_WAIT)
    # Nothing listens on port 1.
    result = run_python(command, "redis=tcp://127.0.0.1:1", before=each_try_takes(610))
    assert result.returncode == 1
    assert "redis" in result.stderr
    assert "127.0.0.1:1" in result.stderr


# The examples


def test_examples_are_unpacked_by_the_pod_that_owns_the_volume() -> None:
    values = {"apiserver": {"prepopulateArtifactsPath": "/artifacts"}}
    bundle = render(values)
    unpack = bundle.container("clearml-fileserver", "unpack-examples")
    serve = bundle.container("clearml-fileserver")
    assert unpack["args"][1] == "/artifacts"
    (target,) = unpack["volumeMounts"]
    (served,) = serve["volumeMounts"]
    assert target == {"mountPath": "/artifacts", "name": served["name"]}
    assert served["mountPath"] == bundle.env("clearml-fileserver")["CLEARML_UPLOAD_FOLDER"]
    assert "persistentVolumeClaim" not in json.dumps(bundle.pod("clearml-apiserver"))


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """The folder with examples as the server image has it."""
    folder = tmp_path / "db-pre-populate"
    folder.mkdir()
    with zipfile.ZipFile(folder / "examples.artifacts", "w") as archive:
        archive.writestr("project/task/model.pkl", "weights")
    with zipfile.ZipFile(folder / "examples.zip", "w") as archive:
        archive.writestr("database.json", "{}")
    return folder


@pytest.mark.parametrize("source", [".", "examples.zip"])
def test_artifacts_of_the_examples_are_unpacked(
    source: str, examples: Path, tmp_path: Path
) -> None:
    unpack = render().container("clearml-fileserver", "unpack-examples")
    volume = tmp_path / "volume"
    volume.mkdir()
    result = run_python(unpack["command"], str(examples / source), str(volume))
    assert (result.returncode, result.stderr) == (0, "")
    assert (volume / "project/task/model.pkl").read_text() == "weights"
    assert not (volume / "database.json").exists()


def test_examples_that_were_deleted_do_not_come_back(examples: Path, tmp_path: Path) -> None:
    unpack = render().container("clearml-fileserver", "unpack-examples")
    model = tmp_path / "volume/project/task/model.pkl"
    model.parents[2].mkdir()
    for _ in range(2):
        result = run_python(unpack["command"], str(examples), str(model.parents[2]))
        assert result.returncode == 0
        was_unpacked = model.exists()
        model.unlink(missing_ok=True)
    assert not was_unpacked


def test_files_that_are_there_are_not_replaced_by_examples(examples: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(examples / "more.artifacts", "w") as archive:
        for name in ("project/link", "project/new", "project/folder"):
            archive.writestr(name, "example")
    unpack = render().container("clearml-fileserver", "unpack-examples")
    volume = tmp_path / "volume"
    (volume / "project/task").mkdir(parents=True)
    (volume / "project/task/model.pkl").write_text("uploaded")
    (volume / "project/link").symlink_to("nowhere")
    (volume / "project/folder/inside").mkdir(parents=True)
    (volume / ".examples-unpacking").mkdir()  # of a run that was stopped
    (volume / ".examples-unpacking/half").write_text("ex")
    result = run_python(unpack["command"], str(examples), str(volume))
    assert (result.returncode, result.stderr) == (0, "")
    assert (volume / "project/task/model.pkl").read_text() == "uploaded"
    assert (volume / "project/link").is_symlink()
    assert (volume / "project/folder/inside").is_dir()
    assert (volume / "project/new").read_text() == "example"
    assert {path.name for path in volume.iterdir()} == {"project", ".examples-unpacked"}


def test_an_image_without_examples_starts_all_the_same(tmp_path: Path) -> None:
    unpack = render().container("clearml-fileserver", "unpack-examples")
    result = run_python(unpack["command"], str(tmp_path / "absent"), str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")


def test_broken_examples_are_tried_again(examples: Path, tmp_path: Path) -> None:
    unpack = render().container("clearml-fileserver", "unpack-examples")
    archive = examples / "examples.artifacts"
    content = archive.read_bytes()
    archive.write_bytes(b"cut short")
    volume = tmp_path / "volume"
    volume.mkdir()
    assert run_python(unpack["command"], str(examples), str(volume)).returncode == 1
    archive.write_bytes(content)
    assert run_python(unpack["command"], str(examples), str(volume)).returncode == 0
    assert (volume / "project/task/model.pkl").exists()
