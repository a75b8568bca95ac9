"""All values with their defaults, as a commented values file; run it to print the file."""

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from config.publishing.schema import json_schema, members, resolved
from config.types.structs import to_plain
from config.values import Values

INTRODUCTION = """\
# yaml-language-server: $schema=../config/values.schema.json
#
# All values with their defaults. Generated from the types in config/ by `make docs`.
#
# Copy into your own values file what you change and no more: what a file says counts as your choice
# and stays as it is when a default changes. null means that there is no value.
"""
WIDTH = 100


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def commented_defaults() -> str:
    """A values file that changes nothing, each key with its description above it."""
    schema = json_schema()
    return INTRODUCTION + "\n".join(_lines(to_plain(Values()), schema, schema["$defs"])) + "\n"


def _lines(
    values: dict[str, Any], section: dict[str, Any], definitions: dict[str, Any], indent: str = ""
) -> Iterator[str]:
    """The lines of a section; where the schema tells no default, that of `values` counts."""
    parts = members(section)
    for number, (key, value) in enumerate(values.items()):
        part = resolved(parts.get(f".{key}") or parts[".<key>"], definitions)
        if number or not indent:
            yield ""
        comment = f"{indent}# "
        yield from textwrap.wrap(
            part["description"],
            WIDTH,
            initial_indent=comment,
            subsequent_indent=comment,
            break_on_hyphens=False,
        )
        if isinstance(value, dict) and members(part):
            yield f"{indent}{key}:"
            yield from _lines(value, part, definitions, indent + "  ")
        else:
            default = {key: part.get("default", value)}
            text = yaml.dump(default, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
            yield textwrap.indent(text.rstrip("\n"), indent)


if __name__ == "__main__":
    print(commented_defaults(), end="")
