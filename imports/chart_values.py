"""Typed values -> the values of a Helm chart."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from config.types.structs import to_plain

EMPTY: tuple[Any, ...] = (None, "", [], {})


def helm_values(
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
            below = helm_values(value, without=without, defaults=defaults, above=f"{path}.")
            if below:
                values[key] = below
        elif value not in EMPTY and (defaults or name in section.model_fields_set):
            values[key] = to_plain(value, reveal=True)
    return values | (section.model_extra or {})
