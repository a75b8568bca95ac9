"""A control plane on loopback: etcd, API server, controllers, and kwok, which plays the nodes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cluster.binaries import can_control
from cluster.client import NAMESPACES, Cluster, eventually
from cluster.machines import Object, machines, volumes
from definitions import DEFINITIONS

# The one whose pods may be privileged.
PRIVILEGED = "clearml-privileged"
STAGES = Path(__file__).with_name("stages.yaml")
TOKEN = "test-secret-admin-token"


@contextmanager
def control_plane(version: str, programs: Path, folder: Path) -> Iterator[Cluster]:
    """An empty control plane that keeps its files in the folder; both are gone at the end."""
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        controllers = can_control(programs)
        cluster = Cluster(version, programs, folder, controllers)
        start = _Starter(stack, programs, folder)
        client, peer, port = _free_ports(3)
        key = folder / "service-account.key"
        subprocess.run(
            ["openssl", "genrsa", "-out", str(key), "2048"], capture_output=True, check=True
        )
        (folder / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
        (folder / "admission.json").write_text(json.dumps(_pod_security()))
        (folder / "kubeconfig").write_text(json.dumps(_kubeconfig(folder, port)))
        start(
            "etcd",
            "--unsafe-no-fsync",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{client}",
            f"--advertise-client-urls=http://127.0.0.1:{client}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        )
        start(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{client}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={folder}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",  # its address, loopback, is no endpoint
            f"--admission-control-config-file={folder / 'admission.json'}",
            "--allow-privileged",
        )
        start.until(lambda: cluster.run("kubectl", "get", "--raw=/readyz").stdout == "ok")
        if controllers:
            config = f"--kubeconfig={folder / 'kubeconfig'}"
            alone = (config, "--leader-elect=false", "--secure-port=0", "--kube-api-qps=500")
            start(
                "kube-controller-manager",
                *alone,
                "--kube-api-burst=1000",
                f"--service-account-private-key-file={key}",
                f"--root-ca-file={folder / 'apiserver.crt'}",
                "--node-monitor-grace-period=24h",  # kwok sends no heartbeats
            )
            start("kube-scheduler", *alone, "--kube-api-burst=1000")
            start("kwok", config, "--manage-all-nodes=true", f"--config={STAGES}")
        cluster.apply([*machines(), *volumes(), *DEFINITIONS])
        kinds = ",".join(definition["metadata"]["name"] for definition in DEFINITIONS)
        start.until(lambda: not cluster.run("kubectl", "get", kinds, "-A").returncode)
        start.until(lambda: len(cluster.objects("namespaces")) == len(NAMESPACES))
        if controllers:
            start.until(lambda: len(cluster.objects("serviceaccounts")) == len(NAMESPACES))
        yield cluster


class _Starter:
    """Starts programs, each with a log, and has the stack stop them."""

    def __init__(self, stack: ExitStack, programs: Path, folder: Path) -> None:
        self._stack, self._programs, self._folder = stack, programs, folder
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        # The tests may be killed, and then nobody stops what they started.
        self._prefix = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []

    def __call__(self, name: str, *options: str) -> None:
        log = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            [*self._prefix, str(self._programs / name), *options],
            cwd=self._folder,
            env={"HOME": str(self._folder), "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt from the keyboard is for the tests alone
        )
        self._started[name] = process
        self._stack.callback(_stop, process)

    def until(self, ready: Callable[[], bool]) -> None:
        """Wait for it; fail with the log of a program that has ended."""

        def missing() -> str:
            for name, process in self._started.items():
                if process.poll() is not None:
                    log = (self._folder / f"{name}.log").read_text(errors="replace")
                    raise RuntimeError(f"{name} has ended: {log[-2000:]}")
            return "" if ready() else f"not ready: {', '.join(self._started)}"

        eventually(missing)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # there is nothing to keep
    process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _kubeconfig(folder: Path, port: int) -> Object:
    server = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority": str(folder / "apiserver.crt"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    }


def _pod_security() -> Object:
    """All namespaces but one admit only what Pod Security calls `baseline`."""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [
            {
                "name": "PodSecurity",
                "configuration": {
                    "apiVersion": "pod-security.admission.config.k8s.io/v1",
                    "kind": "PodSecurityConfiguration",
                    "defaults": {"enforce": "baseline", "warn": "baseline"},
                    "exemptions": {"namespaces": [PRIVILEGED]},
                },
            }
        ],
    }
