"""All charts that the values name, rendered at the same time."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from config import Values, ValuesError
from imports import elasticsearch, mongodb, redis
from imports.helm import HelmError, find_helm
from imports.rendering import ChartRelease, Rendered, render


def charts(values: Values) -> list[ChartRelease]:
    """The charts of the stores whose provider is helm."""
    release = values.release
    wanted = []
    if values.mongodb.source == "imported":
        wanted.append(mongodb.chart(values.mongodb, release))
    if values.redis.source == "imported":
        wanted.append(redis.chart(values.redis, release))
    if values.elasticsearch.source == "imported":
        wanted.append(elasticsearch.chart(values.elasticsearch, release))
    return wanted


class Renderings:
    """Charts that helm is rendering in the background, from the construction on."""

    def __init__(self, values: Values) -> None:
        self._futures: dict[str, Future[Rendered]] = {}
        wanted = charts(values)
        if wanted:
            pool = ThreadPoolExecutor(len(wanted) + 1)
            self._helm = pool.submit(find_helm)
            for chart in wanted:
                self._futures[chart.source.name] = pool.submit(_render, self._helm, chart)
            pool.shutdown(wait=False)

    def wait(self) -> Mapping[str, Rendered]:
        """What was rendered, by store; ValuesError with a line for each chart that was not."""
        rendered: dict[str, Rendered] = {}
        lines: list[str] = []
        for store, future in self._futures.items():
            try:
                rendered[store] = future.result()
            except ValuesError as error:
                lines += error.lines
            except HelmError as error:
                lines = [str(error)]  # of helm itself, and thus of all charts
                break
        if lines:
            raise ValuesError(lines)
        return rendered


def _render(helm: "Future[Path]", chart: ChartRelease) -> Rendered:
    return render(helm.result(), chart)
