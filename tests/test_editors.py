"""What an editor makes of the schema of the values: completion, hover and diagnostics."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from config.publishing.defaults import commented_defaults
from config.publishing.editors import editor_schema
from config.types.model import Model
from config.values import Values
from language_server import LanguageServer
from scenarios import SCENARIOS

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "node_modules/.bin/yaml-language-server"
OURS = [ROOT / "config/values.yaml", *sorted((ROOT / "config/presets").rglob("*.yaml"))]
CHART_VALUES = sorted((ROOT / "tests/chart_values").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=values.schema.json\n"


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageServer]:
    if not PROGRAM.exists():
        pytest.skip("no node_modules/.bin/yaml-language-server: make cdk8s installs it")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    node = shutil.which("node", path=path)
    assert node
    running = LanguageServer([node, PROGRAM, "--stdio"])
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as the editor sees it: of its files only the schema is read from the disk."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / "config").mkdir()
    schema = json.dumps(editor_schema(), indent=2)
    (checkout / "config/values.schema.json").write_text(schema, encoding="utf-8")
    return checkout


@pytest.fixture
def complete(server: LanguageServer, folder: Path) -> Callable[[str], dict[str, str]]:
    file = folder / "config/values.yaml"
    return lambda text: server.completions(file, MODELINE + text)


@pytest.fixture
def check(server: LanguageServer, folder: Path) -> Callable[[str], list[str]]:
    """What is wrong with values; lines are counted without that which names the schema."""

    def found(text: str) -> list[str]:
        file = folder / "config/values.yaml"
        lines = [one.partition(":") for one in server.diagnostics(file, MODELINE + text)]
        return [f"{int(number) - 1}:{what}" for number, _, what in lines]

    return found


DEFAULTS = Values()
GROUP = DEFAULTS.agent_groups["agent-group0"]


@pytest.mark.parametrize(
    ("text", "section", "given"),
    [
        ("\n|", DEFAULTS, set()),
        ("apis|", DEFAULTS, set()),
        ("release:\n  name: a\n|", DEFAULTS, {"release"}),
        ("apiserver:\n  |", DEFAULTS.apiserver, set()),
        ("apiserver:\n  repli|", DEFAULTS.apiserver, set()),
        ("clearml:\n  |", DEFAULTS.clearml, set()),
        ("clearml:\n  credentials:\n    |", DEFAULTS.clearml.credentials, set()),
        ("fileserver:\n  storage:\n    data:\n      |", DEFAULTS.fileserver.storage.data, set()),
        ("agentGroups:\n  gpu:\n    |", GROUP, set()),
        ("agentGroups:\n  gpu:\n    queues: a\n    |", GROUP, {"queues"}),
        ("agentGroups:\n  gpu:\n    image:\n      |", GROUP.image, set()),
        ("mongodb:\n  |", DEFAULTS.mongodb, set()),
        ("mongodb:\n  provider: helm\n  |", DEFAULTS.mongodb, {"provider"}),
        ("mongodb:\n  image:\n    |", DEFAULTS.mongodb.image, set()),
        ("redis:\n  master:\n    |", DEFAULTS.redis.master, set()),
        ("elasticsearch:\n  |", DEFAULTS.elasticsearch, set()),
        ("backup:\n  |", DEFAULTS.backup, set()),
    ],
)
def test_all_keys_are_proposed_and_none_that_is_deprecated(
    text: str, section: Model, given: set[str], complete: Callable[[str], dict[str, str]]
) -> None:
    keys = {str(field.alias) for field in type(section).model_fields.values()}
    assert complete(text).keys() == keys - given


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("mongodb:\n  provider: |", {"embedded", "helm", "external", "null"}),
        ("ingress:\n  enabled: |", {"true", "false", "null"}),
        ("apiserver:\n  dnsPolicy: |", {"ClusterFirst", "Default", "None"}),
        ("webserver:\n  service:\n    type: |", {"ClusterIP", "NodePort", "LoadBalancer"}),
        ("webserver:\n  affinity:\n    |", {"nodeAffinity", "podAffinity", "podAntiAffinity"}),
    ],
)
def test_what_a_key_may_hold_is_proposed(
    text: str, values: set[str], complete: Callable[[str], dict[str, str]]
) -> None:
    assert values <= complete(text).keys()


def test_what_is_proposed_is_no_mistake(
    complete: Callable[[str], dict[str, str]], check: Callable[[str], list[str]]
) -> None:
    for key, text in complete("apiserver:\n  |").items():
        written = text.replace("$1", "").replace("\n", "\n  ")
        assert key in written
        assert "null" not in written
    assert not check("apiserver:\n  replicaCount: 1\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apiserver:\n  repli|caCount: 2\n", ["Number of API server pods.", "Default: 1."]),
        ("ap|iserver:\n  replicaCount: 2\n", ["The API server:"]),
        ("webserver:\n  affin|ity: {}\n", ["Node and pod affinity", "Default: {}."]),
        ("mongodb:\n  prov|ider: helm\n", ["its Helm chart", 'Default: "embedded".', "`external`"]),
        ("agentGroups:\n  gpu:\n    que|ues: a\n", ['Default: "default".']),
        ("mongodb:\n  image:\n    ta|g: a\n", ["Default:"]),
        ("externalServices:\n  redisH|ost: a\n", ["Is called", "redis.master.name"]),
    ],
)
def test_hovering_tells_what_a_key_is(
    text: str, told: list[str], server: LanguageServer, folder: Path
) -> None:
    shown = server.hover(folder / "config/values.yaml", MODELINE + text)
    assert [one for one in told if one not in shown.replace("\\", "")] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("apisever: {}", "1: Property apisever is not allowed."),
        ("apiserver:\n  replicaCont: 1", "2: Property replicaCont is not allowed."),
        ("agentGroups:\n  gpu:\n    queue: a", "3: Property queue is not allowed."),
        ("webserver:\n  affinity:\n    nodeAffinty: {}", "3: Property nodeAffinty is not allowed."),
        ("apiserver:\n  replicaCount: many", "2: Incorrect type."),
        ("ingress:\n  enabled: perhaps", "2: "),
        ("mongodb:\n  provider: bitnami", "2: Value is not accepted."),
        ("mongodb:\n  imag: {}", "2: Property imag is not allowed."),
        ("mongodb:\n  image:\n    tagg: '1'", "3: Property tagg is not allowed."),
        ("mongodb:\n  provider: embedded\n  kind: a", "3: Property kind is not allowed."),
        ("mongodb:\n  provider: null\n  kind: a", "3: Property kind is not allowed."),
        ("redis:\n  provider: external\n  kind: a", "3: Property kind is not allowed."),
        ("redis:\n  master:\n    persistance: {}", "3: Property persistance is not allowed."),
        ("elasticsearch:\n  replica: 3", "2: Property replica is not allowed."),
        (
            "elasticsearch:\n  metrics:\n    serviceMonitor:\n      intervall: 1m",
            "4: Property intervall is not allowed.",
        ),
    ],
)
def test_a_mistake_is_shown_where_it_is(
    text: str, wrong: str, check: Callable[[str], list[str]]
) -> None:
    (shown,) = check(text)
    assert shown.startswith(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "mongodb:\n  provider: helm\n  extraFlags: [a]\n  image:\n    debug: true",
        "mongodb:\n  extraEnvVars:\n  - {name: A, value: b}",
        "mongodb:\n  initContainers:\n  - {name: a, image: b}",
        "redis:\n  master:\n    sidecars:\n  - {name: a, image: b}".replace("  - ", "    - "),
        "elasticsearch:\n  terminationGracePeriod: 10",
        "mongodb: null\nredis: {}",
        "mongodb:\n  initContainers: {}",
    ],
)
def test_what_synth_takes_is_shown_as_right(text: str, check: Callable[[str], list[str]]) -> None:
    assert check(text) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_wrong_with_values_of_ours(name: str, check: Callable[[str], list[str]]) -> None:
    assert check(yaml.safe_dump(SCENARIOS[name])) == []


@pytest.mark.parametrize("file", CHART_VALUES, ids=lambda file: file.stem)
def test_nothing_is_wrong_with_values_of_charts(
    file: Path, check: Callable[[str], list[str]]
) -> None:
    theirs = yaml.safe_load(file.read_text("utf-8"))["theirs"]
    assert check(yaml.safe_dump(theirs)) == []


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_files_of_ours_name_the_schema(file: Path, server: LanguageServer, folder: Path) -> None:
    text = file.read_text("utf-8")
    place = folder / file.relative_to(ROOT)
    assert server.diagnostics(place, text) == []
    (wrong,) = server.diagnostics(place, f"{text}\nno-key-of-ours: 1\n")
    assert "no-key-of-ours" in wrong


def test_nothing_is_wrong_with_the_defaults(server: LanguageServer, folder: Path) -> None:
    assert server.diagnostics(folder / "docs/values.yaml", commented_defaults()) == []
