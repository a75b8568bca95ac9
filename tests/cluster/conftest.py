"""One control plane per Kubernetes version, empty for each test; what was done, at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.binaries import assets, can_control
from cluster.client import Cluster
from cluster.control_plane import control_plane
from scenarios import NEED_HELM


@pytest.fixture(scope="session")
def version(worker_id: str) -> str:
    """Each worker of pytest-xdist has a version of its own; without workers it is the newest."""
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    return list(assets())[number]


@pytest.fixture(scope="session")
def shared(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control plane that all tests share."""
    with control_plane(version, assets()[version], tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def cluster(version: str, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """An empty cluster: the shared one, emptied by its controllers, or else a new API server."""
    request.node.user_properties.append(("version", version))
    programs = assets()[version]
    if can_control(programs):
        shared: Cluster = request.getfixturevalue("shared")
        yield shared
        shared.empty()
    else:
        folder = request.getfixturevalue("tmp_path") / "cluster"
        with control_plane(version, programs, folder) as fresh:
            yield fresh


@pytest.fixture
def controllers(cluster: Cluster) -> None:
    """What objects become is only seen with controllers."""
    if not cluster.controllers:
        pytest.skip("only etcd and an API server are there")


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where bundles are written, with helm at hand if the test's bundle needs it."""
    if NEED_HELM & set(request.node.callspec.params.values()):
        request.getfixturevalue("helm_on_path")
    return tmp_path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much of what was put onto which version."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for reports in terminalreporter.stats.values():
        for report in reports:
            properties = dict(getattr(report, "user_properties", ()))
            if version := properties.pop("version", None):
                counts[version]["seconds"] += round(report.duration)
                if report.when == "call":
                    counts[version].update(properties)
    columns = ("bundles", "objects", "upgrades", "fragments", "seconds")
    terminalreporter.write_line("  ".join(f"{text:>10}" for text in ("Kubernetes", *columns)))
    for version, count in counts.items():
        cells = (version, *(str(count[column]) for column in columns))
        terminalreporter.write_line("  ".join(f"{text:>10}" for text in cells))
