"""A release of a chart -> its manifests, as clusters accept them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from config.chart import ChartSource
from config.loading.reading import JsonTypesLoader
from config.types.scalars import is_misread
from imports.archive import archive_path, shown, verify
from imports.error import ChartError
from imports.helm import TIMEOUT, HelmError, template
from imports.patches import (
    Object,
    Patch,
    disruption_budget_v1,
    drop_nulls,
    no_service_links,
    removed_apis,
    replace_dead_images,
    set_namespace,
)


@dataclass(frozen=True, kw_only=True)
class HelmRelease:
    """A chart under a name, its values, and the patches that it needs beyond the common ones."""

    source: ChartSource
    name: str
    namespace: str
    values: Mapping[str, Any]
    patches: Sequence[Patch] = ()


@dataclass(frozen=True)
class ReleaseManifests:
    """The objects of a release in helm's order, and what the user should know about them."""

    objects: list[Object]
    warnings: list[str]


def manifests(helm: Path, release: HelmRelease, *, timeout: float = TIMEOUT) -> ReleaseManifests:
    """Verify the chart's archive, render it and patch the objects.

    Raises ChartError, in one line that names the store, where any of that fails.
    """
    store, path = release.source.name, archive_path(release.source)
    digest = verify(release.source, path)
    warnings = []
    if not release.source.digest:
        warnings.append(
            f"{store}.chart.sha256: is not set, {shown(path)} was taken unverified; it has {digest}"
        )
    try:
        text = template(
            helm,
            path,
            release=release.name,
            namespace=release.namespace,
            values=release.values,
            timeout=timeout,
        )
    except HelmError as error:
        raise ChartError(store, str(error)) from None
    objects = _objects(store, text)
    drop_nulls(objects)
    set_namespace(objects, release.namespace)
    disruption_budget_v1(objects)
    no_service_links(objects)
    for patch in release.patches:
        patch(objects)
    removed = list(removed_apis(objects))
    if removed:
        raise ChartError(
            store,
            "Kubernetes 1.25 and later have no "
            + ", no ".join(removed)
            + "; switch that off in the values, or take a later chart",
        )
    chosen = set(_repositories(release.values))
    warnings += [f"{store}.image: {text}" for text in replace_dead_images(objects, chosen)]
    return ReleaseManifests(objects, warnings)


def _objects(store: str, text: str) -> list[Object]:
    try:
        objects = [found for found in yaml.load_all(text, JsonTypesLoader) if found]
    except yaml.YAMLError as error:
        problem = str(getattr(error, "problem", None) or "no YAML")
        raise ChartError(store, f"helm rendered what cannot be read: {problem}") from None
    seen = set()
    for manifest in objects:
        try:
            identity = f"{manifest['kind']} {manifest['metadata']['name']}"
            manifest["apiVersion"]
        except (LookupError, TypeError):
            raise ChartError(store, "helm rendered what is no Kubernetes object") from None
        if identity in seen:
            raise ChartError(store, f"the chart makes {identity} twice")
        seen.add(identity)
        for unsafe in _misread(manifest):
            raise ChartError(
                store, f"{identity} holds {unsafe!r}, which kubectl would not read as a string"
            )
    return objects


def _misread(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for part in value:
            yield from _misread(part)
    elif isinstance(value, str) and is_misread(value):
        yield value


def _repositories(values: Any) -> Iterator[str]:
    """The image repositories that the values name."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            if key == "repository" and isinstance(value, str):
                yield value
            yield from _repositories(value)
