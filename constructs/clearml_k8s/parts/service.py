"""Services."""

from collections.abc import Mapping
from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.untyped import untyped
from config.service import Service, StoreService
from config.types.structs import int_or_string, to_plain

HTTP = "http"
PAUSE = 5
"""Seconds after which nobody sends requests any more to a pod that is to end: kube-proxy, Ingress
controllers and gateways learn of it one after the other.
"""


class ServicePort(NamedTuple):
    """A port of a Service, and the container port that it leads to."""

    port: int
    target: str


def server_service(scope: Construct, component: Component, values: Service) -> None:
    """Make the Service of a server, which forwards to the container port `http`."""
    port = k8s.ServicePort(
        name=HTTP,
        port=values.port,
        target_port=int_or_string(HTTP),
        node_port=values.published_node_port,
    )
    spec = k8s.ServiceSpec(
        type=values.type,
        selector=component.selector,
        ports=[port],
        load_balancer_ip=values.load_balancer_ip or None,
        load_balancer_class=values.load_balancer_class,
        load_balancer_source_ranges=values.load_balancer_source_ranges or None,
        external_traffic_policy=values.external_traffic_policy,
        session_affinity=values.session_affinity,
        session_affinity_config=_affinity_config(values.session_affinity_timeout_seconds),
        ip_family_policy=values.ip_family_policy,
        ip_families=values.ip_families or None,
        external_i_ps=values.external_ips or None,
        allocate_load_balancer_node_ports=values.allocate_load_balancer_node_ports,
    )
    distribution = values.traffic_distribution
    # Not a KubeService, which drops the distribution, patched in or not.
    untyped(
        scope,
        "service",
        api_version="v1",
        kind="Service",
        metadata=component.metadata(annotations=values.annotations, labels=values.labels),
        spec=to_plain(spec) | ({"trafficDistribution": distribution} if distribution else {}),
    )


def store_service(
    scope: Construct,
    component: Component,
    name: str,
    ports: Mapping[str, ServicePort],
    values: StoreService,
    *,
    type: str = "ClusterIP",
) -> None:
    """Make a Service of a store; the ports by name."""
    k8s.KubeService(
        scope,
        f"{component.name}-service",
        metadata=component.metadata(name, values.annotations),
        spec=k8s.ServiceSpec(type=type, selector=component.selector, ports=_ports(ports)),
    )


def headless_service(
    scope: Construct, component: Component, ports: Mapping[str, ServicePort]
) -> None:
    """Make the Service that gives the pods their host names, before they are ready too."""
    k8s.KubeService(
        scope,
        f"{component.name}-headless-service",
        metadata=component.metadata(component.headless),
        spec=k8s.ServiceSpec(
            cluster_ip="None",
            publish_not_ready_addresses=True,
            selector=component.selector,
            ports=_ports(ports),
        ),
    )


def _affinity_config(timeout: int | None) -> k8s.SessionAffinityConfig | None:
    if timeout is None:
        return None
    return k8s.SessionAffinityConfig(client_ip=k8s.ClientIpConfig(timeout_seconds=timeout))


def _ports(ports: Mapping[str, ServicePort]) -> list[k8s.ServicePort]:
    return [
        k8s.ServicePort(name=name, port=port, target_port=int_or_string(target))
        for name, (port, target) in ports.items()
    ]
