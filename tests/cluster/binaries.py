"""Programs for tests: Kubernetes' own, those in KUBEBUILDER_ASSETS or built with Go, and restic."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.backup import ResticImage

# The newest and an old one, which is the oldest whose controllers build with today's Go.
VERSIONS = ("1.37.2", "1.28.15")
KWOK = "sigs.k8s.io/kwok/cmd/kwok@v0.8.0"  # plays the nodes: no container runs
RESTIC = "github.com/restic/restic/cmd/restic"
SERVER = ("etcd", "kube-apiserver")
CONTROLLERS = ("kube-controller-manager", "kube-scheduler", "kwok")
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    **{
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in ("kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    },
}


class MissingError(Exception):
    """There are no programs, and they cannot be built."""


@functools.cache
def assets() -> dict[str, Path]:
    """Each Kubernetes version that can be run, with the folder that has its programs.

    They are those in KUBEBUILDER_ASSETS, as Kubernetes' envtest has it, or all VERSIONS, built
    with Go where the cache lacks them. Raises MissingError, whose text says what is missing.
    """
    if not shutil.which("openssl"):
        raise MissingError("there is no openssl")
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given is None:
        return {version: _built(version) for version in VERSIONS}
    folder = Path(given).resolve()
    missing = [name for name in SERVER if not (folder / name).exists()]
    if not shutil.which("kubectl", path=f"{folder}{os.pathsep}{os.environ['PATH']}"):
        missing.append("kubectl")
    if missing:
        raise MissingError(f"KUBEBUILDER_ASSETS has no {', '.join(missing)}")
    return {_run(str(folder / "kube-apiserver"), "--version").split("v")[-1].strip(): folder}


@functools.cache
def restic() -> Path:
    """The restic of the image that backups are made with, built with Go unless the cache has it.

    Raises MissingError, whose text says what is missing.
    """
    version = ResticImage().tag
    folder = _cache() / "restic" / version
    if not (folder / "restic").exists():
        if not shutil.which("go"):
            raise MissingError("there is no Go to build restic with")
        with _locked(folder):
            if not (folder / "restic").exists():
                _install(folder, "restic", f"{RESTIC}@v{version}")
    return folder / "restic"


def can_control(programs: Path) -> bool:
    """Whether the folder has what makes pods, claims and endpoints of objects."""
    return all((programs / name).exists() for name in CONTROLLERS)


def _built(version: str) -> Path:
    """The folder with all programs of the version, the missing ones built."""
    folder = _cache() / "kubernetes" / version
    if not _missing(folder):
        return folder
    if not shutil.which("go"):
        raise MissingError("KUBEBUILDER_ASSETS is not set, and there is no Go to build with")
    with _locked(folder):
        if not (folder / "module/go.mod").exists():
            _write_module(folder / "module", version)
        missing = _missing(folder)
        for number, name in enumerate(missing, start=1):
            print(f"Building {name} {version} ({number} of {len(missing)})", end="", flush=True)
            start = time.monotonic()
            _build(folder, name, version)
            print(f": {time.monotonic() - start:.0f} s", flush=True)
    return folder


def _cache() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "clearml-cdk8s"


def _missing(folder: Path) -> list[str]:
    return [name for name in (*PACKAGES, "kwok") if not (folder / name).exists()]


def _build(folder: Path, name: str, version: str) -> None:
    """Build one program and put it in place whole."""
    if name == "kwok":  # it has requirements of its own
        _install(folder, name, KWOK)
        return
    # Clients go by the version that the server says; without these it says v0.0.0.
    major, minor, _ = version.split(".")
    said = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    flags = [f"-X k8s.io/component-base/version.{key}={text}" for key, text in said.items()]
    partial = folder / "partial"
    target = ("-trimpath", f"-ldflags=-s -w {' '.join(flags)}", "-o", str(partial / name))
    _go("build", "-mod=mod", *target, PACKAGES[name], at=folder / "module")
    (partial / name).replace(folder / name)


def _install(folder: Path, name: str, package: str) -> None:
    """Build a program that is a module of its own and put it in place whole."""
    partial = folder / "partial"
    _go("install", "-trimpath", "-ldflags=-s -w", package, GOBIN=str(partial))
    (partial / name).replace(folder / name)


def _write_module(folder: Path, version: str) -> None:
    """A module that requires what k8s.io/kubernetes requires, in the same versions.

    Kubernetes' own module cannot be built from outside: it takes its libraries from folders of its
    repository, which are published as modules v0.MINOR.PATCH.
    """
    downloaded = json.loads(_go("mod", "download", "-json", f"k8s.io/kubernetes@v{version}"))
    own: dict[str, Any] = json.loads(_go("mod", "edit", "-json", downloaded["GoMod"]))
    published = f"v0.{version.partition('.')[2]}"
    requirements = [f"{m['Path']} {m['Version']}" for m in own["Require"]]
    replacements = [
        f"{replaced['Old']['Path']} => {replaced['Old']['Path']} {published}"
        for replaced in own["Replace"]
        if replaced["New"]["Path"].startswith("./staging/")
    ]
    lines = [
        "module programs",
        f"go {own['Go']}",
        *(f"require {line}" for line in (f"k8s.io/kubernetes v{version}", *requirements)),
        *(f"replace {line}" for line in replacements),
    ]
    folder.mkdir(exist_ok=True)
    (folder / "go.mod.partial").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "go.mod.partial").replace(folder / "go.mod")


def _go(*arguments: str, at: Path | None = None, **environment: str) -> str:
    return _run("go", *arguments, at=at, CGO_ENABLED="0", GOFLAGS="", **environment)


def _run(*command: str, at: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=at, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise MissingError(f"{' '.join(command[:2])} failed: {reason}")
    return done.stdout


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two that start at once build once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        assets()
    except MissingError as error:
        sys.exit(str(error))
