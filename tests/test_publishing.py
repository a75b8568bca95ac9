"""What is generated from the values' types: the file of all defaults, reference and schema."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from config import Values, load
from config.agent_groups import AgentGroup
from config.generation import GENERATIONS
from config.publishing.defaults import commented_defaults
from config.publishing.editors import editor_schema
from config.publishing.reference import reference
from config.publishing.versions import versions
from config.types.merging import merge
from config.types.model import Model
from config.types.structs import to_plain
from rendering import render


@pytest.fixture(scope="module")
def text() -> str:
    return commented_defaults()


def _paths(values: Any, path: str = "") -> Iterator[str]:
    for key, value in values.items() if isinstance(values, dict) else ():
        yield f"{path}.{key}"
        yield from _paths(value, f"{path}.{key}")


def _described(section: Model) -> Iterator[tuple[str, str]]:
    """The keys of a section and the sections in it, each with what the types say of it."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        yield str(field.alias), field.description or inspect.getdoc(value) or ""
        if isinstance(value, Model):
            yield from _described(value)


def test_the_defaults_as_a_file_are_the_defaults(text: str, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(text, encoding="utf-8")
    assert load([file]) == Values()


def test_the_defaults_as_a_file_give_the_manifests_of_no_file(text: str) -> None:
    assert render(merge({}, yaml.safe_load(text))) == render()


def test_every_key_is_there(text: str) -> None:
    assert set(_paths(yaml.safe_load(text))) >= set(_paths(to_plain(Values())))


def test_above_every_key_stands_what_it_is(text: str) -> None:
    lines = "\n".join(line.strip() for line in text.splitlines())
    for key, description in [*_described(Values()), *_described(AgentGroup.default(name="any"))]:
        wrapped = r"( |\n# )".join(map(re.escape, description.split()))
        assert re.search(rf"(?m)^# {wrapped}\n{key}:", lines), key


def test_no_comment_is_wider_than_the_sources(text: str) -> None:
    assert all(len(line) <= 100 for line in text.splitlines() if line.lstrip().startswith("#"))


@pytest.mark.parametrize(
    ("key", "kind", "default"),
    [
        ("apiserver.replicaCount", "integer", "`1`"),
        ("mongodb.provider", "`embedded`, `helm`, `external`", '`"embedded"`'),
        ("webserver.affinity", "Affinity", "`{}`"),
        ("webserver.imagePullSecrets", "list of string", "`[]`"),
        ("webserver.nodeSelector", "mapping", "`{}`"),
        ("agentGroups.<key>.queues", "string", '`"default"`'),
        ("clearml.credentials.authToken", "string", "`null`"),
        ("clearml.fixedUsers.users[].username", "string", "required"),
    ],
)
def test_the_reference_tells_type_and_default(key: str, kind: str, default: str) -> None:
    assert f"\n| `{key}` | {kind} | {default} | " in reference()


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ("apiserver: {replicaCount: 1000, image: null}", True),
        ("apiserver: {replicaCount: 1001}", False),
        ("apiserver: {replicaCount: -1}", False),
        ("apisever: {}", False),
        ("mongodb: {provider: null, image: {tag: 5}}", True),
        ("mongodb: {provider: bitnami}", False),
        ("agentGroups: {a: {image: {tag: '1'}}}", True),
        ("release: {name: null}", True),
        (f"release: {{name: {'a' * 54}}}", False),
        ("webserver: {affinity: {nodeAffinty: {}}}", False),
        ("fileserver: {storage: {data: {size: 50 GB}}}", False),
        ("ingress: {enabled: 'true'}", True),
        ("ingress: {enabled: perhaps}", False),
        ("clearml: {existingSecretKeys: chart-5}", True),
        ("clearml: {existingSecretKeys: {authToken: token}}", True),
        ("elasticsearch: {extraEnvs: [{name: a, value: null}]}", True),
        ("elasticsearch: {extraEnvs: [{name: a, value: {}}]}", False),
        ("apiserver: {extraEnvs: [{name: a, value: null}]}", False),
        ("apiserver: {additionalVolumes: {}}", True),
        ("apiserver: {additionalVolumes: {name: a}}", False),
        ("webserver: {updateStrategy: Recreate}", True),
        ("agentGroups: [{name: a, queues: b}]", True),
        ("agentGroups: [{name: a, queue: b}]", False),
        ("clearml: {secureAuthTokenSecret: test-secret-token}", True),
        ("externalServices: {redisHorst: a}", False),
        ("mongodb: {architecure: replicaset}", False),
        ("mongodb: {provider: helm, architecure: replicaset}", True),
        ("redis: {master: {persistence: {sise: 5Gi}}}", False),
        ("redis: {provider: helm, master: {persistence: {sise: 5Gi}}}", True),
        ("redis: {auth: {sentinels: false}}", False),
        ("redis: {provider: helm, auth: {sentinels: false}}", True),
        ("mongodb: {extraEnvVars: [], initContainers: [], sidecars: []}", True),
        ("elasticsearch: {updateStrategy: {rollingUpdate: {maxSurge: 0}}}", True),
    ],
)
def test_editors_are_told_what_a_values_file_may_hold(values: str, fits: bool) -> None:
    assert Draft202012Validator(editor_schema()).is_valid(yaml.safe_load(values)) is fits


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(editor_schema())


def test_the_defaults_as_a_file_fit_the_schema(text: str) -> None:
    assert Draft202012Validator(editor_schema()).is_valid(yaml.safe_load(text))


def test_whatever_differs_between_versions_is_in_their_table() -> None:
    for old, new in pairwise(GENERATIONS):
        told = versions((old, new))
        # Of the tags one shows, with the version.
        for name in {*new._fields} - {"tags"}:
            former = getattr(old, name)
            if former != getattr(new, name):
                assert versions((old, new._replace(**{name: former}))) != told, name
