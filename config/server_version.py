"""Which version of the servers the values install: what they say, or the tags of the images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from config.generation import (
    DEFAULT_GENERATION,
    GENERATIONS,
    NEWEST,
    Generation,
    generation_of,
    number,
)
from config.image import ServerImage
from config.types.model import Mistake
from config.upgrade_steps import ALLOW, SERVERS, Versions, line, losses, versions_of

if TYPE_CHECKING:
    from config.values import Values


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
    if values.clearml.allow_unsafe_upgrade:
        yield (
            f"{ALLOW}: is on, and what an upgrade loses is refused by nobody: take it out when the "
            "step is done"
        )
    if former := _former(values):
        after = _installed(values)
        yield from losses(former, after._replace(converts_data=converts_data(values)))
    yield from _unfamiliar(values)


def converts_data(values: Values) -> bool:
    """Whether Elasticsearch may convert what a former major version has written.

    It may where the data comes from servers that have that version, and in a step that loses
    nothing else.
    """
    if values.clearml.allow_unsafe_upgrade:
        return True
    former, after = _former(values), _installed(values)
    if former is None or not any(losses(former, after)):
        return False
    return not any(losses(former, after._replace(converts_data=True)))


def _former(values: Values) -> Versions | None:
    """What goes with the servers that the data comes from, if the values name them."""
    version = values.clearml.upgrading_from
    known = number(version)
    return versions_of(generation_of(known), version) if known else None


def _installed(values: Values) -> Versions:
    """The servers, and the stores that are made here."""
    tags: dict[str, Any] = {
        name: store.pulled_image(values.generation).version.removeprefix(":")
        for name, store in values.stores.items()
        if store.source == "embedded"
    }
    return Versions(_version(values), **tags)


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
        lines = [line(name, getattr(generation, name).tag) for generation in generations]
        if store.source != "external" and said and line(name, said) not in lines:
            yield (
                f"{'.'.join((name, *path))}: {found}, and servers {now.version} are known to work "
                f"with {getattr(now, name).tag} (docs/versions.md)"
            )


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
