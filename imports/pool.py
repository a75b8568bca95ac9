"""All releases of the values, rendered at the same time."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from config import Values, ValuesError
from imports import elasticsearch, mongodb, redis
from imports.helm import HelmError, find_helm
from imports.release import HelmRelease, ReleaseManifests, manifests


def helm_releases(values: Values) -> list[HelmRelease]:
    """The releases of the stores whose provider is helm."""
    release = values.release
    wanted = []
    if values.mongodb.source == "imported":
        wanted.append(mongodb.helm_release(values.mongodb, release))
    if values.redis.source == "imported":
        wanted.append(redis.helm_release(values.redis, release))
    if values.elasticsearch.source == "imported":
        wanted.append(elasticsearch.helm_release(values.elasticsearch, release))
    return wanted


class ReleasePool:
    """Releases that helm is rendering in the background, from the construction on."""

    def __init__(self, values: Values) -> None:
        self._futures: dict[str, Future[ReleaseManifests]] = {}
        wanted = helm_releases(values)
        if wanted:
            pool = ThreadPoolExecutor(len(wanted) + 1)
            helm = pool.submit(find_helm)
            for release in wanted:
                self._futures[release.source.name] = pool.submit(_manifests, helm, release)
            pool.shutdown(wait=False)

    def wait(self) -> Mapping[str, ReleaseManifests]:
        """What was rendered, by store; ValuesError with a line for each release that was not."""
        made: dict[str, ReleaseManifests] = {}
        lines: list[str] = []
        for store, future in self._futures.items():
            try:
                made[store] = future.result()
            except ValuesError as error:
                lines += error.lines
            except HelmError as error:
                lines = [str(error)]  # of helm itself, and thus of all releases
                break
        if lines:
            raise ValuesError(lines)
        return made


def _manifests(helm: "Future[Path]", release: HelmRelease) -> ReleaseManifests:
    return manifests(helm.result(), release)
