"""How mappings of values merge."""

from typing import Any

from pydantic import BeforeValidator


def merge(
    base: dict[str, Any], over: dict[str, Any], *, keep_nulls: bool = False
) -> dict[str, Any]:
    """Merge as Helm does: mappings merge, all else replaces, null takes the key out again.

    With `keep_nulls` the null itself stays.
    """
    merged = dict(base)
    for key, given in over.items():
        if given is None and not keep_nulls:
            merged.pop(key, None)
        elif isinstance(given, dict):
            below = merged.get(key)
            below = below if isinstance(below, dict) else {}
            merged[key] = merge(below, given, keep_nulls=keep_nulls)
        else:
            merged[key] = given
    return merged


def over(default: dict[str, Any]) -> BeforeValidator:
    """A mapping that the user's merges over, key by key, instead of being replaced by it."""
    return BeforeValidator(lambda raw: merge(default, raw) if isinstance(raw, dict) else raw)
