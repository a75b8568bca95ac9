"""Ask the cluster that kubectl points to what it would refuse of the manifests in dist/.

A program of its own beside main.py: it needs the manifests and kubectl, and neither the values nor
cdk8s. It changes nothing, in the cluster or in dist/.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
# What kubectl reads of a folder.
SUFFIXES = (".json", ".yaml", ".yml")
# Exists in every cluster; what a namespace does not know before it exists is known there as well.
EXISTING = "default"


class CheckError(Exception):
    """The cluster could not be asked."""


def main() -> int:
    """Say what would be refused, one line each; 0 if nothing, 1 if something, 2 if unknown."""
    outdir = Path(os.environ.get("CDK8S_OUTDIR") or "dist")
    try:
        objects = manifests(outdir)
        missing = missing_namespaces(objects)
        refused = refusals([_moved(manifest, missing) for manifest in objects])
    except CheckError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    where = "".join(f"; namespace {name} is new, asked in {EXISTING!r} instead" for name in missing)
    for line in refused:
        print(line)
    if refused:
        print(
            f"{len(refused)} of {len(objects)} objects would be refused{where}. Do not apply: all "
            "others would be changed, which takes the service down."
        )
        return 1
    print(f"all {len(objects)} objects would be accepted{where}")
    return 0


def manifests(outdir: Path) -> list[Object]:
    """All objects in the folder, in the order in which `kubectl apply -f` takes them.

    Raises CheckError if there are none.
    """
    files = sorted(file for file in outdir.glob("*") if file.suffix in SUFFIXES)
    documents = (yaml.load_all(file.read_text("utf-8"), yaml.CSafeLoader) for file in files)
    objects = [manifest for document in documents for manifest in document if manifest]
    if not objects:
        raise CheckError(f"{outdir}: no manifests; make synth writes them")
    return objects


def missing_namespaces(objects: Iterable[Object]) -> list[str]:
    """The Namespaces among the objects that the cluster does not have.

    Raises CheckError if it cannot be asked.
    """
    names = [m["metadata"]["name"] for m in objects if m["kind"] == "Namespace"]
    found = _kubectl("get", "namespace", "--ignore-not-found", "-o", "name", *(names or [EXISTING]))
    if found.returncode:
        raise CheckError(found.stderr.strip().splitlines()[-1])
    return [name for name in names if f"namespace/{name}" not in found.stdout.split()]


def refusals(objects: list[Object]) -> list[str]:
    """What the cluster refuses, one line for each object; warnings go to stderr.

    What it did not take of all at once it is asked for again, one after the other: kubectl does not
    always say which object a reason is about.
    """
    together = _dry_run({"apiVersion": "v1", "kind": "List", "items": objects})
    if not together.returncode:
        print(together.stderr, end="", file=sys.stderr)
        return []
    accepted = {line.split()[0] for line in together.stdout.splitlines() if line}
    asked = {name: _dry_run(m) for m in objects if (name := _name(m)) not in accepted}
    return [f"{name}: {_reason(said)}" for name, said in asked.items() if said.returncode]


def _reason(said: subprocess.CompletedProcess[str]) -> str:
    """The server's words alone: kubectl puts the object before them, be it a Secret."""
    *_, reason = re.split(r'error when \w+ "STDIN": ', said.stderr)
    *_, reason = reason.split(" is invalid: ", 1)
    # A quoted claim template and a difference over many lines say no more than the first words.
    reason = re.sub(r"(Invalid value: )\[?\{.*\}\]?", r"\1...", reason.strip())
    return " ".join(reason.split("\n@@")[0].split())


def _moved(manifest: Object, missing: list[str]) -> Object:
    """The object in a namespace that exists: the server refuses all others before it looks."""
    if manifest["metadata"].get("namespace") not in missing:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": EXISTING}}


def _name(manifest: Object) -> str:
    """The object as kubectl calls it, such as statefulset.apps/clearml-mongodb."""
    group, _, _ = manifest["apiVersion"].rpartition("/")
    kind = ".".join(filter(None, (manifest["kind"].lower(), group)))
    return f"{kind}/{manifest['metadata']['name']}"


def _dry_run(manifest: Object) -> subprocess.CompletedProcess[str]:
    options = ("--dry-run=server", "--validate=strict")
    return _kubectl("apply", *options, "-f", "-", stdin=json.dumps(manifest))


def _kubectl(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise CheckError("kubectl is not on the PATH") from None


if __name__ == "__main__":
    sys.exit(main())
