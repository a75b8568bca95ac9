"""Values that are hard on the program, from the schema that is made of their types."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from config.publishing.schema import json_schema
from config.types.fragment import FRAGMENT
from config.types.merging import merge
from scenarios import SCENARIOS, SECRET_MARK

Tree = dict[str, Any]
Schema = Mapping[str, Any]

# What parsers, shells, Kubernetes and YAML might take for something else.
AWKWARD = {
    "quotes": """it's "quoted" `twice`""",
    "backslashes": "\\n \\u00e4 \\\\",
    "variable": "$(CLEARML_API_HOST)",
    "shell": "$(id) ${HOME} $HOME; exit 7 && * ? [a] ~ #",
    "dollars": "$$ $$$(HOME)$",
    "substitution": "${a.b}${?c} // d = e, {f} [g] += h",
    "triple quotes": '""" """',
    "lines": "one\ntwo\r\n\n  three\n",
    "tabs and spaces": "\t one \t",
    "nothing": "",
    "space": " ",
    "null byte": "a\0b",
    "escape": "\x1b[31m",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line separator": "a\u2028b\u2029c",
    "byte order mark": "\ufeffa",
    "no character": "a\ufffeb\uffff",
    "emoji": "Jäne 日本 😀",
    "octal": "0o17",
    "negative octal": "-0o17",
    "capital octal": "0O17",
    "octal with underscore": "0_o17",
    "old octal": "017",
    "hexadecimal": "0x1f",
    "capital hexadecimal": "0X1F",
    "binary": "0b11",
    "underscores": "1_000",
    "exponent": "1e3",
    "float": ".5",
    "infinity": "-.inf",
    "not a number": ".nan",
    "sexagesimal": "1:30",
    "yes": "yes",
    "no": "n",
    "true": "True",
    "null": "null",
    "tilde": "~",
    "value": "=",
    "merge": "<<",
    "date": "2020-02-30",
    "indicators": "- ? : ! & * | > @ %",
    "comment": "a #b: c",
    "document": "--- a",
    "template": "{{ .Release.Name }}{{ .Values.x }}",
    "percent": "100%s %(a)s {0}",
    "option": "--help",
    "253 characters": 253 * "a",
    "100,000 characters": 100_000 * "a",
}
# As long as names may be here and there, and one more.
SIZES = [limit + more for limit in (15, 52, 53, 63, 253) for more in (0, 1)]


class Setting(NamedTuple):
    """A value that a user can set: where, and the part of the schema that describes it."""

    path: tuple[str, ...]
    schema: Schema

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def is_raw(self) -> bool:
        """Whether it is a fragment that only the rules can judge."""
        return FRAGMENT in str(self.schema)

    @property
    def is_secret(self) -> bool:
        return bool(self.schema.get("writeOnly"))

    @property
    def is_text(self) -> bool:
        return "string" in self.schema.get("type", ()) and not (
            "enum" in self.schema or "boolean" in self.schema["type"]
        )


def resolved(schema: Schema) -> Schema:
    """A part of the schema without a reference."""
    if "$ref" not in schema:
        return schema
    part: Schema = json_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return part


def settings(schema: Schema | None = None, path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """All settings, those of an agent group called `gpu` included."""
    schema = json_schema() if schema is None else schema
    if FRAGMENT not in schema.get("$ref", ""):
        schema = resolved(schema)
    inner = schema.get("properties", {})
    if "$ref" in str(schema.get("additionalProperties")):
        inner = {"gpu": schema["additionalProperties"]}
    if not inner or FRAGMENT in schema.get("$ref", ""):
        yield Setting(path, schema)
    for key, part in inner.items():
        yield from settings(part, (*path, key))


def texts() -> st.SearchStrategy[str]:
    """Any text, and awkward ones."""
    return st.sampled_from(sorted(AWKWARD.values())) | st.text(max_size=30)


def secrets() -> st.SearchStrategy[Any]:
    """Secrets, each with a mark that no message may show; one looks like a number to kubectl."""
    marked = st.tuples(st.just(SECRET_MARK), texts()).map("-".join)
    plain = st.text(string.ascii_letters + string.digits, max_size=30).map(SECRET_MARK.__add__)
    return plain | marked | st.sampled_from([f"0o{SECRET_DIGITS}", int(SECRET_DIGITS)])


SECRET_DIGITS = "17171717171"


def fitting(schema: Schema, depth: int = 0) -> st.SearchStrategy[Any]:
    """What the schema allows, or nearly so."""
    schema = resolved(schema)
    types = schema.get("type", ())
    if schema.get("writeOnly"):
        return secrets()
    if "enum" in schema:
        return st.sampled_from([choice for choice in schema["enum"] if choice is not None])
    if "boolean" in types:
        return st.booleans()
    if "pattern" in schema:
        long = [size * "a" for size in SIZES if re.fullmatch(schema["pattern"], size * "a")]
        return st.from_regex(schema["pattern"], fullmatch=True) | st.sampled_from(long or [""])
    if "string" in types:
        return texts()
    if "integer" in types:
        low, high = schema.get("minimum", -5), schema.get("maximum", 2**70)
        return st.integers(low, min(high, low + 10)) | st.sampled_from(sorted({low, high}))
    if "array" in types:
        size = {"min_size": schema.get("minItems", 0), "max_size": 2}
        return st.lists(fitting(schema["items"], depth + 1), **size)
    if "properties" in schema:
        return _mapping(schema, depth)
    inner = schema.get("additionalProperties", {})
    key = st.from_regex(r"[a-z][-a-z0-9.]{0,10}/?[a-z]{1,5}", fullmatch=True)
    keys = st.integers(0, 7).flatmap(lambda dice: key if dice else texts())
    return st.dictionaries(keys, fitting(inner, depth + 1) if inner else texts(), max_size=2)


def _mapping(schema: Schema, depth: int) -> st.SearchStrategy[Any]:
    parts, required = schema["properties"], set(schema.get("required", ()))
    few = st.lists(st.sampled_from(sorted(parts)), unique=True, max_size=3 if depth < 3 else 0)
    return few.flatmap(
        lambda keys: st.fixed_dictionaries(
            {key: fitting(parts[key], depth + 1) for key in sorted(required.union(keys))}
        )
    )


def anything() -> st.SearchStrategy[Any]:
    """Values of any type."""
    return (
        texts()
        | st.sampled_from([True, 0, -1, 2**70, 1.5, [], {}])
        | st.lists(texts(), max_size=2)
        | st.dictionaries(texts(), texts(), max_size=2)
    )


def value_of(setting: Setting) -> st.SearchStrategy[Any]:
    """Mostly what fits, sometimes anything; secrets always have their mark."""
    if setting.is_secret:
        return secrets()
    return st.integers(0, 7).flatmap(lambda dice: fitting(setting.schema) if dice else anything())


def nested(path: tuple[str, ...], value: Any) -> Tree:
    """The tree with that value alone."""
    for step in reversed(path):
        value = {step: value}
    return value  # type: ignore[no-any-return]  # a path has steps


# What is off in a tree that says nothing of it: less to synthesize.
LEAN: dict[str, Tree] = {
    **{store: {"enabled": False} for store in ("mongodb", "redis", "elasticsearch")},
    "agentservices": {"enabled": False},
    "agentGroups": {"agent-group0": {"enabled": False}},
}


def trees(choice: list[Setting]) -> st.SearchStrategy[tuple[list[Setting], Tree]]:
    """A few settings, and a tree with values of theirs within the sections of some scenario."""
    return st.lists(st.sampled_from(choice), min_size=1, max_size=3, unique_by=str).flatmap(
        lambda chosen: st.tuples(
            st.just(chosen),
            st.builds(
                _tree,
                st.just(chosen),
                st.sampled_from(sorted(SCENARIOS)),
                st.tuples(*map(value_of, chosen)),
            ),
        )
    )


def _tree(chosen: list[Setting], scenario: str, values: tuple[Any, ...]) -> Tree:
    touched = {setting.path[0] for setting in chosen}
    tree = {section: off for section, off in LEAN.items() if section not in touched}
    tree |= {key: part for key, part in SCENARIOS[scenario].items() if key in touched}
    for setting, value in zip(chosen, values, strict=True):
        tree = merge(tree, nested(setting.path, value))
    return tree
