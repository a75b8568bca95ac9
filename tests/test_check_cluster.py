"""`make check-cluster` where there is nothing to check, or nothing to check it with; live stores.

tests/cluster/ has what real clusters say.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.types.merging import merge
from rendering import Object, render

PROGRAM = Path(__file__).parents[1] / "check_cluster.py"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: clearml}\n"
UNREACHABLE = "echo E0101 memcache.go >&2; echo 'connection refused' >&2; exit 1"


@pytest.mark.parametrize(
    ("manifest", "kubectl", "line"),
    [
        pytest.param(None, "", "dist: no manifests; make synth writes them", id="no manifests"),
        pytest.param(NAMESPACE, None, "kubectl is not on the PATH", id="no kubectl"),
        pytest.param(NAMESPACE, UNREACHABLE, "connection refused", id="no cluster"),
    ],
)
def test_one_line_says_what_is_missing(
    tmp_path: Path, manifest: str | None, kubectl: str | None, line: str
) -> None:
    (tmp_path / "dist").mkdir()
    if manifest is not None:
        (tmp_path / "dist" / "0000-namespace.k8s.yaml").write_text(manifest)
    if kubectl is not None:
        (tmp_path / "kubectl").write_text(f"#!/bin/sh\n{kubectl}\n")
        (tmp_path / "kubectl").chmod(0o755)
    checked = check(tmp_path)
    assert (checked.returncode, checked.stdout, checked.stderr) == (2, "", f"{line}\n")


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it where `dist/` is, with no other program than those in that folder."""
    return subprocess.run(
        [sys.executable, str(PROGRAM)],
        cwd=folder,
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"kind: [", "line 2: did not find expected node content"),
        (b"a: 1\n\tb: 2", "line 2: found a tab character that violates indentation"),
        (b"{}", "document 1 is no object: lacks apiVersion, kind, metadata.name"),
        (b"5", "document 1 is no object: lacks apiVersion, kind, metadata.name"),
        (
            NAMESPACE.encode() + b"---\nkind: Secret\n",
            "document 2 is no object: lacks apiVersion, metadata.name",
        ),
        (
            b"apiVersion: v1\nkind: Secret\nmetadata: text",
            "document 1 is no object: lacks metadata.name",
        ),
        (
            b"apiVersion: v1\nkind: List\nitems: [{}]",
            "document 1 is no object: lacks apiVersion, kind, metadata.name",
        ),
        (
            b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: 5",
            "document 1 lacks containers with name and image",
        ),
        (NAMESPACE.encode("utf-16"), "is not UTF-8 text"),
        ("# \u00e9".encode("latin-1"), "is not UTF-8 text"),
        (b"? [a]\n: 1", "line 1: found unhashable key"),
        (
            b"a: .inf",
            "is no YAML with JSON's types: Out of range float values are not JSON compliant",
        ),
        (b"a: !mine b", "line 1: could not determine a constructor for the tag '!mine'"),
    ],
)
def test_a_file_that_is_no_manifest_is_named(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "-broken.yaml").write_bytes(content)
    (tmp_path / "dist" / "good.yaml").write_text(NAMESPACE)
    (tmp_path / "dist" / "link.json").symlink_to("nowhere")
    checked = check(tmp_path)
    lines = [f"dist/-broken.yaml: {line}", "dist/link.json: No such file or directory"]
    assert (checked.returncode, checked.stdout) == (2, "")
    assert checked.stderr.splitlines() == lines


@pytest.mark.parametrize("name", ["clearml", "--all", "-x"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_kubectl_reads_is_read_and_no_name_is_an_option(
    tmp_path: Path, name: str, encoding: str
) -> None:
    (tmp_path / "dist" / "folder.yaml").mkdir(parents=True)
    (tmp_path / "dist" / "empty.yaml").write_text("")
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    listed = {"apiVersion": "v1", "kind": "NamespaceList", "items": [manifest]}
    (tmp_path / "dist" / "-list.json").write_text(json.dumps(listed), encoding=encoding)
    (tmp_path / "kubectl").write_text(f"#!{sys.executable}\n{KUBECTL}")
    (tmp_path / "kubectl").chmod(0o755)
    (tmp_path / "others.json").write_text("{}")
    checked = check(tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("all 1 objects would be accepted")


# A cluster that accepts everything and has what live.json lists; stores answer by reports.json.
KUBECTL = """\
import json, sys
from pathlib import Path
match sys.argv[1:]:
    case ["get", "namespace", *options] if "--" in options:
        print("namespace/clearml")
    case ["get", "-f", *_]:
        print(Path("others.json").read_text())
    case ["apply", *_, "-o", "json", "-f", "-"]:
        print(json.dumps(json.loads(Path("answers.json").read_text())[json.load(sys.stdin)["kind"]]))
    case ["apply", *_]:
        sys.stdin.read()
    case ["get", *_]:
        print(Path("live.json").read_text())
    case ["exec", "-n", "clearml", pod, "-c", store, "--", *command]:
        print(json.loads(Path("reports.json").read_text()).get(store) or sys.exit(1))
    case unexpected:
        sys.exit(f"unexpected: {unexpected}")
"""
NEWEST: dict[str, Any] = {"clearml": {"version": "2.3.0"}}
ALLOWED = {"clearml": {"allowUnsafeUpgrade": True}}
OUTSIDE = {("PersistentVolumeClaim", "clearml-mongodb")}
DIGEST = "sha256:" + 64 * "0"


def told(
    folder: Path,
    live: Sequence[Object],
    values: Mapping[str, Any],
    reports: Mapping[str, str] | None = None,
    others: Sequence[tuple[Object, Object]] = (),
) -> tuple[int, list[str]]:
    """The status, and the lines but for the last.

    `live` is what the namespace has, `others` are objects of the bundle's names that are there,
    with what an apply would make of them.
    """
    (folder / "dist").mkdir()
    objects = render(values, outside=OUTSIDE).objects
    (folder / "dist" / "all.yaml").write_text(yaml.safe_dump_all(objects))
    (folder / "live.json").write_text(json.dumps({"items": live}))
    (folder / "others.json").write_text(json.dumps({"items": [each for each, _ in others]}))
    answers = {each["kind"]: answer for each, answer in others}
    (folder / "answers.json").write_text(json.dumps(answers))
    (folder / "reports.json").write_text(json.dumps(dict(reports or {})))
    (folder / "kubectl").write_text(f"#!{sys.executable}\n{KUBECTL}")
    (folder / "kubectl").chmod(0o755)
    checked = check(folder)
    assert not checked.stderr, checked.stderr
    *lines, last = checked.stdout.splitlines()
    accepted = f"all {len(objects)} objects would be accepted"
    assert last.startswith("Do not apply" if checked.returncode else accepted)
    assert checked.returncode or all(line.startswith("warning: ") for line in lines)
    return checked.returncode, [line.removesuffix(" (docs/upgrading.md)") for line in lines]


def running(values: Mapping[str, Any], *kinds: str) -> list[Object]:
    """The objects of an installation, of all kinds or of these."""
    objects = copy.deepcopy(render(values).objects)
    return [each for each in objects if not kinds or each["kind"] in kinds]


def pod(store: Object, image: str) -> Object:
    """The first pod of a StatefulSet, as it was with that image."""
    (main, *_) = store["spec"]["template"]["spec"]["containers"]
    name = store["metadata"]["name"]
    return {
        "kind": "Pod",
        "metadata": {
            "namespace": "clearml",
            "name": f"{name}-0",
            "labels": store["metadata"]["labels"],
            "ownerReferences": [{"kind": "StatefulSet", "name": name}],
        },
        "spec": {"containers": [{"name": main["name"], "image": image}]},
    }


def claim(name: str, **labels: str) -> Object:
    metadata = {"namespace": "clearml", "name": name, "labels": labels}
    return {"kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {}}


def store_at(image: str) -> list[Object]:
    """MongoDB of the newest servers, as it was installed with that image."""
    (mongodb,) = (
        each
        for each in running(NEWEST, "StatefulSet")
        if each["metadata"]["name"] == "clearml-mongodb"
    )
    mongodb["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return [mongodb, pod(mongodb, image)]


@pytest.mark.parametrize(
    ("image", "report", "status", "words"),
    [
        ("mongo:4.4.30", "", 1, "reads no data of 4.4.30"),
        ("registry.example.com:5000/mongo:latest", "db version v6.0.27", 0, ""),
        (f"mongo@{DIGEST}", "db version v4.4.30", 1, "reads no data of 4.4.30"),
        (f"mongo@{DIGEST}", "", 0, f"warning: mongodb: {DIGEST} becomes"),
        (f"mongo:8.0.1@{DIGEST}", "", 1, "reads no data of 8.0.1"),
    ],
)
def test_what_a_store_runs_is_told_by_its_tag_or_else_by_itself(
    tmp_path: Path, image: str, report: str, status: int, words: str
) -> None:
    found, lines = told(tmp_path, store_at(image), NEWEST, {"mongodb": report})
    assert found == status
    assert [words in line for line in lines] == ([True] if words else [])


def test_elasticsearch_tells_its_version_by_its_files(tmp_path: Path) -> None:
    (search,) = (
        each
        for each in running({"elasticsearch": {"imageTag": "latest"}}, "StatefulSet")
        if each["metadata"]["labels"]["app.kubernetes.io/name"] == "elasticsearch"
    )
    report = {"elasticsearch": "/usr/share/elasticsearch/lib/elasticsearch-7.17.29.jar"}
    live = [search, pod(search, "elasticsearch:latest")]
    status, (line,) = told(tmp_path, live, NEWEST, report)
    assert status == 1
    assert "converts the data of 7.17.29" in line


def test_a_pod_that_is_not_yet_what_its_store_says_counts(tmp_path: Path) -> None:
    live = store_at("mongo:7.0.28")
    live[1] = pod(live[0], "mongo:4.4.30")
    status, (line,) = told(tmp_path, live, NEWEST)
    assert status == 1
    assert "reads no data of 4.4.30" in line


def test_other_installations_in_the_namespace_do_not_count(tmp_path: Path) -> None:
    other = running({"release": {"name": "other"}})
    assert told(tmp_path, other, NEWEST) == (0, [])


@pytest.mark.parametrize(
    "values", [{}, NEWEST, {"mongodb": {"architecture": "replicaset"}}], ids=str
)
def test_an_installation_over_itself_loses_nothing(
    tmp_path: Path, values: Mapping[str, Any]
) -> None:
    assert told(tmp_path, running(values), values) == (0, [])


@pytest.mark.parametrize(
    ("labels", "against"),
    [
        ({"app": "clearml-elastic-master"}, True),
        ({"app": "redis", "release": "clearml", "role": "master"}, True),
        ({"app.kubernetes.io/managed-by": "Helm"}, True),
        ({"app.kubernetes.io/name": "elasticsearch"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_claims_that_are_there_before_their_store(
    tmp_path: Path, labels: Mapping[str, str], against: bool
) -> None:
    live = [claim("clearml-elastic-master-clearml-elastic-master-0", **labels), claim("another")]
    status, (line,) = told(tmp_path, live, {})
    assert status == against
    name = "persistentvolumeclaim/clearml-elastic-master-clearml-elastic-master-0"
    assert f"elasticsearch: {name} is there already" in line
    assert line.startswith("warning: ") != against


def test_an_existing_claim_of_a_chart(tmp_path: Path) -> None:
    values = {"mongodb": {"persistence": {"existingClaim": "clearml-mongodb"}}}
    live = [claim("clearml-mongodb", heritage="Helm")]
    (tmp_path / "allowed").mkdir()
    assert told(tmp_path, live, values)[0] == 1
    assert told(tmp_path / "allowed", live, merge(values, ALLOWED))[0] == 0


def test_a_store_that_another_has_made(tmp_path: Path) -> None:
    deployment, _ = store_at("bitnamilegacy/mongodb:7.0.5-debian-12-r0")
    deployment["kind"] = "Deployment"
    deployment["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    status, (line,) = told(tmp_path, [deployment], NEWEST)
    assert status == 1
    assert line.startswith("mongodb: was made by a Helm chart and is to be made by this program")


def test_a_loss_that_the_values_allow_is_told_all_the_same(tmp_path: Path) -> None:
    status, lines = told(tmp_path, running({}), merge(NEWEST, ALLOWED))
    assert status == 0
    assert [line.split(":")[:2] for line in lines] == [
        ["warning", " clearml.version"],
        ["warning", " mongodb"],
    ]


def test_a_cluster_that_shows_nothing_is_no_cluster_without_data(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/all.yaml").write_text(yaml.safe_dump_all(render().objects))
    script = KUBECTL.replace(
        'print(Path("live.json").read_text())', 'sys.exit("pods is forbidden")'
    )
    (tmp_path / "kubectl").write_text(f"#!{sys.executable}\n{script}")
    (tmp_path / "kubectl").chmod(0o755)
    checked = check(tmp_path)
    assert (checked.returncode, checked.stderr) == (2, "pods is forbidden\n")


def there(kind: str, name: str, *, data: Any = None, **metadata: Any) -> Object:
    namespace = {} if kind == "Namespace" else {"namespace": "clearml"}
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        **metadata.pop("annotations", {}),
    }
    return {
        "kind": kind,
        "metadata": {"name": name, **namespace, "annotations": annotations, **metadata},
        **({} if data is None else {"data": data}),
    }


OURS = {
    "app.kubernetes.io/instance": "clearml",
    "app.kubernetes.io/managed-by": "cdk8s",
    "team": "data",
}
ENFORCE = {"pod-security.kubernetes.io/enforce": "restricted"}
CREDENTIALS = {"clearml": {"credentials": {"apiserverKey": "test-secret-key"}}}


@pytest.mark.parametrize(
    ("live", "answer", "status", "words"),
    [
        (
            there("Namespace", "clearml", labels=ENFORCE),
            there("Namespace", "clearml"),
            1,
            "namespace/clearml: apply would remove labels pod-security.kubernetes.io/enforce: ",
        ),
        (
            there("Namespace", "clearml", labels=ENFORCE, annotations={"a.example.com/b": "c"}),
            there("Namespace", "clearml", labels=ENFORCE),
            1,
            "namespace/clearml: apply would remove annotations a.example.com/b: ",
        ),
        # The common label of all objects was taken out of the values.
        (
            there("Namespace", "clearml", labels=ENFORCE | {"team": "data"}),
            there("Namespace", "clearml", labels=ENFORCE),
            0,
            "",
        ),
        (
            there("Secret", "clearml-conf", labels={"a": "b"}, data={"mine": "eA=="}),
            there("Secret", "clearml-conf", labels=OURS, data={"apiserver_key": "eA=="}),
            1,
            "made by somebody else: apply would remove labels a and data mine",
        ),
        (
            there("Secret", "clearml-conf", labels=OURS, data={"mine": "eA==", "other": "eA=="}),
            there("Secret", "clearml-conf", labels=OURS, data={}),
            0,
            "",
        ),
        (
            there(
                "Secret",
                "clearml-conf",
                labels=OURS | {"app.kubernetes.io/managed-by": "Helm"},
                data={"apiserver_key": "eA==", "other": "eA=="},
            ),
            there(
                "Secret",
                "clearml-conf",
                labels=OURS,
                data={"apiserver_key": "eQ==", "other": "eA=="},
            ),
            0,
            "made by Helm: apply takes it over, and replaces its data apiserver_key",
        ),
        (
            there("Secret", "clearml-conf", labels=OURS | {"app.kubernetes.io/instance": "other"}),
            there("Secret", "clearml-conf", labels=OURS),
            0,
            "made by cdk8s: apply takes it over",
        ),
    ],
)
def test_nothing_is_taken_from_objects_of_others_without_a_word(
    tmp_path: Path, live: Object, answer: Object, status: int, words: str
) -> None:
    ours = there("ServiceAccount", "clearml-credentials", labels=OURS)
    found, lines = told(tmp_path, [], CREDENTIALS, others=[(live, answer), (ours, ours)])
    assert (found, [words in line for line in lines]) == (status, [True] if words else [])


@pytest.mark.parametrize(("policy", "status"), [("keep", 0), ("theirs", 1)])
def test_a_namespace_may_lose_that_it_is_kept(tmp_path: Path, policy: str, status: int) -> None:
    live: Object = {"kind": "Namespace", "metadata": {"name": "clearml"}}
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    live["metadata"]["annotations"] = {applied: "{}", "helm.sh/resource-policy": policy}
    answer: Object = {"kind": "Namespace", "metadata": {"name": "clearml"}}
    found, lines = told(tmp_path, [], {}, others=[(live, answer)])
    assert (found, len(lines)) == (status, status)


def test_a_namespace_that_no_apply_has_made(tmp_path: Path) -> None:
    made: Object = {"kind": "Namespace", "metadata": {"name": "clearml"}}
    status, (line,) = told(tmp_path, [], {}, others=[(made, made)])
    assert status == 0
    assert "namespace/clearml is there already" in line
