"""What the user is told after a synth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from clearml_k8s.notes import notes
from clearml_k8s.parts.need import ServerAddress, ServerAddresses
from config import Values

SERVERS = ServerAddresses(
    apiserver=ServerAddress("test-apiserver", 80),
    webserver=ServerAddress("test-webserver", 80),
    fileserver=ServerAddress("test-fileserver", 80),
)
LONG_WARNING = "a warning of more words than one line of a terminal holds " * 3


@pytest.fixture
def outdir(tmp_path: Path) -> Path:
    """A folder with the manifests of eight objects, and a file that is none of ours."""
    for number in range(4):
        manifest = "kind: Secret\nspec: {kind: no}\n  kind: no\n---\nkind: Secret # Zoë\n"
        (tmp_path / f"{number}-some-component.k8s.yaml").write_text(manifest, encoding="utf-8")
    (tmp_path / "other.yaml").write_text("kind: Secret\n")
    return tmp_path


OWN = {"existingSecret": "mine", "existingSecretKeys": "clearml-conf"}


def _values(**server: object) -> Values:
    return Values.read({"webserver": server, "clearml": OWN})


def test_files_come_first_then_addresses_then_warnings(outdir: Path) -> None:
    told = notes(Values(), SERVERS, outdir, ["one more"]).splitlines()
    assert told[0] == f"8 objects in 4 files written to {outdir}"
    starts = (
        "  0-some",
        "  Web: ",
        "  API: ",
        "  Files: ",
        "warning: one",
    )
    places = [next(i for i, line in enumerate(told) if line.startswith(s)) for s in starts]
    assert places == sorted(places)
    assert "other.yaml" not in "".join(told[1:])


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({"ingress": {"enabled": True, "host": "example.com"}}, "Web: http://app.example.com"),
        (
            {"ingress": {"enabled": True, "host": "a.example.com", "tls": {"secretName": "mine"}}},
            "API: https://api.a.example.com",
        ),
        ({"apiserver": {"service": {"nodePort": 30100}}}, "API: http://<any node>:30100"),
        ({"clearml": {"nodeAddress": "node.org"}}, "Files: http://node.org:30081"),
        (
            {"webserver": {"ingress": {"enabled": True, "hostName": "*.a.org", "path": "/ml"}}},
            "Web: *.a.org/ml",
        ),
        (
            {"fileserver": {"service": {"nodePort": 0}}},
            "Files: kubectl get -n clearml svc/test-fileserver shows the address",
        ),
        (
            {"webserver": {"service": {"type": "LoadBalancer"}}},
            "Web: kubectl get -n clearml svc/test-webserver shows the address",
        ),
        (
            {"fileserver": {"service": {"type": "ClusterIP", "port": 80}}},
            "Files: kubectl port-forward -n clearml svc/test-fileserver 8081:80",
        ),
    ],
)
def test_addresses_are_where_the_servers_answer(
    values: dict[str, Any], address: str, outdir: Path
) -> None:
    assert f"  {address}" in notes(Values.read(values), SERVERS, outdir).splitlines()


def test_clients_are_shown_their_configuration_once_all_is_known(outdir: Path) -> None:
    known = {"ingress": {"enabled": True, "host": "a.org"}}
    told = notes(Values.read(known), SERVERS, outdir) + "\n"
    assert (
        """
  api {
    web_server: "http://app.a.org"
    api_server: "http://api.a.org"
    files_server: "http://files.a.org"
  }
"""
        in told
    )
    unknown = known | {"fileserver": {"ingress": {"enabled": True, "hostName": "*.a.org"}}}
    assert "api_server" not in notes(Values.read(unknown), SERVERS, outdir)


def test_a_server_elsewhere_is_where_the_values_say_or_left_out(outdir: Path) -> None:
    files = {"clearml": {"clientConfigurationFilesUrl": "s3://bucket"}}
    off = {"fileserver": {"enabled": False}, "webserver": {"enabled": False}}
    servers = SERVERS._replace(webserver=None, fileserver=None)
    told = notes(Values.read(files | off), servers, outdir) + "\n"
    assert "  Files: s3://bucket\n" in told
    assert "Web:" not in told


NO_APISERVER = {
    "apiserver": {"enabled": False},
    "clearml": OWN | {"clientConfigurationApiUrl": "http://api.example.com"},
}
OTHER_NODE_PORT = {"fileserver": {"service": {"nodePort": 31081}}}


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({}, []),
        ({"clearml": OWN}, []),
        ({"clearml": {"existingSecret": "mine"}}, ["clearml.existingSecret"]),
        ({"clearml": OWN | {"existingSecretKeys": "chart-5"}}, []),
        (
            {**NO_APISERVER, "clearml": {"clientConfigurationApiUrl": "http://api.example.com"}},
            ["clearml.credentials"],
        ),
        (OTHER_NODE_PORT, ["fileserver.service.nodePort"]),
        (OTHER_NODE_PORT | {"webserver": {"service": {"type": "ClusterIP"}}}, []),
        (OTHER_NODE_PORT | {"ingress": {"enabled": True, "host": "example.com"}}, []),
        ({"fileserver": {"service": {"type": "ClusterIP", "nodePort": 31081}}}, []),
        ({"elasticsearch": {"roles": {"master": False}}}, ["elasticsearch.roles.master"]),
        (NO_APISERVER | {"elasticsearch": {"enabled": False, "roles": {"master": False}}}, []),
        ({"agentservices": {"replicaCount": 2}}, ["agentservices.replicaCount"]),
        ({"fileserver": {"image": {"tag": "2.3.1"}}}, ["clearml.nodeAddress"]),
        ({"clearml": {"version": "2.5.0"}}, ["clearml.version", "clearml.nodeAddress"]),
        ({"agentservices": {"replicaCount": 2, "enabled": False}}, []),
        ({"redis": {"password": "test-secret"}}, ["redis.usePassword"]),
        ({"redis": {"existingSecret": "stores"}}, ["redis.usePassword"]),
        ({"mongodb": {"auth": {"rootPassword": "test-secret"}}}, ["mongodb.auth.enabled"]),
        ({"mongodb": {"auth": {"existingSecret": "stores"}}}, ["mongodb.auth.enabled"]),
        (
            {store: {"enabled": False} for store in ("mongodb", "redis", "elasticsearch")},
            ["mongodb", "redis", "elasticsearch"],
        ),
        ({"mongodb": {"enabled": False, "service": {"name": "db.example.com"}}}, []),
        ({"mongodb": {"enabled": False, "external": {"existingSecret": "urls"}}}, []),
        ({"redis": {"enabled": False, "master": {"name": "redis.example.com"}}}, []),
        ({"elasticsearch": {"enabled": False, "clusterName": "search"}}, []),
        ({"elasticsearch": {"enabled": False, "external": {"hosts": ["search"]}}}, []),
        (NO_APISERVER | {"redis": {"enabled": False}}, []),
    ],
)
def test_what_is_allowed_but_unwise_is_warned_of(values: dict[str, Any], warned: list[str]) -> None:
    own = {"clearml": OWN} if values else {}
    warnings = Values.read(own | values).warnings()
    assert [warning.split(": ")[0] for warning in warnings] == warned


def test_published_credentials_are_warned_of_unless_the_existing_secret_replaces_them() -> None:
    key = {"apiserverKey": "5442F3443MJMORWZA3ZH", "webserverKey": "EYVQ385RW7Y2QQUH88CZ7DWIQ1WUHP"}
    values = {"clearml": OWN | {"existingSecretKeys": "chart-2", "credentials": key}}
    (warning,) = Values.read(values).warnings()
    assert "(webserverKey)" in warning


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("", 100), ("0", 100)])
def test_texts_are_wrapped_to_the_terminal(
    outdir: Path, monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "__stdout__", None)  # no terminal
    _, *told = notes(_values(), SERVERS, outdir, [LONG_WARNING]).splitlines()
    assert width - 30 < max(map(len, told)) <= width
    first = told.index(next(line for line in told if line.startswith("warning: ")))
    assert all(line.startswith("  ") for line in (*told[:first], *told[first + 1 :]))
    assert " ".join(" ".join(told).split()).endswith(LONG_WARNING.strip())


def test_a_command_stays_on_one_line(outdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    told = notes(_values(service={"type": "ClusterIP"}), SERVERS, outdir)
    assert "kubectl port-forward -n clearml svc/test-webserver 8080:80\n" in told
