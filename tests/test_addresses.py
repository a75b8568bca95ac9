"""Where browsers reach the servers, and all that follows from it."""

from __future__ import annotations

import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from config import Values
from config.addresses import guessed
from config.generation import DEFAULT_GENERATION
from config.types.merging import merge
from rendering import Bundle, render

GATEWAY = {"enabled": True, "host": "g.org", "parentRefs": [{"name": "front"}]}
LOAD_BALANCER = {"service": {"type": "LoadBalancer", "loadBalancerIP": "10.0.0.1"}}
SHORT = {"ingress": {"enabled": True, "host": "short.org"}}
S3 = {"clearml": {"clientConfigurationFilesUrl": "s3://bucket"}, "fileserver": {"enabled": False}}


def urls(values: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """The public URLs of web, API and file server."""
    public = Values.read(values).public_urls
    return public.webserver, public.apiserver, public.fileserver


def ingress(host: str, **more: object) -> dict[str, Any]:
    return {"ingress": {"enabled": True, "hostName": host, **more}}


@pytest.mark.parametrize(
    ("values", "web", "api", "files"),
    [
        ({}, None, None, None),
        (SHORT, "http://app.short.org", "http://api.short.org", "http://files.short.org"),
        (
            {"ingress": SHORT["ingress"] | {"tls": {"secretName": "a"}, "hostPrefixApp": "web."}},
            "https://web.short.org",
            "https://api.short.org",
            "https://files.short.org",
        ),
        (
            {"ingress": SHORT["ingress"] | {"files": {"hostName": "f.org", "tlsSecretName": "a"}}},
            "http://app.short.org",
            "http://api.short.org",
            "https://f.org",
        ),
        # One of its own comes before the common one, and that before the Service.
        (
            SHORT | {"apiserver": ingress("own.org", path="/api/") | LOAD_BALANCER},
            "http://app.short.org",
            "http://own.org/api",
            "http://files.short.org",
        ),
        ({"gateway": GATEWAY}, "http://app.g.org", "http://api.g.org", "http://files.g.org"),
        (
            {"gateway": GATEWAY | {"tls": {"enabled": True}, "app": {"hostName": "w.org"}}},
            "https://w.org",
            "https://api.g.org",
            "https://files.g.org",
        ),
        # No URL stands for many hosts or paths.
        ({"webserver": ingress("*.w.org")}, None, None, None),
        (
            {
                "apiserver": ingress(
                    "a.org", path="/api(/|$)(.*)", pathType="ImplementationSpecific"
                )
            },
            None,
            None,
            None,
        ),
        (
            {"webserver": LOAD_BALANCER, "apiserver": LOAD_BALANCER},
            "http://10.0.0.1",
            "http://10.0.0.1:8008",
            None,
        ),
        (
            {"clearml": {"nodeAddress": "fd00::1"}, "webserver": LOAD_BALANCER},
            "http://10.0.0.1",
            "http://[fd00::1]:30008",
            "http://[fd00::1]:30081",
        ),
        (
            {
                "clearml": {"nodeAddress": "node.org"},
                "apiserver": {"service": {"type": "ClusterIP"}},
                "fileserver": {"service": {"nodePort": 0}},
            },
            "http://node.org:30080",
            None,
            None,
        ),
        (
            SHORT | {"clearml": {"clientConfigurationApiUrl": "https://mine.org/a/"}},
            "http://app.short.org",
            "https://mine.org/a",
            "http://files.short.org",
        ),
        (S3, None, None, "s3://bucket"),
    ],
)
def test_public_urls(
    values: dict[str, Any], web: str | None, api: str | None, files: str | None
) -> None:
    assert urls(values) == (web, api, files)


def test_what_an_agent_is_told_itself_comes_first() -> None:
    own = {"clearmlWebHost": "http://w.org", "clearmlFilesHost": "s3://mine"}
    env = render(SHORT | {"agentservices": own}).env("clearml-agentservices")
    told = [env[f"CLEARML_{name}_HOST"] for name in ("WEB", "FILES", "API")]
    assert told == ["http://w.org", "s3://mine", "http://clearml-apiserver:8008"]


@pytest.mark.parametrize(
    ("page", "api", "files"),
    [
        ("https://app.a.org", "https://api.a.org", "https://files.a.org"),
        ("http://demoapp.a.org:81", "http://demoapi.a.org:81", "http://demofiles.a.org:81"),
        ("http://application.org", "http://application.org:8008", None),
        ("http://node:30080", "http://node:30008", "http://node:30081"),
        ("http://node:8080", "http://node:8008", "http://node:8081"),
        ("https://node/path", "https://node:8008", None),
        ("http://[fd00::1]:30080", "http://[fd00::1]:30008", "http://[fd00::1]:30081"),
    ],
)
def test_the_web_page_guesses(page: str, api: str, files: str | None) -> None:
    found = guessed(page, DEFAULT_GENERATION)
    assert (found["apiserver"], found.get("fileserver")) == (api, files)


SUB_PATHS = {
    "webserver": ingress("a.org", path="/ml"),
    "apiserver": ingress("a.org", path="/api"),
    "fileserver": ingress("a.org", path="/files"),
}


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        (SHORT, []),
        ({"gateway": GATEWAY}, []),
        ({"clearml": {"nodeAddress": "node.org"}}, []),
        (
            {"ingress": SHORT["ingress"] | {"hostPrefixApi": "rest."}},
            ["the API server is at http://rest.short.org"],
        ),
        (
            {"webserver": ingress("ml.org"), "clearml": {"nodeAddress": "ml.org"}},
            [
                "the API server is at http://ml.org:30008",
                "the file server is at http://ml.org:30081",
            ],
        ),
        (
            {"webserver": ingress("*.ml.org"), "apiserver": {"service": {"nodePort": 30100}}},
            [],
        ),
        # Links lead into the bucket by themselves.
        (
            {
                **S3,
                "webserver": ingress("app.ml.org"),
                "apiserver": ingress("api.ml.org"),
            },
            [],
        ),
        (SHORT | {"fileserver": {"ingress": {"hostName": "ml.org", "path": "/files"}}}, []),
        (SHORT | {"clearml": {"cookieDomain": "short.org"}}, []),
        (SHORT | {"clearml": {"cookieDomain": "other.org"}}, ["clearml.cookieDomain"]),
        (SHORT | {"clearml": {"cookieDomain": "ort.org"}}, ["clearml.cookieDomain"]),
        (
            SUB_PATHS,
            [
                "webserver.ingress.path",
                "fileserver.ingress.path",
                "the API server is at http://a.org/api",
                "the file server is at http://a.org/files",
            ],
        ),
    ],
)
def test_what_the_page_or_a_server_cannot_know_is_warned_of(
    values: dict[str, Any], warned: list[str]
) -> None:
    given = Values.read(values).warnings()
    warnings = [line for line in given if not line.startswith("clearml.credentials")]
    assert [w.startswith(start) for w, start in zip(warnings, warned, strict=True)] == [
        True for _ in warned
    ]


def as_told(values: dict[str, Any]) -> Bundle:
    """What servers get that can be told all that the later ones can."""
    later = merge({"clearml": {"version": "2.3.0"}}, values)
    starts = ("clearml.credentials", "clearml.nodeAddress", "fileserver.ingress.path")
    assert [w for w in Values.read(later).warnings() if not w.startswith(starts)] == []
    return render(later)


def settings(bundle: Bundle) -> dict[str, Any]:
    """What the page of later servers is told, decoded."""
    env = bundle.env("clearml-webserver").items()
    return {
        name.removeprefix("WEBSERVER__"): json.loads(value)
        for name, value in env
        if name.startswith("WEBSERVER__")
    }


def test_the_page_of_later_servers_is_told_the_urls() -> None:
    api, files = "http://a.org/api", "http://a.org/files"
    assert settings(as_told(SUB_PATHS)) == {
        "apiBaseUrl": api,
        "fileBaseUrl": files,
        "displayedServerUrls": {"apiServer": api, "filesServer": files},
    }
    assert settings(as_told({})) == {}
    assert settings(as_told(S3)) == {}


def test_later_web_servers_are_told_their_path() -> None:
    assert as_told(SUB_PATHS).env("clearml-webserver")["CLEARML_SERVER_SUB_PATH"] == "ml"
    assert "CLEARML_SERVER_SUB_PATH" not in as_told(SHORT).env("clearml-webserver")
    assert "CLEARML_SERVER_SUB_PATH" not in render(SUB_PATHS).env("clearml-webserver")
    with pytest.raises(ValueError, match="must have one part only"):
        as_told({"webserver": ingress("a.org", path="/a/b")})


@pytest.mark.parametrize(
    ("values", "domain"),
    [
        (SHORT, "short.org"),
        (SHORT | {"clearml": {"cookieDomain": "org"}}, "org"),
        ({}, None),
        ({"clearml": {"nodeAddress": "10.0.0.1"}}, None),
        ({"apiserver": ingress("api.org"), "fileserver": ingress("files.org")}, None),
        ({"apiserver": ingress("api.a.org"), "fileserver": ingress("files.b.org")}, None),
        ({"apiserver": ingress("api.a.org")}, None),
        (SUB_PATHS, None),
    ],
)
def test_the_cookie_reaches_a_file_server_that_asks_for_it(
    values: dict[str, Any], domain: str | None
) -> None:
    variable = "CLEARML__APISERVER__AUTH__COOKIES__DOMAIN"
    assert as_told(values).env("clearml-apiserver").get(variable) == domain


def test_the_default_server_keeps_its_cookie_to_itself() -> None:
    env = render(SHORT | {"clearml": {"cookieName": "1.5"}}).env("clearml-apiserver")
    assert "CLEARML__APISERVER__AUTH__COOKIES__DOMAIN" not in env
    # Or the server would read a number.
    assert env["CLEARML__APISERVER__AUTH__SESSION_AUTH_COOKIE_NAME"] == '"1.5"'


def test_a_file_server_that_asks_for_the_cookie_knows_its_name() -> None:
    variable = "CLEARML__FILESERVER__AUTH__COOKIE_NAMES"
    named = {"clearml": {"cookieName": "mine"}}
    assert as_told(named).env("clearml-fileserver")[variable] == '["mine"]'
    assert variable not in as_told({}).env("clearml-fileserver")
    assert variable not in render(named).env("clearml-fileserver")


ABSENT = {
    "webserver": {},
    "apiserver": {"clearml": {"clientConfigurationApiUrl": "http://api.org"}},
    "fileserver": {"clearml": {"clientConfigurationFilesUrl": "s3://bucket"}},
}


@pytest.mark.parametrize("server", ABSENT)
@pytest.mark.parametrize("front", [SHORT, {"gateway": GATEWAY}], ids=["ingress", "gateway"])
def test_of_a_server_that_is_elsewhere_there_is_nothing(server: str, front: dict[str, Any]) -> None:
    bundle = render({**front, **ABSENT[server], server: {"enabled": False}})
    assert not [name for _, name in bundle.inventory if server in name]
    assert f"clearml-{server}" not in str([*bundle.of("Ingress").values(), *bundle.workloads])
    others = {"webserver", "apiserver", "fileserver"} - {server}
    assert {f"clearml-{other}" for other in others} <= bundle.workloads.keys()


def test_the_proxy_starts_without_a_file_server() -> None:
    address = render(S3).env("clearml-webserver")["NGINX_FILESERVER_ADDRESS"]
    # It looks up names when it starts, and ends if there is one that it does not find.
    assert ipaddress.ip_address(urlsplit(address).hostname or "").is_loopback


def test_the_ingress_of_a_server_elsewhere_does_not_count() -> None:
    assert Values.read({"gateway": GATEWAY, **S3, "fileserver": {"enabled": False, **ingress("a")}})


def test_servers_elsewhere_take_no_names_and_ports() -> None:
    values = S3 | {
        "fileserver": {"enabled": False, "service": {"nodePort": 30080}},
        "mongodb": {"service": {"name": "clearml-fileserver"}},
    }
    assert ("Service", "clearml-fileserver") in render(values).inventory


def test_agents_alone_need_no_server_here() -> None:
    off: dict[str, Any] = {"enabled": False}
    stores = dict.fromkeys(("mongodb", "redis", "elasticsearch"), off)
    own = {"clearml": ABSENT["apiserver"]["clearml"] | ABSENT["fileserver"]["clearml"]}
    bundle = render({**stores, **dict.fromkeys(ABSENT, off), **own})
    assert bundle.workloads.keys() == {"clearml-agentservices", "clearml-agent-group0-agent"}
    env = bundle.env("clearml-agentservices")
    assert (env["CLEARML_API_HOST"], env["CLEARML_FILES_HOST"]) == ("http://api.org", "s3://bucket")
    assert bundle.container("clearml-agentservices", "wait-for-apiserver")["args"] == [
        "apiserver=tcp://api.org:80"
    ]


def test_agents_that_are_told_their_servers_themselves_need_no_others() -> None:
    off: dict[str, Any] = {"enabled": False}
    told = {"clearmlApiHost": "http://api.org", "clearmlFilesHost": "s3://bucket"}
    agents = {"agentservices": off, "agentGroups": {"agent-group0": told}}
    env = render({**dict.fromkeys(ABSENT, off), **agents}).env("clearml-agent-group0-agent")
    assert (env["CLEARML_API_HOST"], env["CLEARML_FILES_HOST"]) == ("http://api.org", "s3://bucket")


def test_without_servers_there_is_nothing_in_front_of_them() -> None:
    off: dict[str, Any] = {"enabled": False}
    agents = {"agentservices": off, "agentGroups": {"agent-group0": off}}
    gateway = {"gateway": GATEWAY | {"tls": {"secretName": "made"}}, "certManager": {"issuer": "a"}}
    nothing = {**dict.fromkeys(ABSENT, off), **agents}
    assert render({**nothing, **gateway}).files == render(nothing).files


def test_servers_that_nobody_needs_need_no_address() -> None:
    off: dict[str, Any] = {"enabled": False}
    agents = {"agentservices": off, "agentGroups": {"agent-group0": off}}
    assert Values.read(agents | {"fileserver": off})
    assert Values.read(agents | {"apiserver": off, "webserver": off})
