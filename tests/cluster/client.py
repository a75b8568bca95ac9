"""A running cluster as the tests see it: through kubectl."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.machines import Object, volumes

PATIENCE = 180  # seconds until what controllers do must be done
NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease"}
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
        """Where kubectl finds this cluster, and nothing of the user's; what it leaves goes too."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        home, config = str(self.folder), str(self.folder / "kubeconfig")
        return {"PATH": path, "HOME": home, "KUBECONFIG": config, "TMPDIR": home}

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
        found = self.kubectl("get", ",".join(kinds), *where, "-o", "json")
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
        together = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(together))

    def empty(self) -> None:
        """Remove all that was installed, and provide the volumes anew."""
        names = {o["metadata"]["name"] for o in self.objects("namespaces")} - NAMESPACES
        if names:
            # First, as a namespace waits for the grace period of the pods that it still has.
            self.kubectl("delete", "deployments,statefulsets,persistentvolumeclaims", "--all", "-A")
            self.kubectl("delete", "namespace", *names)
        used = [o for o in self.objects("persistentvolumes") if o["status"]["phase"] != "Available"]
        if used:
            self.kubectl("delete", "persistentvolume", *(o["metadata"]["name"] for o in used))
            self.apply(volumes())


def eventually(findings: Callable[[], object]) -> None:
    """Wait until nothing is found any more; fail with what is found at last."""
    end = time.monotonic() + PATIENCE
    while found := findings():
        assert time.monotonic() < end, found
        time.sleep(0.3)
