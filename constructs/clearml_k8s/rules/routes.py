"""HTTPRoutes of the Gateway API, Certificates of cert-manager, and what Prometheus scrapes."""

import re
from collections.abc import Iterator
from typing import Any

from clearml_k8s.rules.formats import LABEL, SUBDOMAIN, address, fits, is_port, repeated
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, Step, entries
from clearml_k8s.rules.services import HOST
from config.error import shape

# From the definitions of the Gateway API.
MOST = {"parentRefs": 32, "hostnames": 16, "rules": 16}
MOST_BACKENDS = 16
OF_PARENTS = {
    "group": (re.compile(rf"({SUBDOMAIN.pattern})?"), 253),
    "kind": (re.compile(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?"), 63),
    "namespace": (LABEL, 63),
    "sectionName": (SUBDOMAIN, 253),
}
# As Prometheus spells it.
DURATION = re.compile(
    r"(?=.*[1-9])([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?"
)
MONITORS = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}


def backends(bundle: Bundle) -> Iterator[Place]:
    """The Services that HTTPRoutes send requests to."""
    for route in bundle.of("HTTPRoute"):
        for i, rule in route.items("spec", "rules"):
            for j, backend in Place(rule, rule).items("backendRefs"):
                if backend.get("kind", "Service") == "Service":
                    yield route.below(backend, "spec", "rules", i, "backendRefs", j)


def service_of(backend: Place, bundle: Bundle) -> Place | None:
    """The Service of a backend, if it is in the set."""
    namespace = str(backend.at("namespace") or backend.namespace)
    return bundle.find("Service", backend.at("name"), namespace)


def host_names_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Hosts are lower-case names without port, the first label may be a wildcard."""
    for kind, field in (("HTTPRoute", "hostnames"), ("Certificate", "dnsNames")):
        for place in bundle.of(kind):
            for i, host in enumerate(entries(place.value, "spec", field)):
                if not fits(host, HOST, 253) or address(host):
                    message = f"{shape(host)} is not a lower-case host name without port"
                    yield place.says(message, "spec", field, i)


def routes_are_small_enough(bundle: Bundle) -> Iterator[Finding]:
    """A route has no more of anything than the Gateway API allows."""
    for route in bundle.of("HTTPRoute"):
        lists: list[tuple[Any, int, tuple[Step, ...]]] = [
            (route.at("spec", field), most, ("spec", field)) for field, most in MOST.items()
        ]
        lists += [
            (rule.get("backendRefs"), MOST_BACKENDS, ("spec", "rules", i, "backendRefs"))
            for i, rule in route.items("spec", "rules")
        ]
        for given, most, way in lists:
            if isinstance(given, list) and len(given) > most:
                yield route.says(f"more than {most}", *way)


def routes_have_parents(bundle: Bundle) -> Iterator[Finding]:
    """A route attaches to something that can be found by its name."""
    for route in bundle.of("HTTPRoute"):
        parents = route.items("spec", "parentRefs")
        if not parents:
            yield route.says("no Gateway to attach to", "spec", "parentRefs")
        for i, parent in parents:
            if not fits(parent.get("name"), SUBDOMAIN, 253):
                message = f"{shape(parent.get('name'))} is not the name of a Gateway"
                yield route.says(message, "spec", "parentRefs", i, "name")
            for field, (pattern, limit) in OF_PARENTS.items():
                if (given := parent.get(field)) is not None and not fits(given, pattern, limit):
                    message = f"{shape(given)} is not a {field} of at most {limit} characters"
                    yield route.says(message, "spec", "parentRefs", i, field)
            if (port := parent.get("port")) is not None and not is_port(port):
                yield route.says(f"{shape(port)} is not a port", "spec", "parentRefs", i, "port")
        identities = (
            tuple(
                parent.get(f, "")
                for f in ("group", "kind", "namespace", "name", "sectionName", "port")
            )
            for _, parent in parents
        )
        for i in repeated(identities):
            yield route.says("another parent is the same", "spec", "parentRefs", i)


def backend_ports_exist(bundle: Bundle) -> Iterator[Finding]:
    """A route leads to a port that the Service has."""
    for backend in backends(bundle):
        port, service = backend.at("port"), service_of(backend, bundle)
        if not is_port(port):
            yield backend.says(f"{shape(port)} is not a port", "port")
        elif service and port not in [p.get("port") for _, p in service.items("spec", "ports")]:
            yield backend.says(f"{service.owner} has no port {shape(port)}", "port")


def certificates_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A Certificate is for some host, from an issuer, into a Secret."""
    for certificate in bundle.of("Certificate"):
        if not certificate.at("spec", "dnsNames"):
            yield certificate.says("no host", "spec", "dnsNames")
        for way in (("secretName",), ("issuerRef", "name")):
            name = certificate.at("spec", *way)
            if not fits(name, SUBDOMAIN, 253):
                yield certificate.says(f"{shape(name)} is not a name", "spec", *way)


def monitors_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """What Prometheus is told of times are durations."""
    for kind, field in MONITORS.items():
        for monitor in bundle.of(kind):
            for i, endpoint in monitor.items("spec", field):
                for time in ("interval", "scrapeTimeout"):
                    given = endpoint.get(time)
                    if given is not None and not fits(given, DURATION, 253):
                        message = f"{shape(given)} is not a duration"
                        yield monitor.says(message, "spec", field, i, time)


def backends_exist(bundle: Bundle) -> Iterator[Finding]:
    """The Services that a route leads to are in the set, or known to be outside."""
    for backend in backends(bundle):
        name = backend.at("name")
        if not bundle.is_outside("Service", name) and not service_of(backend, bundle):
            yield backend.says(f"no Service {shape(name)} in the set", "name")


RULES: tuple[Rule, ...] = (
    host_names_are_valid,
    routes_are_small_enough,
    routes_have_parents,
    backend_ports_exist,
    certificates_are_valid,
    monitors_are_valid,
)
CONVENTIONS: tuple[Rule, ...] = (backends_exist,)
