"""Values files -> one mapping -> Values, with every mistake in any of them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.chart_eras import finding
from config.error import ValuesError, shape
from config.loading.reading import Source, read
from config.store import Store
from config.translation import translated
from config.types.merging import merge
from config.values import Values

DEFAULT_FILE = Path(__file__).parent.parent / "values.yaml"
STORES = [
    name
    for name, field in Values.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Store)
]


def values_files(environ: Mapping[str, str]) -> list[Path]:
    """The files that CLEARML_VALUES names; unset or empty, `config/values.yaml`."""
    names = environ.get("CLEARML_VALUES", "").split(os.pathsep)
    return [Path(name) for name in names if name] or [DEFAULT_FILE]


class Reading(NamedTuple):
    """Values files in our words, and what there is to say of other words that they had."""

    sources: list[Source]
    notices: list[str]
    """What has no effect."""
    mistakes: list[str]
    """What has no equivalent here; it is left out of the sources."""


def load(files: Sequence[Path]) -> Values:
    """Merge the files, left to right, over the defaults.

    Mappings merge, lists and scalars replace, null resets to the default; where only a store's
    Helm chart knows the key, it reaches the chart. Raises ValuesError with a line for each mistake
    in any of the files.
    """
    return loaded(read_in_our_words(files))


def values_of(mapping: object) -> Values:
    """The values that a mapping, spelled as in YAML, describes; raises ValuesError."""
    if not isinstance(mapping, dict):
        raise ValuesError([f"must be a mapping of values (given: {shape(mapping)})"])
    return loaded(in_our_words([Source(None, "", mapping)]))


def loaded(reading: Reading) -> Values:
    """Merge what was read over the defaults; ValuesError with a line for each mistake."""
    sources, notices, mistakes = reading
    merged = _merged([source.content for source in sources])
    try:
        values = _validated(merged)
    except ValidationError as error:
        from config.loading.wording import lines  # costs time that only mistakes are worth

        mistakes += lines(_all_mistakes(error, merged), sources)
    if mistakes:
        from config.loading.wording import in_order

        raise ValuesError(in_order(mistakes, [source.file for source in sources if source.file]))
    return values.with_notices(notices)


def read_in_our_words(files: Sequence[Path]) -> Reading:
    """Read the files, with the words of other charts put into ours; raises ValuesError."""
    sources: list[Source] = []
    unreadable: list[str] = []
    for file in files:
        try:
            sources.append(read(file))
        except ValuesError as error:
            unreadable += error.lines
    if unreadable:
        raise ValuesError(unreadable)
    return in_our_words(sources)


def in_our_words(sources: Sequence[Source]) -> Reading:
    """Put the words of other charts into ours."""
    reading = Reading([], [], [])
    whole = _merged([source.content for source in sources])
    for source in sources:
        content, spelled, notices, mistakes = translated(source.content, whole, knows=Values.knows)
        if notices or mistakes:
            from config.loading.wording import place

            reading.notices.extend(
                f"{place(path, source)}: has no effect: {why}" for path, why in notices
            )
            reading.mistakes.extend(
                f"{place(path, source)}: {message}" for path, message, _ in mistakes
            )
        reading.sources.append(source._replace(content=content, spelled=spelled))
    if found := finding(whole):
        from config.loading.wording import origin, place

        where = place(found.path, origin(found.path, sources))
        reading.notices.append(f"{where}: {found.message}")
    return reading


def _merged(mappings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All mappings in one; nulls stay only in the stores, for the charts to drop a default."""
    merged: dict[str, Any] = {}
    with_nulls: dict[str, Any] = {}
    for mapping in mappings:
        merged = merge(merged, mapping)
        with_nulls = merge(with_nulls, mapping, keep_nulls=True)
    return merged | {store: with_nulls[store] for store in STORES if store in merged}


def _validated(content: dict[str, Any]) -> Values:
    return Values.model_validate(content, by_alias=True, by_name=False)


def _all_mistakes(error: ValidationError, content: dict[str, Any]) -> list[ErrorDetails]:
    """The mistakes of the error, and those that come to light when these are taken out.

    Values are compared with each other only where each of them is right by itself.
    """
    found: list[ErrorDetails] = []
    while new := [
        mistake
        for mistake in error.errors(include_url=False)
        if not any(_may_follow(mistake, earlier) for earlier in found)
    ]:
        found += new
        for mistake in new:
            _take_out(mistake["loc"], content)
        try:
            _validated(content)
        except ValidationError as remaining:
            error = remaining
        else:
            break
    return found


def _may_follow(mistake: ErrorDetails, earlier: ErrorDetails) -> bool:
    """Whether the mistake may be there only because the value of an earlier one is taken out.

    It may if the section of one is, or is inside, the section of the other.
    """
    if earlier["type"] == "extra_forbidden":
        return False
    sections = [details["loc"][:-1] or details["loc"] for details in (mistake, earlier)]
    outer, inner = sorted(sections, key=len)
    return inner[: len(outer)] == outer


def _take_out(path: tuple[str | int, ...], content: dict[str, Any]) -> None:
    """Reset to the default what the path leads to: the value, or the list or section it is in."""
    inside, last = content, None
    for step in path:
        if step not in inside:
            break
        holder, last = inside, step
        inside = inside[step]
        if not isinstance(inside, dict):
            break
    if last is not None:
        del holder[last]
