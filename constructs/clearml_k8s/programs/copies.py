"""Copies the files of the file server to another volume and removes the oldest, or restores one.

    copies backup SOURCE COPIES RETENTION
    copies restore COPIES NAME TARGET

A copy is a folder with all files. Those that have not changed since the copy before are hard links
to it, which take no space. It has its name only once it is complete.
"""

import os
import shutil
import stat
import sys
import time
from typing import List, Optional

INCOMPLETE = ".incomplete"
# Of the file system, in the top folder of a volume.
NOT_OURS = "lost+found"


class CopyError(Exception):
    """What went wrong, in one line."""


class Copier:
    """Copies a tree; counts what it copied and linked, and keeps what it could not read."""

    def __init__(self, previous: Optional[str] = None) -> None:
        self.previous = previous
        self.copied = self.linked = 0
        self.errors: List[str] = []

    def copy(self, source: str, target: str, below: str = "") -> None:
        """Copy what is below a folder of the source; what goes away meanwhile is left out."""
        try:
            entries = sorted(os.scandir(os.path.join(source, below)), key=lambda each: each.name)
        except OSError as error:
            self._failed(error)
            return
        folder = os.path.join(target, below)
        os.makedirs(folder, exist_ok=True)
        for entry in entries:
            if not below and entry.name == NOT_OURS:
                continue
            path = os.path.join(below, entry.name)
            try:
                if entry.is_symlink():
                    self._symlink(entry.path, os.path.join(target, path))
                elif entry.is_dir():
                    self.copy(source, target, path)
                elif entry.is_file():
                    self._file(entry.path, target, path)
            except OSError as error:
                self._failed(error)

    def _symlink(self, source: str, target: str) -> None:
        if os.path.lexists(target):
            os.unlink(target)
        os.symlink(os.readlink(source), target)

    def _file(self, source: str, target_root: str, path: str) -> None:
        target = os.path.join(target_root, path)
        before = os.stat(source)
        if self.previous is not None:
            known = os.path.join(self.previous, path)
            if _is_same(before, known) and _link(known, target):
                self.linked += 1
                return
        temporary = target + INCOMPLETE
        shutil.copy2(source, temporary)
        os.replace(temporary, target)
        self.copied += 1

    def _failed(self, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            self.errors.append(str(error))
            print(f"not copied: {error}", flush=True)


def _is_same(status: os.stat_result, known: str) -> bool:
    """Whether a file that is known has that size and time."""
    try:
        other = os.lstat(known)
    except OSError:
        return False
    same = (other.st_size, other.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    return stat.S_ISREG(other.st_mode) and same


def _link(known: str, target: str) -> bool:
    """Whether the volume could make a hard link; some kinds cannot."""
    try:
        os.link(known, target)
    except OSError:
        return False
    return True


def complete_copies(folder: str) -> List[str]:
    """Names of the complete copies, the oldest first."""
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def _remove_leftovers(folder: str) -> None:
    """Remove what runs that were stopped have left."""
    for name in os.listdir(folder):
        if name.startswith(".") and name.endswith(INCOMPLETE):
            shutil.rmtree(os.path.join(folder, name))
            print(f"removed the incomplete copy {name}", flush=True)


def backup(source: str, folder: str, retention: int) -> None:
    """Make a copy, and remove all but the newest; raise CopyError if a file could not be copied."""
    os.makedirs(folder, exist_ok=True)
    _remove_leftovers(folder)
    names = complete_copies(folder)
    copier = Copier(os.path.join(folder, names[-1]) if names else None)
    name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    incomplete = os.path.join(folder, "." + name + INCOMPLETE)
    copier.copy(source, incomplete)
    if copier.errors:
        shutil.rmtree(incomplete, ignore_errors=True)
        raise CopyError(f"{len(copier.errors)} files could not be copied; there is no new copy")
    os.sync()
    os.rename(incomplete, os.path.join(folder, name))
    print(f"copy {name}: {copier.copied} files new, {copier.linked} as before", flush=True)
    for old in complete_copies(folder)[:-retention]:
        leaving = os.path.join(folder, "." + old + INCOMPLETE)
        os.rename(os.path.join(folder, old), leaving)
        shutil.rmtree(leaving)
        print(f"removed copy {old}", flush=True)


def restore(folder: str, name: str, target: str) -> None:
    """Put the files of a copy back; others that are there stay."""
    source = os.path.join(folder, name)
    if not os.path.isdir(source):
        there = ", ".join(complete_copies(folder))
        raise CopyError(f"there is no copy {name}, but {there}")
    copier = Copier()
    copier.copy(source, target)
    if copier.errors:
        raise CopyError(f"{len(copier.errors)} files could not be restored")
    print(f"restored {copier.copied} files of copy {name}", flush=True)


def main(action: str, *rest: str) -> None:
    """Back up or restore, as the arguments say."""
    if action == "backup":
        source, folder, retention = rest
        backup(source, folder, int(retention))
    else:
        folder, name, target = rest
        restore(folder, name, target)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (CopyError, OSError) as failure:
        sys.exit(str(failure))
