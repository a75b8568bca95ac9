"""The commands as users run them: main.py, make and the cdk8s CLI, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDERS = ("config", "constructs", "imports")
FILES = ("Makefile", "cdk8s.yaml", "list_images.py", "main.py", "requirements.txt")
# What pytest was started with, and the flags of the make that started it.
OURS = {"CLEARML_VALUES", "CDK8S_OUTDIR", "CDK8S_OUTPUT", "JSII_NODE", "MAKEFLAGS", "MAKELEVEL"}
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
redis: {enabled: false, usePassword: true}
"""
BAD_LINES = [
    "2: apisever: unknown key; did you mean \"apiserver\"? (given: 'apisever')",
    "3: clearml.credentials.httpSession: must be 8 or more of letters, digits, '-' and '_', and "
    "not a number: the server would read something else",
    "4: redis.usePassword: needs redis.password or redis.existingSecret; write false where it asks "
    "for no password (given: true)",
]
SUMMARY = """\
31 objects in 10 files written to {outdir}
  Web: http://<any node>:30080
  API: http://<any node>:30008
  Files: http://<any node>:30081
"""
SUMMARY_WITH_HOSTS = """\
28 objects in 11 files written to {outdir}
  Web: https://app.clearml.example.com
  API: https://api.clearml.example.com
  Files: https://files.clearml.example.com
  clearml.conf, with credentials from the settings of the web page:
  api {{
    web_server: "https://app.clearml.example.com"
    api_server: "https://api.clearml.example.com"
    files_server: "https://files.clearml.example.com"
  }}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a user runs, with the environment that make has made."""
    copy = tmp_path_factory.mktemp("project")
    ignore = shutil.ignore_patterns("__pycache__", "charts")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    for name in FILES:
        shutil.copy2(ROOT / name, copy)  # make looks at the time
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


@pytest.fixture(scope="module")
def cdk8s() -> tuple[str, ...]:
    """The pinned cdk8s CLI in the bundled node; only outside of CI may it be missing."""
    cli = ROOT / "node_modules/.bin/cdk8s"
    if not cli.exists() and "CI" not in os.environ:
        pytest.skip("no node_modules/.bin/cdk8s: make cdk8s installs it")
    assert cli.exists()
    return os.environ["JSII_NODE"], str(cli)


@dataclass(frozen=True)
class Defaults:
    """What `python main.py` without values said and wrote."""

    stderr: str
    manifests: dict[str, bytes]


@pytest.fixture(scope="module")
def defaults(project: Path) -> Defaults:
    done = _run(project, sys.executable, "main.py")
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
    project: Path, *command: str, **environment: str | Path
) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run(
        command,
        cwd=project,
        env={**inherited, "CDK8S_CHECK_UPGRADE": "false", **environment},
        capture_output=True,
        text=True,
        timeout=120,
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


# main.py


def _without_files(summary: str) -> str:
    lines = summary.splitlines(keepends=True)
    return "".join(line for line in lines if ".k8s.yaml" not in line)


def test_main_tells_what_it_wrote_and_what_to_open(defaults: Defaults) -> None:
    assert _without_files(defaults.stderr) == SUMMARY.format(outdir="dist")


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
    assert len(_objects(defaults.manifests)) == 31


def test_main_replaces_an_earlier_run_and_warns_of_what_own_credentials_leave_over(
    project: Path, dist: Path, tmp_path: Path
) -> None:
    (dist / "NOTES").write_text("not a manifest")
    values = _values(tmp_path, OWN_CREDENTIALS + OWN_HOSTS)
    done = _run(project, sys.executable, "main.py", CLEARML_VALUES=values)
    assert done.returncode == 0, done.stderr
    summary, warning = _without_files(done.stderr).split("warning: ")
    assert summary == SUMMARY_WITH_HOSTS.format(outdir="dist")
    assert re.findall(r"\w+/[\w-]+(?=[ ,\n])", warning) == [
        f"{kind}/clearml-credentials"
        for kind in ("ServiceAccount", "Role", "RoleBinding", "NetworkPolicy")
    ]
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
    done = _run(project, sys.executable, "main.py", CLEARML_VALUES=values)
    assert done.returncode == 1
    assert done.stdout == ""
    lines = [f"{values}:{line}" for line in BAD_LINES]
    assert done.stderr.splitlines() == [*lines, "3 mistakes"]
    assert _contents(dist) == before


def test_main_warns_of_a_file_that_something_failed_to_write(project: Path, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    files = [_values(tmp_path, "\n"), _values(tmp_path / "config", "# nothing yet\n")]
    environment = {"CLEARML_VALUES": os.pathsep.join(map(str, files)), "COLUMNS": "1000"}
    done = _run(project, sys.executable, "main.py", CDK8S_OUTDIR=tmp_path / "dist", **environment)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert told == [f"warning: {files[0]}: is empty, and sets nothing"]


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("release: {name: piped}", 0, "written to"),
        ("", 0, "is empty, and sets nothing"),
        ("\nrelease: {name: Big}", 1, "/dev/stdin:2: release.name: "),
        (
            "apiserver: {tolerations: [{key: a, operator: Maybe}]}",
            1,
            "1: apiserver.tolerations",
        ),
    ],
)
def test_values_may_come_through_a_pipe(
    project: Path, tmp_path: Path, text: str, status: int, said: str
) -> None:
    own = _values(tmp_path, OWN_CREDENTIALS)
    run = 'printf "%s" "$TEXT" | CLEARML_VALUES="$OWN:/dev/stdin" CDK8S_OUTDIR="$OUT" "$@"'
    command = "sh", "-c", run, "sh", sys.executable, "main.py"
    done = _run(project, *command, TEXT=text, OWN=own, OUT=tmp_path / "dist", COLUMNS="1000")
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


@pytest.mark.parametrize("command", [[sys.executable, "list_images.py"], ["make", "values"]])
def test_what_python_leaves_out_when_it_optimizes_is_not_needed(
    project: Path, command: list[str]
) -> None:
    usual, optimized = (_run(project, *command, PYTHONOPTIMIZE=level) for level in ("", "2"))
    assert optimized.returncode == 0, optimized.stderr
    assert optimized.stdout == usual.stdout != ""


def test_main_writes_the_same_when_python_optimizes(
    project: Path, tmp_path: Path, defaults: Defaults
) -> None:
    other = {"PYTHONOPTIMIZE": "2", "CDK8S_OUTDIR": str(tmp_path / "dist")}
    done = _run(project, sys.executable, "main.py", **other)
    assert done.returncode == 0, done.stderr
    assert _contents(tmp_path / "dist") == defaults.manifests


def test_main_runs_whatever_node_is_on_the_path(
    project: Path, tmp_path: Path, defaults: Defaults
) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\nexit 1\n")
    node.chmod(0o755)
    path = os.pathsep.join((str(tmp_path), os.environ["PATH"]))
    other = tmp_path / "other"
    done = _run(project, sys.executable, "main.py", PATH=path, CDK8S_OUTDIR=other)
    assert done.returncode == 0, done.stderr
    assert _contents(other) == defaults.manifests


def test_main_imports_nothing_for_type_checks(project: Path, tmp_path: Path) -> None:
    timed = sys.executable, "-X", "importtime", "main.py"
    done = _run(project, *timed, CDK8S_OUTDIR=tmp_path / "dist")
    assert done.returncode == 0, done.stderr
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "cdk8s_plus_25.k8s" in imported
    assert not imported & {"typeguard", "unittest", "asyncio"}


def test_the_name_constructs_is_that_of_the_package_index(project: Path) -> None:
    # As in `python main.py`, the first entry of sys.path is the root of the project.
    where = "import main, constructs, clearml_k8s; print(constructs.__file__, clearml_k8s.__file__)"
    done = _run(project, sys.executable, "-c", where)
    assert done.returncode == 0, done.stderr
    theirs, ours = map(Path, done.stdout.split())
    assert theirs.parts[-3:] == ("site-packages", "constructs", "__init__.py")
    assert ours == project / "constructs" / "clearml_k8s" / "__init__.py"
    assert not (ROOT / "constructs" / "__init__.py").exists()


# make and the cdk8s CLI, which runs it; no environment is activated


def test_make_says_what_main_says(project: Path, dist: Path, defaults: Defaults) -> None:
    done = _run(project, "make", "synth")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", defaults.stderr)
    assert _contents(dist) == defaults.manifests


def test_the_cli_writes_what_main_writes(
    cdk8s: tuple[str, ...], project: Path, dist: Path, defaults: Defaults
) -> None:
    done = _run(project, *cdk8s, "synth")
    assert (done.returncode, done.stderr) == (0, defaults.stderr)
    assert _contents(dist) == defaults.manifests


def test_the_cli_writes_into_another_folder(
    cdk8s: tuple[str, ...], project: Path, dist: Path, tmp_path: Path, defaults: Defaults
) -> None:
    before = _contents(dist)
    done = _run(project, *cdk8s, "synth", "-o", str(tmp_path / "other"))
    assert done.returncode == 0, done.stderr
    assert _contents(tmp_path / "other") == defaults.manifests
    assert _contents(dist) == before


def test_the_cli_fails_on_bad_values_and_shows_why(
    cdk8s: tuple[str, ...], project: Path, tmp_path: Path
) -> None:
    values = _values(tmp_path, BAD)
    done = _run(project, *cdk8s, "synth", "-o", str(tmp_path / "out"), CLEARML_VALUES=values)
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[: len(BAD_LINES)] == [f"{values}:{line}" for line in BAD_LINES]


def test_two_that_set_up_at_once_install_once(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt"):
        shutil.copy2(ROOT / name, tmp_path)
    log = tmp_path / "log"
    stand_in = tmp_path / "python"
    # Its pip takes a moment; all else but that and venv is done by the real one.
    stand_in.write_text(f"""\
#!/bin/sh
case "$2" in
  venv) echo venv >> {log}; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  pip) echo pip >> {log}; sleep 1 ;;
  *) exec {sys.executable} "$@" ;;
esac
""")
    stand_in.chmod(0o755)
    command = ["make", ".venv/synth.stamp", f"PYTHON={stand_in}"]
    runs = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    assert log.read_text().split() == ["venv", "pip"]
