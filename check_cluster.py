"""Ask the cluster that kubectl points to what it would refuse of the manifests in dist/.

And look at what is in it: data that an upgrade would lose, and objects of others that would lose
something by an apply. A program of its own beside main.py: it needs the manifests and kubectl, and
neither the values nor cdk8s. It changes nothing, in the cluster or in dist/.
"""

import os
import sys

# A source root, not a package: the name `constructs` belongs to PyPI's package.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "constructs"))

from clearml_k8s.interruption import end_in_one_line_when_interrupted

end_in_one_line_when_interrupted()

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from config.generation import number
from config.loading.reading import JsonTypesLoader
from config.release import KEPT, SYNC_WAVE
from config.upgrade_steps import (
    ALLOW,
    STORES,
    WORKLOADS,
    Versions,
    alike,
    is_allowed,
    losses,
    moves,
    place,
    pod_of,
    said_by,
    untold,
)

Object = dict[str, Any]
# What kubectl reads of a folder.
SUFFIXES = (".json", ".yaml", ".yml")
# Exists in every cluster; what a namespace does not know before it exists is known there as well.
EXISTING = "default"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANAGED_BY, INSTANCE = "app.kubernetes.io/managed-by", "app.kubernetes.io/instance"
# What Helm charts label claims with.
OF_CHARTS = {"chart", "helm.sh/chart", "heritage", "release"}
# What tells the version in a store's official image, for next to nothing.
TOLD_BY = {
    "mongodb": "mongod --version",
    "redis": "redis-server --version",
    "elasticsearch": "ls /usr/share/elasticsearch/lib/elasticsearch-[0-9]*.jar",
}
# Annotations that a Namespace of ours may have had, by which nobody else's is told from it.
OURS = {**KEPT, SYNC_WAVE: "0"}
# What differs between two looks at an object though nobody changes it.
OF_THE_SERVER = ("status", "managedFields", LAST_APPLIED)


class CheckError(Exception):
    """The cluster could not be asked."""


class Found(NamedTuple):
    """What speaks against an apply, and what one should know before; a line each."""

    against: list[str]
    to_know: list[str]


def main() -> int:
    """Say what speaks against an apply, one line each; 0 if nothing, 1 if something, 2 if unknown.

    Against it are objects that would be refused, data that would be lost (but for values that allow
    it), and objects of others that would lose labels, annotations or content.
    """
    outdir = Path(os.environ.get("CDK8S_OUTDIR") or "dist")
    try:
        objects = manifests(outdir)
        missing = missing_namespaces(objects)
        refused = refusals([_moved(manifest, missing) for manifest in objects])
        data = about_data(objects)
        others = about_others(objects)
    except CheckError as error:
        print(error, file=sys.stderr)
        return 2
    where = "".join(f"; namespace {name} is new, asked in {EXISTING!r} instead" for name in missing)
    for line in (*refused, *data.against, *others.against):
        print(line)
    for line in (*data.to_know, *others.to_know):
        print(f"warning: {line}")
    if refused:
        print(
            f"{len(refused)} of {len(objects)} objects would be refused{where}. Do not apply: all "
            "others would be changed, which takes the service down."
        )
    if data.against:
        print(f"Do not apply, as data or the way back would be lost, unless you set {ALLOW}.")
    if others.against:
        print("Do not apply, as objects of others would lose what they have.")
    if refused or data.against or others.against:
        return 1
    print(f"all {len(objects)} objects would be accepted{where}")
    return 0


def manifests(outdir: Path) -> list[Object]:
    """All objects in the folder, in the order in which `kubectl apply -f` takes them.

    Lists count as what is in them. Raises CheckError with a line for each file that holds anything
    else, or if there are no objects.
    """
    objects: list[Object] = []
    wrong: list[str] = []
    for file in sorted(file for file in outdir.glob("*") if file.suffix in SUFFIXES):
        if file.is_dir() and not file.is_symlink():
            continue  # kubectl looks no deeper
        try:
            if file.exists() and not file.is_file():
                raise CheckError("is no regular file")
            objects += _objects(file.read_text("utf-8-sig"))
        except CheckError as error:
            wrong.append(str(error))
        except OSError as error:
            wrong.append(str(error.strerror))
        except UnicodeDecodeError:
            wrong.append("is not UTF-8 text")
        except yaml.MarkedYAMLError as error:
            line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
            wrong.append(f"{line}{error.problem or error.context}")
        except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
            wrong.append(f"is no YAML with JSON's types: {str(error).splitlines()[0]}")
        else:
            continue
        wrong[-1] = f"{file}: {wrong[-1]}"
    if wrong:
        raise CheckError("\n".join(wrong))
    if not objects:
        raise CheckError(f"{outdir}: no manifests; make synth writes them")
    return objects


def _objects(text: str) -> Iterator[Object]:
    """The objects of a file; CheckError for the first document that is none."""
    documents = yaml.load_all(text, JsonTypesLoader)
    for number_, document in enumerate(documents, 1):
        if document is None:
            continue
        json.dumps(document, allow_nan=False)  # or raises what says why kubectl cannot send it
        kind, listed = _at(document, "kind"), _at(document, "items")
        is_list = isinstance(listed, list) and str(kind).endswith("List")
        for manifest in listed if is_list else [document]:
            lacks = [
                ".".join(path)
                for path in (("apiVersion",), ("kind",), ("metadata", "name"))
                if not (isinstance(_at(manifest, *path), str) and _at(manifest, *path))
            ]
            if lacks:
                raise CheckError(f"document {number_} is no object: lacks {', '.join(lacks)}")
            if manifest["kind"] in WORKLOADS and not _has_pods(manifest):
                raise CheckError(f"document {number_} lacks containers with name and image")
            yield manifest


def _at(node: Any, *keys: str) -> Any:
    """The value at a path below a node, None if there is none."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _has_pods(workload: Object) -> bool:
    """Whether the names and images of its containers can be read."""
    containers = _at(workload, "spec", "template", "spec", "containers")
    return isinstance(containers, list) and all(
        isinstance(_at(each, key), str) for each in containers for key in ("name", "image")
    )


def missing_namespaces(objects: Iterable[Object]) -> list[str]:
    """The Namespaces among the objects that the cluster does not have.

    Raises CheckError if it cannot be asked.
    """
    names = [m["metadata"]["name"] for m in objects if m["kind"] == "Namespace"]
    found = _kubectl(
        "get", "namespace", "--ignore-not-found", "-o", "name", "--", *(names or [EXISTING])
    )
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


def about_data(objects: list[Object]) -> Found:
    """What becomes of the data of the stores and servers that run now."""
    found = Found([], [])
    workloads = [each for each in objects if each["kind"] in WORKLOADS]
    for namespace in dict.fromkeys(place(each)[0] for each in workloads):
        new = [each for each in workloads if place(each)[0] == namespace]
        kinds = "deployments,statefulsets,pods,persistentvolumeclaims"
        live = _items("get", kinds, "-n", namespace, "-o", "json")
        old, after = alike(live, new), said_by(new)
        owners = {each["metadata"]["name"] for each in old if each["kind"] == "StatefulSet"}
        pods = [each for each in live if each["kind"] == "Pod" and owners & _owners(each)]
        found.against.extend(moves(old, new))
        # A pod may still be what its StatefulSet was.
        running = [said_by(old), *(said_by([pod, *old]) for pod in pods)]
        for before in dict.fromkeys(running):
            told = _with_reports(before, after, pods)
            found.against.extend(losses(told, after))
            found.to_know.extend(untold(told, after))
        claims = {e["metadata"]["name"]: e for e in live if e["kind"] == "PersistentVolumeClaim"}
        for each in new:
            if each["metadata"]["name"] not in owners:
                _about_claims(each, claims, found)
    against, to_know = ([*dict.fromkeys(lines)] for lines in found)
    return Found([], [*against, *to_know]) if is_allowed(objects) else Found(against, to_know)


def _with_reports(before: Versions, after: Versions, pods: Sequence[Object]) -> Versions:
    """The versions, where a tag tells none that which the running store reports."""
    reports: dict[str, Any] = {}
    for name, command in TOLD_BY.items():
        tag = getattr(before, name)
        if not tag or number(tag) or tag == getattr(after, name):
            continue
        for pod in pods:
            if name in [container["name"] for container in pod_of(pod)["containers"]]:
                namespace, pod_name = place(pod)
                shell = ("--", "sh", "-c", command)
                said = _kubectl("exec", "-n", namespace, pod_name, "-c", name, *shell)
                if report := re.search(r"\d+\.\d+\.\d+", said.stdout):
                    reports[name] = report[0]
    return before._replace(**reports)


def _about_claims(workload: Object, claims: dict[str, Object], found: Found) -> None:
    """Say which claims a store takes up that are there without a store of its name."""
    pod, name = pod_of(workload), workload["metadata"]["name"]
    stores = [each["name"] for each in pod["containers"] if each["name"] in STORES]
    taken = [
        f"{template['metadata']['name']}-{name}-{ordinal}"
        for template in workload["spec"].get("volumeClaimTemplates", ())
        for ordinal in range(workload["spec"].get("replicas", 1))
    ]
    taken += [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod.get("volumes", ())
        if "persistentVolumeClaim" in volume
    ]
    for store, claim in (
        (store, claims[each]) for store in stores for each in taken if each in claims
    ):
        labels = _labels(claim)
        line = f"{store}: persistentvolumeclaim/{claim['metadata']['name']} is there already"
        if OF_CHARTS & labels.keys() or "Helm" in labels.values() or labels.get("app") == name:
            found.against.append(
                f"{line}, made by a Helm chart, whose data this {store} may not find, or convert: "
                "back it up, or move the data (docs/migration.md)"
            )
        else:
            found.to_know.append(f"{line}; which version has written its data cannot be told")


def about_others(objects: list[Object]) -> Found:
    """What an apply does to objects that are there and that somebody else has made.

    Such are those of another installation or tool by their labels. Nothing tells who made a
    Namespace, so each may be somebody else's.
    """
    found = Found([], [])
    bundle = {_identity(manifest): manifest for manifest in objects}
    asked = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    live = _items("get", "-f", "-", "--ignore-not-found", "-o", "json", stdin=asked, strict=False)
    pairs = [(bundle[_identity(each)], each) for each in live if _identity(each) in bundle]
    foreign = [(m, o) for m, o in pairs if m["kind"] == "Namespace" or _owner(m) != _owner(o)]
    # What the common labels and annotations were: all objects lose these, and are to.
    common = {
        key
        for manifest, each in pairs
        if (manifest, each) not in foreign
        for field in ("labels", "annotations")
        for key in each["metadata"].get(field) or ()
    }
    for manifest, each in foreign:
        answer = _dry_run(manifest, "-o", "json")
        if answer.returncode:
            continue  # and refused, which is said
        after = json.loads(answer.stdout)
        name, lost = _name(manifest), [*_lost(each, after)]
        annotations = each["metadata"].get("annotations") or {}
        ours = (
            common
            | {SYNC_WAVE}
            | {key for key, text in KEPT.items() if annotations.get(key) == text}
        )
        lost = [way for way in lost if way[:1] != ("metadata",) or way[-1] not in ours]
        who = _labels(each).get(MANAGED_BY, "somebody else")
        if manifest["kind"] == "Namespace":
            line, remedy = name, ": release.createNamespace: false leaves it alone"
        else:
            line, remedy = f"{name} is there already, made by {who}", ""
        if lost:
            found.against.append(f"{line}: apply would remove {_words(lost)}{remedy}")
        elif manifest["kind"] != "Namespace":
            replaced = [
                ("data", key)
                for key, text in (each.get("data") or {}).items()
                if after["data"][key] != text
            ]
            more = f", and replaces its {_words(replaced)}" if replaced else ""
            found.to_know.append(f"{line}: apply takes it over{more}")
        elif LAST_APPLIED not in annotations:
            found.to_know.append(
                f"{line} is there already: kubectl delete -f dist/ would delete it with all that "
                f"is in it{remedy}"
            )
    return found


def _lost(live: Any, after: Any, *way: str) -> Iterator[tuple[str, ...]]:
    """The paths of what is in a live object and not in what an apply makes of it."""
    for key, value in live.items():
        if key in OF_THE_SERVER:
            continue
        rest = after.get(key)
        if isinstance(value, dict):
            yield from _lost(value, rest or {}, *way, key)
        elif rest is None or (isinstance(value, list) and len(rest) < len(value)):
            yield (*way, key)


def _words(ways: Iterable[tuple[str, ...]]) -> str:
    """Paths in words, such as `the labels a, b and data c`."""
    fields: dict[str, list[str]] = {}
    for *way, key in ways:
        fields.setdefault(".".join(way).removeprefix("metadata."), []).append(key)
    return " and ".join(f"{field} {', '.join(keys)}".strip() for field, keys in fields.items())


def _identity(manifest: Object) -> tuple[str, ...]:
    return manifest["kind"], *place(manifest)


def _labels(manifest: Object) -> dict[str, str]:
    return manifest["metadata"].get("labels") or {}


def _owner(manifest: Object) -> tuple[str | None, bool]:
    """The installation and whether Helm manages it: what a Job of ours makes, has another label."""
    labels = _labels(manifest)
    return labels.get(INSTANCE), labels.get(MANAGED_BY) == "Helm"


def _owners(pod: Object) -> set[str]:
    return {each["name"] for each in pod["metadata"].get("ownerReferences") or ()}


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


def _dry_run(manifest: Object, *output: str) -> subprocess.CompletedProcess[str]:
    options = ("--dry-run=server", "--validate=strict", *output)
    return _kubectl("apply", *options, "-f", "-", stdin=json.dumps(manifest))


def _items(*arguments: str, stdin: str = "", strict: bool = True) -> list[Object]:
    """The objects that kubectl finds. Raises CheckError if it is `strict` and finds not all."""
    found = _kubectl(*arguments, stdin=stdin)
    if found.returncode and strict:
        raise CheckError(found.stderr.strip().splitlines()[-1])
    answer = json.loads(found.stdout or "{}")
    items: list[Object] = answer.get("items", [answer] if answer else [])
    return items


def _kubectl(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise CheckError("kubectl is not on the PATH") from None


if __name__ == "__main__":
    sys.exit(main())
