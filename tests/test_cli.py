"""The commands as users run them: `python main.py` and `cdk8s synth`, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PATH = os.pathsep.join([str(BIN), os.environ["PATH"]])
PROJECT = ("cdk8s.yaml", "config", "constructs", "imports", "main.py")
STALE = "0042-of-an-earlier-release.k8s.yaml"

OWN_CREDENTIALS = """
clearml:
  credentials:
    httpSession: test-secret-http-session
    authToken: test-secret-auth-token
    apiserverKey: test-apiserver-key
    apiserverSecret: test-apiserver-secret
    webserverKey: test-webserver-key
    webserverSecret: test-webserver-secret
    testsUserKey: test-tests-user-key
    testsUserSecret: test-tests-user-secret
    servicesAgentKey: test-services-agent-key
    servicesAgentSecret: test-services-agent-secret
"""
OWN_HOSTS = """
ingress: {enabled: true, host: clearml.example.com, tls: {secretName: test-certificate}}
"""
BAD = """
apisever: {replicaCount: 2}
clearml: {credentials: {httpSession: test secret value}}
redis: {usePassword: true}
"""
BAD_LINES = [
    "clearml.credentials.httpSession: must be 8 or more of letters, digits, '-' and '_', and not a "
    "number: the server would read something else",
    "redis.usePassword: needs redis.password or redis.existingSecret (given: true)",
    "apisever: unknown key; did you mean \"apiserver\"? (given: 'apisever')",
]
SUMMARY = """\
24 objects in 10 files written to {outdir}
  Web: http://<any node>:30080
  API: http://<any node>:30008
  Files: http://<any node>:30081
"""
SUMMARY_WITH_HOSTS = """\
25 objects in 11 files written to {outdir}
  Web: https://app.clearml.example.com
  API: https://api.clearml.example.com
  Files: https://files.clearml.example.com
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a user runs."""
    copy = tmp_path_factory.mktemp("project")
    for name in PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "charts")
            )
        else:
            shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def cdk8s() -> str:
    """The pinned cdk8s-cli; only outside of CI may it be missing."""
    command = shutil.which("cdk8s", path=PATH)
    if command is None and "CI" not in os.environ:
        pytest.skip("no cdk8s on the PATH: make test has one")
    assert command is not None, "no cdk8s on the PATH"
    return command


@dataclass(frozen=True)
class Defaults:
    """What `python main.py` without values said and wrote."""

    stderr: str
    manifests: dict[str, bytes]


@pytest.fixture(scope="module")
def defaults(project: Path) -> Defaults:
    done = _run(project, sys.executable, "main.py", outdir="dist")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return Defaults(done.stderr, _contents(project / "dist"))


@pytest.fixture
def dist(project: Path, defaults: Defaults) -> Path:
    """The folder `dist` with the manifests of the defaults, and a stale one."""
    folder = project / "dist"
    shutil.rmtree(folder)
    folder.mkdir()
    for name, text in {**defaults.manifests, STALE: b"kind: Namespace\n"}.items():
        (folder / name).write_bytes(text)
    return folder


def _run(
    project: Path, *command: str, values: Path | None = None, outdir: Path | str | None = None
) -> subprocess.CompletedProcess[str]:
    ours = {"CLEARML_VALUES", "CDK8S_OUTDIR", "CDK8S_OUTPUT"}
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    environment["PATH"] = PATH
    if values is not None:
        environment["CLEARML_VALUES"] = str(values)
    if outdir is not None:
        environment["CDK8S_OUTDIR"] = str(outdir)
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120
    )


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def _objects(manifests: Mapping[str, bytes]) -> list[object]:
    return [each for _, text in sorted(manifests.items()) for each in yaml.safe_load_all(text)]


def _values(folder: Path, text: str) -> Path:
    file = folder / "values.yaml"
    file.write_text(text)
    return file


# python main.py


def test_main_tells_what_it_wrote_and_what_to_open(defaults: Defaults) -> None:
    summary, warning = defaults.stderr.split("warning: ")
    assert summary == SUMMARY.format(outdir="dist")
    assert warning.startswith("clearml.credentials: published defaults are in use")
    assert "(httpSession, " in warning


def test_main_writes_one_file_for_each_component_in_order(defaults: Defaults) -> None:
    assert sorted(defaults.manifests) == [
        "0000-namespace.k8s.yaml",
        "0100-credentials.k8s.yaml",
        "0200-mongodb.k8s.yaml",
        "0300-redis.k8s.yaml",
        "0400-elasticsearch.k8s.yaml",
        "0500-apiserver.k8s.yaml",
        "0600-fileserver.k8s.yaml",
        "0700-webserver.k8s.yaml",
        "0900-agentservices.k8s.yaml",
        "1000-agent-groups.k8s.yaml",
    ]
    assert len(_objects(defaults.manifests)) == 24


def test_main_replaces_an_earlier_run_and_has_nothing_to_warn_of_own_credentials(
    project: Path, dist: Path, tmp_path: Path
) -> None:
    (dist / "NOTES").write_text("not a manifest")
    values = _values(tmp_path, OWN_CREDENTIALS + OWN_HOSTS)
    done = _run(project, sys.executable, "main.py", values=values, outdir="dist")
    assert done.returncode == 0, done.stderr
    assert done.stderr == SUMMARY_WITH_HOSTS.format(outdir="dist")
    written = _contents(dist)
    assert written.pop("NOTES") == b"not a manifest"
    assert "0800-ingress.k8s.yaml" in written
    assert STALE not in written
    assert len(written) == 11


def test_main_with_bad_values_says_why_and_leaves_the_output_alone(
    project: Path, dist: Path, tmp_path: Path
) -> None:
    before = _contents(dist)
    values = _values(tmp_path, BAD)
    done = _run(project, sys.executable, "main.py", values=values, outdir="dist")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [f"{values}: {line}" for line in BAD_LINES]
    assert _contents(dist) == before


def test_the_name_constructs_is_that_of_the_package_index(project: Path) -> None:
    # As in `python main.py`, the first entry of sys.path is the root of the project.
    where = "import main, constructs, clearml_k8s; print(constructs.__file__, clearml_k8s.__file__)"
    done = _run(project, sys.executable, "-c", where)
    assert done.returncode == 0, done.stderr
    theirs, ours = map(Path, done.stdout.split())
    assert theirs.parts[-3:] == ("site-packages", "constructs", "__init__.py")
    assert ours == project / "constructs" / "clearml_k8s" / "__init__.py"
    assert not (ROOT / "constructs" / "__init__.py").exists()


# cdk8s synth


def test_cdk8s_synth_writes_what_main_writes(
    cdk8s: str, project: Path, dist: Path, defaults: Defaults
) -> None:
    done = _run(project, cdk8s, "synth")
    assert done.returncode == 0, done.stderr
    assert done.stderr == defaults.stderr
    assert _contents(dist) == defaults.manifests
    assert not (project / "dist.previous").exists()


def test_cdk8s_synth_with_bad_values_says_why_and_leaves_the_output_alone(
    cdk8s: str, project: Path, dist: Path, tmp_path: Path
) -> None:
    before = _contents(dist)
    values = _values(tmp_path, BAD)
    done = _run(project, cdk8s, "synth", values=values)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"{values}: {line}" for line in BAD_LINES]
    assert _contents(dist) == before
    assert not (project / "dist.previous").exists()


def test_cdk8s_synth_into_another_folder(
    cdk8s: str, project: Path, dist: Path, tmp_path: Path, defaults: Defaults
) -> None:
    before = _contents(dist)
    done = _run(project, cdk8s, "synth", "-o", str(tmp_path / "other"))
    assert done.returncode == 0, done.stderr
    assert _contents(tmp_path / "other") == defaults.manifests
    assert _contents(dist) == before


def test_cdk8s_synth_honours_the_folder_of_the_environment(
    cdk8s: str, project: Path, dist: Path, tmp_path: Path, defaults: Defaults
) -> None:
    before = _contents(dist)
    done = _run(project, cdk8s, "synth", outdir=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert _contents(tmp_path / "out") == defaults.manifests
    assert _contents(dist) == before


def test_cdk8s_synth_to_stdout_prints_all_manifests_in_order(
    cdk8s: str, project: Path, dist: Path, defaults: Defaults
) -> None:
    before = _contents(dist)
    done = _run(project, cdk8s, "synth", "--stdout")
    assert done.returncode == 0, done.stderr
    assert list(yaml.safe_load_all(done.stdout)) == _objects(defaults.manifests)
    assert _contents(dist) == before
