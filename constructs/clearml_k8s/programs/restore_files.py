"""Restores the files of a backup into the folder of the file server: restore_files TOOLS FOLDER.

TOOLS is a folder with restic, and with the id of the backup in the file `backup`. Files that are in
the backup replace those that are there; others stay.

It runs as the user of the file server, which then owns what is restored. Owners in the backup do
not count: root without capabilities may give no file away. A folder that this user cannot write to,
or whatever else is in the way, is set aside under another name in the same folder.
"""

import errno
import itertools
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from contextlib import suppress
from typing import IO, Set

PARTIAL = b".restoring"
ASIDE = b".before-restore"
# After one of these no other file can be written either.
FATAL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class RestoreError(Exception):
    """What went wrong, in one line."""


class Restorer:
    """Writes the members of an archive below a folder; counts what it restored and what failed.

    Paths are bytes: the locale of an image may know no more than ASCII.
    """

    def __init__(self, top: bytes) -> None:
        self.top = top
        self.folders: Set[bytes] = {top}
        self.restored = self.failed = 0

    def restore(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Write one member; raise OSError only if no other can be written either."""
        name = member.name.encode("utf-8", "surrogateescape").strip(b"/")
        path = os.path.join(self.top, name) if name not in (b"", b".") else self.top
        parent = os.path.dirname(path)
        try:
            if path == self.top:
                return
            if parent not in self.folders or os.path.basename(path) in (b".", b".."):
                raise OSError(errno.ENOTDIR, "cannot be restored to its folder", path)
            if member.isdir():
                self._folder(path, member.mode)
            elif member.isfile():
                self._file(path, archive, member)
            elif member.issym():
                partial = os.path.join(parent, PARTIAL)
                _remove(partial)
                os.symlink(member.linkname.encode("utf-8", "surrogateescape"), partial)
                self._replace(partial, path)
        except OSError as error:
            if error.errno in FATAL:
                raise
            self.failed += 1
            print(f"not restored: {error}", flush=True)

    def _folder(self, path: bytes, mode: int) -> None:
        if os.path.lexists(path) and not _is_writable_folder(path):
            _set_aside(path)
        if not os.path.lexists(path):
            # A volume's setgid bit is inherited here; chmod would take it away.
            os.mkdir(path, mode & 0o777 | stat.S_IRWXU)
        self.folders.add(path)

    def _file(self, path: bytes, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        partial = os.path.join(os.path.dirname(path), PARTIAL)
        _remove(partial)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(partial, flags, member.mode & 0o777), "wb") as target:
                source = archive.extractfile(member)
                assert source is not None, "a regular file"
                shutil.copyfileobj(source, target, 1 << 20)
            os.utime(partial, (member.mtime, member.mtime))
            self._replace(partial, path)
        finally:
            _remove(partial)

    def _replace(self, partial: bytes, path: bytes) -> None:
        if os.path.isdir(path) and not os.path.islink(path):
            _set_aside(path)
        os.replace(partial, path)
        self.restored += 1


def _is_writable_folder(path: bytes) -> bool:
    return stat.S_ISDIR(os.lstat(path).st_mode) and os.access(path, os.W_OK | os.X_OK)


def _set_aside(path: bytes) -> None:
    for number in itertools.count(1):
        aside = path + ASIDE + (f"-{number}".encode() if number > 1 else b"")
        if not os.path.lexists(aside):
            break
    os.rename(path, aside)
    print(f"{path!r} was in the way, and is now {aside!r}", flush=True)


def _remove(path: bytes) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def unpack(stream: IO[bytes], top: bytes) -> Restorer:
    """Write all that a stream of tar holds below a folder."""
    restorer = Restorer(top)
    with tarfile.open(
        fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape"
    ) as archive:
        while True:
            member = archive.next()
            if member is None:
                return restorer
            restorer.restore(archive, member)
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all in memory


def main(tools: str, folder: str) -> None:
    """Restore what the tools lead to; raise RestoreError if anything is missing afterwards."""
    os.umask(0)  # modes are those of the backup
    with open(os.path.join(tools, "backup")) as file:
        backup = file.read().strip()
    flags = os.environ.get("RESTIC_FLAGS", "").split()
    command = [os.path.join(tools, "restic"), *flags, "--no-lock", "dump", backup, "/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as dump:
        assert dump.stdout is not None, "a pipe"
        try:
            restorer = unpack(dump.stdout, os.fsencode(os.path.realpath(folder)))
            # What is behind the end of the archive, or restic would fail to write it.
            while dump.stdout.read(1 << 20):
                pass
        except tarfile.TarError as error:
            raise RestoreError(f"backup {backup} could not be read: {error}") from None
        finally:
            dump.stdout.close()
    os.sync()
    if dump.returncode or restorer.failed:
        raise RestoreError(
            f"restored {restorer.restored} files, but {restorer.failed} could not be written, and "
            f"restic ended with {dump.returncode}"
        )
    print(f"restored {restorer.restored} files of backup {backup}", flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (RestoreError, OSError) as failure:
        sys.exit(str(failure))
