"""Run a container's command as the kernel runs it there: as the first process of a PID namespace.

Only there a process ignores SIGTERM unless it handles it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 20


def _tool(name: str) -> str:
    """Where it is, whatever PATH the command has."""
    path = shutil.which(name)
    assert path is not None, f"{name} is missing"
    return path


def _may_make_namespaces() -> bool:
    """Root may, but for one that a container has confined."""
    attempt = [_tool("unshare"), "--pid", "--fork", "true"]
    return subprocess.run(attempt, capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or not _may_make_namespaces(), reason="only root makes PID namespaces"
)


@dataclass(frozen=True)
class FirstProcess:
    """A command that runs, and the file that it and its children write to."""

    unshare: subprocess.Popen[bytes]
    output: Path

    def says(self, text: str) -> None:
        """Wait until the output has the text; fail if the command ends before."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.output.read_text():
            assert self.unshare.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.02)

    def terminate(self) -> float:
        """Send SIGTERM, as the kubelet does, and return the seconds until it has ended."""
        children = Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").read_text()
        started = time.monotonic()
        os.kill(int(children), signal.SIGTERM)
        self.status()
        return time.monotonic() - started

    def status(self) -> int:
        """Wait until it has ended, and return its status."""
        return self.unshare.wait(timeout=PATIENCE)


@contextmanager
def first_process(
    command: Sequence[str], folder: Path, env: Mapping[str, str], *, user: int = 0
) -> Iterator[FirstProcess]:
    """Run the command as that user and group, without any capability, deaf to no signal."""
    output = folder / "output"
    # What is started in the background of a shell inherits that it ignores some.
    confined = [_tool("env"), "--default-signal"]
    confined += [_tool("setpriv"), f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    confined += ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    with output.open("wb") as file:
        output.chmod(0o666)
        unshare = subprocess.Popen(
            [_tool("unshare"), "--pid", "--fork", "--kill-child", *confined, *command],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield FirstProcess(unshare, output)
    finally:
        unshare.kill()
        unshare.wait()


@contextmanager
def common_folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
