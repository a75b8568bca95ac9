"""Which version of the servers the values install: what they say, or the tags of the images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from config.generation import (
    DEFAULT_GENERATION,
    GENERATIONS,
    NEWEST,
    ONE_MAJOR_AT_A_TIME,
    Generation,
    Number,
    Release,
    generation_of,
    number,
)
from config.image import ServerImage
from config.types.model import Mistake

if TYPE_CHECKING:
    from config.values import Values

SERVERS = ("apiserver", "fileserver", "webserver")
GUIDE = "(docs/upgrading.md)"
# How many numbers of a store's version tell what goes together: patches differ, and of
# Elasticsearch what its client speaks to.
LINES = {"mongodb": 2, "redis": 2, "elasticsearch": 1}


def generation(values: Values) -> Generation:
    """The generation of the servers, with the image of their version."""
    version = _version(values)
    known = number(version)
    return (generation_of(known) if known else GENERATIONS[0]).of(version)


def mistakes(values: Values) -> Iterator[Mistake]:
    """Versions that nobody knows, images that do not tell theirs, and images of another one."""
    said, tags = _said(values), _tags(values)
    yield from _unknown(("clearml", "upgradingFrom"), values.clearml.upgrading_from)
    if said:
        yield from _unknown(("clearml", "version"), said)
    first = said or next(iter(tags.values()), "")
    whose = "clearml.version" if said else ".".join(next(iter(tags), ()))
    for path, tag in tags.items():
        if number(tag) is None:
            if not said:
                yield Mistake(path, "tells no version of the server: set clearml.version", tag)
        elif number(first) and not _alike(tag, first):
            yield Mistake(
                path, f"is of another generation of servers than {whose} ({first}) says", tag
            )
        elif not said:
            yield from _unknown(path, tag)


def warnings(values: Values) -> Iterator[str]:
    """A version later than the newest that is known, and steps that an upgrade skips."""
    version = _version(values)
    if (number(version) or NEWEST.since) > NEWEST.since:
        yield (
            f"clearml.version: {version} is later than the newest that is known here, "
            f"{NEWEST.version}, and gets what that one needs"
        )
    former = number(values.clearml.upgrading_from)
    if former:
        yield from _skipped(former, number(version) or former, values.clearml.upgrading_from)
        yield from _unreadable(values, generation_of(former))
    yield from _unfamiliar(values)


def _skipped(former: Number, now: Number, given: str) -> Iterator[str]:
    """Servers that do not take over the data of the former ones, with the way that leads there."""
    if now < former:
        yield (
            f"clearml.version: is older than the servers that the data comes from ({given}), and "
            f"may not read it: restore the backup of that time {GUIDE}"
        )
    between: list[str] = []
    step = generation_of(now)
    while step.upgrades_from > former:
        step = generation_of(step.upgrades_from)
        between.insert(0, step.version)
    if between:
        yield (
            f"clearml.version: takes over no data of servers {given}, and may damage it: install "
            f"{' and then '.join(between)} before {GUIDE}"
        )


def _unreadable(values: Values, former: Generation) -> Iterator[str]:
    """Embedded stores of a version that cannot read what the former one has written."""
    for name, store in values.stores.items():
        release: Release = getattr(former, name)
        tag = store.pulled_image(values.generation).version.removeprefix(":")
        old, new = number(release.tag), number(tag)
        if store.source != "embedded" or not old or not new:
            continue
        reads = f"{name}: {tag} reads no data of {release.tag}, which goes with the servers before"
        if new < old:
            yield f"{reads}: keep that one, or restore a backup of this one {GUIDE}"
        elif name in ONE_MAJOR_AT_A_TIME and new[0] - old[0] > 1:
            yield f"{reads}: go one major version at a time {GUIDE}"


def _unfamiliar(values: Values) -> Iterator[str]:
    """Stores of another version than the servers are known to work with, or of an unknown one.

    A Helm chart is of the time of the oldest servers, unless the values name another one.
    """
    now = values.generation
    generations = [now, *([generation_of(now.bridges_from)] if now.bridges_from else [])]
    for name, store in values.stores.items():
        path, said = store.said_version
        found = f"has {said}" if number(said) else "tells no version"
        if store.source == "imported" and not said and store.chart.is_default:
            path, said = ("chart", "version"), getattr(DEFAULT_GENERATION, name).tag
            found = f"{store.chart.version} is of the time of servers {DEFAULT_GENERATION.version}"
        lines = [_line(name, getattr(generation, name).tag) for generation in generations]
        if store.source != "external" and said and _line(name, said) not in lines:
            yield (
                f"{'.'.join((name, *path))}: {found}, and servers {now.version} are known to work "
                f"with {getattr(now, name).tag} (docs/versions.md)"
            )


def _line(store: str, version: str) -> tuple[int, ...] | None:
    told = number(version)
    return told and told[: LINES[store]]


def _version(values: Values) -> str:
    """The version as the values say it, or the first tag that tells it, or the default."""
    tags = (tag for tag in _tags(values).values() if number(tag))
    return _said(values) or next(tags, values.clearml.version)


def _said(values: Values) -> str:
    return values.clearml.version if "version" in values.clearml.model_fields_set else ""


def _tags(values: Values) -> dict[tuple[str, ...], str]:
    """What the images of the installed servers say of their version, by the path that says it."""
    images: dict[str, ServerImage] = {
        name: getattr(values, name).image for name in SERVERS if values.has(name)
    }
    return {
        (name, "image", "tag" if image.tag else "digest"): image.tag or image.digest
        for name, image in images.items()
        if image.tag or image.digest
    }


def _unknown(path: tuple[str, ...], version: str) -> Iterator[Mistake]:
    told = number(version)
    if told and told < GENERATIONS[0].since:
        yield Mistake(path, f"is older than {GENERATIONS[0].version}, the oldest known", version)
    elif told and told[0] > NEWEST.since[0]:
        yield Mistake(path, f"is unknown; the newest known is {NEWEST.version}", version)


def _alike(one: str, other: str) -> bool:
    first, second = number(one), number(other)
    return first is None or second is None or generation_of(first) is generation_of(second)
