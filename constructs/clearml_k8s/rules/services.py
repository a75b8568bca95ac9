"""Services and Ingresses."""

import re
from collections.abc import Iterator
from typing import Any

from clearml_k8s.rules.formats import (
    LABEL,
    PORT_NAME,
    SUBDOMAIN,
    address,
    fits,
    is_label_key,
    is_number,
    is_port,
    network,
    repeated,
)
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Pod, Rule, Step, at, entries
from config.error import shape
from config.ingress import CLASS_ANNOTATION

PROTOCOLS = ("TCP", "UDP", "SCTP")
SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
FAMILY_POLICIES = ("SingleStack", "PreferDualStack", "RequireDualStack")
FAMILIES = ("IPv4", "IPv6")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
TRAFFIC_POLICIES = ("Cluster", "Local")
PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
HOST = re.compile(rf"(\*\.)?{SUBDOMAIN.pattern}")
# Exact and Prefix paths are compared as they stand.
PLAIN_PATH = re.compile(r"(?!.*(//|%2f|/\.\.?(/|$)))/.*", re.S | re.I)


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


def services_are_valid(bundle: Bundle) -> Iterator[Finding]:
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
                yield spec.says(f"{shape(source)} is not a CIDR", "loadBalancerSourceRanges", i)
        for field in ("loadBalancerClass", "loadBalancerSourceRanges"):
            if spec.at(field) and spec.at("type") != "LoadBalancer":
                yield spec.says("the Service is no LoadBalancer", field)
        if (name := spec.at("loadBalancerClass")) is not None and not is_label_key(name):
            yield spec.says(f"{shape(name)} is not a class", "loadBalancerClass")


def ip_families_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A Service has each family of addresses once, and two only as its policy says."""
    for service in bundle.of("Service"):
        spec = service.below(service.at("spec"), "spec")
        policy, families = spec.at("ipFamilyPolicy"), list(entries(spec.value, "ipFamilies"))
        yield from spec.among(policy, FAMILY_POLICIES, "ipFamilyPolicy")
        for i, family in enumerate(families):
            yield from spec.among(family, FAMILIES, "ipFamilies", i)
        for i in repeated(families):
            yield spec.says("named twice", "ipFamilies", i)
        if len(families) > 1 and policy == "SingleStack":
            yield spec.says("two families with ipFamilyPolicy SingleStack", "ipFamilies")
        distribution = spec.at("trafficDistribution")
        yield from spec.among(distribution, DISTRIBUTIONS, "trafficDistribution")
        way = "allocateLoadBalancerNodePorts"
        if spec.at(way) is not None and spec.at("type") != "LoadBalancer":
            yield spec.says("the Service is no LoadBalancer", way)


def session_affinities_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Only a Service that knows its clients forgets them, after a day at most."""
    for service in bundle.of("Service"):
        spec = service.below(service.at("spec"), "spec")
        if spec.at("sessionAffinityConfig") is None:
            continue
        if spec.at("sessionAffinity") != "ClientIP":
            yield spec.says("only with sessionAffinity ClientIP", "sessionAffinityConfig")
        way = ("sessionAffinityConfig", "clientIP", "timeoutSeconds")
        if (seconds := spec.at(*way)) is not None and not is_number(seconds, 1, 86400):
            yield spec.says(f"{shape(seconds)} is not in 1-86400", *way)


def service_ports_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Service ports are unique, and named where there are several."""
    for service in bundle.of("Service"):
        ports = service.items("spec", "ports")
        place = service.below(ports, "spec", "ports")
        if not ports and not is_headless(service) and service.at("spec", "selector"):
            yield place.says("no ports")
        for i, port in ports:
            number, name, target = port.get("port"), port.get("name"), port.get("targetPort")
            if not is_port(number):
                yield place.says(f"{shape(number)} is not a port", i, "port")
            if not (target is None or is_port(target) or fits(target, PORT_NAME, 15)):
                yield place.says(f"{shape(target)} is not a port", i, "targetPort")
            if name is None and len(ports) > 1:
                yield place.says("required, the Service has several ports", i, "name")
            elif name is not None and not fits(name, LABEL, 63):
                yield place.says(f"{shape(name)} is not a port name", i, "name")
            yield from place.among(port.get("protocol"), PROTOCOLS, i, "protocol")
        for i in repeated(port.get("name") for _, port in ports):
            yield place.says("another port of the Service has this name", i, "name")
        for i in repeated((port.get("port"), protocol(port)) for _, port in ports):
            yield place.says("another port of the Service has this number", i, "port")


def node_ports_are_valid(bundle: Bundle) -> Iterator[Finding]:
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
            yield place.says(f"{shape(place.value)} is not in 30000-32767")
    for index in repeated(place.value for place, _ in ports):
        yield ports[index][0].says("another port of the set has this node port")


def selections(bundle: Bundle) -> Iterator[tuple[Place, list[Pod]]]:
    """Each Service with a selector, and the workloads whose pods it selects."""
    for service in bundle.of("Service"):
        if selector := service.fields("spec", "selector"):
            yield (
                service,
                [
                    pod
                    for pod in bundle.pods
                    if selector.items() <= pod.labels.items() and pod.namespace == service.namespace
                ],
            )


def services_select_one_workload(bundle: Bundle) -> Iterator[Finding]:
    """A Service selects the pods of one workload."""
    for service, selected in selections(bundle):
        if len(selected) != 1:
            owners = ", ".join(pod.owner for pod in selected) or "no workload"
            yield service.says(f"selects {owners}, not one workload", "spec", "selector")


def target_ports_exist(bundle: Bundle) -> Iterator[Finding]:
    """The pods that a Service selects have the ports it names."""
    for service, selected in selections(bundle):
        for pod in selected:
            ports = [port for c in pod.containers for _, port in c.items("ports")]
            named = [(port.get("name"), protocol(port)) for port in ports]
            for i, port in service.items("spec", "ports"):
                target = port.get("targetPort")
                if not (target is None or is_port(target) or (target, protocol(port)) in named):
                    message = f"{pod.owner} has no port {shape(target)}"
                    yield service.says(message, "spec", "ports", i, "targetPort")


def ingress_hosts_are_valid(bundle: Bundle) -> Iterator[Finding]:
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
                yield ingress.says(
                    f"{shape(host)} is not a lower-case host name without port", *way
                )


def ingress_paths_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Ingress paths are absolute, and an Ingress sends requests somewhere."""
    for ingress in bundle.of("Ingress"):
        if not ingress.at("spec", "rules") and not ingress.at("spec", "defaultBackend"):
            yield ingress.says("neither rules nor defaultBackend", "spec")
        for path, way in ingress_paths(ingress):
            kind, prefix = path.get("pathType"), path.get("path")
            if kind not in PATH_TYPES:
                yield ingress.says(
                    f"{shape(kind)} is not among {', '.join(PATH_TYPES)}", *way, "pathType"
                )
            free = kind == "ImplementationSpecific"
            if not (free and not prefix) and not str(prefix).startswith("/"):
                yield ingress.says(f"{shape(prefix)} does not start with /", *way, "path")
            elif not free and not PLAIN_PATH.fullmatch(str(prefix)):
                yield ingress.says(f"{shape(prefix)} is not a plain path", *way, "path")


def ingress_classes_agree(bundle: Bundle) -> Iterator[Finding]:
    """The annotation for a class, which some controllers read, names that of the field."""
    for ingress in bundle.of("Ingress"):
        name = ingress.at("spec", "ingressClassName")
        noted = ingress.at("metadata", "annotations", CLASS_ANNOTATION)
        if name and not fits(name, SUBDOMAIN, 253):
            yield ingress.says(f"{shape(name)} is not a class name", "spec", "ingressClassName")
        if None not in (name, noted) and name != noted:
            message = f"not the ingressClassName, {shape(name)}"
            yield ingress.says(message, "metadata", "annotations", CLASS_ANNOTATION)


def ingress_backends_exist(bundle: Bundle) -> Iterator[Finding]:
    """The Services that an Ingress sends requests to are in the set, or known to be outside."""
    for ingress in bundle.of("Ingress"):
        for backend in ingress_backends(ingress):
            name = backend.at("name")
            if not bundle.is_outside("Service", name) and not bundle.find(
                "Service", name, ingress.namespace
            ):
                yield backend.says(f"no Service {shape(name)} in the set", "name")


def backend_ports_exist(bundle: Bundle) -> Iterator[Finding]:
    """An Ingress names one port of a Service, which the Service has."""
    for ingress in bundle.of("Ingress"):
        for backend in ingress_backends(ingress):
            name, port = backend.at("name"), backend.fields("port")
            if (port.get("name") is None) == (port.get("number") is None):
                yield backend.says("either name or number is needed", "port")
            if (service := bundle.find("Service", name, ingress.namespace)) is None:
                continue
            ports = [port for _, port in service.items("spec", "ports")]
            for wanted, field in (("name", "name"), ("number", "port")):
                value = port.get(wanted)
                if value is not None and value not in [port.get(field) for port in ports]:
                    yield backend.says(
                        f"{service.owner} has no port {shape(value)}", "port", wanted
                    )


RULES: tuple[Rule, ...] = (
    services_are_valid,
    ip_families_are_valid,
    session_affinities_are_valid,
    service_ports_are_valid,
    node_ports_are_valid,
    target_ports_exist,
    ingress_hosts_are_valid,
    ingress_paths_are_valid,
    ingress_classes_agree,
    backend_ports_exist,
)
CONVENTIONS: tuple[Rule, ...] = (services_select_one_workload, ingress_backends_exist)
