"""The programs of backups and restores, run: what they keep, remove, refuse and leave behind."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from clearml_k8s.programs import snapshots, text_of

PYTHON = ("restore_files", "snapshots")
SHELL = ("dump_mongodb", "restore_mongodb", "restic")


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each backup is made a second after the one before."""
    seconds = itertools.count()
    real = time.strftime
    monkeypatch.setattr(time, "strftime", lambda form, _: real(form, time.gmtime(next(seconds))))


def first(number: int) -> str:
    """The name of a backup, counted from 0."""
    return f"19700101-00000{number}"


@pytest.mark.parametrize("name", PYTHON)
def test_the_oldest_image_can_read_it(name: str) -> None:
    ast.parse(text_of(f"{name}.py"), feature_version=(3, 6))


@pytest.mark.parametrize("name", SHELL)
def test_kubernetes_expands_nothing_in_it(name: str) -> None:
    assert not re.findall(r"\$\$|\$\([-._a-zA-Z0-9]+\)", text_of(f"{name}.sh"))


# Dumps of MongoDB, made by a stand-in

# A dump holds the URL that it came from; to some nobody can connect.
DATABASE = """\
for word in "$@"; do
  case $word in
    --config=*) config=${word#--config=} ;;
    --archive=*) archive=${word#--archive=} ;;
  esac
done
case "$*" in *secret*) echo "told all processes" >&2; exit 1 ;; esac
url=$(sed 's/uri: "\\(.*\\)"/\\1/' "$config")
case $url in *unreachable*) echo "cannot connect to $url" >&2; exit 1 ;; esac
"""
STORES = {
    "mongodump": DATABASE + 'echo "$url" > "$archive"',
    "mongorestore": DATABASE + 'echo "$url $(cat "$archive")" >> "$RESTORED"',
}
URLS = {
    name: f"mongodb://root:test-secret-mongodb@host:27017/{name.lower()}"
    for name in ("BACKEND", "AUTH")
}


@dataclass
class Shell:
    """Runs the scripts, which find stand-ins for the tools."""

    folder: Path

    def run(self, name: str, *args: object, **env: str) -> subprocess.CompletedProcess[str]:
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        for tool, script in STORES.items():
            (tools / tool).write_text(f"#!/bin/bash\n{script}\n")
            (tools / tool).chmod(0o755)
        return subprocess.run(
            # The shell that its image has.
            [
                text_of(f"{name}.sh").partition("\n")[0][2:],
                "-c",
                text_of(f"{name}.sh"),
                name,
                *map(str, args),
            ],
            env={
                "PATH": f"{tools}:{os.environ['PATH']}",
                "RESTORED": str(self.folder / "restored"),
                "TMPDIR": str(self.temporary),
                **{f"{database}_URL": url for database, url in URLS.items()},
                **env,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def temporary(self) -> Path:
        """The folder for temporary files."""
        folder = self.folder / "tmp"
        folder.mkdir(exist_ok=True)
        return folder


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_both_databases_are_dumped_and_restored(shell: Shell, tmp_path: Path) -> None:
    made = shell.run("dump_mongodb", tmp_path / "dump")
    assert made.returncode == 0, made.stderr
    restored = shell.run("restore_mongodb", tmp_path / "dump")
    assert restored.returncode == 0, restored.stderr
    urls = [f"{url} {url}" for url in (URLS["BACKEND"], URLS["AUTH"])]
    assert (tmp_path / "restored").read_text().splitlines() == urls
    assert not os.listdir(shell.temporary)


@pytest.mark.parametrize("name", URLS)
def test_a_dump_that_fails_tells_no_password(shell: Shell, tmp_path: Path, name: str) -> None:
    url = URLS[name].replace("host", "unreachable")
    failed = shell.run("dump_mongodb", tmp_path / "dump", **{f"{name}_URL": url})
    assert failed.returncode != 0
    assert "cannot connect to mongodb://***@unreachable" in failed.stdout
    assert "test-secret" not in failed.stdout + failed.stderr


@pytest.mark.parametrize("database", ["backend", "auth"])
def test_half_a_dump_is_not_restored(shell: Shell, tmp_path: Path, database: str) -> None:
    shell.run("dump_mongodb", tmp_path / "dump")
    (tmp_path / "dump" / f"{database}.archive").write_text("")
    failed = shell.run("restore_mongodb", tmp_path / "dump")
    assert failed.returncode != 0
    assert f"no dump of {database}" in failed.stderr
    assert not (tmp_path / "restored").exists()


def test_a_restore_that_fails_tells_no_password(shell: Shell, tmp_path: Path) -> None:
    shell.run("dump_mongodb", tmp_path / "dump")
    url = URLS["BACKEND"].replace("host", "unreachable")
    failed = shell.run("restore_mongodb", tmp_path / "dump", BACKEND_URL=url)
    assert failed.returncode != 0
    assert "test-secret" not in failed.stdout + failed.stderr


# Snapshots of Elasticsearch: a stand-in, or a real one where there is one

Answer = tuple[int, Any]
INDICES = ["events-log", "queue_metrics"]
WHOLE = {"total": 2, "failed": 0, "successful": 2}
SUCCESS = {"state": "SUCCESS", "indices": INDICES, "shards": WHOLE}
CLUSTER = "wt6CqOGMRMi4exXFvWTPpQ"
OWNER = "ml/lab"


def marked(owner: str = f"{OWNER}/{CLUSTER}", **snapshot: Any) -> dict[str, Any]:
    """A complete snapshot that an installation made, of the cluster itself unless told."""
    return SUCCESS | {"metadata": {"clearml": {"owner": owner, "run": "1"}}} | snapshot


@dataclass
class FakeElasticsearch:
    """Remembers snapshots and indices, and answers as Elasticsearch does.

    All registrations lead to the same place. Only those that are not read-only may change it.
    """

    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    indices: dict[str, int] = field(default_factory=lambda: dict.fromkeys(INDICES, 0))
    next: list[dict[str, Any]] = field(default_factory=list)
    """What becomes of the snapshots that are taken."""
    busy: int = 0
    """How many requests are turned away."""
    lost: int = 0
    """How many answers to requests for a snapshot get lost."""
    registered: dict[str, Any] = field(default_factory=dict)
    writable: bool = True
    uuids: list[str] = field(default_factory=lambda: [CLUSTER])
    """What the cluster calls itself, at last the last."""
    asked: list[str] = field(default_factory=list)
    logins: set[str | None] = field(default_factory=set)
    clock: Iterator[int] = field(default_factory=lambda: itertools.count(10**12))

    def answer(self, method: str, path: str, body: Any) -> Answer:
        self.asked.append(f"{method} {path}")
        if self.busy > 0:
            self.busy -= 1
            return 503, {"error": {"reason": "no master"}}
        parts = urlsplit(path).path.strip("/").split("/")
        if parts == [""]:
            return 200, {"cluster_uuid": self.uuids.pop(0) if self.uuids[1:] else self.uuids[0]}
        if parts[0] == "_cat":
            fitting = [] if parts[2:] == ["nothing"] else self.indices
            return 200, [{"index": name} for name in fitting]
        if parts[0] == "_cluster":
            return 200, {"indices": {name: self._health(name) for name in self.indices}}
        if parts[0] != "_snapshot":
            return 200, self.indices.pop(parts[0])
        if len(parts) == 2:
            return self._registration(method, parts[1], body)
        if parts[1] not in self.registered:
            return 404, {"error": {"reason": f"{parts[1]} missing"}}
        if self._is_read_only(parts[1]) and method != "GET" and parts[3:] != ["_restore"]:
            return 500, {"error": {"reason": "readonly"}}
        if parts[2] == "_verify":
            cause = {"reason": "outer", "caused_by": {"reason": "cannot write"}}
            return (200, {}) if self.writable else (500, {"error": cause})
        return self._snapshot(method, parts[2:], body)

    def _registration(self, method: str, name: str, body: Any) -> Answer:
        if method == "GET" and name not in self.registered:
            return 404, {"error": {"reason": f"{name} missing"}}
        if method == "GET":
            return 200, {name: self.registered[name]}
        settings = {
            key: json.dumps(each) if isinstance(each, bool) else str(each)
            for key, each in body["settings"].items()
        }
        self.registered[name] = {"type": body["type"], "settings": settings}
        return 200, {}

    def _is_read_only(self, name: str) -> bool:
        return bool(self.registered[name]["settings"].get("readonly") == "true")

    def _health(self, name: str) -> dict[str, int]:
        """A shard is there after it was asked for a few times."""
        self.indices[name] = max(0, self.indices[name] - 1)
        active = int(not self.indices[name])
        return {
            "number_of_shards": 1,
            "active_primary_shards": active,
            "initializing_shards": 1 - active,
        }

    def _snapshot(self, method: str, parts: list[str], body: Any) -> Answer:
        name = parts[0]
        if name == "_all":
            return 200, {"snapshots": [{"snapshot": n, **s} for n, s in self.snapshots.items()]}
        if method == "PUT":
            if name in self.snapshots:
                return 400, {"error": {"reason": "snapshot with the same name already exists"}}
            self.snapshots[name] = {
                "state": "IN_PROGRESS",
                "indices": [],
                "metadata": body["metadata"],
                "start_time_in_millis": next(self.clock),
            }
            if self.lost > 0:
                self.lost -= 1
                return 504, {"error": {"reason": "no answer in time"}}
            return 200, {"accepted": True}
        if name not in self.snapshots:
            return 404, {"error": {"reason": f"{name} is missing"}}
        if method == "DELETE":
            return 200, self.snapshots.pop(name)
        if parts[1:] == ["_restore"]:
            self.indices.update(dict.fromkeys(body["indices"].split(","), 3))
            return 200, {"accepted": True}
        before = dict(self.snapshots[name])
        if before["state"] == "IN_PROGRESS" and self.next:
            self.snapshots[name] |= self.next.pop(0)
        return 200, {"snapshots": [{"snapshot": name, **before}]}


@contextmanager
def serving(fake: FakeElasticsearch) -> Iterator[str]:
    """The URL that it answers at."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            fake.logins.add(self.headers["Authorization"])
            text = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, content = fake.answer(self.command, self.path, json.loads(text or "null"))
            answer = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


Ask = Callable[..., None]
DEFINITION = '{"type": "fs", "settings": {"location": "/backups/elasticsearch", "compress": true}}'


@pytest.fixture
def fake() -> FakeElasticsearch:
    return FakeElasticsearch()


@pytest.fixture
def ask(fake: FakeElasticsearch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Runs the program against the stand-in."""

    def run(action: str, *args: str, definition: str = DEFINITION, former: str = "") -> None:
        owners = (OWNER, former) if action == "backup" else ()
        snapshots.main(action, "clearml", definition, *owners, *args)

    monkeypatch.setattr(snapshots, "POLL_SECONDS", 0)
    with serving(fake) as url:
        monkeypatch.setenv("ELASTICSEARCH_URLS", url)
        yield run


def name_of(number: int) -> str:
    return f"clearml-{first(number)}"


def test_snapshots_are_taken_and_the_oldest_go(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.next = [SUCCESS] * 3
    for _ in range(3):
        ask("backup", "*", "2")
    assert set(fake.snapshots) == {name_of(1), name_of(2)}
    assert fake.registered["clearml"]["settings"] == {
        "location": "/backups/elasticsearch",
        "compress": "true",
    }


OF_SOMEBODY_ELSE: dict[str, dict[str, Any]] = {
    "nightly-1": SUCCESS | {"metadata": {"policy": "nightly"}},
    "clearml-before-the-upgrade": SUCCESS,
    "clearml-zz": marked(),
    "zz-set-aside": marked(),
    "clearml-20200101-000000": SUCCESS,
    "clearml-20990101-000000": SUCCESS | {"metadata": {"clearml": "by hand"}},
    "clearml-20200102-000000": SUCCESS | {"state": "PARTIAL"},
    "clearml-20200103-000000": SUCCESS | {"state": "FAILED", "metadata": None},
    "clearml-20200104-000000": marked(state="IN_PROGRESS"),
}


def test_only_what_carries_our_mark_and_a_name_of_ours_is_deleted(
    fake: FakeElasticsearch, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {
        "clearml-20200105-000000": marked(),
        "clearml-20200106-000000": marked(state="PARTIAL"),
        "clearml-20990107-000000": marked(state="FAILED"),
    }
    fake.snapshots = {**OF_SOMEBODY_ELSE, **ours}
    fake.next = [SUCCESS]
    ask("backup", "*", "1")
    assert fake.snapshots.keys() == OF_SOMEBODY_ELSE.keys() | {name_of(0)}
    assert {name: fake.snapshots[name] for name in OF_SOMEBODY_ELSE} == OF_SOMEBODY_ELSE
    (told,) = (line for line in capsys.readouterr().out.splitlines() if "left alone" in line)
    assert "clearml-20200101-000000" in told


FOREIGN = {
    "another namespace": f"other/lab/{CLUSTER}",
    "another release": f"ml/other/{CLUSTER}",
    "another cluster": f"{OWNER}/062LFiYkS2K5PGPz6-djiA",
}
WRITES = ("PUT", "POST", "DELETE")


@pytest.mark.parametrize("state", ["SUCCESS", "PARTIAL"])
@pytest.mark.parametrize("owner", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_mark_ends_a_backup_before_anything_is_written(
    fake: FakeElasticsearch, ask: Ask, owner: str, state: str
) -> None:
    before = {**OF_SOMEBODY_ELSE, "clearml-20200107-000000": marked(owner, state=state)}
    fake.snapshots, fake.next = dict(before), [SUCCESS]
    with pytest.raises(snapshots.SnapshotError, match=rf"{owner}.*formerOwners: \[\"{owner}\"\]"):
        ask("backup", "*", "1")
    assert fake.snapshots == before
    assert [each for each in fake.asked if each.startswith(WRITES)] == [
        "PUT /_snapshot/clearml-readonly?verify=false"
    ]


def test_what_a_former_owner_left_counts_as_ours(fake: FakeElasticsearch, ask: Ask) -> None:
    former = FOREIGN["another cluster"], FOREIGN["another namespace"]
    fake.snapshots = {f"clearml-2020010{n}-000000": marked(each) for n, each in enumerate(former)}
    fake.next = [SUCCESS]
    ask("backup", "*", "2", former=" ".join(former))
    assert fake.snapshots.keys() == {"clearml-20200101-000000", name_of(0)}


def test_two_that_begin_at_the_same_time_delete_nothing(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.snapshots = dict(ours := {"clearml-20200105-000000": marked()})
    theirs = {"clearml-20200106-000000": marked(FOREIGN["another cluster"])}
    fake.next = [SUCCESS]
    take = snapshots.Repository.take

    def meanwhile(*args: Any) -> str:
        fake.snapshots |= theirs
        return take(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots.Repository, "take", meanwhile)
        with pytest.raises(snapshots.SnapshotError, match=FOREIGN["another cluster"]):
            ask("backup", "*", "1")
    assert fake.snapshots.keys() == ours.keys() | theirs.keys() | {name_of(0)}


def test_users_of_one_cluster_share_a_repository_that_somebody_else_registered(
    fake: FakeElasticsearch, ask: Ask
) -> None:
    fake.registered["clearml"] = json.loads(DEFINITION)
    theirs = {"clearml-20200101-000000": marked(FOREIGN["another namespace"])}
    fake.snapshots = {**theirs, "clearml-20200102-000000": marked()}
    fake.next = [SUCCESS]
    ask("backup", "*", "1", definition="")
    assert fake.snapshots.keys() == theirs.keys() | {name_of(0)}
    fake.snapshots["clearml-20200103-000000"] = marked(FOREIGN["another cluster"])
    with pytest.raises(snapshots.SnapshotError, match="damage"):
        ask("backup", "*", "1", definition="")


def test_the_time_at_which_it_began_tells_the_age_of_a_snapshot(
    fake: FakeElasticsearch, ask: Ask
) -> None:
    # Made while the clock was wrong.
    fake.snapshots = {
        "clearml-20990101-000000": marked(start_time_in_millis=1),
        "clearml-20000101-000000": marked(start_time_in_millis=2),
    }
    fake.next = [SUCCESS]
    ask("backup", "*", "2")
    assert fake.snapshots.keys() == {"clearml-20000101-000000", name_of(0)}


def test_the_new_snapshot_stays_though_its_clock_went_backwards(
    fake: FakeElasticsearch, ask: Ask
) -> None:
    fake.snapshots = {"clearml-20990101-000000": marked(start_time_in_millis=10**13)}
    fake.next = [SUCCESS]
    ask("backup", "*", "1")
    assert fake.snapshots.keys() == {name_of(0)}


def test_a_name_that_another_run_has_taken_is_left_to_it(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.snapshots = {name_of(0): (theirs := marked(state="IN_PROGRESS"))}
    fake.next = [{}, SUCCESS]
    ask("backup", "*", "1")
    assert fake.snapshots.keys() == {name_of(0), name_of(1)}
    assert fake.snapshots[name_of(0)] == theirs


def test_a_snapshot_whose_acceptance_was_not_heard_of_is_waited_for(
    fake: FakeElasticsearch, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.lost, fake.next = 1, [{}, SUCCESS]
    ask("backup", "*", "1")
    assert fake.snapshots.keys() == {name_of(0)}


def test_a_registration_that_is_right_is_not_touched(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.next = [SUCCESS] * 3
    ask("backup", "*", "3")
    fake.asked.clear()
    ask("backup", "*", "3")
    assert not [each for each in fake.asked if re.match(r"PUT /_snapshot/[^/]*$", each)]
    ask("backup", "*", "3", definition='{"type": "fs", "settings": {"location": "/elsewhere"}}')
    assert {each["settings"]["location"] for each in fake.registered.values()} == {"/elsewhere"}


def test_a_cluster_has_to_form_before_it_has_a_name(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.uuids, fake.next = ["_na_", "_na_", CLUSTER], [SUCCESS]
    ask("backup", "*", "1")
    assert fake.snapshots[name_of(0)]["metadata"]["clearml"]["owner"] == f"{OWNER}/{CLUSTER}"
    fake.uuids = ["_na_"]
    with pytest.raises(snapshots.SnapshotError, match="have not formed a cluster"):
        ask("backup", "*", "1")


@pytest.mark.parametrize(
    ("taken", "message"),
    [
        ({"shards": WHOLE | {"failed": 1}}, "SUCCESS"),
        ({"indices": ["events-log"]}, "lacks queue_metrics"),
    ],
)
def test_a_snapshot_that_says_success_is_looked_at(
    fake: FakeElasticsearch, ask: Ask, taken: dict[str, Any], message: str
) -> None:
    fake.snapshots, fake.next = {"clearml-20200101-000000": marked()}, [SUCCESS | taken]
    with pytest.raises(snapshots.SnapshotError, match=message):
        ask("backup", "*", "1")
    assert "clearml-20200101-000000" in fake.snapshots


def test_an_index_that_goes_meanwhile_is_no_loss(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.next = [SUCCESS | {"indices": ["events-log"]}]
    snapshot = snapshots.Repository.snapshot

    def meanwhile(self: snapshots.Repository, name: str) -> dict[str, Any]:
        fake.indices.pop("queue_metrics", None)
        return snapshot(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots.Repository, "snapshot", meanwhile)
        ask("backup", "*", "1")


@pytest.mark.parametrize("state", ["PARTIAL", "FAILED"])
def test_a_snapshot_that_is_not_whole_fails_and_goes_once_another_is(
    fake: FakeElasticsearch, ask: Ask, state: str
) -> None:
    fake.next = [SUCCESS, SUCCESS | {"state": state, "indices": []}, SUCCESS]
    ask("backup", "*", "1")
    with pytest.raises(snapshots.SnapshotError, match=state):
        ask("backup", "*", "1")
    assert name_of(0) in fake.snapshots
    ask("backup", "*", "1")
    assert set(fake.snapshots) == {name_of(2)}


def test_a_snapshot_without_any_index_is_no_backup(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.next = [SUCCESS, SUCCESS | {"indices": []}]
    ask("backup", "*", "1")
    with pytest.raises(snapshots.SnapshotError, match="none fits nothing"):
        ask("backup", "nothing", "1")
    assert name_of(0) in fake.snapshots


def test_a_repository_that_cannot_be_written_to_is_said_by_its_reason(
    fake: FakeElasticsearch, ask: Ask
) -> None:
    fake.writable = False
    with pytest.raises(snapshots.SnapshotError, match="cannot write"):
        ask("backup", "*", "1")
    assert not fake.snapshots


def test_a_repository_that_is_there_is_not_registered(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.registered["clearml"] = json.loads(DEFINITION)
    fake.next = [SUCCESS]
    ask("backup", "*", "1", definition="")
    assert not any(each.startswith("PUT /_snapshot/clearml?") for each in fake.asked)
    assert fake.registered.keys() == {"clearml"}
    assert "POST /_snapshot/clearml/_verify" in fake.asked


def test_a_busy_cluster_is_asked_again(fake: FakeElasticsearch, ask: Ask) -> None:
    fake.busy, fake.next = 3, [SUCCESS]
    ask("backup", "*", "1")
    assert set(fake.snapshots) == {name_of(0)}


def test_a_cluster_that_is_away_fails(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URLS", "http://127.0.0.1:9")
    with pytest.raises(snapshots.SnapshotError, match="gave up"):
        ask("backup", "*", "1")


def test_another_node_is_asked_if_one_is_away(
    fake: FakeElasticsearch, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = f"http://127.0.0.1:9,{os.environ['ELASTICSEARCH_URLS']}"
    monkeypatch.setenv("ELASTICSEARCH_URLS", urls)
    fake.next = [SUCCESS]
    ask("backup", "*", "1")
    assert set(fake.snapshots) == {name_of(0)}


@pytest.mark.parametrize(
    ("said", "mode"), [({}, ssl.CERT_REQUIRED), ({"VERIFY_CERTS": "false"}, ssl.CERT_NONE)]
)
def test_certificates_are_verified_unless_told_otherwise(
    said: dict[str, str], mode: ssl.VerifyMode
) -> None:
    environment = {f"ELASTICSEARCH_{key}": text for key, text in said.items()}
    server = snapshots.Elasticsearch({"ELASTICSEARCH_URLS": "https://search", **environment})
    assert server.context.verify_mode == mode
    assert server.context.check_hostname == (mode == ssl.CERT_REQUIRED)


def test_a_user_logs_in(fake: FakeElasticsearch, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_USERNAME", "backup")
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", "test-secret-x")
    fake.next = [SUCCESS]
    ask("backup", "*", "1")
    assert fake.logins == {"Basic YmFja3VwOnRlc3Qtc2VjcmV0LXg="}


@pytest.mark.parametrize("owner", [*FOREIGN.values(), f"{OWNER}/{CLUSTER}"])
def test_a_restore_replaces_the_indices_of_the_snapshot(
    fake: FakeElasticsearch, ask: Ask, owner: str
) -> None:
    fake.snapshots = dict(there := {**OF_SOMEBODY_ELSE, "clearml-1": marked(owner)})
    fake.indices = {"events-log": 0, "others": 0}
    ask("restore", "clearml-1")
    assert "DELETE /events-log" in fake.asked
    assert "DELETE /others" not in fake.asked
    assert fake.indices.keys() == {"events-log", "queue_metrics", "others"}
    # Not before all shards are active.
    assert fake.indices["queue_metrics"] == 0
    # Nothing could be written to the backups.
    assert fake.snapshots == there
    assert fake.registered.keys() == {"clearml-readonly"}


@pytest.mark.parametrize("state", ["PARTIAL", "IN_PROGRESS", None])
def test_nothing_is_lost_to_a_snapshot_that_is_not_whole(
    fake: FakeElasticsearch, ask: Ask, state: str | None
) -> None:
    if state:
        fake.snapshots["clearml-1"] = marked(state=state)
    fake.indices = {"events-log": 0}
    with pytest.raises(snapshots.SnapshotError, match="clearml-1"):
        ask("restore", "clearml-1")
    assert fake.indices == {"events-log": 0}


def test_a_restore_whose_shards_do_not_come_fails(
    fake: FakeElasticsearch, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.snapshots["clearml-1"] = SUCCESS
    stuck = {"number_of_shards": 1, "active_primary_shards": 0, "initializing_shards": 0}
    monkeypatch.setattr(fake, "_health", lambda _: stuck)
    with pytest.raises(snapshots.SnapshotError, match="events-log, queue_metrics"):
        ask("restore", "clearml-1")


REAL = os.environ.get("ELASTICSEARCH_URL", "")


@pytest.mark.skipif(not REAL, reason="needs an empty Elasticsearch at ELASTICSEARCH_URL")
def test_a_real_elasticsearch_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    location = os.environ["ELASTICSEARCH_REPOSITORY"]  # below its path.repo
    definition = json.dumps({"type": "fs", "settings": {"location": location, "compress": True}})
    monkeypatch.setattr(snapshots, "POLL_SECONDS", 1)
    monkeypatch.setenv("ELASTICSEARCH_URLS", REAL)
    server = snapshots.Elasticsearch(dict(os.environ))
    repository = snapshots.Repository(server, "clearml-test", json.loads(definition))
    backup = ("backup", "clearml-test", definition)
    repository.register()
    for name, metadata in (("clearml-20200101-000000", {}), ("theirs", {"policy": "nightly"})):
        body = {"indices": "*", "metadata": metadata}
        server.ask("PUT", f"/_snapshot/clearml-test/{name}?wait_for_completion=true", body)
    for number in range(3):
        server.ask("PUT", f"/events-log/_doc/{number}?refresh=true", {"number": number})
        snapshots.main(*backup, OWNER, "", "*,-.*", "2")
    foreign, *names = [
        each["snapshot"] for each in repository.snapshots() if each["snapshot"] != "theirs"
    ]
    assert foreign == "clearml-20200101-000000"
    assert len(names) == 2
    own = snapshots.owner_of(repository.snapshot(names[0]))
    with pytest.raises(snapshots.SnapshotError, match=own):
        snapshots.main(*backup, "other/lab", "", "*,-.*", "2")
    for name, documents in zip(names, (2, 3), strict=True):
        snapshots.main("restore", "clearml-test", definition, name)
        assert server.ask("GET", "/events-log/_count")["count"] == documents
    snapshots.main(*backup, "other/lab", own, "*,-.*", "1")
    left = {snapshots.owner_of(each) for each in repository.snapshots()}
    assert left == {"", f"other/lab/{server.cluster()}"}
    server.ask("DELETE", "/events-log")
    for each in repository.snapshots():
        server.ask("DELETE", f"/_snapshot/clearml-test/{each['snapshot']}")
    for registered in (repository, repository.read_only()):
        server.ask("DELETE", registered.path)
