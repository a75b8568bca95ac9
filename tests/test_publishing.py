"""What is generated from the values' types: the commented file of all defaults."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Values, load
from config.agent_groups import AgentGroup
from config.publishing.defaults import commented_defaults
from config.types.merging import merge
from config.types.model import Model
from config.types.structs import to_plain
from rendering import render

PUBLISHED = re.compile(r"^( *)# (\w+): published default$", re.MULTILINE)


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


def test_every_key_is_there_and_published_secrets_as_comments(text: str) -> None:
    named = yaml.safe_load(PUBLISHED.sub(r"\1\2: published", text))
    published = Values().clearml.credentials.published
    assert [key for _, key in PUBLISHED.findall(text)] == published
    assert set(_paths(named)) >= set(_paths(to_plain(Values())))


def test_above_every_key_stands_what_it_is(text: str) -> None:
    lines = "\n".join(line.strip() for line in PUBLISHED.sub(r"\2:", text).splitlines())
    for key, description in [*_described(Values()), *_described(AgentGroup.default(name="any"))]:
        wrapped = r"( |\n# )".join(map(re.escape, description.split()))
        assert re.search(rf"(?m)^# {wrapped}\n{key}:", lines), key


def test_no_comment_is_wider_than_the_sources(text: str) -> None:
    assert all(len(line) <= 100 for line in text.splitlines() if line.lstrip().startswith("#"))
