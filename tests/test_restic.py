"""Backups with restic and their restores: the pods of the manifests, run beside files of others."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

import pytest

from fake_s3 import KEY, FakeS3, serving
from rendering import Bundle, Object
from running import Machine, Result, contents, machine, needs_root, tree
from test_backup import BACKUPS, PASSWORD, STOPPED, made, pod_of
from test_backup_programs import STORES

FILES, BACKED_UP = "clearml-fileserver-data", "clearml-backup-fileserver-data"
DUMPED = "clearml-backup-mongodb-data"
NO_PASSWORD = ["--insecure-no-password"]


@pytest.fixture
def node() -> Iterator[Machine]:
    with machine() as made_here:
        yield made_here


@dataclass
class Installation:
    """An installation with values of its own, whose pods run on a machine."""

    node: Machine
    values: Object = field(default_factory=dict)
    fs_group: bool = True

    def made(self, *values: Object) -> Bundle:
        return made(BACKUPS, self.values, *values)

    def run(self, pod: Object) -> Result:
        return self.node.run(pod, fs_group=self.fs_group)

    def backup(self, thing: str = "fileserver", **settings: object) -> Result:
        bundle = self.made({"backup": {thing: settings}})
        return self.run(pod_of(bundle, f"clearml-backup-{thing}"))

    def restore(self, backup: str = "latest", thing: str = "fileserver") -> Result:
        bundle = self.made(STOPPED, {"restore": {thing: {"backup": backup}}})
        return self.run(pod_of(bundle, f"clearml-restore-{thing}"))

    def serve(self, script: str) -> Result:
        """What the file server does, as its pod says: lines of shell in the folder of its files."""
        pod = copy.deepcopy(self.made().pod("clearml-fileserver"))
        (server,) = pod["containers"]
        server["command"] = ["sh", "-c", 'cd "$1" || exit\n' + script, "sh"]
        server["args"] = ["/mnt/fileserver"]
        server["env"] = []
        pod["initContainers"] = []
        return self.run(pod)

    def snapshots(self, volume: str = BACKED_UP, *filters: str) -> list[Object]:
        """What restic itself says that there is in the repository on a volume."""
        there = self.node.volume(volume).glob("restic-*")
        (repository,) = (each for each in there if "." not in each.name)
        restic = [str(self.node.folder / "bin/restic"), "--repo", str(repository), *NO_PASSWORD]
        command = [*restic, "--no-lock", "--no-cache", "snapshots", "--json", *filters]
        done = subprocess.run(command, capture_output=True, check=True)
        found: list[Object] = json.loads(done.stdout)
        return found


# A file server's folders: names beyond ASCII and beyond 100 bytes, a link, nothing.
LONG = "a-folder-of-an-experiment-with-a-long-name" * 3
UPLOAD = f"""\
mkdir -p 'project/Läuse 日本' '{LONG}/{LONG}' empty
printf weights > 'project/Läuse 日本/model'
printf plot > '{LONG}/{LONG}/{LONG}.png'
ln -s 'Läuse 日本/model' project/link
printf done > .examples-unpacked
"""
# All that the file server does with what it has.
GO_ON = """\
set -e
for folder in . project 'project/Läuse 日本' empty; do
  printf new > "$folder/new"
  printf newer > "$folder/new"
  rm "$folder/new"
done
printf again > 'project/Läuse 日本/model'
rm -r project/link empty
"""
USER = {"runAsUser": 10001, "runAsGroup": 10001}
AS_ROOT: Object = {}
AS_USER: Object = {"fileserver": {"podSecurityContext": USER}}
IN_GROUP: Object = {"fileserver": {"podSecurityContext": USER | {"fsGroup": 10001}}}


def good(result: Result) -> None:
    assert result.succeeded, result.log


@pytest.fixture(scope="session")
def first_backup() -> Iterator[Path]:
    """Volumes after the first backup of files."""
    with machine() as node:
        here = Installation(node)
        good(here.serve(UPLOAD))
        good(here.backup())
        yield node.folder / "volumes"


@pytest.fixture
def saved(node: Machine, first_backup: Path) -> Installation:
    """An installation with files and a backup of them."""
    subprocess.run(["cp", "-a", first_backup, node.folder], check=True)
    return Installation(node)


# Files, and who may go on with them


def test_files_come_back_and_the_file_server_goes_on(saved: Installation) -> None:
    files = saved.node.volume(FILES)
    before = tree(files)
    good(saved.serve(f"{GO_ON} printf stays > later"))
    later = tree(files)["later"]
    good(saved.restore())
    assert tree(files) == before | {"later": later}
    good(saved.serve(GO_ON))


# The users before and after, and whether the volumes know groups; those of minikube do not.
USERS = {
    "root becomes a user": (AS_ROOT, AS_USER, False),
    "a user becomes root": (AS_USER, AS_ROOT, False),
    "root gets a group": (AS_ROOT, IN_GROUP, True),
    "a group goes away": (IN_GROUP, AS_ROOT, True),
}


@needs_root
@pytest.mark.parametrize("users", USERS)
def test_whoever_the_file_server_becomes_it_goes_on(node: Machine, users: str) -> None:
    old, new, fs_group = USERS[users]
    before, after = Installation(node, old, fs_group), Installation(node, new, fs_group)
    for name in (FILES, BACKED_UP):
        node.volume(name, mode=0o777)
    good(before.serve(UPLOAD))
    files = contents(node.volume(FILES))
    good(before.backup())
    for _ in range(2):  # over what is there, then onto an empty volume
        good(after.restore())
        restored = contents(node.volume(FILES))
        assert {name: restored[name] for name in files} == files
        more = restored.keys() - files.keys()
        assert all(".before-restore" in name for name in more)
        good(after.serve(GO_ON))
        for path in node.volume(FILES).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    good(after.serve(UPLOAD))
    good(after.backup(retention=1))
    assert len(after.snapshots()) == 1
    good(before.restore())
    good(before.serve(GO_ON))


@needs_root
def test_a_volume_that_gives_its_group_goes_on_to(node: Machine) -> None:
    here = Installation(node, IN_GROUP)
    good(here.serve(UPLOAD))
    good(here.backup())
    before = tree(node.volume(FILES))
    for path in ("project", "empty"):
        shutil.rmtree(node.volume(FILES) / path)
    good(here.restore())
    assert tree(node.volume(FILES)) == before
    assert all(entry[1] == "0o2775" for entry in before.values() if entry[0] == "folder")


@needs_root
def test_what_a_former_release_has_restored_is_no_hindrance(saved: Installation) -> None:
    files = saved.node.volume(FILES)
    before = contents(files)
    for path in files.rglob("*"):
        os.chown(path, 1000, 0, follow_symlinks=False)
    assert not saved.serve(GO_ON).succeeded
    good(saved.restore())
    restored = contents(files)
    assert {name: restored[name] for name in before} == before
    good(saved.serve(GO_ON))


@needs_root
@pytest.mark.parametrize("values", [AS_ROOT, AS_USER, IN_GROUP], ids=["root", "user", "group"])
def test_the_file_server_goes_on_with_unpacked_examples(node: Machine, values: Object) -> None:
    here, examples = Installation(node, values), node.volume("examples")
    with ZipFile(examples / "example.artifacts", "w") as archive:
        archive.writestr("project/plot", "plot")
    node.volume(FILES, mode=0o777)
    pod = copy.deepcopy(
        here.made({"apiserver": {"prepopulateEnabled": True}}).pod("clearml-fileserver")
    )
    (unpack,) = (each for each in pod["initContainers"] if each["name"] == "unpack-examples")
    unpack["args"][0] = str(examples)
    good(here.run({**pod, "initContainers": [], "containers": [unpack]}))
    good(here.serve("echo new > project/plot && rm project/plot && echo new > project/new"))


# What is in the way of a restore

OUTSIDE = {"passwords": b"not to be touched"}
IN_THE_WAY = {
    "a file where a folder was": "rm -r project; printf x > project",
    "a folder where a file was": "rm .examples-unpacked; mkdir .examples-unpacked",
    "a folder where a link was": "rm project/link; mkdir project/link; touch project/link/x",
    "a link to a file": "rm .examples-unpacked; ln -s ../outside/passwords .examples-unpacked",
    "a link to a folder": "rm -r project; ln -s ../outside project",
    "what a restore that was stopped has left": "printf x > .restoring; ln -s / project/.restoring",
}


@pytest.mark.parametrize("script", IN_THE_WAY)
def test_what_is_in_the_way_is_replaced_or_set_aside(saved: Installation, script: str) -> None:
    files, outside = saved.node.volume(FILES), saved.node.volume("outside")
    (outside / "passwords").write_bytes(OUTSIDE["passwords"])
    before = contents(files)
    good(saved.serve(IN_THE_WAY[script]))
    good(saved.restore())
    restored = contents(files)
    assert {name: restored[name] for name in before} == before
    assert all(".before-restore" in name for name in restored.keys() - before.keys())
    assert contents(outside) == OUTSIDE


def test_a_backup_that_is_damaged_fails_to_be_restored(node: Machine) -> None:
    here = Installation(node)
    good(here.serve("head -c 3000000 /dev/urandom > big; printf kept > other"))
    good(here.backup())
    before = contents(node.volume(FILES))
    for pack in (node.volume(BACKED_UP) / "restic-fileserver/data").rglob("*"):
        if pack.is_file() and pack.stat().st_size > 1000000:
            pack.write_bytes(b"x")
    failed = here.restore()
    assert not failed.succeeded
    assert "could not be read" in failed.log
    assert contents(node.volume(FILES)) == before


def test_a_restic_that_fails_at_the_end_fails_the_restore(saved: Installation) -> None:
    interrupted(saved.node, 'case " $* " in *" dump "*) $REAL "$@"; exit 1;; esac')
    failed = saved.restore()
    assert not failed.succeeded
    assert "restic ended with 1" in failed.log


@pytest.mark.parametrize("installation", ["ours", "theirs"])
def test_a_backup_that_is_not_there_is_not_restored(saved: Installation, installation: str) -> None:
    """The newest is that of an installation itself."""
    node = saved.node
    before = tree(node.folder / "volumes")
    (snapshot,) = saved.snapshots()
    if installation == "ours":
        failed = saved.restore("0000")
    else:
        failed = Installation(node, {"release": {"namespace": "other"}}).restore("latest")
    assert not failed.succeeded
    assert "there is no backup" in failed.log
    for text in (snapshot["short_id"], snapshot["time"][:10], "clearml/clearml"):
        assert text in failed.log
    assert tree(node.folder / "volumes") == before


# What is beside the backups


def foreign_files(volume: Path) -> None:
    """What may lie on a volume that backups are kept on: of others, and of former releases."""
    for folder in ("fileserver/20260131-020000/project", "fileserver/.x.incomplete", "lost+found"):
        (volume / folder).mkdir(parents=True)
    (volume / "fileserver/20260131-020000/project/model").write_text("weights")
    (volume / "fileserver/a plain file").write_text("mine")
    (volume / "fileserver/set-aside").symlink_to("20260131-020000")
    (volume / "mongodb").symlink_to("fileserver")
    (volume / "elsewhere").symlink_to("/nowhere")
    (volume / "restic").mkdir()
    (volume / "restic/config").write_text("somebody else's")
    (volume / "restic-fileserver.aBcDeF/keys").mkdir(parents=True)
    (volume / "notes.txt").write_text("mine")


def beside(volume: Path) -> dict[str, object]:
    """All on the volume but the repositories."""
    return {
        name: entry
        for name, entry in tree(volume).items()
        if name.split("/")[0] not in ("restic-fileserver", "restic-mongodb")
    }


def test_no_backup_but_the_oldest_of_this_installation_goes(node: Machine) -> None:
    ours = Installation(node)
    theirs = Installation(node, {"release": {"namespace": "other"}})
    volume = node.volume(BACKED_UP)
    foreign_files(volume)
    before = beside(volume)
    good(theirs.serve("printf theirs > model"))
    good(theirs.backup(retention=1))
    (first,) = theirs.snapshots()
    note = volume / "restic-fileserver/notes.txt"
    note.write_text("mine")
    note_before = note.lstat()
    for number in range(3):
        good(ours.serve(f"printf {number} > model"))
        good(ours.backup(retention=2))
        assert beside(volume) == before
    assert (note.lstat().st_mode, note.read_text()) == (note_before.st_mode, "mine")
    assert first["id"] in {each["id"] for each in ours.snapshots()}
    hosts = [each["hostname"] for each in ours.snapshots()]
    assert sorted(hosts) == ["clearml/clearml", "clearml/clearml", "other/clearml"]
    good(theirs.restore())
    assert (node.volume(FILES) / "model").read_text() == "theirs"
    good(ours.restore())
    assert (node.volume(FILES) / "model").read_text() == "2"
    # As after a move: the id of another installation's backup.
    good(ours.restore(first["id"][:8]))
    assert (node.volume(FILES) / "model").read_text() == "theirs"
    assert beside(volume) == before


FOREIGN = {
    "a file": 'mkdir "$1"; echo mine > "$1/notes"',
    "a hidden file": 'mkdir "$1"; echo mine > "$1/.notes"',
    "an empty folder": 'mkdir -p "$1/mine"',
    "a file among packs": 'mkdir -p "$1/data/00"; echo mine > "$1/data/00/notes"',
    "a link": 'mkdir -p "$1/keys" "$1/data"; ln -s /nowhere "$1/data/link"',
    "a link instead": 'mkdir "$1.elsewhere"; ln -s "$1.elsewhere" "$1"',
    "a file instead": 'echo mine > "$1"',
    "a repository that lost its config": '"$2" --repo "$1" init && echo x | '
    '"$2" --repo "$1" backup --stdin && rm -f "$1/config"',
}


@pytest.mark.parametrize("script", FOREIGN)
def test_nothing_is_written_where_other_files_are(node: Machine, script: str) -> None:
    here, volume = Installation(node), node.volume(BACKED_UP)
    restic = f"{node.folder}/bin/restic --insecure-no-password"
    command = ["sh", "-c", FOREIGN[script].replace('"$2"', restic), "sh"]
    subprocess.run([*command, f"{volume}/restic-fileserver"], check=True, capture_output=True)
    before = tree(volume)
    failed = here.backup()
    assert not failed.succeeded
    assert "restic-fileserver" in failed.log
    assert tree(volume) == before


def test_two_that_begin_at_once_both_get_their_backup(node: Machine) -> None:
    installations = [
        Installation(node, {"release": {"namespace": name}}) for name in ("one", "two")
    ]
    good(installations[0].serve(UPLOAD))
    for each in installations:
        each.made({"backup": {"fileserver": {}}})  # jsii has one thread
    with ThreadPoolExecutor() as pool:
        for result in pool.map(Installation.backup, installations):
            good(result)
    hosts = sorted(each["hostname"] for each in installations[0].snapshots())
    assert hosts == ["one/clearml", "two/clearml"]
    assert [path.name for path in node.volume(BACKED_UP).iterdir()] == ["restic-fileserver"]
    good(installations[1].restore())


def test_another_password_opens_nothing_and_writes_nothing(node: Machine) -> None:
    node.secrets["backup-password"] = {"password": "test-secret-one"}
    here = Installation(node, PASSWORD)
    good(here.serve(UPLOAD))
    done = here.backup()
    good(done)
    before = tree(node.volume(BACKED_UP))
    for other in ({"password": "test-secret-two"}, {"password": ""}, None):
        node.secrets["backup-password"] = other or {}
        stranger = Installation(node, PASSWORD if other else {})
        for failed in (stranger.backup(), stranger.restore()):
            assert not failed.succeeded
            assert "test-secret" not in failed.log
        assert tree(node.volume(BACKED_UP)) == before
    node.secrets["backup-password"] = {"password": "test-secret-one"}
    good(here.restore())
    assert "test-secret" not in done.log


# Runs that do not end well


def interrupted(node: Machine, script: str) -> None:
    """Let restic run lines of shell before it does what it is asked for, `$REAL "$@"`."""
    real = node.folder / "bin/restic-itself"
    if not real.exists():
        (node.folder / "bin/restic").rename(real)
    node.add("restic", f'#!/bin/sh\nREAL={real}\n{script}\nexec $REAL "$@"\n')


@pytest.mark.parametrize("action", ["init", "backup", "tag", "--prune"])
def test_after_a_run_that_was_killed_the_next_one_works(node: Machine, action: str) -> None:
    here = Installation(node)
    good(here.serve(UPLOAD))
    interrupted(node, f'case " $* " in *" {action} "*) $REAL "$@"; kill -9 $PPID; exit 137;; esac')
    assert not here.backup(retention=1).succeeded
    interrupted(node, "")
    good(here.backup(retention=1))
    (snapshot,) = here.snapshots()
    assert snapshot["tags"] == ["fileserver"]
    good(here.restore())


def test_the_lock_of_a_run_that_was_killed_is_removed(saved: Installation) -> None:
    repository = saved.node.volume(BACKED_UP) / "restic-fileserver"
    command = [str(saved.node.folder / "bin/restic"), "--repo", str(repository), *NO_PASSWORD]

    def locks() -> list[str]:
        """The names of locks, which restic writes under others first."""
        return [path.name for path in (repository / "locks").iterdir() if "-" not in path.name]

    with subprocess.Popen([*command, "backup", "--stdin"], stdin=subprocess.PIPE) as killed:
        while not locks():
            time.sleep(0.05)
        killed.kill()
    assert locks()
    good(saved.backup())
    assert not locks()


def test_a_file_server_without_files_has_no_backup(saved: Installation) -> None:
    before = tree(saved.node.volume(BACKED_UP))
    good(saved.serve("rm -r * .examples-unpacked; mkdir lost+found; touch lost+found/x"))
    good(saved.backup(retention=1))
    assert tree(saved.node.volume(BACKED_UP)) == before


def test_an_init_that_was_interrupted_is_no_hindrance(node: Machine) -> None:
    here, repository = Installation(node), node.volume(BACKED_UP) / "restic-fileserver"
    good(here.serve(UPLOAD))
    command = [str(node.folder / "bin/restic"), "--repo", str(repository), *NO_PASSWORD]
    subprocess.run([*command, "init"], check=True, capture_output=True)
    (repository / "config").unlink()
    good(here.backup())
    assert len(here.snapshots()) == 1


@needs_root
def test_a_file_that_cannot_be_read_fails_the_backup_and_spares_those_before(
    saved: Installation,
) -> None:
    secret = saved.node.volume(FILES) / "secret"
    (before,) = saved.snapshots()
    secret.write_text("of somebody else")
    secret.chmod(0o600)
    os.chown(secret, 1234, 1234)
    failed = saved.backup(retention=1)
    assert not failed.succeeded
    assert "secret: permission denied" in failed.log
    (complete,) = saved.snapshots(BACKED_UP, "--tag", "fileserver")
    assert complete["id"] == before["id"]
    # A backup without that file is not restored, by its id neither.
    (half,) = saved.snapshots(BACKED_UP, "--tag", "incomplete")
    assert not saved.restore(half["short_id"]).succeeded
    secret.unlink()
    good(saved.backup(retention=1))
    (after,) = saved.snapshots()
    assert after["id"] not in (before["id"], half["id"])


GONE = "error: incomplete metadata for a/b: xattr.list a/b: no such file or directory"
DENIED = "error: /mnt/fileserver/c: open c: permission denied"


@pytest.mark.parametrize(
    ("said", "works"), [([GONE, GONE], True), ([GONE, DENIED], False), ([], False)]
)
def test_a_file_that_is_deleted_meanwhile_is_no_failure(
    saved: Installation, said: list[str], works: bool
) -> None:
    lines = "".join(f"echo '{line}' >&2; " for line in said)
    interrupted(saved.node, f'case " $* " in *" backup "*) $REAL "$@"; {lines} exit 3;; esac')
    assert saved.backup().succeeded == works
    assert len(saved.snapshots(BACKED_UP, "--tag", "fileserver")) == 1 + works


def test_a_backup_that_cannot_be_verified_is_none(node: Machine) -> None:
    here = Installation(node)
    good(here.serve("head -c 3000000 /dev/urandom > big"))
    good(here.backup(retention=1))
    (before,) = here.snapshots()
    for pack in (node.volume(BACKED_UP) / "restic-fileserver/data").rglob("*"):
        if pack.is_file() and pack.stat().st_size > 1000000:
            pack.write_bytes(pack.read_bytes()[:-1000] + bytes(1000))
    good(here.serve("printf new > new"))
    assert not here.backup(retention=1).succeeded
    (complete,) = here.snapshots(BACKED_UP, "--tag", "fileserver")
    assert complete["id"] == before["id"]


@needs_root
def test_after_a_full_volume_the_next_run_works(node: Machine) -> None:
    here, volume = Installation(node), node.volume(BACKED_UP)
    good(here.serve("head -c 6000000 /dev/urandom > big"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", volume], check=True)
    try:
        failed = here.backup()
        assert not failed.succeeded
        assert "no space left" in failed.log
        subprocess.run(["mount", "-o", "remount,size=40m", volume], check=True)
        good(here.backup())
        assert len(here.snapshots()) == 1
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "none", node.volume(FILES)], check=True
        )
        assert not here.restore().succeeded
        subprocess.run(["umount", node.volume(FILES)], check=True)
        good(here.restore())
    finally:
        subprocess.run(["umount", volume], check=True)


# In a bucket


@pytest.fixture
def bucket() -> Iterator[FakeS3]:
    with serving() as store:
        yield store


def in_bucket(node: Machine, bucket: FakeS3, namespace: str, **settings: object) -> Installation:
    node.secrets["bucket-key"] = {"access-key-id": KEY, "secret-access-key": "test-secret-s3"}
    s3 = {"bucket": "backups", "endpoint": bucket.url, "existingSecret": "bucket-key", **settings}
    values = {"backup": {"s3": s3, "elasticsearch": {"enabled": False}}}
    return Installation(node, {"release": {"namespace": namespace}, **values})


def test_backups_in_a_bucket_leave_what_is_of_others(node: Machine, bucket: FakeS3) -> None:
    here = in_bucket(node, bucket, "ours", prefix="shared")
    others = {
        "backups/shared/fileserver/20260131-020000/model": b"of a former release",
        "backups/shared/fileserver/no mark/model": b"mine",
        "backups/shared/restic-fileserver.txt": b"mine",
        "backups/shared/restic-fileserver/notes": b"mine",
        "backups/ours/clearml/restic-fileserver/config": b"mine",
    }
    bucket.objects.update(others)
    there = in_bucket(node, bucket, "theirs", prefix="shared")
    good(there.serve("printf theirs > model"))
    good(there.backup(retention=1))
    for number in range(2):
        good(here.serve(f"printf {number} > model"))
        good(here.backup(retention=1))
    assert bucket.objects.items() >= others.items()
    model = node.volume(FILES) / "model"
    for each, text in ((there, "theirs"), (here, "1")):
        good(each.restore())
        assert model.read_text() == text


def test_a_bucket_that_cannot_be_read_is_not_written_to(node: Machine, bucket: FakeS3) -> None:
    here = in_bucket(node, bucket, "ours")
    good(here.serve(UPLOAD))
    node.secrets["bucket-key"]["access-key-id"] = "another"
    for failed in (here.backup(), here.restore()):
        assert not failed.succeeded
        assert "Access Denied" in failed.log
        assert "test-secret" not in failed.log
    assert not bucket.objects


# Dumps of MongoDB


def env_of_stubs(node: Machine) -> Object:
    """Stand-ins for MongoDB's tools: a dump is what `dumped` says."""
    for name, script in STORES.items():
        node.add(name, f"#!/bin/bash\n{script}\n")
    node.env["RESTORED"] = str(node.folder / "restored")
    node.folder.chmod(0o777)
    return {}


def test_dumps_come_back(node: Machine) -> None:
    here = Installation(node, env_of_stubs(node), fs_group=False)
    foreign_files(node.volume(DUMPED, 999))
    before = beside(node.volume(DUMPED))
    for _ in range(2):
        good(here.backup("mongodb", retention=1))
    (snapshot,) = here.snapshots(DUMPED)
    for name in ("latest", snapshot["id"]):
        good(here.restore(name, "mongodb"))
        restored = (node.folder / "restored").read_text().splitlines()
        urls = [f"mongodb://clearml-mongodb:27017/{each}?" for each in ("backend", "auth")]
        assert restored == [f"{url} {url}" for url in urls]
        (node.folder / "restored").unlink()
    assert beside(node.volume(DUMPED)) == before


def test_a_dump_that_fails_is_no_backup(node: Machine) -> None:
    here = Installation(node, env_of_stubs(node))
    good(here.backup("mongodb", retention=1))
    node.add("mongodump", "#!/bin/sh\necho cannot connect; exit 1\n")
    assert not here.backup("mongodb", retention=1).succeeded
    assert len(here.snapshots(DUMPED)) == 1
