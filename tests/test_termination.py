"""How containers end: what SIGTERM does to the first process of each, and how long that takes."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.types.merging import merge
from config.upgrade_steps import GUARD
from first_process import common_folder, first_process, needs_namespaces
from rendering import Bundle, Object, render
from scenarios import REPLICATED

SERVERS = ("apiserver", "fileserver", "webserver")
IMMEDIATELY = 2.0  # seconds, on a busy machine

pytestmark = needs_namespaces


@pytest.fixture
def folder() -> Iterator[Path]:
    with common_folder() as path:
        yield path


# Servers


def image_with(folder: Path, script: str, name: str = "entrypoint.sh") -> None:
    """Make an image's folder with an entrypoint that only root may execute."""
    entrypoint = folder / name
    entrypoint.write_text(f"#!/usr/bin/env bash\nset -e\n{script}\n")
    entrypoint.chmod(0o744)


def started(server: str, folder: Path) -> list[str]:
    """The command of a server's container, with the folder as the image's."""
    container = render().container(f"clearml-{server}")
    command = [*container["command"], *container["args"]]
    return [word.replace("/opt/clearml", str(folder)) for word in command]


# A child of the entrypoint, not what that has become.
SERVES = 'echo "serving $@"\nsleep 60\necho the entrypoint goes on'
ENV = {"PATH": os.defpath}


@pytest.mark.parametrize("user", [0, 10001])
@pytest.mark.parametrize("entrypoint", ["entrypoint.sh", "wrapper.sh"])
@pytest.mark.parametrize("server", ["apiserver", "fileserver"])
def test_a_server_starts_as_any_user_and_ends_at_once(
    server: str, entrypoint: str, user: int, folder: Path
) -> None:
    image_with(folder, SERVES, entrypoint)
    with first_process(started(server, folder), folder, ENV, user=user) as process:
        process.says(f"serving {server}\n")
        assert process.terminate() < IMMEDIATELY
        assert process.status() == 143
        assert "goes on" not in process.output.read_text()


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_ends_what_it_has_begun(server: str, folder: Path) -> None:
    """Of nginx SIGQUIT asks that, of all others SIGTERM; its parent must not end before it."""
    graceful, abrupt = ("QUIT", "TERM") if server == "webserver" else ("TERM", "QUIT")
    program = f"""
        import signal, sys, time
        def end(*_):
            time.sleep(0.5)
            print("answered", flush=True)
            sys.exit()
        signal.signal(signal.SIG{graceful}, end)
        signal.signal(signal.SIG{abrupt}, lambda *_: sys.exit())
        print("serving", flush=True)
        time.sleep(60)"""
    image_with(folder, f"{sys.executable} -c '{textwrap.dedent(program)}'\necho goes on")
    with first_process(started(server, folder), folder, ENV) as process:
        process.says("serving")
        assert 0.5 <= process.terminate() < 0.5 + IMMEDIATELY
        assert "answered" in process.output.read_text()


def test_the_workers_of_a_server_are_told_too(folder: Path) -> None:
    worker = "trap 'echo answered; exit' TERM; echo serving; sleep 60 & wait"
    image_with(folder, f'bash -c "{worker}" &\nsleep 60')
    with first_process(started("apiserver", folder), folder, ENV) as process:
        process.says("serving")
        process.terminate()
        assert "answered" in process.output.read_text()


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("script", "status"), [("exit 3", 3), ("sleep 60 & kill -9 $$", 137), ("false", 1)]
)
def test_a_server_that_crashes_ends_its_container(
    script: str, status: int, server: str, folder: Path
) -> None:
    image_with(folder, script)
    with first_process(started(server, folder), folder, ENV) as process:
        assert process.status() == status


def test_the_log_of_a_server_is_its_own(folder: Path) -> None:
    image_with(folder, "echo one\nsleep 0.1\necho two >&2\nexit 1")
    with first_process(started("apiserver", folder), folder, ENV) as process:
        assert process.status() == 1
        assert process.output.read_text() == "one\ntwo\n"


def test_another_image_says_what_it_lacks(folder: Path) -> None:
    with first_process(started("apiserver", folder), folder, ENV) as process:
        assert process.status() == 127
        assert "neither entrypoint.sh nor wrapper.sh" in process.output.read_text()


def test_servers_go_on_until_nobody_sends_them_requests() -> None:
    bundle = render({"clearml": {"version": "2.3.0"}})
    pauses = {
        workload: container["lifecycle"]["preStop"]["exec"]["command"]
        for workload, container in bundle.containers()
        if "lifecycle" in container
    }
    assert pauses == {f"clearml-{server}": ["sleep", "5"] for server in SERVERS}


@pytest.mark.parametrize(
    ("hook", "pause"),
    [
        ("preStop", ["sleep", "20"]),
        ("postStart", ["sleep", "5"]),
    ],
)
def test_a_hook_of_the_users_counts_more_than_the_pause(hook: str, pause: list[str]) -> None:
    hooks = {hook: {"exec": {"command": ["sleep", "20"]}}}
    lifecycle = render({"apiserver": {"lifecycle": hooks}}).container("clearml-apiserver")[
        "lifecycle"
    ]
    assert lifecycle[hook] == hooks[hook]
    assert lifecycle["preStop"]["exec"]["command"] == pause


# All programs of ours

S3 = {"bucket": "backups", "endpoint": "https://s3.example.com", "existingSecret": "keys"}
BACKED_UP: dict[str, Any] = {
    "mongodb": {"enabled": True},
    "elasticsearch": {"enabled": True},
    "fileserver": {"enabled": True},
}
RESTORED: dict[str, Any] = {
    "apiserver": {"replicaCount": 0},
    "restore": {store: {"backup": "4bba301e"} for store in BACKED_UP},
}
VALUES: dict[str, dict[str, Any]] = {
    "replicated": merge(REPLICATED, {"clearml": {"version": "2.3.0"}}),
    "backups": {"backup": BACKED_UP, **RESTORED},
    "backups in a bucket": {
        "clearml": {"version": "2.3.0"},
        "backup": BACKED_UP | {"s3": S3},
        **RESTORED,
    },
}
# Of builtins alone: over before anybody can send it a signal.
MOMENTARY = (GUARD,)
THERE = frozenset({("Secret", "keys")})


def programs(bundle: Bundle) -> Iterator[tuple[Object, Object]]:
    """All containers with a program of ours in them, each with its pod."""
    for manifest in bundle.objects:
        if manifest["kind"] not in ("Deployment", "StatefulSet", "Job", "CronJob"):
            continue
        spec = manifest["spec"]
        pod = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            first = Path(container.get("command", ["none"])[0]).name
            if first in ("sh", "bash", "python3") and container["name"] not in MOMENTARY:
                yield pod, container


def tools(folder: Path) -> Path:
    """Make a folder of all tools that a program may call; whichever it calls first hangs."""
    path = folder / "bin"
    path.mkdir()
    hangs = path / "hangs"
    hangs.write_text(
        f"""#!/bin/sh
        [ "$1" != 0.1 ] || exec /bin/sleep 0.1
        echo it hangs >> {folder}/output # its own output may be captured
        exec /bin/sleep 60
        """
    )
    hangs.chmod(0o755)
    known = {name for directory in ("/bin", "/usr/bin") for name in os.listdir(directory)}
    images = {"apt-get", "elasticsearch-keystore", "git", "mongo", "mongodump", "mongorestore"}
    images |= {"mongosh", "restic"}
    for name in known | images:
        (path / name).symlink_to(hangs)
    # Python, which hangs as soon as it handles a signal.
    (path / "sitecustomize.py").write_text(
        "import signal, time\n"
        "handle = signal.signal\n"
        "def hang(*arguments):\n"
        "    handle(*arguments)\n"
        '    print("it hangs", flush=True)\n'
        "    time.sleep(60)\n"
        "signal.signal = hang\n"
    )
    return path


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_each_program_of_ours_ends_at_once(values: dict[str, Any], folder: Path) -> None:
    bundle = render(values, outside=THERE)
    path = tools(folder)
    seen: set[str] = set()
    for pod, container in programs(bundle):
        name = container["name"]
        if (text := str(container["command"])) in seen:
            continue
        seen.add(text)
        contexts = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
        variables = {v["name"]: str(v.get("value", "x")) for v in container.get("env", [])}
        shell, *rest = container["command"]
        in_python = shell == "python3"
        program = sys.executable if in_python else f"/bin/{Path(shell).name}"
        with first_process(
            [program, *rest, *container.get("args", [])],
            folder,
            {**variables, "PATH": str(path), "PYTHONPATH": str(path), "HOSTNAME": "mongodb-0"},
            # Other users need not find the Python of the tests.
            user=0 if in_python else contexts.get("runAsUser", 0),
        ) as process:
            process.says("it hangs\n")
            assert process.terminate() < IMMEDIATELY, name
            # A server gets the signal as it is.
            assert process.status() in (143, -15) or name == "webserver", name
    assert len(seen) > 3


def test_waiting_ends_at_once(folder: Path) -> None:
    container = render().container("clearml-agentservices", "wait-for-apiserver")
    # Nothing listens on port 1.
    command = [sys.executable, *container["command"][1:], "apiserver=http://127.0.0.1:1"]
    with first_process(command, folder, ENV) as process:
        process.says("waiting for apiserver")
        assert process.terminate() < IMMEDIATELY
        assert process.status() == 143
