"""Archives of the small charts in `tests/charts/`, which have the shapes of the real ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config.chart import ElasticsearchChart, MongodbChart, RedisChart
from config.types.merging import merge
from imports.archive import CHARTS

# Where the charts are that the values name by default, if anywhere.
PINNED = Path(os.environ.get("CLEARML_CHARTS") or CHARTS)
SOURCES = Path(__file__).with_name("charts")
VERSIONS = {"mongodb": "10.0.1", "redis": "10.0.1", "elasticsearch": "7.0.1"}


def package(name: str, folder: Path, *, extra: Mapping[str, str] | None = None) -> Path:
    """Pack the chart into the folder as `helm package` would, with more files if need be."""
    files = {
        str(file.relative_to(SOURCES)): file.read_text()
        for file in sorted((SOURCES / name).rglob("*"))
        if file.is_file()
    }
    files |= {f"{name}/{path}": text for path, text in (extra or {}).items()}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{VERSIONS[name]}.tgz"
    target.write_bytes(gzip.compress(content.getvalue(), mtime=0))
    return target


def digest(file: Path) -> str:
    """The SHA-256 digest of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def source(name: str, folder: Path, *, extra: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The section `chart` for the packed chart."""
    archive = package(name, folder, extra=extra)
    return {"version": VERSIONS[name], "archive": str(archive), "sha256": digest(archive)}


def imported(folder: Path, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Values that import all three stores from the packed charts."""
    stores = {name: {"provider": "helm", "chart": source(name, folder)} for name in VERSIONS}
    return merge(stores, dict(values or {}))


def pinned() -> dict[str, Any]:
    """Values that import all three stores from the real charts; skips where these are not there."""
    archives = {
        chart.name: PINNED / chart.default().file_name
        for chart in (MongodbChart, RedisChart, ElasticsearchChart)
    }
    missing = [path.name for path in archives.values() if not path.exists()]
    if missing:
        pytest.skip(f"{PINNED} lacks {', '.join(missing)}")
    return {
        name: {"provider": "helm", "chart": {"archive": str(path)}}
        for name, path in archives.items()
    }
