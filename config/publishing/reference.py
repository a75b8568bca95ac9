"""The reference of the values: tables in Markdown."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from config.publishing.schema import json_schema, members, resolved, section_of
from config.types.fragment import FRAGMENT

INTRODUCTION = """\
# Values

All that can be set, with the defaults that hold without any values file. Generated from the types
in `config/` by `make docs`.

Values files are merged in the order in which `CLEARML_VALUES` names them: mappings merge, lists and
scalars replace, and null resets a value to its default. Types that start with a capital letter are
those of the Kubernetes API, spelled as in a manifest.
"""


class Row(NamedTuple):
    """One value of the reference."""

    key: str
    type: str
    default: str
    description: str


def reference() -> str:
    """A chapter with a table of the values for each section."""
    schema = json_schema()
    definitions = schema["$defs"]
    names: dict[str, Any] = {}
    chapters = []
    for key, part in schema["properties"].items():
        section = resolved(part, definitions)
        if members(section):
            rows = _rows(section, definitions, key)
            chapters.append(_chapter(f"`{key}`", section["description"], rows))
        else:
            names[key] = part
    general = _chapter("General", "Names of objects.", _rows({"properties": names}, definitions))
    return "\n".join([INTRODUCTION, general, *chapters])


def _rows(section: dict[str, Any], definitions: dict[str, Any], above: str = "") -> Iterator[Row]:
    required = section.get("required", [])
    for step, member in members(section).items():
        part, path = resolved(member, definitions), (above + step).removeprefix(".")
        if not members(part) or "items" in part:
            default = "required" if step[1:] in required else _default(part)
            yield Row(path, _type(part), default, part["description"])
        yield from _rows(part, definitions, path)


def _type(part: dict[str, Any]) -> str:
    """The type in words; of the types that a values file may use, the first is the proper one."""
    if "$ref" in part:
        fragment = str(part["$ref"].rpartition("/")[2])
        return "mapping" if section_of(part) else fragment.removeprefix(FRAGMENT)
    if "enum" in part:
        return ", ".join(f"`{option}`" for option in part["enum"] if option is not None)
    first = part["type"] if isinstance(part["type"], str) else part["type"][0]
    if first == "array":
        return f"list of {_type(part['items'])}"
    return "mapping" if first == "object" else str(first)


def _default(part: dict[str, Any]) -> str:
    """The default as a values file spells it; JSON is YAML."""
    return f"`{json.dumps(part['default'], ensure_ascii=False)}`" if "default" in part else ""


def _chapter(title: str, text: str, rows: Iterator[Row]) -> str:
    header = Row("Key", "Type", "Default", "Description")
    lines = [header, Row(*["---"] * 4), *(row._replace(key=f"`{row.key}`") for row in rows)]
    table = "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)
    return f"## {title}\n\n{text}\n\n{table}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
