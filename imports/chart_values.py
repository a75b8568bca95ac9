"""Typed values -> the values of a Helm chart."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from config.pod import StatefulSet
from config.types.structs import to_plain

EMPTY: tuple[Any, ...] = (None, "", [], {})
# What stands around the pods of a chart is the chart's own business.
LEFT_TO_CHARTS = ("podDisruptionBudget", "networkPolicy", "serviceAccount")
# What all charts know of the settings of pods; the others are patched into what they render.
KNOWN_SETTINGS = frozenset(
    ("nodeSelector", "tolerations", "affinity", "resources", "podAnnotations", *LEFT_TO_CHARTS)
)
SETTINGS = {str(field.alias): name for name, field in StatefulSet.model_fields.items()}


def unknown_settings(known: Collection[str] = KNOWN_SETTINGS) -> set[str]:
    """The keys of all settings of pods that a chart does not know."""
    return SETTINGS.keys() - known


def patched(pod: StatefulSet, known: Collection[str] = KNOWN_SETTINGS) -> StatefulSet:
    """The settings that the user has made and the chart does not know."""
    chosen = {SETTINGS[key] for key in unknown_settings(known)} & pod.model_fields_set
    return StatefulSet.default(**{name: getattr(pod, name) for name in chosen})


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
            below = helm_values(
                value,
                without=without,
                defaults=defaults and key not in LEFT_TO_CHARTS,
                above=f"{path}.",
            )
            if below:
                values[key] = below
        elif value not in EMPTY and (defaults or name in section.model_fields_set):
            values[key] = to_plain(value, reveal=True)
    return values | (section.model_extra or {})
