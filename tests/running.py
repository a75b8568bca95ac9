"""Run the containers of a rendered pod: their commands, environment, users, rights and volumes.

Volumes are folders, and what a manifest says of `/backups` is put into one of them. Root runs each
container as the user of the manifest, without any capability and with read-only mounts; everybody
else runs them as themselves.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cluster.binaries import MissingError, restic
from programs import expanded
from rendering import Object

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
TIMEOUT = 120


@dataclass
class Result:
    """How the pod ended: the status of its last container, and all that was said."""

    status: int = 0
    log: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status == 0


@dataclass
class Machine:
    """A folder with volumes and programs that every user can reach."""

    folder: Path
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    """More variables for every container, for the stand-ins among the programs."""

    def volume(self, name: str, owner: int = 0, mode: int = 0o755) -> Path:
        """A folder that pods mount, made if it is not there yet."""
        folder = self.folder / "volumes" / name
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(mode)
            if IS_ROOT:
                os.chown(folder, owner, owner)
        return folder

    def add(self, name: str, script: str) -> None:
        """A program that all containers find, in place of the real one."""
        file = self.folder / "bin" / name
        file.write_text(script)
        file.chmod(0o755)

    def run(self, pod: Object, *, fs_group: bool = True) -> Result:
        """Run the containers of a pod, one after the other, until one fails.

        Its claims are volumes of this machine, an emptyDir is a new folder. Not all kinds of
        volumes know an `fs_group`.
        """
        result = Result()
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            Path(scratch).chmod(0o755)
            folders = {
                volume["name"]: self.volume(volume["persistentVolumeClaim"]["claimName"])
                if "persistentVolumeClaim" in volume
                else _empty_dir(Path(scratch) / volume["name"])
                for volume in pod["volumes"]
            }
            group = pod.get("securityContext", {}).get("fsGroup")
            for folder in folders.values() if IS_ROOT and fs_group and group is not None else ():
                _give_to_group(folder, group)
            for container in (*pod.get("initContainers", []), *pod["containers"]):
                with subprocess.Popen(
                    self._command(pod, container, folders),
                    cwd="/",
                    env=self._environment(container, folders),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                ) as process:
                    try:
                        result.log += process.communicate(timeout=TIMEOUT)[0]
                    except BaseException:
                        # With all that it has started, which would write to the volumes.
                        os.killpg(process.pid, signal.SIGKILL)
                        raise
                result.status = process.returncode
                if not result.succeeded:
                    break
        return result

    def _environment(self, container: Object, folders: Mapping[str, Path]) -> dict[str, str]:
        found: dict[str, str] = {}
        for variable in container.get("env", []):
            if "value" in variable:
                text = _placed(variable["value"], container, folders)
                found[variable["name"]] = expanded([text], found)[0]
            else:
                secret = variable["valueFrom"]["secretKeyRef"]
                found[variable["name"]] = self.secrets[secret["name"]][secret["key"]]
        scratch = _placed("/tmp", container, folders)
        # Not the tools of this machine, where the image has others.
        busybox = _busybox(self.folder) if "restic" in container["image"] else ""
        path = f"{self.folder / 'bin'}:{busybox}:{SYSTEM_PATH}"
        return {"PATH": path, "TMPDIR": scratch, **self.env, **found}

    def _command(self, pod: Object, container: Object, folders: Mapping[str, Path]) -> list[str]:
        args = [_placed(text, container, folders) for text in container.get("args", [])]
        command = [*container["command"], *expanded(args, {})]
        if not IS_ROOT:
            return command
        context = pod.get("securityContext", {}) | container.get("securityContext", {})
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False
        user, group = context.get("runAsUser", 0), context.get("runAsGroup", 0)
        assert user or not context.get("runAsNonRoot")
        groups = [*context.get("supplementalGroups", []), context.get("fsGroup", group)]
        rights = [
            *(_tool("setpriv"), f"--reuid={user}", f"--regid={group}"),
            f"--groups={','.join(map(str, groups))}",
            *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
        ]
        read_only = [folders[m["name"]] for m in container["volumeMounts"] if m.get("readOnly")]
        mount = _tool("mount")
        steps = [f"{mount} --bind {p} {p} && {mount} -o remount,ro,bind {p}" for p in read_only]
        script = " && ".join([*steps, "umask 0022", 'exec "$@"'])
        return [_tool("unshare"), "-m", _tool("sh"), "-c", script, "sh", *rights, *command]


def _tool(name: str) -> str:
    """A tool of this machine, where the container finds another one."""
    found = shutil.which(name)
    assert found, f"there is no {name}"
    return found


def _placed(text: str, container: Object, folders: Mapping[str, Path]) -> str:
    """A path of the container as one of this machine."""
    for mount in container["volumeMounts"]:
        path = mount["mountPath"]
        if text == path or text.startswith(f"{path}/"):
            return str(folders[mount["name"]]) + text.removeprefix(path)
    return text


def _give_to_group(folder: Path, group: int) -> None:
    """What the kubelet does with the volumes of a pod that has an fsGroup."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            os.chown(path, -1, group)
            more = 0o2770 if path.is_dir() else 0o660
            path.chmod(stat.S_IMODE(path.stat().st_mode) | more)


def _empty_dir(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def _busybox(folder: Path) -> str:
    """The shell and tools of an image with Alpine, if there is a busybox."""
    busybox, tools = shutil.which("busybox"), folder / "busybox"
    if busybox and not tools.exists():
        tools.mkdir()
        names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
        for name in names.stdout.split():
            (tools / name).symlink_to(busybox)
    return str(tools)


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine with restic; skips the test where that cannot be had.

    It is not below pytest's folders, which nobody but their owner can enter.
    """
    try:
        program = restic()
    except MissingError as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory(prefix="clearml-pods-", dir=_open_to_all()) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "bin").mkdir()
        shutil.copy(program, folder / "bin/restic")
        yield Machine(folder)


def _open_to_all() -> Path:
    """A folder for temporary files that every user can enter."""
    for folder in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        if all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents)):
            return folder
    pytest.skip("there is no folder for temporary files that every user can enter")


Entry = tuple[object, ...]


def tree(folder: Path) -> dict[str, Entry]:
    """All that is below a folder: kind, mode, owner, and content of each."""
    return {str(path.relative_to(folder)): _entry(path) for path in sorted(folder.rglob("*"))}


def _entry(path: Path) -> Entry:
    status = path.lstat()
    mode = oct(stat.S_IMODE(status.st_mode))
    if path.is_symlink():
        return "link", os.readlink(path)
    if path.is_dir():
        return "folder", mode, status.st_uid
    return "file", mode, status.st_uid, path.read_bytes()


def contents(folder: Path) -> dict[str, object]:
    """The same, whoever owns it: the bytes of files, the targets of links, None for folders."""
    return {
        name: None if entry[0] == "folder" else entry[-1] for name, entry in tree(folder).items()
    }
