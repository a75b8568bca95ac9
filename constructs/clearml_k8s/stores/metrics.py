"""Exporters: what Prometheus asks about a store."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from constructs import Construct

from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.network import METRICS
from clearml_k8s.parts.service import ServicePort
from clearml_k8s.parts.untyped import untyped
from config.metrics import StoreMetrics


class Exporter(NamedTuple):
    """The exporter of a store: where it listens, and how it is told where the store is.

    Nothing comes of it unless the values ask for it.
    """

    values: StoreMetrics
    port: int
    args: Sequence[str] | None = None
    env: Mapping[str, EnvValue] = {}

    @property
    def sidecars(self) -> list[Container]:
        """The container beside the store, which needs no rights at all."""
        if not self.values.enabled:
            return []
        return [
            Container(
                name=METRICS,
                image=self.values.image.pulled(self.values.image.pull_secrets),
                args=self.args,
                env=self.env,
                ports={METRICS: self.port},
                resources=self.values.resources,
                security_context=unprivileged(read_only=True),
            )
        ]

    @property
    def service_ports(self) -> dict[str, ServicePort]:
        """The port of the headless Service, by which each pod is scraped."""
        return {METRICS: ServicePort(self.port, METRICS)} if self.values.enabled else {}

    def monitor(self, scope: Construct, component: Component) -> None:
        """Make the ServiceMonitor `<component>`, if the values ask for it."""
        monitor = self.values.service_monitor
        if not (self.values.enabled and monitor.enabled):
            return
        interval = {"interval": monitor.interval} if monitor.interval else {}
        untyped(
            scope,
            f"{component.name}-service-monitor",
            api_version="monitoring.coreos.com/v1",
            kind="ServiceMonitor",
            metadata=component.metadata(labels=monitor.labels),
            spec={
                "endpoints": [{**interval, "port": METRICS}],
                "selector": {"matchLabels": dict(component.selector)},
            },
        )
