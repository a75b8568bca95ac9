"""A control plane on loopback: etcd, API server, controllers, and kwok, which plays the nodes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.binaries import can_control

Object = dict[str, Any]
PATIENCE = 60  # seconds until what controllers do must be done
NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease"}
# The one whose pods may be privileged.
PRIVILEGED = "clearml-privileged"
STAGES = Path(__file__).with_name("stages.yaml")
TOKEN = "test-secret-admin-token"

# What no installation makes: the control plane's own records, and the volumes that we provide.
BACKGROUND = ("endpoints", "events", "leases", "nodes", "persistentvolumes")


@dataclass(frozen=True)
class Cluster:
    """A running control plane, and kubectl of the same version to talk to it.

    Without `controllers` there is only an API server: it judges objects, nothing comes of them.
    """

    version: str
    programs: Path
    folder: Path
    controllers: bool

    @property
    def environment(self) -> dict[str, str]:
        """Where kubectl finds this cluster, and nothing of the user's."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        home, config = str(self.folder), str(self.folder / "kubeconfig")
        return {**os.environ, "PATH": path, "HOME": home, "KUBECONFIG": config}

    def run(
        self, *command: str, cwd: Path | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with that environment, to its end."""
        return subprocess.run(
            command,
            cwd=cwd,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl says on stdout; whatever it says on stderr is a failure."""
        done = self.run("kubectl", *arguments, stdin=stdin)
        assert not done.returncode, done.stderr
        assert not done.stderr, done.stderr
        return done.stdout

    def objects(self, *kinds: str, namespace: str | None = None) -> list[Object]:
        """All objects of these kinds, of one namespace or of all."""
        where = ("-A",) if namespace is None else ("-n", namespace)
        found = self.kubectl(
            "get", ",".join(kinds), *where, "-o", "json", "--show-managed-fields=false"
        )
        items: list[Object] = json.loads(found)["items"]
        return items

    def inventory(self) -> set[tuple[str, str, str]]:
        """Kind, namespace and name of all there is, but for what the control plane keeps."""
        said = self.kubectl("api-resources", "--verbs=list,delete", "-o", "name").split()
        kinds = [kind for kind in said if kind.partition(".")[0] not in BACKGROUND]
        return {
            (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])
            for o in self.objects(*kinds)
        }

    def apply(self, objects: list[Object]) -> None:
        """Apply objects as they are."""
        self.kubectl("apply", "-f", "-", stdin=_list(objects))

    def empty(self) -> None:
        """Remove all that was installed, and provide the volumes anew."""
        names = {o["metadata"]["name"] for o in self.objects("namespaces")} - NAMESPACES
        if names:
            self.kubectl("delete", "namespace", *names)
        used = [o for o in self.objects("persistentvolumes") if o["status"]["phase"] != "Available"]
        if used:
            self.kubectl("delete", "persistentvolume", *(o["metadata"]["name"] for o in used))
            self.apply(_volumes())


def eventually(findings: Callable[[], object]) -> None:
    """Wait until nothing is found any more; fail with what is found at last."""
    end = time.monotonic() + PATIENCE
    while found := findings():
        assert time.monotonic() < end, found
        time.sleep(0.3)


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
        cluster.apply([*_machines(), *_volumes()])
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


def _volumes() -> list[Object]:
    """Volumes enough for one installation: nothing provisions any."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"volume-{number}"},
            "spec": {
                "storageClassName": "standard",
                "capacity": {"storage": "1Ti"},
                "accessModes": ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"],
                "hostPath": {"path": "/nowhere"},
            },
        }
        for number in range(12)
    ]


def _machines() -> list[Object]:
    """Nodes with all that a scenario asks for, and the storage class that is the default."""
    amount = {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "16"}
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"node-{number}", "labels": {"pool": "cpu"}},
            "status": {"capacity": amount, "allocatable": amount},
        }
        for number in range(3)
    ]
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": default},
        "provisioner": "kubernetes.io/no-provisioner",
        "allowVolumeExpansion": True,
    }
    return [*nodes, storage_class]


def _list(objects: list[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
