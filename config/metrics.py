"""Metrics of the stores, in the words of their Helm charts."""

from typing import Annotated

from pydantic import Field

from config.store import ChartModel, StoreImage
from config.types.fragment import Resources
from config.types.kubernetes import Labels
from config.types.model import Section, section
from config.types.scalars import Text, matching

DURATION = (
    r"^((?=.*[1-9])([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)?$"
)
Duration = Annotated[
    Text, matching(DURATION, "must be a duration as Prometheus spells it, such as 30s")
]


class ServiceMonitor(ChartModel):
    """A ServiceMonitor, by which the Prometheus Operator finds the exporter."""

    enabled: bool = Field(
        default=False,
        description="Whether there is a ServiceMonitor; the cluster must have the Prometheus "
        "Operator.",
    )
    labels: Labels = Field(
        default={}, description="More labels of the ServiceMonitor, which Prometheus selects it by."
    )
    interval: Duration = Field(
        default="", description="Time between two scrapes; empty means Prometheus' default."
    )


class StoreMetrics(ChartModel):
    """An exporter beside the store, which Prometheus scrapes."""

    enabled: bool = Field(
        default=False,
        description="Whether an exporter runs beside the store, on the port `metrics` of its pods "
        "and headless Service.",
    )
    image: Section[StoreImage]
    resources: Resources = Field(
        default=None, description="Resource requests and limits of the exporter."
    )
    service_monitor: Section[ServiceMonitor] = section()
