"""The Job's own program, with its own account and rights, against a real API server."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from clearml_k8s.programs import make_credentials
from cluster.bundles import Bundle, write
from cluster.client import Cluster
from cluster.machines import Object

NAMESPACE = "clearml"
ACCOUNT = "clearml-credentials"
STORES: Mapping[str, Any] = {
    "mongodb": {"architecture": "replicaset", "auth": {"enabled": True}},
    "redis": {"usePassword": True},
}
SECRETS = {"clearml-conf": 12, "clearml-mongodb": 2, "clearml-redis": 1}
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class Program:
    """The container of the Job: how it is started, and what it finds in its pod."""

    command: list[str]
    settings: dict[str, Any]
    environment: dict[str, str]

    def start(self) -> subprocess.Popen[str]:
        """Start it."""
        return subprocess.Popen(
            [sys.executable, *self.command[1:], json.dumps(self.settings)],
            env={"PATH": os.defpath, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> tuple[int, list[str]]:
        """Run it to its end: exit status and lines; nothing of it may be on stderr."""
        return ended(self.start())


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Exit status and lines of a program that is running."""
    out, error = process.communicate(timeout=120)
    assert not error
    return process.returncode, out.splitlines()


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return write(tmp_path, "default", STORES)


@pytest.fixture
def program(cluster: Cluster, bundle: Bundle) -> Program:
    """The program of the Job; namespace, account and rights are there as in the manifests."""
    dist = bundle.folder / "dist"
    cluster.kubectl("apply", "-f", str(dist / "0000-namespace.k8s.yaml"))
    rights = [o for o in credentials_of(bundle) if o["kind"] != "Job"]
    cluster.apply(rights)
    (job,) = (o for o in credentials_of(bundle) if o["kind"] == "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    account = bundle.folder / "account"
    account.mkdir()
    config = json.loads((cluster.folder / "kubeconfig").read_text())["clusters"][0]["cluster"]
    (account / "ca.crt").write_bytes(Path(config["certificate-authority"]).read_bytes())
    (account / "namespace").write_text(NAMESPACE)
    (account / "token").write_text(cluster.kubectl("create", "token", ACCOUNT, "-n", NAMESPACE))
    (args,) = container["args"]
    server = urlsplit(config["server"])
    return Program(
        container["command"],
        {**json.loads(args), "account": str(account)},
        {
            "KUBERNETES_SERVICE_HOST": str(server.hostname),
            "KUBERNETES_SERVICE_PORT": str(server.port),
        },
    )


def credentials_of(bundle: Bundle) -> list[Object]:
    """The objects of the file with the Job."""
    text = (bundle.folder / "dist/0100-credentials.k8s.yaml").read_text()
    return list(yaml.safe_load_all(text))


def secrets(cluster: Cluster) -> dict[str, Object]:
    """The Secrets by name."""
    return {o["metadata"]["name"]: o for o in cluster.objects("secrets", namespace=NAMESPACE)}


def make(cluster: Cluster, name: str, **more: Any) -> None:
    """A Secret that is there before."""
    metadata = {"name": name, "namespace": NAMESPACE}
    cluster.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **more}])


def test_nothing_is_there_and_then_everything_and_nothing_changes_again(
    cluster: Cluster, program: Program
) -> None:
    status, lines = program.run()
    assert status == 0
    made = secrets(cluster)
    assert {name: len(made[name]["data"]) for name in made} == SECRETS
    texts = [base64.b64decode(text).decode() for o in made.values() for text in o["data"].values()]
    assert len(set(texts)) == sum(SECRETS.values())
    assert all(text.isalnum() and len(text) >= 20 for text in texts)
    assert [line.split(": made ")[0] for line in lines] == [f"Secret {n}" for n in sorted(SECRETS)]
    assert not [text for text in texts if text in "".join(lines)]
    assert not [o for o in made.values() if APPLIED in o["metadata"].get("annotations", {})]

    status, lines = program.run()
    assert status == 0
    assert all(line.endswith("nothing to do") for line in lines)
    assert secrets(cluster) == made


def test_what_is_there_stays_as_it_is(cluster: Cluster, program: Program) -> None:
    there = {"http_session": "theirs", "other": "theirs", "auth_token": ""}
    make(cluster, "clearml-conf", stringData=there, type="example.com/own")
    status, lines = program.run()
    assert status == 0
    found = secrets(cluster)["clearml-conf"]
    data = {key: base64.b64decode(text).decode() for key, text in found["data"].items()}
    assert (data["http_session"], data["other"], found["type"]) == (
        "theirs",
        "theirs",
        "example.com/own",
    )
    assert len(data["auth_token"]) == 50
    assert len(data) == 13
    assert "http_session" not in lines[0]
    # What its owner has applied stays, and kubectl apply --prune with our labels leaves it alone.
    assert "theirs" in found["metadata"]["annotations"][APPLIED]
    assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "clearml-credentials"


def test_a_secret_of_which_manifests_hold_a_part_stays_theirs(
    cluster: Cluster, program: Program
) -> None:
    program.settings["secrets"]["clearml-redis"]["whole"] = False
    make(cluster, "clearml-redis", stringData={"given": "theirs"})
    before = secrets(cluster)["clearml-redis"]["metadata"]
    assert program.run()[0] == 0
    after = secrets(cluster)["clearml-redis"]
    assert set(after["data"]) == {"given", "redis-password"}
    assert after["metadata"]["annotations"] == before["annotations"]
    assert "labels" not in after["metadata"]


def test_a_secret_of_earlier_manifests_is_taken_out_of_them(
    cluster: Cluster, program: Program
) -> None:
    labels = {"app.kubernetes.io/managed-by": "cdk8s", "team": "ml"}
    keys = program.settings["secrets"]["clearml-conf"]["lengths"]
    metadata = {"name": "clearml-conf", "namespace": NAMESPACE, "labels": labels}
    text = dict.fromkeys(keys, "theirs")
    cluster.apply(
        [{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": text}]
    )
    status, lines = program.run()
    assert (status, lines[0]) == (0, "Secret clearml-conf: has all its keys, is kept from now")
    found = secrets(cluster)["clearml-conf"]
    assert set(found["data"].values()) == {base64.b64encode(b"theirs").decode()}
    assert (
        found["metadata"]["labels"].items()
        >= {
            "team": "ml",
            "app.kubernetes.io/managed-by": "clearml-credentials",
        }.items()
    )
    ours = "app.kubernetes.io/managed-by=cdk8s"
    cluster.kubectl("delete", "secrets", "-n", NAMESPACE, "-l", ours)
    assert "clearml-conf" in secrets(cluster)


@pytest.mark.parametrize("first_key", ["clearml-conf", "clearml-redis"])
def test_another_writer_in_between_is_not_overwritten(
    cluster: Cluster, program: Program, first_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right before each program's own change somebody else makes one."""
    key = next(iter(program.settings["secrets"][first_key]["lengths"]))
    theirs = base64.b64encode(b"theirs").decode()
    patch = make_credentials.Api.patch
    tries: list[str] = []

    def late(self: make_credentials.Api, name: str, changes: Object) -> None:
        if name == first_key and not tries:
            tries.append(name)
            data = json.dumps({"data": {key: theirs}})
            cluster.kubectl("patch", "secret", name, "-n", NAMESPACE, "--type=merge", "-p", data)
        patch(self, name, changes)

    monkeypatch.setattr(make_credentials.Api, "patch", late)
    for name, text in program.environment.items():
        monkeypatch.setenv(name, text)
    assert make_credentials.main(program.settings) == 0
    assert tries
    found = secrets(cluster)
    assert found[first_key]["data"][key] == theirs
    assert {name: len(found[name]["data"]) for name in found} == SECRETS


def test_programs_that_run_at_once_agree(cluster: Cluster, program: Program) -> None:
    running = [program.start() for _ in range(4)]
    done = [ended(process) for process in running]
    assert [status for status, _ in done] == [0] * 4
    assert {name: len(o["data"]) for name, o in secrets(cluster).items()} == SECRETS
    said = [line for _, lines in done for line in lines if ": made " in line]
    assert len(said) == len(SECRETS)


def test_without_rights_it_fails_and_says_why(cluster: Cluster, program: Program) -> None:
    cluster.kubectl("delete", "rolebinding", "-n", NAMESPACE, ACCOUNT)
    status, lines = replace(program, settings={**program.settings, "patience": 1}).run()
    assert status == 1
    failed = [line for line in lines if ": failed, cannot get: HTTP 403: " in line]
    assert [line.split(":")[0] for line in failed] == [f"Secret {n}" for n in sorted(SECRETS)]
    assert secrets(cluster) == {}


def test_rights_may_arrive_later(cluster: Cluster, bundle: Bundle, program: Program) -> None:
    (binding,) = (o for o in credentials_of(bundle) if o["kind"] == "RoleBinding")
    cluster.kubectl("delete", "rolebinding", "-n", NAMESPACE, ACCOUNT)
    process = program.start()
    assert process.stdout
    assert "cannot get: HTTP 403" in process.stdout.readline()
    cluster.apply([binding])
    assert ended(process)[0] == 0
    assert set(secrets(cluster)) == set(SECRETS)


def test_an_immutable_secret_cannot_be_completed(cluster: Cluster, program: Program) -> None:
    make(cluster, "clearml-redis", immutable=True)
    status, lines = program.run()
    assert status == 1
    assert "Secret clearml-redis: failed, is immutable and lacks redis-password" in lines
    assert set(secrets(cluster)["clearml-mongodb"]["data"]) == {
        "mongodb-root-password",
        "mongodb-replica-set-key",
    }


@contextmanager
def forwarded(listening: socket.socket, host: str, port: int) -> Iterator[None]:
    """What connects to the socket reaches the host."""

    def pump(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                end.close()

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection((host, port))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    listening.listen()
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        listening.close()


def test_an_api_server_that_is_away_comes_back(cluster: Cluster, program: Program) -> None:
    host = program.environment["KUBERNETES_SERVICE_HOST"]
    port = int(program.environment["KUBERNETES_SERVICE_PORT"])
    with socket.socket() as way:
        way.bind((host, 0))
        elsewhere = {**program.environment, "KUBERNETES_SERVICE_PORT": str(way.getsockname()[1])}
        process = replace(program, environment=elsewhere).start()
        assert process.stdout
        assert "cannot get: ConnectionRefusedError" in process.stdout.readline()
        with forwarded(way, host, port):
            assert ended(process)[0] == 0
    assert set(secrets(cluster)) == set(SECRETS)


Asked = Callable[..., str]


@pytest.fixture
def may(cluster: Cluster, program: Program) -> Asked:
    """What the API server says of a request of the Job's account; `program` made its rights."""
    assert program
    user = f"--as=system:serviceaccount:{NAMESPACE}:{ACCOUNT}"

    def ask(verb: str, what: str, namespace: str = NAMESPACE) -> str:
        asked = cluster.run("kubectl", "auth", "can-i", verb, what, user, "-n", namespace)
        return asked.stdout.split()[0]

    return ask


def test_the_account_may_do_what_it_needs_and_nothing_else(may: Asked) -> None:
    for secret in SECRETS:
        assert [may(verb, f"secrets/{secret}") for verb in ("get", "create", "patch")] == [
            "yes"
        ] * 3
        for verb in ("list", "watch", "update", "delete", "deletecollection"):
            assert may(verb, f"secrets/{secret}") == "no"
    for verb in ("get", "list", "create", "patch", "delete", "*"):
        assert may(verb, "secrets") == "no"
        assert may(verb, "secrets/other") == "no"
        assert may(verb, "configmaps/clearml-conf") == "no"
        assert may(verb, "pods") == "no"
    assert may("get", "secrets/clearml-conf", "default") == "no"


def test_all_keys_are_there_before_a_store_asks_for_them(
    cluster: Cluster, bundle: Bundle, program: Program
) -> None:
    """What any pod of the bundle takes from a Secret is there after the Job."""
    assert program.run()[0] == 0
    there = {(n, key) for n, o in secrets(cluster).items() for key in o["data"]}
    there |= {
        (o["metadata"]["name"], key)
        for o in bundle.objects
        if o["kind"] == "Secret"
        for key in o["data"]
    }
    assert {tuple(reference) for reference in taken(bundle.objects)} <= there


def taken(node: Any) -> Iterator[list[str]]:
    """Secret and key of all variables below a node."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        if isinstance(child, dict) and "secretKeyRef" in child:
            yield [child["secretKeyRef"]["name"], child["secretKeyRef"]["key"]]
        yield from taken(child)
