"""Run what the manifests embed, with stand-ins for the tools that it calls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RECORD = 'for word in "${0##*/}" "$@"; do printf "%s\\036" "$word"; done >> "$STUB_CALLS"\n'
RECORD += 'printf "\\037" >> "$STUB_CALLS"\n'


@dataclass(frozen=True)
class Stubs:
    """A folder of programs that only record how they were called; the only ones on the PATH."""

    folder: Path

    def add(self, name: str, script: str = "") -> None:
        """A program that records its arguments and then runs the lines of shell."""
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{RECORD}{script}\n")
        file.chmod(0o755)

    @property
    def directory(self) -> Path:
        """Where the commands run."""
        directory = self.folder / "work"
        directory.mkdir(exist_ok=True)
        return directory

    @property
    def calls(self) -> list[list[str]]:
        """All calls so far: the name and the arguments of each."""
        log = self.folder / "calls"
        records = log.read_text().split("\x1f")[:-1] if log.exists() else []
        return [record.split("\x1e")[:-1] for record in records]

    def run(
        self, command: Sequence[str], env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command where nothing but the stubs is found."""
        return subprocess.run(
            [str(Path("/bin", command[0]).resolve()), *command[1:]],
            cwd=self.directory,
            env={"PATH": str(self.folder), "STUB_CALLS": str(self.folder / "calls"), **(env or {})},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


def run_python(
    command: Sequence[str], *arguments: str, before: str = "", folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a container's `python3 -c SCRIPT` with the arguments; `before` runs first."""
    program, flag, script = command
    assert (program, flag) == ("python3", "-c")
    return subprocess.run(
        [sys.executable, "-c", before + script, *arguments],
        cwd=folder,
        env={"PYTHONUNBUFFERED": "1", "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def expanded(arguments: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Arguments as the kubelet hands them on: $(NAME) replaced if there is one, $$ means $."""

    def replace(found: re.Match[str]) -> str:
        if found["name"] is None:
            return "$" if found[0] == "$$" else "\ufffd"
        return env.get(found["name"], found[0])

    # It takes what follows a $ for a byte, and so breaks a character of several bytes.
    pattern = r"\$\$|\$\((?P<name>[^)]*)\)|\$[^\x00-\x7f]"
    return [re.sub(pattern, replace, text) for text in arguments]
