"""Stores of one's own: connection strings, host lists, credentials, and the waiting for them."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from clearml_k8s.parts.naming import SecretRef
from clearml_k8s.stores.address import CaFile, ElasticsearchHosts
from config import Values
from programs import expanded, run_python
from rendering import Bundle, Object, render
from scenarios import CERTIFICATE, EXTERNAL_SERVICES, OUTSIDE, OUTSIDE_STORES, SECRET_MARK

API, WAIT = "clearml-apiserver", "wait-for-mongodb-redis-elasticsearch"
BACKEND = "mongodb://test-user:test-secret@db.example.net:27018/backend?authSource=admin&w=1"
AUTH = BACKEND.replace("backend", "auth")
PASSWORD = "$(CLEARML_ELASTIC_SERVICE_PASSWORD)"


def external() -> Bundle:
    return render(EXTERNAL_SERVICES, outside=OUTSIDE["external-services"])


def with_mongodb(**values: str) -> Bundle:
    """The installation with these of `mongodb.external`."""
    return render({"mongodb": {"enabled": False, "external": values}}, outside={("Secret", "mine")})


def with_search(**values: Any) -> Bundle:
    """The installation with these of `elasticsearch.external`."""
    return render(
        {"elasticsearch": {"enabled": False, "external": values}}, outside={("Secret", "mine")}
    )


def resolved(bundle: Bundle, container: Object) -> dict[str, str]:
    """The variables of a container as its process sees them."""
    variables: dict[str, str] = {}
    for variable in container["env"]:
        source = variable.get("valueFrom", {}).get("secretKeyRef")
        if source and source["name"] in bundle.made:
            continue  # which nobody here knows
        (variables[variable["name"]],) = (
            [bundle.secret(source["name"])[source["key"]]]
            if source
            else expanded([variable["value"]], variables)
        )
    return variables


def search_hosts(bundle: Bundle) -> list[Any]:
    """The hosts that the server finds events at; workers are at the same."""
    env = bundle.env(API)
    events, workers = (
        env[f"CLEARML__HOSTS__ELASTIC__{cluster}__HOSTS"] for cluster in ("EVENTS", "WORKERS")
    )
    assert events == workers
    hosts: list[Any] = json.loads(events)
    return hosts


# MongoDB


def test_credentials_of_outside_stores_are_in_secrets_and_nowhere_else() -> None:
    bundle = external()
    elsewhere = [manifest for manifest in bundle.objects if manifest["kind"] != "Secret"]
    assert SECRET_MARK not in json.dumps(elsewhere)
    given = EXTERNAL_SERVICES["mongodb"]["external"]
    assert bundle.secret("clearml-mongodb") == given
    assert bundle.secret("clearml-elasticsearch") == {"password": "test-secret-elasticsearch"}


def test_connection_strings_are_quoted_for_the_servers_parser() -> None:
    """HOCON takes @ and = only in double quotes, in which it reads JSON."""
    bundle = with_mongodb(backend=BACKEND, auth=AUTH)
    env = resolved(bundle, bundle.container(API))
    for database, url in (("BACKEND", BACKEND), ("AUTH", AUTH)):
        assert json.loads(env[f"CLEARML__HOSTS__MONGO__{database}__HOST"]) == url


def test_a_connection_string_replaces_host_and_port() -> None:
    # Which the server would prefer.
    assert not [name for name in external().env(API) if name.startswith("CLEARML_MONGODB_SERVICE")]


def test_pods_roll_when_a_connection_string_changes() -> None:
    first, second = (
        with_mongodb(backend=BACKEND, auth=auth).annotations(API) for auth in (AUTH, AUTH + "&x=y")
    )
    assert {key for key in first if first[key] != second[key]} == {"checksum/clearml-mongodb"}


@pytest.mark.parametrize(
    ("keys", "backend", "auth"),
    [({}, "backend", "auth"), ({"backendKey": "main.url", "authKey": "b"}, "main.url", "b")],
)
def test_connection_strings_may_come_from_an_existing_secret(
    keys: dict[str, str], backend: str, auth: str
) -> None:
    bundle = with_mongodb(existingSecret="mine", **keys)
    env = bundle.env(API)
    assert env["MONGODB_BACKEND"] == {"secretKeyRef": {"name": "mine", "key": backend}}
    assert env["MONGODB_AUTH"] == {"secretKeyRef": {"name": "mine", "key": auth}}
    assert env["CLEARML__HOSTS__MONGO__BACKEND__HOST"] == '"$(MONGODB_BACKEND)"'
    assert env["CLEARML__HOSTS__MONGO__AUTH__HOST"] == '"$(MONGODB_AUTH)"'
    assert "clearml-mongodb" not in bundle.of("Secret")
    waiting = bundle.container(API, WAIT)["env"]
    assert [v["valueFrom"]["secretKeyRef"]["name"] for v in waiting] == ["mine"]


# Waiting

NO_SLEEP = "import time\ntime.sleep = lambda seconds: None\n"
ELEVEN_MINUTES_LATER = NO_SLEEP + (
    "import itertools\nclock = itertools.count(0, 660)\ntime.monotonic = lambda: next(clock)\n"
)
# Every host answers, and says that it was asked.
ALL_ANSWER = (
    "import io, socket\n"
    "def connect(address, timeout):\n"
    "    print(*address)\n"
    "    return io.StringIO()\n"
    "socket.create_connection = connect\n"
)


@contextmanager
def port(*, alive: bool = True) -> Iterator[int]:
    """A port of the loopback device that somebody listens on, or that is certain to refuse."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if alive:
            listener.listen()
        yield listener.getsockname()[1]


def wait_for(url: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Wait for the MongoDB of a connection string, as the pod would do; for no other store."""
    bundle = with_mongodb(backend=url, auth=url)
    container = bundle.container(API, WAIT)
    (target,) = (text for text in container["args"] if text.startswith("mongodb="))
    assert SECRET_MARK not in target
    arguments = expanded([target], resolved(bundle, container))
    assert arguments == [f"mongodb={url}"]
    return run_python(container["command"], *arguments, before=before)


def test_the_pod_waits_for_the_hosts_of_the_connection_string() -> None:
    with port() as one, port() as two:
        url = f"mongodb://user:test-secret@127.0.0.1:{one},127.0.0.1:{two}/db?x=y"
        result = wait_for(url)
    assert (result.returncode, result.stdout) == (0, "mongodb answers\n")


def test_one_living_host_is_enough() -> None:
    with port(alive=False) as dead, port() as alive:
        result = wait_for(
            f"mongodb://user:test-secret@127.0.0.1:{dead},127.0.0.1:{alive}/db?replicaSet=rs0"
        )
    assert (result.returncode, result.stdout) == (0, "mongodb answers\n")


@pytest.mark.parametrize("user", ["", "user:test-secret@", "user:test-secret%40%2F@"])
def test_hosts_without_a_port_are_asked_at_that_of_mongodb(user: str) -> None:
    result = wait_for(f"mongodb://{user}a.example.net,b:27018/db?authSource=x", ALL_ANSWER)
    assert result.stdout.splitlines() == ["a.example.net 27017", "mongodb answers"]


def test_hosts_that_dns_knows_are_left_to_the_driver() -> None:
    result = wait_for("mongodb+srv://user:test-secret@cluster0.example.net/db", ALL_ANSWER)
    assert result.returncode == 0
    (line,) = result.stdout.splitlines()
    assert "DNS" in line
    assert SECRET_MARK not in line


def test_no_message_of_the_waiting_shows_credentials() -> None:
    with port(alive=False) as one, port(alive=False) as two:
        hosts = f"127.0.0.1:{one},127.0.0.1:{two}"
        result = wait_for(f"mongodb://user:test-secret@{hosts}/db?x=y", ELEVEN_MINUTES_LATER)
    assert result.returncode == 1
    assert f"gave up waiting for mongodb at {hosts}: " in result.stderr
    assert SECRET_MARK not in result.stdout + result.stderr
    assert "user" not in result.stdout + result.stderr


def test_waiting_goes_on_until_a_host_answers() -> None:
    with port(alive=False) as late:
        result = wait_for(
            f"mongodb://user:test-secret@127.0.0.1:{late}/db",
            # It answers at the third try.
            "import io, socket\n"
            "connect, tries = socket.create_connection, []\n"
            "def later(address, timeout):\n"
            "    tries.append(address)\n"
            "    print('try', len(tries))\n"
            "    return connect(address, timeout) if len(tries) < 3 else io.StringIO()\n"
            "socket.create_connection = later\n" + NO_SLEEP,
        )
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    # What it says each second is said once.
    assert [line.split(": ")[0] for line in lines] == [
        "try 1",
        f"waiting for mongodb at 127.0.0.1:{late}",
        "try 2",
        "try 3",
        "mongodb answers",
    ]


def test_the_pod_waits_for_all_outside_stores() -> None:
    args = external().container(API, WAIT)["args"]
    assert args == [
        "mongodb=$(MONGODB_BACKEND)",
        "redis=tcp://redis.example.net:6380",
        "elasticsearch=tcp://search-0.example.net:9200,search-1.example.net:9243",
    ]


# Elasticsearch


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("search", "http://search:9200"),
        ("search:9201", "http://search:9201"),
        ("http://search", "http://search:9200"),
        ("https://search.example.net", "https://search.example.net:9200"),
        ("https://search.example.net:443", "https://search.example.net:443"),
        ("https://search.example.net/a/b", "https://search.example.net:9200/a/b"),
        ("search:443/a", "http://search:443/a"),
        ("10.0.0.7", "http://10.0.0.7:9200"),
    ],
)
def test_scheme_and_port_of_a_node_may_be_left_out(host: str, url: str) -> None:
    assert search_hosts(with_search(hosts=[host])) == [url]


def test_several_nodes_are_told_in_their_order() -> None:
    hosts = ["https://b:9200", "http://a:9200", "https://c:9201"]
    bundle = with_search(hosts=hosts)
    assert search_hosts(bundle) == hosts
    # The server would take this host for each of the list.
    assert not [name for name in bundle.env(API) if name.startswith("CLEARML_ELASTIC_SERVICE")]


def test_the_user_of_elasticsearch_logs_in_at_each_node() -> None:
    bundle = with_search(hosts=["https://a", "b"], username="test-user", password="test-secret")
    assert search_hosts(bundle) == [
        f"https://test-user:{PASSWORD}@a:9200",
        f"http://test-user:{PASSWORD}@b:9200",
    ]
    env = resolved(bundle, bundle.container(API))
    assert json.loads(env["CLEARML__HOSTS__ELASTIC__EVENTS__HOSTS"]) == [
        "https://test-user:test-secret@a:9200",
        "http://test-user:test-secret@b:9200",
    ]


@pytest.mark.parametrize("key", ["password", "elastic"])
def test_the_password_of_elasticsearch_may_come_from_an_existing_secret(key: str) -> None:
    bundle = with_search(hosts=["a"], username="test-user", existingSecret="mine", passwordKey=key)
    assert bundle.env(API)["CLEARML_ELASTIC_SERVICE_PASSWORD"] == {
        "secretKeyRef": {"name": "mine", "key": key}
    }
    assert search_hosts(bundle) == [f"http://test-user:{PASSWORD}@a:9200"]
    assert "clearml-elasticsearch" not in bundle.of("Secret")


def with_ca(**ca: str) -> Bundle:
    return with_search(hosts=["https://a", "http://b", "https://c:443/path"], ca=ca)


@pytest.mark.parametrize(
    ("ca", "secret", "key"),
    [
        ({"certificate": CERTIFICATE}, "clearml-elasticsearch", "ca.crt"),
        ({"existingSecret": "mine"}, "mine", "ca.crt"),
        ({"existingSecret": "mine", "key": "root.pem"}, "mine", "root.pem"),
    ],
)
def test_the_server_finds_the_certificate_where_it_is_told_to_look(
    ca: dict[str, str], secret: str, key: str
) -> None:
    bundle = with_ca(**ca)
    (file,) = {host["ca_certs"] for host in search_hosts(bundle) if isinstance(host, dict)}
    mounts = {m["mountPath"]: m["name"] for m in bundle.container(API)["volumeMounts"]}
    directory, _, name = file.rpartition("/")
    (volume,) = (v for v in bundle.pod(API)["volumes"] if v["name"] == mounts[directory])
    assert volume["secret"]["secretName"] == secret
    assert {"key": key, "path": name} in volume["secret"]["items"]
    if "certificate" in ca:
        assert bundle.secret(secret)[key] == CERTIFICATE


def test_tls_options_stand_with_each_host_that_has_tls() -> None:
    """The first request of server 1.0.2 heeds nothing else."""
    first, second, third = search_hosts(with_ca(existingSecret="mine"))
    assert (first["host"], first["port"], first["use_ssl"]) == ("a", 9200, True)
    assert second == "http://b:9200"
    assert (third["host"], third["port"], third["url_prefix"]) == ("c", 443, "/path")
    assert "verify_certs" not in first
    (unverified,) = search_hosts(with_search(hosts=["https://a"], verifyCerts=False))
    assert unverified["verify_certs"] is False


def test_the_user_logs_in_at_hosts_with_tls_options_too() -> None:
    login = {"username": "test-user", "password": "test-secret"}
    bundle = with_search(hosts=["https://a"], verifyCerts=False, **login)
    (host,) = search_hosts(bundle)
    assert host["http_auth"] == f"test-user:{PASSWORD}"


@pytest.mark.parametrize(
    ("version", "beside"),
    [("1.0.2", False), ("1.1.1", False), ("1.2.0", True), ("1.15.1", True), ("1.16.2-502", True)],
)
def test_tls_options_stand_where_the_server_heeds_them(version: str, beside: bool) -> None:
    """Servers from 1.2 on pass them on; the clients of those from 1.15 on take no others."""
    external = {"hosts": ["https://a"], "verifyCerts": False}
    search = {"enabled": False, "external": external}
    bundle = render({"clearml": {"version": version}, "elasticsearch": search})
    assert (search_hosts(bundle) == ["https://a:9200"]) is beside
    told = bundle.env(API).get("CLEARML__HOSTS__ELASTIC__EVENTS__ARGS__VERIFY_CERTS")
    assert told == ("false" if beside else None)


def test_later_servers_have_the_tls_options_beside_plain_urls() -> None:
    ca = CaFile(SecretRef("mine"), "ca.crt")
    urls = ["https://a:9200/path"]
    told = ElasticsearchHosts(urls, ca=ca, verify_certs=False, args=True).environment
    for cluster in ("EVENTS", "WORKERS"):
        prefix = f"CLEARML__HOSTS__ELASTIC__{cluster}__"
        assert json.loads(str(told[prefix + "HOSTS"])) == urls
        assert told[prefix + "ARGS__CA_CERTS"] == ca.path
        assert told[prefix + "ARGS__VERIFY_CERTS"] == "false"


def test_pods_roll_when_the_certificate_changes() -> None:
    other = CERTIFICATE.replace("dGVz", "b3Ro")
    first, second = (with_ca(certificate=text).annotations(API) for text in (CERTIFICATE, other))
    assert {key for key in first if first[key] != second[key]} == {"checksum/clearml-elasticsearch"}


def test_password_and_certificate_share_a_secret() -> None:
    login = {"username": "test-user", "password": "test-secret"}
    bundle = with_search(hosts=["https://a"], ca={"certificate": CERTIFICATE}, **login)
    assert bundle.secret("clearml-elasticsearch") == {
        "password": "test-secret",
        "ca.crt": CERTIFICATE,
    }


def test_password_and_certificate_may_come_from_different_places() -> None:
    login = {"username": "test-user", "password": "test-secret"}
    bundle = with_search(hosts=["https://a"], ca={"existingSecret": "mine"}, **login)
    reference = bundle.env(API)["CLEARML_ELASTIC_SERVICE_PASSWORD"]["secretKeyRef"]
    assert bundle.secret(reference["name"])[reference["key"]] == "test-secret"
    (volume,) = (v for v in bundle.pod(API)["volumes"] if v["name"] == "elasticsearch-ca")
    assert volume["secret"]["secretName"] == "mine"
    assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_the_pod_waits_for_hosts_without_their_paths() -> None:
    waiting = with_search(hosts=["https://a/path", "b"])
    (target,) = (
        argument
        for argument in waiting.container(API, WAIT)["args"]
        if argument.startswith("elasticsearch=")
    )
    assert target == "elasticsearch=tcp://a:9200,b:9200"


# Redis


def test_redis_speaks_tls_for_both_of_its_users() -> None:
    env = external().env(API)
    names = {name.removeprefix("CLEARML__HOSTS__REDIS__"): env[name] for name in env}
    assert names["APISERVER__SSL"] == names["WORKERS__SSL"] == "true"
    assert names["APISERVER__PASSWORD"] == names["WORKERS__PASSWORD"]
    assert (names["APISERVER__DB"], names["WORKERS__DB"]) == ("2", "6")
    assert not [name for name in render(OUTSIDE_STORES).env(API) if name.endswith("__SSL")]


def test_redis_password_has_the_key_that_its_secret_gives_it() -> None:
    bundle = external()
    assert bundle.env(API)["CLEARML_REDIS_SERVICE_PASSWORD"] == {
        "secretKeyRef": {"name": "managed-redis", "key": "access-key"}
    }
    assert "clearml-redis" not in bundle.of("Secret")


@pytest.mark.parametrize("enabled", [True, False])
def test_mongodb_password_has_the_key_that_its_secret_gives_it(enabled: bool) -> None:
    auth = {"enabled": True, "existingSecret": "mine", "existingSecretKey": "root"}
    bundle = render({"mongodb": {"enabled": enabled, "auth": auth}}, outside={("Secret", "mine")})
    reference = {"secretKeyRef": {"name": "mine", "key": "root"}}
    assert bundle.env(API)["MONGODB_PASSWORD"] == reference
    if enabled:
        assert bundle.env("clearml-mongodb")["MONGO_INITDB_ROOT_PASSWORD"] == reference


# Ways to say it


def test_names_and_ports_say_where_a_store_is_that_is_not_enabled() -> None:
    bundle = render(OUTSIDE_STORES)
    external = render(
        {
            store: {"provider": "external"} | {k: v for k, v in values.items() if k != "enabled"}
            for store, values in OUTSIDE_STORES.items()
        }
    )
    assert external.files == bundle.files
    told = {k: v for k, v in bundle.env(API).items() if re.match(r"CLEARML_\w+_SERVICE_", k)}
    assert told == {
        "CLEARML_MONGODB_SERVICE_HOST": "mongo.db.svc.cluster.local",
        "CLEARML_MONGODB_SERVICE_PORT": "27018",
        "CLEARML_REDIS_SERVICE_HOST": "redis.example.com",
        "CLEARML_REDIS_SERVICE_PORT": "6380",
        "CLEARML_ELASTIC_SERVICE_HOST": "search-master",
        "CLEARML_ELASTIC_SERVICE_PORT": "9201",
    }


LOGIN: dict[str, Any] = {
    "hosts": ["a", "a"],
    "username": "test-user",
    "password": "test-secret",
}


@pytest.mark.parametrize(
    ("store", "theirs", "ours"),
    [
        ("redis", {"redisHost": "cache"}, {"master": {"name": "cache"}}),
        (
            "redis",
            {"redisHost": "cache", "redisPort": 6380},
            {"master": {"name": "cache", "port": 6380}},
        ),
        (
            "mongodb",
            {"mongodbHost": "db", "mongodbPort": 27018},
            {"service": {"name": "db", "port": 27018}},
        ),
        (
            "mongodb",
            {"mongodbConnectionStringBackend": BACKEND, "mongodbConnectionStringAuth": AUTH},
            {"external": {"backend": BACKEND, "auth": AUTH}},
        ),
        ("elasticsearch", {"elasticsearchHost": "es"}, {"external": {"hosts": ["es:9200"]}}),
        (
            "elasticsearch",
            {"elasticsearchHost": "es", "elasticsearchPort": 9201},
            {"external": {"hosts": ["http://es:9201"]}},
        ),
        (
            "elasticsearch",
            {
                "elasticsearchConnectionString": '[{"host": "a"}, {"host": "b", "port": 9201, '
                '"scheme": "https"}]'
            },
            {"external": {"hosts": ["http://a:9200", "https://b:9201"]}},
        ),
        *(
            ("elasticsearch", {"elasticsearchConnectionString": json.dumps(hosts)}, {"external": e})
            for hosts, e in (
                ([{"host": "a", "use_ssl": True}], {"hosts": ["https://a"]}),
                ([{"host": "a", "scheme": "", "url_prefix": "/b/"}], {"hosts": ["http://a/b"]}),
                ([{"host": "a", "port": "443", "path_prefix": "b"}], {"hosts": ["a:443/b"]}),
                ([{"host": "a", "http_auth": "test-user:test-secret"}] * 2, LOGIN),
                ([{"host": "a", "http_auth": ["test-user", "test-secret"]}] * 2, LOGIN),
                (
                    [{"host": "a", "scheme": "https", "use_ssl": True, "verify_certs": False}],
                    {"hosts": ["https://a"], "verifyCerts": False},
                ),
            )
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else value,
)
def test_the_words_of_later_charts_mean_the_same(
    store: str, theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    off = {"enabled": False}
    translated = render({"externalServices": theirs, store: off})
    assert translated.files == render({store: off | ours}).files
    assert translated.files != render({store: off}).files
    # They say nothing of a store that is there.
    assert render({"externalServices": theirs}).files == render().files


def test_the_examples_of_later_charts_say_nothing_of_a_store_that_is_there() -> None:
    hosts = '[{"host": "es_hostname1", "port": 9200}]'
    values = {"externalServices": {"elasticsearchConnectionString": hosts}}
    assert render(values).files == render().files


def test_the_stores_own_section_wins() -> None:
    bundle = render(
        {
            "externalServices": {"redisHost": "theirs", "redisPort": 6380},
            "redis": {"enabled": False, "master": {"name": "ours"}},
        }
    )
    env = bundle.env(API)
    assert env["CLEARML_REDIS_SERVICE_HOST"] == "ours"
    assert env["CLEARML_REDIS_SERVICE_PORT"] == "6380"


# What cannot be

OFF = {"enabled": False}


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"mongodb": {**OFF, "external": {"backend": BACKEND}}}, "mongodb.external.auth", "needed"),
        ({"mongodb": {**OFF, "external": {"auth": AUTH}}}, "mongodb.external.backend", "needed"),
        (
            {"mongodb": {**OFF, "external": {"backend": "http://db", "auth": AUTH}}},
            "mongodb.external.backend",
            "must be a URL",
        ),
        (
            {
                "mongodb": {
                    **OFF,
                    "external": {"backend": BACKEND, "auth": AUTH, "existingSecret": "mine"},
                }
            },
            "mongodb.external.existingSecret",
            "excludes",
        ),
        (
            {"mongodb": {"external": {"backend": BACKEND, "auth": AUTH}}},
            "mongodb.external",
            "only with provider external",
        ),
        (
            {
                "mongodb": {
                    **OFF,
                    "auth": {"enabled": True, "existingSecret": "mine"},
                    "external": {"existingSecret": "mine"},
                }
            },
            "mongodb.auth.enabled",
            "part of the connection strings",
        ),
        ({"redis": {"external": {"tls": True}}}, "redis.external.tls", "only with provider"),
        (
            {"elasticsearch": {"external": {"hosts": ["a"]}}},
            "elasticsearch.external",
            "only with provider external",
        ),
        (
            {"elasticsearch": {**OFF, "external": {"hosts": ["a"], "username": "test-user"}}},
            "elasticsearch.external.password",
            "needed",
        ),
        (
            {"elasticsearch": {**OFF, "external": {"hosts": ["a"], "existingSecret": "mine"}}},
            "elasticsearch.external.username",
            "needed",
        ),
        (
            {
                "elasticsearch": {
                    **OFF,
                    "external": {"username": "test-user", "password": "test-secret"},
                }
            },
            "elasticsearch.external.hosts",
            "must name the nodes",
        ),
        (
            {
                "elasticsearch": {
                    **OFF,
                    "external": {
                        "hosts": ["a"],
                        "username": "test-user",
                        "password": "test-secret@",
                    },
                }
            },
            "elasticsearch.external.password",
            "part of a URL",
        ),
        (
            {"elasticsearch": {**OFF, "external": {"hosts": ["https://a:b@c"]}}},
            "elasticsearch.external.hosts.0",
            "must be a host",
        ),
        (
            {"externalServices": {"elasticsearchConnectionString": "es:9200"}},
            "externalServices.elasticsearchConnectionString",
            "JSON list",
        ),
        *(
            (
                {
                    "elasticsearch": OFF,
                    "externalServices": {"elasticsearchConnectionString": json.dumps(hosts)},
                },
                "externalServices.elasticsearchConnectionString",
                message,
            )
            for hosts, message in (
                ([], "JSON list"),
                ([{"host": "a", "use_sll": True}], 'did you mean "use_ssl"'),
                ([{"host": "a", "ca_certs": "/a"}], "elasticsearch.external.ca"),
                ([{"host": "a", "scheme": "http", "use_ssl": True}], "different things"),
                ([{"host": "a", "http_auth": "test-secret"}], "user:password"),
                ([{"host": "a", "http_auth": ["test-secret", 1]}], "user:password"),
                ([{"host": "a", "http_auth": "u:test-secret@"}], "has a password that must be"),
                ([{"host": "a", "http_auth": "u:test-secret"}, {"host": "b"}], "same http_auth"),
                (
                    [{"host": "a", "use_ssl": True, "verify_certs": False}, {"host": "b"}],
                    "same verify_certs",
                ),
                ([{"host": "a", "verify_certs": "test"}], "has a verifyCerts that should be"),
                ([{"host": "https://a"}], "has a hosts.0 that must be"),
                ([{"host": "a", "port": 70000}], "has a hosts.0 that must be"),
            )
        ),
        *(
            ({"elasticsearch": {**OFF, "external": external}}, path, message)
            for external, path, message in (
                ({"hosts": ["a"], "verifyCerts": False}, "verifyCerts", "is for https"),
                ({"hosts": ["a"], "ca": {"existingSecret": "b"}}, "ca", "is for https"),
                ({"hosts": ["https://a//b"]}, "hosts.0", "must be a host"),
                (
                    {"hosts": ["https://a"], "ca": {"certificate": "test-secret"}},
                    "ca.certificate",
                    "in PEM format",
                ),
                (
                    {
                        "hosts": ["https://a"],
                        "ca": {"certificate": CERTIFICATE, "existingSecret": "a"},
                    },
                    "ca.existingSecret",
                    "excludes certificate",
                ),
                (
                    LOGIN
                    | {
                        "hosts": ["https://a"],
                        "ca": {"certificate": CERTIFICATE, "key": "password"},
                    },
                    "ca.key",
                    "password too",
                ),
            )
            for path in [f"elasticsearch.external.{path}"]
        ),
        *(
            ({store: {"image": image}}, f"{store}.{path}", "of Bitnami")
            for store, image, path in (
                ("mongodb", {"repository": "bitnamilegacy/mongodb"}, "image.repository"),
                ("redis", {"repository": "example.com/mirror/bitnami/redis"}, "image.repository"),
                ("elasticsearch", "docker.io/bitnami/elasticsearch", "image"),
            )
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_named(values: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Values.model_validate(values)
    (error,) = raised.value.errors(include_input=False)
    assert ".".join(map(str, error["loc"])) == path
    assert message in error["msg"]
    assert SECRET_MARK not in error["msg"]
