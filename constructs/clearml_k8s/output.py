"""What a run leaves behind, however it ends: whole files, and few clear lines on stderr."""

import errno
import fcntl
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from json import JSONDecodeError
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir

from clearml_k8s.interruption import silence

# Inside the output folder: there the file system is the same, and kubectl apply -f looks no deeper.
TEMPORARY = ".clearml-synth-"
SECRET = re.compile(rb"^kind: Secret$", re.MULTILINE)


@contextmanager
def new_files(outdir: Path) -> Iterator[Path]:
    """A folder to make new files in, beside which no other run makes any; removed at the end.

    Makes `outdir` if there is none, and removes what killed runs left there. Raises OSError.
    """
    try:
        with suppress(FileExistsError):
            outdir.mkdir(parents=True)
        lock = os.open(outdir, os.O_RDONLY | os.O_DIRECTORY)  # the lock ends with the process
    except OSError as error:
        raise _about(outdir, error) from None
    folder = outdir / f"{TEMPORARY}{os.urandom(4).hex()}"
    try:
        with suppress(OSError):  # not every file system has locks, as it has renames
            fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in outdir.glob(f"{TEMPORARY}*"):
                rmtree(leftover, ignore_errors=True)
        try:
            folder.mkdir(0o700)
        except OSError as error:
            raise _about(outdir, error) from None
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)
        os.close(lock)


def put_in_place(folder: Path, outdir: Path) -> None:
    """Move all files of `folder` into `outdir`, each at once; then remove manifests not among them.

    Secrets can be read by their owner only. Raises OSError.
    """
    files = sorted(folder.iterdir())
    for file in files:
        if SECRET.search(file.read_bytes()):
            file.chmod(0o600)
    for file in files:
        target = outdir / file.name
        if target.is_dir() and not target.is_symlink():  # before any file is another one
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    for file in files:
        os.replace(file, outdir / file.name)
    for stale in {*outdir.glob("*.k8s.yaml")} - {outdir / file.name for file in files}:
        if not stale.is_dir():
            stale.unlink(missing_ok=True)


def in_one_line(error: Exception) -> str | None:
    """What to tell of an error of the disk or of jsii; None if it is a mistake in the program.

    jsii alone writes into files whose name the error lacks, and those are temporary.
    """
    from jsii.errors import JavaScriptError

    if isinstance(error, (BrokenPipeError, JSONDecodeError)):
        return "cdk8s: its Node.js has ended"
    if isinstance(error, OSError):
        return f"{error.filename2 or error.filename or _temporary()}: {error.strerror}"
    if isinstance(error.__cause__, JavaScriptError):
        first, *_ = str(error).splitlines()
        return f"cdk8s: {first}"
    return None


def _temporary() -> str:
    try:
        return gettempdir()
    except OSError:
        return "TMPDIR"


def say(text: str) -> None:
    """Print on stderr, if anybody reads it."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        silence()


def _about(outdir: Path, error: OSError) -> OSError:
    return OSError(error.errno, error.strerror, str(outdir))
