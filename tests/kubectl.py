"""Manifests as kubectl reads them, without any server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

KUBECTL = Path(sys.executable).with_name("kubectl")
PATCH = ("patch", "--local", "--output=json", "--type=merge", "--patch={}", "--filename")


def decoded(documents: Iterable[str], folder: Path) -> list[Any]:
    """The objects that YAML documents are to kubectl, which reads them all from that folder."""
    if not KUBECTL.exists():
        pytest.skip("the package of kubectl is for Linux alone")
    for index, document in enumerate(documents):
        (folder / f"{index:06}.yaml").write_text(document, encoding="utf-8")
    result = subprocess.run(
        [str(KUBECTL), *PATCH, folder],
        env={"KUBECONFIG": "/dev/null"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not result.stderr, result.stderr[:2000]
    return list(_values(result.stdout))


def _values(text: str) -> Iterable[Any]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(text.rstrip()):
        value, position = decoder.raw_decode(text, position)
        position += 1  # a line break
        yield value
