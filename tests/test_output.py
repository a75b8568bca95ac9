"""What a run of main.py leaves in the output folder and on stderr, however it ends."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from clearml_k8s import output
from clearml_k8s.engine import say_nothing_of_its_end
from clearml_k8s.output import new_files, put_in_place

ROOT = Path(__file__).parents[1]
OTHER_VALUES = "release: {name: another}\n"
BAD_VALUES = "apisever: {}\n"
REFUSED_VALUES = "apiserver: {tolerations: [{key: dedicated, operator: Maybe}]}\n"
SECRETS = {"0500-apiserver", "1000-agent-groups"}
# What Python runs first: what a busy machine does once in many hundred runs happens in this one.
BOTH_IMPORT_AT_ONCE = """
import builtins, publication, threading, time, types

half_made = threading.Event()
import_ = builtins.__import__

class Slow(types.ModuleType):
    def __setattr__(self, name, value):
        if self.__name__ == "cdk8s_plus_25" and not half_made.is_set():
            half_made.set()
            time.sleep(0.5)
        super().__setattr__(name, value)

def late(name, *args, **kwargs):
    if name == "cdk8s_plus_25" and threading.current_thread() is threading.main_thread():
        half_made.wait(30)
    return import_(name, *args, **kwargs)

vars(publication._private)["ModuleType"] = Slow
builtins.__import__ = late
"""
IMPORT_FAILS = """
import sys, threading

class Finder:
    def find_spec(name, *_):
        if name == "cdk8s_plus_25" and threading.current_thread() is not threading.main_thread():
            raise {error}

sys.meta_path.insert(0, Finder)
"""


def _start(
    outdir: Path, values: str = "", *, stderr: int = subprocess.PIPE, **more: str
) -> subprocess.Popen[str]:
    file = outdir.parent / f"values-{len(values)}.yaml"
    file.write_text(values)
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py")],
        cwd=outdir.parent,
        env={**os.environ, "CDK8S_OUTDIR": str(outdir), "CLEARML_VALUES": str(file), **more},
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
    )


def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=60)
    return process.returncode, said or ""


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def _wait_for_new_files(outdir: Path, process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not list(outdir.glob(f"{output.TEMPORARY}*")):
        time.sleep(0.001)


@pytest.fixture(scope="module")
def old_and_new(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], ...]:
    """The whole files of two different runs."""
    sets = []
    for values in ("", OTHER_VALUES):
        outdir = tmp_path_factory.mktemp("whole") / "dist"
        status, said = _end(_start(outdir, values))
        assert status == 0, said
        sets.append(_contents(outdir))
    return tuple(sets)


@pytest.fixture
def dist(tmp_path: Path, old_and_new: tuple[dict[str, bytes], ...]) -> Path:
    """An output folder with the files of an earlier run."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for name, content in old_and_new[0].items():
        (folder / name).write_bytes(content)
    return folder


def test_a_killed_run_leaves_whole_files_and_the_next_one_mends_all(
    dist: Path, old_and_new: tuple[dict[str, bytes], ...]
) -> None:
    old, new = old_and_new
    for turn in range(4):
        process = _start(dist, OTHER_VALUES)
        if turn % 2:  # near the time in which files are written
            _wait_for_new_files(dist, process)
            time.sleep(random.uniform(0, 0.4))
        else:
            time.sleep(random.uniform(0, 1.5))
        process.kill()
        _end(process)
        left = _contents(dist)
        assert left.keys() == old.keys()
        assert all(content in (old[name], new[name]) for name, content in left.items())
    (dist / f"{output.TEMPORARY}left").mkdir()
    assert _end(_start(dist, OTHER_VALUES))[0] == 0
    assert _contents(dist) == new
    assert {file.name for file in dist.iterdir()} == new.keys()


def test_of_two_runs_at_once_one_comes_last(
    dist: Path, old_and_new: tuple[dict[str, bytes], ...]
) -> None:
    runs = [_start(dist), _start(dist, OTHER_VALUES)]
    assert [_end(run)[0] for run in runs] == [0, 0]
    assert _contents(dist) in old_and_new
    assert {file.name for file in dist.iterdir()} == old_and_new[0].keys()


def test_a_run_waits_for_the_one_that_is_writing(tmp_path: Path) -> None:
    def next_run() -> None:
        with new_files(tmp_path):
            pass

    with ThreadPoolExecutor() as pool:
        with new_files(tmp_path) as folder:
            following = pool.submit(next_run)
            with pytest.raises(TimeoutError):
                following.result(timeout=0.3)
            assert folder.exists()
        following.result(timeout=60)


def test_secrets_are_for_their_owner_only(dist: Path) -> None:
    run = _start(dist)
    assert _end(run)[0] == 0
    umask = os.umask(0)
    os.umask(umask)
    for file in dist.iterdir():
        expected = 0o600 if file.name.split(".")[0] in SECRETS else 0o666 & ~umask
        assert (file.name, file.stat().st_mode & 0o777) == (file.name, expected)
        assert (b"\nkind: Secret\n" in file.read_bytes()) == (expected == 0o600)


def test_stale_manifests_go_and_foreign_files_stay(dist: Path) -> None:
    (dist / "0042-stale.k8s.yaml").write_text("kind: Namespace\n")
    (dist / "folder.k8s.yaml").mkdir()
    foreign = ["NOTES", "mine.yaml", ".hidden"]
    for name in foreign:
        (dist / name).write_text("mine")
    assert _end(_start(dist))[0] == 0
    assert not (dist / "0042-stale.k8s.yaml").exists()
    assert (dist / "folder.k8s.yaml").is_dir()
    assert [(dist / name).read_text() for name in foreign] == ["mine"] * 3


def test_what_a_cluster_does_not_take_over_is_told(dist: Path) -> None:
    smaller = "fileserver: {storage: {data: {size: 1Gi}}}\nagentservices: {enabled: false}\n"
    status, said = _end(_start(dist, smaller))
    told = " ".join(said.split())
    assert status == 0
    assert "warning: PersistentVolumeClaim/clearml-fileserver-data spec.resources" in told
    assert "has them: PersistentVolumeClaim/clearml-agentservices-data, Deployment/" in told
    assert "operations.md" not in _end(_start(dist, smaller))[1]


@pytest.mark.parametrize("content", [b"\xff", b"a: [", b"5", b"---\n---\n", b"kind: StatefulSet\n"])
def test_earlier_files_may_be_anything(dist: Path, content: bytes) -> None:
    (dist / "0042-broken.k8s.yaml").write_bytes(content)
    assert _end(_start(dist))[0] == 0


def test_what_cdk8s_makes_besides_manifests_comes_too(dist: Path) -> None:
    assert _end(_start(dist, CDK8S_RECORD_CONSTRUCT_METADATA="true"))[0] == 0
    assert (dist / "construct-metadata.json").stat().st_size > 100


def test_bad_values_leave_all_as_it_was(dist: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in (dist, *dist.iterdir())}
    assert _end(_start(dist, BAD_VALUES))[0] == 1
    assert {file: file.stat().st_mtime_ns for file in (dist, *dist.iterdir())} == before


def test_manifests_that_kubernetes_would_refuse_stay_out(dist: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in dist.iterdir()}
    status, said = _end(_start(dist, REFUSED_VALUES))
    assert (status, said.count("\n")) == (1, 1)
    assert ":1: apiserver.tolerations[0].operator: Deployment/clearml-apiserver" in said
    assert {file: file.stat().st_mtime_ns for file in dist.iterdir()} == before


def test_objects_too_large_for_an_annotation_are_named(dist: Path) -> None:
    status, said = _end(
        _start(dist, yaml.dump({"apiserver": {"podAnnotations": {"a": "x" * 260_000}}}))
    )
    assert status == 0
    (warning,) = [text for text in said.split("warning: ") if "--server-side" in text]
    assert warning.startswith("Deployment/clearml-apiserver ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("early", [True, False])
def test_an_interrupted_run_says_so_in_one_line(
    dist: Path, number: signal.Signals, early: bool
) -> None:
    before = _contents(dist)
    process = _start(dist, OTHER_VALUES)
    if early:
        time.sleep(0.4)
    else:
        _wait_for_new_files(dist, process)
    process.send_signal(number)
    assert _end(process) == (128 + number, "interrupted\n")
    assert _contents(dist) == before
    assert {file.name for file in dist.iterdir()} == before.keys()


def _start_after(program: str, dist: Path) -> subprocess.Popen[str]:
    """Start a run in which Python has run the program first."""
    (dist.parent / "sitecustomize.py").write_text(program)
    return _start(dist, OTHER_VALUES, PYTHONPATH=str(dist.parent))


def test_nobody_uses_what_another_thread_has_imported_by_half(
    dist: Path, old_and_new: tuple[dict[str, bytes], ...]
) -> None:
    status, said = _end(_start_after(BOTH_IMPORT_AT_ONCE, dist))
    assert status == 0, said
    assert _contents(dist) == old_and_new[1]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ('OSError(28, "No space left", "cache")', "cache: No space left\n"),
        ('MemoryError("none left")', "\nMemoryError: none left\n"),
        ('SystemExit("for no reason")', "for no reason\n"),
    ],
)
def test_an_error_of_the_thread_that_imports_is_told(dist: Path, error: str, told: str) -> None:
    before = _contents(dist)
    status, said = _end(_start_after(IMPORT_FAILS.format(error=error), dist))
    assert status == 1
    assert said.endswith(told)
    (dist.parent / "sitecustomize.py").unlink()
    assert _contents(dist) == before


@pytest.mark.parametrize("node", ["no/such/node", "/bin/true", "/bin/echo"])
def test_an_engine_that_does_not_start_is_told_in_one_line(dist: Path, node: str) -> None:
    status, said = _end(_start(dist, JSII_NODE=node))
    told = "cdk8s: its Node.js has ended" if node.startswith("/") else f"{node}: No such file"
    assert status == 1
    assert len(said.splitlines()) == 1
    assert said.startswith(told)


@pytest.mark.parametrize(("module", "told"), [("jsii._kernel", False), ("clearml_k8s", True)])
def test_errors_of_objects_that_end_are_told_unless_they_are_of_the_engine(
    module: str, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Ended:
        def __del__(self) -> None:
            raise OSError("gone")

    Ended.__del__.__module__ = f"{module}.process"
    monkeypatch.setattr(sys, "unraisablehook", say_nothing_of_its_end)
    Ended()
    assert ("gone" in capsys.readouterr().err) == told


@pytest.mark.parametrize("below", ["", "further/dist"])
def test_an_output_path_at_or_below_a_file_is_named(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    outdir = file / below
    run = _start(tmp_path / "unused", CDK8S_OUTDIR=str(outdir))
    assert _end(run) == (1, f"{outdir}: Not a directory\n")
    assert file.read_text() == "mine"


def test_a_folder_in_place_of_a_file_is_named_before_any_file_changes(dist: Path) -> None:
    before = _contents(dist)
    *_, last = sorted(before)
    (dist / last).unlink()
    (dist / last).mkdir()
    assert _end(_start(dist, OTHER_VALUES)) == (1, f"{dist / last}: Is a directory\n")
    assert _contents(dist) == {name: before[name] for name in before.keys() - {last}}
    assert len([*dist.iterdir()]) == len(before)


@pytest.mark.parametrize("target", ["no/such/file", "."])
def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(
    dist: Path, target: str, old_and_new: tuple[dict[str, bytes], ...]
) -> None:
    *_, last = sorted(old_and_new[1])
    (dist / last).unlink()
    (dist / last).symlink_to(target)
    assert _end(_start(dist, OTHER_VALUES))[0] == 0
    assert _contents(dist) == old_and_new[1]
    assert not (dist / last).is_symlink()


def test_files_that_are_read_only_are_replaced(
    dist: Path, old_and_new: tuple[dict[str, bytes], ...]
) -> None:
    for file in dist.iterdir():
        file.chmod(0o400)
    assert _end(_start(dist, OTHER_VALUES))[0] == 0
    assert _contents(dist) == old_and_new[1]


def test_a_full_temporary_folder_is_named_and_not_that_of_the_output(
    dist: Path, tmp_path: Path
) -> None:
    before = _contents(dist)
    (tmp_path / "tmp").mkdir()
    full = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
"""
    (tmp_path / "sitecustomize.py").write_text(full)
    run = _start(dist, OTHER_VALUES, PYTHONPATH=str(tmp_path), TMPDIR=str(tmp_path / "tmp"))
    status, said = _end(run)
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith(str(tmp_path / "tmp"))
    assert _contents(dist) == before


INTERRUPTED_AT = """
import os, signal, sys

class Finder:
    def find_spec(name, *_):
        if name == "{module}":
            os.kill(os.getpid(), signal.{number})

sys.meta_path.insert(0, Finder)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    ("program", "module"),
    [
        ("main.py", "pathlib"),
        ("main.py", "pydantic"),
        ("list_images.py", "clearml_k8s.engine"),
        ("check_cluster.py", "yaml"),
    ],
)
def test_an_interruption_while_it_imports_is_told_in_one_line(
    tmp_path: Path, program: str, module: str, number: str
) -> None:
    hook = INTERRUPTED_AT.format(module=module, number=number)
    (tmp_path / "sitecustomize.py").write_text(hook)
    done = subprocess.run(
        [sys.executable, str(ROOT / program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "CDK8S_OUTDIR": str(tmp_path / "dist")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 128 + signal.Signals[number]
    assert (done.stdout, done.stderr) == ("", "interrupted\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_named(dist: Path) -> None:
    dist.chmod(0o500)
    assert _end(_start(dist)) == (1, f"{dist}: Permission denied\n")


def test_a_full_disk_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.k8s.yaml").write_text("old")

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source), None, str(target))

    monkeypatch.setattr(os, "replace", full)

    def run() -> None:
        with new_files(tmp_path) as folder:
            (folder / "a.k8s.yaml").write_text("new")
            put_in_place(folder, tmp_path)

    with pytest.raises(OSError, match="No space left") as caught:
        run()
    told = output.in_one_line(caught.value)
    assert told == f"{tmp_path / 'a.k8s.yaml'}: No space left on device"
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_without_a_home_it_works(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    assert _end(_start(dist))[0] == 0


@pytest.mark.parametrize("home", ["/dev/null", "/proc"])
def test_with_a_home_that_cannot_be_used_it_works(dist: Path, home: str) -> None:
    assert _end(_start(dist, HOME=home))[0] == 0


@pytest.mark.parametrize(("values", "status"), [("", 0), (BAD_VALUES, 1)])
def test_nobody_needs_to_read_what_it_says(dist: Path, values: str, status: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = _start(dist, values, stderr=writing)
    os.close(writing)
    assert _end(process)[0] == status


def test_mistakes_in_the_program_keep_their_traceback() -> None:
    assert output.in_one_line(KeyError("mistake")) is None
