"""The words of other charts: their effect here, or what is said of them."""

from __future__ import annotations

import copy
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from config import Values, ValuesError, load
from config.chart_eras import KEYS, VERSIONS, finding
from config.migration import main, migrated
from config.publishing.schema import in_the_end, json_schema
from config.translation import WORDS
from config.types.merging import merge
from config.types.words import Listed, Obsolete, Refused, Renamed
from rendering import render
from scenarios import PRESETS, preset

ROOT = Path(__file__).parents[1]
VOCABULARY = yaml.safe_load((Path(__file__).parent / "vocabulary.yaml").read_text())
CHART_VALUES = sorted((Path(__file__).parent / "chart_values").glob("*.yaml"))
NO_DEFAULT_GROUP = {"agent-group0": {"enabled": False}}


def _nested(path: str, value: Any) -> Any:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def _file(folder: Path, content: Any, name: str = "values.yaml") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return file


def _said(*files: Path) -> list[str]:
    """What is wrong with the files, without the folder."""
    with pytest.raises(ValuesError) as caught:
        load(files)
    return [line.removeprefix(f"{files[0].parent}/") for line in caught.value.lines]


# The table


@pytest.mark.parametrize("key", VOCABULARY)
def test_no_key_that_a_chart_had_is_unknown(key: str, tmp_path: Path) -> None:
    said = ""
    try:
        load([_file(tmp_path, _nested(key, VOCABULARY[key]))])
    except ValuesError as error:
        said = str(error)
    assert "unknown key" not in said


@pytest.mark.parametrize("key", WORDS)
def test_a_word_is_none_of_ours_and_leads_to_one(key: str) -> None:
    word = WORDS[key]
    assert is_ours(key) == isinstance(word, Listed)
    if isinstance(word, Renamed):
        end = in_the_end(word.to)
        assert is_ours(end) or end in WORDS


@pytest.mark.parametrize("key", [key for key, word in WORDS.items() if isinstance(word, Refused)])
def test_what_is_to_be_written_instead_is_ours(key: str) -> None:
    word = WORDS[key]
    assert isinstance(word, Refused)
    sections = "|".join(json_schema()["properties"])
    for path in re.findall(rf"(?<![-.\w])(?:{sections})\.[-.\w]*\w", word.instead):
        assert is_ours(path), path


def is_ours(path: str) -> bool:
    """Whether the path is that of a value or section of ours."""
    schema = part = json_schema()
    for key in path.split("."):
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
        part = part.get("properties", {}).get(key) or part.get("additionalProperties") or {}
        if not part or part.get("deprecated"):
            return False
    return True


SECTIONS = sorted(
    {key.rsplit(".", depth)[0] for key in WORDS for depth in range(1, key.count(".") + 1)}
    - WORDS.keys()
)
FOREIGN_SECTIONS = [
    section
    for section in SECTIONS
    if not is_ours(section) and not any(section.startswith(f"{key}.") for key in WORDS)
]


@pytest.mark.parametrize("empty", [None, "", [], {}], ids=repr)
@pytest.mark.parametrize("key", [*WORDS, *FOREIGN_SECTIONS])
def test_a_word_that_is_empty_asks_for_nothing(key: str, empty: Any, tmp_path: Path) -> None:
    file = _file(tmp_path, _nested(key, empty))
    nothing = Values.read({key: []} if isinstance(WORDS.get(key), Listed) and empty == [] else {})
    assert load([file]).with_notices(()) == nothing
    ours = _file(tmp_path, migrated(file)[0], "ours.yaml")
    assert load([ours]) == nothing


@pytest.mark.parametrize("key", [*WORDS, *FOREIGN_SECTIONS])
def test_a_scalar_in_place_of_a_word_ends_in_no_more_than_a_mistake(
    key: str, tmp_path: Path
) -> None:
    file = _file(tmp_path, _nested(key, "certainly none"))
    try:
        load([file])
    except ValuesError as error:
        for line in error.lines:
            place, path, message = line.removeprefix(f"{file}:").split(": ", 2)
            assert (place.isdigit(), bool(message)) == (True, True)
            assert path.split(".")[0] == key.split(".")[0]
    else:
        assert isinstance(WORDS.get(key), Obsolete | Renamed)


@pytest.mark.parametrize("key", FOREIGN_SECTIONS)
def test_a_section_of_words_is_a_mapping(key: str, tmp_path: Path) -> None:
    [line] = _said(_file(tmp_path, _nested(key, "test-secret")))
    assert f": {key}: must be a mapping" in line


@pytest.mark.parametrize(
    ("first", "second", "remains"),
    [
        (
            {"secret": {"existingSecret": "mine"}, "clearml": {"cookieName": "mine"}},
            {"secret": {"existingSecret": None}},
            {"clearml": {"cookieName": "mine"}},
        ),
        (
            {"fileserver": {"ingress": {"hostName": "files.example.com"}}},
            {"ingress": {"files": {"annotations": None}}},
            {"fileserver": {"ingress": {"hostName": "files.example.com"}}},
        ),
        (
            {"apiserver": {"serviceAccount": {"automount": False}}},
            {"apiserver": {"serviceAccountName": None, "serviceAccountAnnotations": {}}},
            {"apiserver": {"serviceAccount": {"automount": False}}},
        ),
        (
            {"webserver": {"podSecurityContext": {"runAsUser": 1}}},
            {"webserver": {"securityContext": {}}},
            {"webserver": {"podSecurityContext": {"runAsUser": 1}}},
        ),
        (
            {"redis": {"password": "test-secret", "auth": {"password": None}}},
            {},
            {"redis": {"password": "test-secret"}},
        ),
        ({"agentk8sglue": {"env": [], "nodeSelector": {}}}, {}, {}),
    ],
)
def test_what_is_empty_takes_nothing_else_away(
    first: Any, second: Any, remains: Any, tmp_path: Path
) -> None:
    files = [_file(tmp_path, first, "1.yaml"), _file(tmp_path, second, "2.yaml")]
    assert load(files) == Values.read(remains)


# Their meaning

MEANINGS: list[tuple[Any, Any]] = [
    (
        {"redis": {"architecture": "replication", "replica": {"replicaCount": 3}}},
        {"redis": {"cluster": {"enabled": True, "slaveCount": 3}}},
    ),
    ({"redis": {"architecture": "standalone", "auth": {"enabled": False}}}, {}),
    (
        {"secret": {"existingSecret": "mine"}},
        {"clearml": {"existingSecret": "mine", "existingSecretKeys": "chart-2"}},
    ),
    (
        {"apiserver": {"serviceAccountAnnotations": {"example.com/role": "x"}}},
        {
            "apiserver": {
                "serviceAccount": {"create": True, "annotations": {"example.com/role": "x"}}
            }
        },
    ),
    (
        {
            "ingress": {
                "annotations": {"example.com/a": "all"},
                "app": {"enabled": True, "hostName": "a.org", "tlsSecretName": "", "path": "/"},
                "api": {"enabled": False, "hostName": "b.org"},
            }
        },
        {
            "webserver": {
                "ingress": {
                    "enabled": True,
                    "hostName": "a.org",
                    "annotations": {"example.com/a": "all"},
                }
            }
        },
    ),
    (
        {
            "ingress": {
                "enabled": True,
                "host": "example.com",
                "files": {"annotations": {"example.com/a": "one"}},
            }
        },
        {
            "ingress": {"enabled": True, "host": "example.com"},
            "fileserver": {"ingress": {"enabled": True, "annotations": {"example.com/a": "one"}}},
        },
    ),
    (
        {"redis": {"auth": {"enabled": True, "password": "test-secret-redis"}}},
        {"redis": {"usePassword": True, "password": "test-secret-redis"}},
    ),
    (
        {"dragonfly": {"enabled": True, "replicaCount": 1, "storage": {"requests": "7Gi"}}},
        {"redis": {"master": {"persistence": {"size": "7Gi"}}}},
    ),
    (
        {"mongodb": {"pdb": {"create": True}}},
        {"mongodb": {"podDisruptionBudget": {"enabled": True}}},
    ),
    ({"mckMongodb": {"enabled": "false", "community": {"createResource": True}}}, {}),
    ({"ingress": {"app": {"annotations": {"example.org/size": "0"}}}}, {}),
    ({"apiserver": {"serviceAccountName": "", "serviceAccountAnnotations": {}}}, {}),
    (
        {
            "dragonfly": {"enabled": False},
            "externalServices": {"dragonflyHost": "cache.example.com", "dragonflyPort": 6380},
        },
        {"redis": {"enabled": False, "master": {"name": "cache.example.com", "port": 6380}}},
    ),
    (
        {
            "mongodb": {"enabled": False},
            "externalServices": {
                "mongodbConnectionString": "mongodb://a:test-secret@db:27017/?w=1"
            },
        },
        {
            "mongodb": {
                "enabled": False,
                "external": {
                    "backend": "mongodb://a:test-secret@db:27017/backend?w=1",
                    "auth": "mongodb://a:test-secret@db:27017/auth?w=1",
                },
            }
        },
    ),
    (
        {"elasticsearch": {"persistence": {"storageClass": "fast", "size": "9Gi"}}},
        {
            "elasticsearch": {
                "volumeClaimTemplate": {
                    "storageClassName": "fast",
                    "resources": {"requests": {"storage": "9Gi"}},
                }
            }
        },
    ),
    (
        {"agentGroups": [{"name": "gpu", "queues": "one two"}, {"name": "cpu"}]},
        {"agentGroups": {**NO_DEFAULT_GROUP, "gpu": {"queues": "one two"}, "cpu": {}}},
    ),
    (
        {"agent": {"numberOfClearmlAgents": 2, "queues": "one"}},
        {"agentGroups": {"agent-group0": {"replicaCount": 2, "queues": "one"}}},
    ),
]


@pytest.mark.parametrize(("theirs", "ours"), MEANINGS)
def test_their_words_give_the_manifests_of_ours(theirs: Any, ours: Any) -> None:
    outside = {("Secret", "mine")}
    assert render(theirs, outside=outside).files == render(ours, outside=outside).files


@pytest.mark.parametrize("file", CHART_VALUES, ids=lambda file: file.stem)
def test_a_file_of_each_chart_gives_the_manifests_of_ours(file: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(file.read_text())
    case["theirs"] = merge({}, case["theirs"])
    outside = {(kind, name) for kind, name in case["outside"]}
    assert render(case["theirs"], outside=outside).files == (
        render(case["ours"], outside=outside).files
    )
    theirs = _file(tmp_path, case["theirs"])
    told = [line for line in load([theirs]).warnings() if "has no effect" in line]
    assert [line.split(": ")[1] for line in told] == case["no effect"]
    migrated_file = _file(tmp_path, migrated(theirs)[0], "ours.yaml")
    assert load([migrated_file]).with_notices(()) == load([theirs]).with_notices(())


def test_a_store_of_a_chart_keeps_the_words_of_the_chart(tmp_path: Path) -> None:
    given = {"auth": {"enabled": True, "password": "test-secret"}, "replica": {"a": {"b": 1}}}
    redis = load([_file(tmp_path, {"redis": {"provider": "helm", **given}})]).redis
    assert redis.chart_section("replica") == {"a": {"b": 1}}
    # But for those that say the same of any Redis.
    assert redis.use_password
    assert redis.password == SecretStr("test-secret")


def test_what_counts_is_the_last_file_in_any_words(tmp_path: Path) -> None:
    ours = _file(tmp_path, "redis: {cluster: {slaveCount: 3}}", "1.yaml")
    theirs = _file(tmp_path, "redis: {replica: {replicaCount: 4}}", "2.yaml")
    assert load([ours, theirs]).redis.cluster.slave_count == 4
    assert load([theirs, ours]).redis.cluster.slave_count == 3


def test_a_word_may_depend_on_another_file(tmp_path: Path) -> None:
    theirs = _file(tmp_path, "externalServices: {redisHost: cache}", "1.yaml")
    off = _file(tmp_path, "redis: {enabled: false}", "2.yaml")
    assert load([theirs, off]).redis.master.name == "cache"


def test_translating_leaves_the_mapping_as_it_was() -> None:
    theirs = {"redis": {"auth": {"enabled": False}}, "agentGroups": [{"name": "cpu"}]}
    before = copy.deepcopy(theirs)
    Values.read(theirs)
    assert theirs == before


def test_null_resets_what_the_word_stands_for(tmp_path: Path) -> None:
    ours = _file(tmp_path, "redis: {cluster: {enabled: true, slaveCount: 3}}", "1.yaml")
    replicas = "redis: {architecture: null, replica: {replicaCount: null}}"
    assert load([ours, _file(tmp_path, replicas, "2.yaml")]) == Values()


# What is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "clearml:\n  secureAuthTokenSecret: short",
            "values.yaml:2: clearml.secureAuthTokenSecret: must be 8 or more of",
        ),
        (
            "agentGroups:\n- name: a\n- name: b\n  replicaCount: -1",
            "values.yaml:4: agentGroups[1].replicaCount: must be greater",
        ),
        (
            "agentGroups:\n- name: a\n- name: a",
            "values.yaml:3: agentGroups[1].name: is listed twice",
        ),
        (
            "mongodb: {enabled: false}\n"
            "externalServices:\n  mongodbConnectionString: mongodb://[test-secret",
            "values.yaml:3: externalServices.mongodbConnectionString: must be a URL",
        ),
        (
            "mongodb: {enabled: false}\n"
            "externalServices:\n  mongodbConnectionStringBackend: mongodb://test-secret",
            "values.yaml:2: externalServices.mongodbConnectionStringAuth: is needed too",
        ),
        (
            "mongodb:\n  enabled: false\n  external: {backend: mongodb://test-secret}",
            "values.yaml:3: mongodb.external.auth: is needed too",
        ),
        (
            "redis: {architecture: sentinel}",
            "values.yaml:1: redis.architecture: must be standalone or replication",
        ),
        (
            "redis: {architecture: {test-secret: []}}",
            "values.yaml:1: redis.architecture: must be standalone or replication",
        ),
        (
            "mongodb: {enabled: false}\n"
            "externalServices: {mongodbConnectionString: 'mongodb://a:test-secret@[b'}",
            "values.yaml:2: externalServices.mongodbConnectionString: must be a URL",
        ),
        (
            "redis:\n  password: test-secret-1\n  auth:\n    password: test-secret-2",
            "values.yaml:4: redis.auth.password: says something else than redis.password:",
        ),
        (
            "externalServices:\n  redisHorst: a",
            'values.yaml:2: externalServices.redisHorst: unknown key; did you mean "redisHost"?',
        ),
        (
            "externalServices: mongo.example.com",
            "values.yaml:1: externalServices: must be a mapping (given: 'mongo.example.com')",
        ),
        (
            "redis: {architecture: [standalone]}",
            "values.yaml:1: redis.architecture: must be standalone or replication",
        ),
        (
            "apiserver:\n  podSecurityContext: {runAsUser: 1}\n  securityContext: {runAsUser: 2}",
            "values.yaml:3: apiserver.securityContext.runAsUser: says something else than "
            "apiserver.podSecurityContext.runAsUser: keep one of them",
        ),
        (
            "secret: {existingSecret: mine}\nclearml: {cookieName: a b}",
            "values.yaml:2: clearml.cookieName: must be empty or letters",
        ),
        (
            "agent: {trainsApiHost: nowhere}",
            "values.yaml:1: agent.trainsApiHost: must be a URL",
        ),
        ("trains: {image: {tag: '1'}}", "values.yaml:1: trains.image: write apiserver.image, "),
        ("trains:\n  defaultCompany: a b", "values.yaml:2: trains.defaultCompany: must be letters"),
        (
            "apiserver:\n  serviceAccountAnnotations:\n    a: 1",
            "values.yaml:2: apiserver.serviceAccountAnnotations: must be a string",
        ),
        (
            "ingress:\n  api: {enabled: true}",
            "values.yaml:2: ingress.api.hostName: is needed by an enabled ingress",
        ),
        ("mckMongodb: {enabled: true}", "values.yaml:1: mckMongodb: MongoDB operators are not"),
        ("agentk8sglue: {queue: a}", "values.yaml:1: agentk8sglue: the Kubernetes glue agent is"),
    ],
)
def test_mistakes_are_told_in_the_words_of_the_user(text: str, said: str, tmp_path: Path) -> None:
    [line] = _said(_file(tmp_path, text))
    assert line.startswith(said)
    assert "test-secret" not in line


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    lines = _said(_file(tmp_path, "mckMongodb: {enabled: true}\napiserver: {replicaCount: -1}"))
    assert [re.sub(": .*", "", line) for line in lines] == ["values.yaml:1", "values.yaml:2"]


def test_what_has_no_effect_is_told_once_and_with_its_place(tmp_path: Path) -> None:
    text = "apiserver:\n  indexReplicas: 2\nfileserver: {storage: {logs: {}}}"
    file = _file(tmp_path, text)
    told = [warning for warning in load([file]).warnings() if "has no effect" in warning]
    assert [warning.removeprefix(f"{file}:").split(": has")[0] for warning in told] == [
        "2: apiserver.indexReplicas",
        "3: fileserver.storage.logs",
    ]


# Which chart they are of


def told_of(*charts: int) -> str:
    """What is said of a key that only values of these charts have."""
    found = finding(_nested(next(k for k in KEYS if [*KEYS[k]] == [*charts]), True))
    assert found
    return found.message


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_only_later_charts_have_leads_to_their_preset(key: str) -> None:
    assert key in WORDS or any(f"{other}.".startswith(f"{key}.") for other in VOCABULARY)
    found = finding(_nested(key, "x"))
    assert found
    assert ".".join(map(str, found.path)) == key
    for chart in KEYS[key]:
        assert f"chart-{chart}" in found.message
        assert f"(server {VERSIONS[chart]})" in found.message
    section = key.split(".")[0]
    for silent in (
        {"clearml": {"version": "1.9.2"}},
        {section: {"provider": "helm"}} if section in ("redis", "elasticsearch") else _null(key),
    ):
        assert finding(merge(_nested(key, "x"), silent)) is None


def _null(key: str) -> Any:
    return _nested(key, None)


def test_a_file_of_a_later_chart_is_told_once_and_with_the_key_that_tells_most(
    tmp_path: Path,
) -> None:
    text = "clearml: {apiserverKey: test-secret-key}\nredis:\n  architecture: standalone\n"
    file = _file(tmp_path, text)
    told = [line for line in load([file]).warnings() if "config/presets/chart-" in line]
    assert told == [f"{file}:3: redis.architecture: {told_of(6, 7)}"]
    assert told == [line for line in migrated(file)[1] if "chart-" in line]
    (chart_7,) = PRESETS["chart-7"]
    assert not [line for line in load([chart_7, file]).warnings() if "chart-" in line]


def test_presets_of_charts_have_the_servers_that_are_told() -> None:
    said = {chart: preset(f"chart-{chart}")["clearml"]["version"] for chart in VERSIONS}
    assert said == VERSIONS


# The file in our words

OLD = """\
# What we run
apiserver:
  indexReplicas: 8
  prepopulateEnabled: "false"  # no examples
redis:
  auth:
    # asked for
    enabled: true
    password: "test-secret-redis"  # ours
agentGroups:
  # for all
  - name: cpu
    queues: "one"  # just one
"""
NEW = """\
# What we run
apiserver:
  prepopulateEnabled: "false"  # no examples
redis:
  usePassword: true
  password: "test-secret-redis"    # ours
agentGroups:
  # for all
  agent-group0:
    enabled: false
  cpu:
    name: cpu
    queues: "one"  # just one
"""


def test_a_migrated_file_says_the_same_in_our_words(tmp_path: Path) -> None:
    old = _file(tmp_path, OLD)
    text, left_out, mistakes = migrated(old)
    assert (text, mistakes) == (NEW, [])
    assert [line.removeprefix(f"{old}:").split(": has")[0] for line in left_out] == [
        "3: apiserver.indexReplicas",
        f"6: redis.auth: {told_of(6, 7)}",
    ]
    assert load([_file(tmp_path, text, "new.yaml")]) == load([old]).with_notices(())


def _effect(file: Path) -> Values | list[str]:
    """What the file sets, or the paths of what is wrong with it."""
    try:
        return load([file]).with_notices(())
    except ValuesError as error:
        return sorted(line.removeprefix(f"{file}:").split(": ")[1] for line in error.lines)


ALIASES = {
    "around": "apiserver: &a\n  securityContext: {runAsUser: 7}\nwebserver:\n  <<: *a",
    "inside": "apiserver:\n  securityContext:\n    <<: &b {runAsUser: 7}  # user",
    "over": (
        "apiserver: &a\n  securityContext: {runAsUser: 7}\n"
        "webserver:\n  <<: *a\n  securityContext: {runAsUser: 8}  # other"
    ),
    "of several": (
        "fileserver: &a {securityContext: {runAsUser: 7}}\napiserver: &b {replicaCount: 2}\n"
        "webserver: {<<: [*b, *a]}"
    ),
    "whole": "apiserver: &a {securityContext: {runAsUser: 7}}\nwebserver: *a",
    "of a place that has the same key": (
        "redis: {master: {persistence: &a {size: 7Gi}}}\nelasticsearch: {persistence: *a}"
    ),
    "of a section that is not moved": (
        "fileserver: &a {securityContext: {runAsUser: 7}}\nmongodb: *a"
    ),
    "of what goes away": (
        "apiserver: {indexReplicas: &two 2}  # none\nfileserver: {replicaCount: *two}"
    ),
    "of a scalar": "secret: {authToken: &t 'test-secret-1', httpSession: *t}",
    "in a list": "agentGroups:\n- &a {name: a, queues: q}  # one\n- <<: *a\n  name: b",
    "in a flow": "mongodb:\n  extraEnvs: &e\n  - name: A  # a\n    value: b\n"
    "redis: {auth: {enabled: true}, master: {extraEnvs: *e}}",
    "of what is refused": "dragonfly: &d {replicaCount: 2, storage: {requests: 7Gi}, a: 1}",
    "of nothing that moves": "apiserver: &a {replicaCount: 2}\nwebserver: *a  # same",
    "written otherwise": "mckMongodb: {enabled: no}\nredis: {enabled: off}\n"
    "externalServices: {redisHost: cache, redisPort: 0x7b}",
}


@pytest.mark.parametrize("text", ALIASES.values(), ids=ALIASES)
def test_a_migrated_file_with_aliases_says_the_same(text: str, tmp_path: Path) -> None:
    old = _file(tmp_path, text)
    new = _file(tmp_path, migrated(old).text, "new.yaml")
    assert _effect(new) == _effect(old)
    assert migrated(new).text == new.read_text()


def test_a_mapping_in_two_places_is_translated_in_each() -> None:
    shared = {"securityContext": {"runAsUser": 7}}
    with pytest.raises(ValuesError, match=r"mongodb\.securityContext"):
        Values.read({"fileserver": shared, "mongodb": shared})


def test_a_file_in_our_words_stays_as_it_is(tmp_path: Path) -> None:
    text = "---\n# ours\napiserver:   &a\n    replicaCount: 0x2\nwebserver: {<<: *a}\n...\n"
    assert migrated(_file(tmp_path, text)).text == text


@pytest.mark.parametrize(
    ("text", "printed", "paths"),
    [
        ("mckMongodb: {enabled: true}\nrelease: {name: mine}\n", None, ["mckMongodb"]),
        ("storage: {fast: true}\nkafka: {a: 1}\n", None, ["storage.fast", "kafka"]),
        (
            "redis:\n  password: test-secret-1\n  auth: {password: test-secret-2}\n",
            None,
            ["redis.auth.password"],
        ),
        (
            "dragonfly: {replicaCount: 2, storage: {requests: 7Gi}, image: {tag: '1'}}\n",
            "redis:\n  master:\n    persistence:\n      size: 7Gi\n"
            "dragonfly: {image: {tag: '1'}, replicaCount: 2}\n",
            ["dragonfly.replicaCount", "dragonfly"],
        ),
        ("agentGroups:\n- name: a\n- queues: b\n", None, ["agentGroups[1]"]),
        (
            "apiserver: {replicaCount: -1, indexShards: 2}\n",
            "apiserver: {replicaCount: -1}\n",
            ["apiserver.replicaCount"],
        ),
        ("trains: {namespace: A B}\n", "release:\n  namespace: A B\n", ["trains.namespace"]),
    ],
)
def test_what_a_synthesis_refuses_is_said_and_stays(
    text: str,
    printed: str | None,
    paths: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = _file(tmp_path, text), tmp_path / "new.yaml"
    assert main([str(old), str(new)]) == 1
    assert new.read_text() == (text if printed is None else printed)
    said = [line.split(": ") for line in capsys.readouterr().err.splitlines()]
    notices = ("has no effect", "only values of the chart")
    assert [path for _, path, problem, *_ in said if not problem.startswith(notices)] == paths
    assert not isinstance(_effect(new), Values)


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        (["none.yaml"], 1, "none.yaml: No such file"),
        ([os.devnull], 1, "/dev/null: is neither a regular file nor a pipe"),
        ([], 2, "usage: make migrate FILE="),
        (["", "new.yaml"], 2, "usage: make migrate FILE="),
    ],
)
def test_migrating_no_file_is_a_mistake(
    files: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(files) == status
    assert capsys.readouterr().err.startswith(said)
    assert not Path("new.yaml").exists()


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_file_with_nothing_in_it_is_not_migrated(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = _file(tmp_path, text), tmp_path / "new.yaml"
    assert main([str(old), str(new)]) == 1
    assert capsys.readouterr().err == f"{old}: is empty\n"
    assert not new.exists()


def test_a_migrated_file_is_written_where_none_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = _file(tmp_path, OLD), tmp_path / "new.yaml"
    assert main([str(old), str(new)]) == 0
    printed = capsys.readouterr()
    assert (printed.out, new.read_text()) == ("", NEW)
    assert "apiserver.indexReplicas" in printed.err
    new.write_text("release: {createNamespace: false}\n")
    assert main([str(old), str(new)]) == 1
    assert capsys.readouterr().err == f"{new}: is there already, and is not overwritten\n"
    assert new.read_text() == "release: {createNamespace: false}\n"
    assert main([str(old), str(tmp_path / "none/new.yaml")]) == 1
    assert capsys.readouterr().err.endswith("new.yaml: No such file or directory\n")


def test_a_migrated_file_is_whole_or_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = _file(tmp_path, OLD), tmp_path / "new.yaml"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(NEW) // 2, limit[1]))
    try:
        assert main([str(old), str(new)]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert capsys.readouterr().err == f"{new}: File too large\n"
    assert not new.exists()


# What is accepted, and may mean something else


@pytest.mark.parametrize(("company", "warned"), [("acme", True), (32 * "a", False)])
def test_a_company_that_looks_like_a_name_is_told(company: str, warned: bool) -> None:
    told = "".join(Values.read({"clearml": {"defaultCompany": company}}).warnings())
    assert ("clearml.defaultCompany: is the id of a company" in told) == warned


def test_the_charts_own_credentials_are_as_public_as_ours() -> None:
    charts = {"apiserverKey": "GGS9F4M6XB2DXJ5AFT9F", "testUserKey": "test-secret-tests-key"}
    earlier = {"apiserverSecret": "BxapIRo9ZINi8x25CRxz8Wdmr2pQjzuWVB4PNASZqCtTyWgWVQ"}
    told = "".join(Values.read({"clearml": charts | earlier}).warnings())
    assert "apiserverKey, apiserverSecret" in told
    assert "testsUserKey" not in told
    # Beside a Secret they are as good as not there.
    existing = {"existingSecret": "mine", "existingSecretKeys": "chart-5"}
    assert Values.read({"clearml": {**existing, "apiserverKey": charts["apiserverKey"]}})
    with pytest.raises(ValuesError, match="keep one of the two"):
        Values.read({"clearml": {**existing, **charts}})


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("apiserver: {securityContext: {fsGroup: 1000}}", 0, ""),
        ("apiserver: {replicas: 2}", 1, "apiserver.replicas: unknown key; did you mean"),
        (
            "extraObjects:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: 1}}",
            1,
            "extraObjects[0].data.k: ",
        ),
    ],
)
def test_a_migration_ends_as_a_synthesis_of_its_output(
    text: str, status: int, said: str, tmp_path: Path
) -> None:
    old, new = _file(tmp_path, text), tmp_path / "new.yaml"
    environment = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "CDK8S_OUTDIR": str(tmp_path / "dist"),
    }
    for command in (["migrate.py", str(old), str(new)], ["main.py"]):
        ended = subprocess.run(
            [sys.executable, str(ROOT / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment | {"CLEARML_VALUES": str(new)},
        )
        assert (ended.returncode, said in ended.stderr) == (status, True), ended.stderr
