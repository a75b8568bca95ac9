"""Writes what is generated from the values' types: their JSON schema and their reference."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from config.publishing.schema import json_schema
from config.types.fragment import FRAGMENT

ROOT = Path(__file__).parent.parent.parent
SCHEMA_FILE = ROOT / "config/values.schema.json"
REFERENCE_FILE = ROOT / "docs/values.md"

INTRODUCTION = """\
# Values

All that can be set, with the defaults that hold without any values file. Generated from the types
in `config/` by `make docs`.

Values files are merged in the order in which `CLEARML_VALUES` names them: mappings merge, lists and
scalars replace, and null resets a value to its default. Types that start with a capital letter are
those of the Kubernetes API, spelled as in a manifest. A *published default* is a credential that
everybody can read in the sources of ClearML or of this program: set your own.
"""


class Row(NamedTuple):
    """One value of the reference."""

    key: str
    type: str
    default: str
    description: str


def main() -> None:
    """Write both files."""
    schema = json_schema()
    SCHEMA_FILE.write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    REFERENCE_FILE.parent.mkdir(exist_ok=True)
    REFERENCE_FILE.write_text(reference(schema), encoding="utf-8")


def reference(schema: dict[str, Any]) -> str:
    """The reference in Markdown: a table of the values for each section."""
    definitions = schema["$defs"]
    names: dict[str, Any] = {}
    chapters = []
    for key, part in schema["properties"].items():
        resolved = _resolved(part, definitions)
        if _members(resolved):
            rows = _rows(resolved, definitions, key)
            chapters.append(_chapter(f"`{key}`", resolved["description"], rows))
        else:
            names[key] = part
    general = _chapter("General", "Names of objects.", _rows({"properties": names}, definitions))
    return "\n".join([INTRODUCTION, general, *chapters])


def _section_of(part: dict[str, Any]) -> str:
    """The section that a part of the schema refers to; a Kubernetes fragment is none."""
    name: str = part.get("$ref", "").rpartition("/")[2]
    return "" if name.startswith(FRAGMENT) else name


def _resolved(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The part with the section that it refers to; what it says itself comes first."""
    section = _section_of(part)
    return definitions[section] | part if section else part


def _members(part: dict[str, Any]) -> dict[str, Any]:
    """The parts of a section by how their path continues; none if it is a value."""
    if "properties" in part:
        return {f".{key}": member for key, member in part["properties"].items()}
    inside = {".<key>": part.get("additionalProperties"), "[]": part.get("items")}
    return {
        step: member
        for step, member in inside.items()
        if isinstance(member, dict) and _section_of(member)
    }


def _rows(section: dict[str, Any], definitions: dict[str, Any], above: str = "") -> Iterator[Row]:
    required = section.get("required", [])
    for step, member in _members(section).items():
        part, path = _resolved(member, definitions), (above + step).removeprefix(".")
        if not _members(part) or "items" in part:
            default = "required" if step[1:] in required else _default(part)
            yield Row(path, _type(part), default, part["description"])
        yield from _rows(part, definitions, path)


def _type(part: dict[str, Any]) -> str:
    """The type in words; of the types that a values file may use, the first is the proper one."""
    if "$ref" in part:
        fragment = str(part["$ref"].rpartition("/")[2])
        return "mapping" if _section_of(part) else fragment.removeprefix(FRAGMENT)
    if "enum" in part:
        return ", ".join(f"`{option}`" for option in part["enum"] if option is not None)
    first = part["type"] if isinstance(part["type"], str) else part["type"][0]
    if first == "array":
        return f"list of {_type(part['items'])}"
    return "mapping" if first == "object" else str(first)


def _default(part: dict[str, Any]) -> str:
    """The default as a values file spells it; JSON is YAML."""
    if "default" in part:
        return f"`{json.dumps(part['default'], ensure_ascii=False)}`"
    return "published default" if part.get("writeOnly") else ""


def _chapter(title: str, text: str, rows: Iterator[Row]) -> str:
    header = Row("Key", "Type", "Default", "Description")
    lines = [header, Row(*["---"] * 4), *(row._replace(key=f"`{row.key}`") for row in rows)]
    table = "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)
    return f"## {title}\n\n{text}\n\n{table}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())


if __name__ == "__main__":
    main()
