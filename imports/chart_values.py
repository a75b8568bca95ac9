"""Typed values -> the values of a Helm chart."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, SecretStr

from config.fragment import json_name

EMPTY: tuple[Any, ...] = (None, "", [], {})


def given(
    section: BaseModel, *, without: Collection[str] = (), defaults: bool = True, above: str = ""
) -> dict[str, Any]:
    """A section as a values file spells it, with what only the chart knows; secrets in clear.

    Leaves out the dotted paths `without`, which the chart does not know, and defaults that say
    nothing; without `defaults` all that the user did not set. `above` is the section's own path.
    """
    values: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        key, value = str(field.alias), getattr(section, name)
        path = f"{above}{key}"
        if path in without:
            continue
        if isinstance(value, BaseModel):
            below = given(value, without=without, defaults=defaults, above=f"{path}.")
            if below:
                values[key] = below
        elif value not in EMPTY and (defaults or name in section.model_fields_set):
            values[key] = _spelled(value)
    return values | (section.model_extra or {})


def overlay(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge mappings; unlike in values files null stays, for the chart to drop its default."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged


def _spelled(value: Any) -> Any:
    if hasattr(value, "__jsii_name_mapping__"):
        return {
            json_name(type(value), name): _spelled(part) for name, part in value._values.items()
        }
    if hasattr(value, "__jsii_type__"):
        return value.value
    if isinstance(value, dict):
        return {key: _spelled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_spelled(part) for part in value]
    return value.get_secret_value() if isinstance(value, SecretStr) else value
