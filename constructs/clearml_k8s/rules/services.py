"""Services, Ingresses and NetworkPolicies."""

import re
from collections.abc import Iterator
from typing import Any

from clearml_k8s.rules.formats import (
    LABEL,
    PORT_NAME,
    SUBDOMAIN,
    address,
    fits,
    is_number,
    is_port,
    network,
    repeated,
)
from clearml_k8s.rules.manifests import Bundle, Place, Rule, Step, at, entries

PROTOCOLS = ("TCP", "UDP", "SCTP")
SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
TRAFFIC_POLICIES = ("Cluster", "Local")
PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
HOST = re.compile(rf"(\*\.)?{SUBDOMAIN.pattern}")
# Exact and Prefix paths are compared as they stand.
PLAIN_PATH = re.compile(r"/(?!.*(//|%2f|/\.\.?(/|$))).*", re.S | re.I)


def is_headless(service: Place) -> bool:
    """Whether a Service has no address of its own."""
    return bool(service.at("spec", "clusterIP") == "None")


def protocol(port: dict[str, Any]) -> str:
    """The protocol of a Service port or container port."""
    return str(port.get("protocol") or "TCP")


def ingress_paths(ingress: Place) -> Iterator[tuple[dict[str, Any], tuple[Step, ...]]]:
    """The paths of an Ingress, and where they are."""
    for i, rule in ingress.items("spec", "rules"):
        for j, path in Place(rule, rule).items("http", "paths"):
            yield path, ("spec", "rules", i, "http", "paths", j)


def ingress_backends(ingress: Place) -> Iterator[Place]:
    """The Services an Ingress sends requests to."""
    backends: list[tuple[Any, tuple[Step, ...]]]
    backends = [(ingress.at("spec", "defaultBackend"), ("spec", "defaultBackend"))]
    backends += [(p.get("backend"), (*way, "backend")) for p, way in ingress_paths(ingress)]
    for backend, way in backends:
        if (service := at(backend, "service")) is not None:
            yield ingress.below(service, *way, "service")


def services_are_valid(bundle: Bundle) -> Iterator[str]:
    """The choices of a Service are among the allowed ones, its sources are CIDRs."""
    for service in bundle.of("Service"):
        spec = service.below(service.at("spec"), "spec")
        yield from spec.among(spec.at("type"), SERVICE_TYPES, "type")
        yield from spec.among(spec.at("sessionAffinity"), ("ClientIP", "None"), "sessionAffinity")
        for field in ("internalTrafficPolicy", "externalTrafficPolicy"):
            yield from spec.among(spec.at(field), TRAFFIC_POLICIES, field)
        outside = spec.at("type") in WITH_NODE_PORTS or spec.at("externalIPs")
        if spec.at("externalTrafficPolicy") and not outside:
            yield spec.says("the Service is not for outside", "externalTrafficPolicy")
        for i, source in enumerate(entries(spec.value, "loadBalancerSourceRanges")):
            if not network(source):
                yield spec.says(f"{source!r} is not a CIDR", "loadBalancerSourceRanges", i)


def service_ports_are_valid(bundle: Bundle) -> Iterator[str]:
    """Service ports are unique, and named where there are several."""
    for service in bundle.of("Service"):
        ports = service.items("spec", "ports")
        place = service.below(ports, "spec", "ports")
        if not ports and not is_headless(service) and service.at("spec", "selector"):
            yield place.says("no ports")
        for i, port in ports:
            number, name, target = port.get("port"), port.get("name"), port.get("targetPort")
            if not is_port(number):
                yield place.says(f"{number!r} is not a port", i, "port")
            if not (target is None or is_port(target) or fits(target, PORT_NAME, 15)):
                yield place.says(f"{target!r} is not a port", i, "targetPort")
            if name is None and len(ports) > 1:
                yield place.says("required, the Service has several ports", i, "name")
            elif name is not None and not fits(name, LABEL, 63):
                yield place.says(f"{name!r} is not a port name", i, "name")
            yield from place.among(port.get("protocol"), PROTOCOLS, i, "protocol")
        for i in repeated(port.get("name") for _, port in ports):
            yield place.says("another port of the Service has this name", i, "name")
        for i in repeated((port.get("port"), protocol(port)) for _, port in ports):
            yield place.says("another port of the Service has this number", i, "port")


def node_ports_are_valid(bundle: Bundle) -> Iterator[str]:
    """Node ports stand in Services of a fitting type, in range, once in the set."""
    ports = [
        (service.below(number, "spec", "ports", i, "nodePort"), service.at("spec", "type"))
        for service in bundle.of("Service")
        for i, port in service.items("spec", "ports")
        if (number := port.get("nodePort")) is not None
    ]
    for place, service_type in ports:
        if service_type not in WITH_NODE_PORTS:
            yield place.says("the Service is neither NodePort nor LoadBalancer")
        if not is_number(place.value, 30000, 32767):
            yield place.says(f"{place.value!r} is not in 30000-32767")
    for index in repeated(place.value for place, _ in ports):
        yield ports[index][0].says("another port of the set has this node port")


def services_select_one_workload(bundle: Bundle) -> Iterator[str]:
    """A Service selects the pods of one workload, which have the ports it names."""
    for service in bundle.of("Service"):
        if not (selector := service.fields("spec", "selector")):
            continue
        selected = [
            pod
            for pod in bundle.pods
            if selector.items() <= pod.labels.items() and pod.namespace == service.namespace
        ]
        if len(selected) != 1:
            owners = ", ".join(pod.owner for pod in selected) or "no workload"
            yield service.says(f"selects {owners}, not one workload", "spec", "selector")
            continue
        ports = [port for c in selected[0].containers for _, port in c.items("ports")]
        named = [(port.get("name"), protocol(port)) for port in ports]
        for i, port in service.items("spec", "ports"):
            target = port.get("targetPort")
            if not (target is None or is_port(target) or (target, protocol(port)) in named):
                message = f"{selected[0].owner} has no port {target!r}"
                yield service.says(message, "spec", "ports", i, "targetPort")


def ingress_hosts_are_valid(bundle: Bundle) -> Iterator[str]:
    """Ingress hosts are lower-case names without port, the first label may be a wildcard."""
    for ingress in bundle.of("Ingress"):
        hosts: list[tuple[Any, tuple[Step, ...]]] = [
            (host, ("spec", "rules", i, "host"))
            for i, rule in ingress.items("spec", "rules")
            if (host := rule.get("host"))
        ]
        for i, tls in ingress.items("spec", "tls"):
            for j, host in enumerate(entries(tls, "hosts")):
                hosts.append((host, ("spec", "tls", i, "hosts", j)))
        for host, way in hosts:
            if not fits(host, HOST, 253) or address(host):
                yield ingress.says(f"{host!r} is not a lower-case host name without port", *way)


def ingress_paths_are_valid(bundle: Bundle) -> Iterator[str]:
    """Ingress paths are absolute, and an Ingress sends requests somewhere."""
    for ingress in bundle.of("Ingress"):
        if not ingress.at("spec", "rules") and not ingress.at("spec", "defaultBackend"):
            yield ingress.says("neither rules nor defaultBackend", "spec")
        for path, way in ingress_paths(ingress):
            kind, prefix = path.get("pathType"), path.get("path")
            if kind not in PATH_TYPES:
                yield ingress.says(
                    f"{kind!r} is not among {', '.join(PATH_TYPES)}", *way, "pathType"
                )
            free = kind == "ImplementationSpecific"
            if not (free and not prefix) and not str(prefix).startswith("/"):
                yield ingress.says(f"{prefix!r} does not start with /", *way, "path")
            elif not free and not PLAIN_PATH.fullmatch(str(prefix)):
                yield ingress.says(f"{prefix!r} is not a plain path", *way, "path")


def ingress_backends_exist(bundle: Bundle) -> Iterator[str]:
    """An Ingress sends requests to Services of its namespace, at ports they have."""
    for ingress in bundle.of("Ingress"):
        for backend in ingress_backends(ingress):
            name, port = backend.at("name"), backend.fields("port")
            if (port.get("name") is None) == (port.get("number") is None):
                yield backend.says("either name or number is needed", "port")
            if bundle.is_outside("Service", name):
                continue
            if (service := bundle.find("Service", name, ingress.namespace)) is None:
                yield backend.says(f"no Service {name!r} in the set", "name")
                continue
            ports = [port for _, port in service.items("spec", "ports")]
            for wanted, field in (("name", "name"), ("number", "port")):
                value = port.get(wanted)
                if value is not None and value not in [port.get(field) for port in ports]:
                    yield backend.says(f"{service.owner} has no port {value!r}", "port", wanted)


def network_policies_have_cidrs(bundle: Bundle) -> Iterator[str]:
    """NetworkPolicy address blocks are CIDRs, exceptions lie inside their block."""
    for block in bundle.walked("ipBlock"):
        if not (outer := network(block.at("cidr"))):
            yield block.says(f"{block.at('cidr')!r} is not a CIDR", "cidr")
        for i, exception in enumerate(entries(block.value, "except")):
            if not (inner := network(exception)):
                yield block.says(f"{exception!r} is not a CIDR", "except", i)
            elif outer and not (
                inner.version == outer.version
                and inner.prefixlen > outer.prefixlen
                and inner.network_address in outer
            ):
                yield block.says(f"not inside {outer}", "except", i)


RULES: tuple[Rule, ...] = (
    services_are_valid,
    service_ports_are_valid,
    node_ports_are_valid,
    services_select_one_workload,
    ingress_hosts_are_valid,
    ingress_paths_are_valid,
    ingress_backends_exist,
    network_policies_have_cidrs,
)
