"""`make check-cluster` where there is nothing to check, or nothing to check it with.

tests/cluster/ has what real clusters say.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
    checked = subprocess.run(
        [sys.executable, str(PROGRAM)],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (2, "", f"{line}\n")
