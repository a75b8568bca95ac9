"""Probes and lifecycle hooks."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import fits, is_number, is_port
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, at, entries
from config.error import shape

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = (("lifecycle", "postStart"), ("lifecycle", "preStop"))
NETWORK_HANDLERS = ("httpGet", "tcpSocket", "grpc")
HEADER = re.compile(r"[-A-Za-z0-9]+")
HANDLERS = ("exec", *NETWORK_HANDLERS)
TIMES = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def probes(container: Place) -> Iterator[Place]:
    """The probes a container has."""
    for probe in PROBES:
        if (value := container.at(probe)) is not None:
            yield container.below(value, probe)


def hooks(container: Place) -> Iterator[Place]:
    """The lifecycle hooks a container has."""
    for hook in HOOKS:
        if (value := container.at(*hook)) is not None:
            yield container.below(value, *hook)


def handlers_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A probe or hook has one handler, that says enough."""
    for container in bundle.containers:
        for places, known in ((probes, HANDLERS), (hooks, (*HANDLERS, "sleep"))):
            for place in places(container):
                handlers = [key for key in place.fields() if key in known]
                if len(handlers) != 1:
                    yield place.says(f"{len(handlers)} handlers, one is needed")
                if "exec" in handlers and not entries(place.at("exec"), "command"):
                    yield place.says("no command", "exec", "command")
                for i, header in place.items("httpGet", "httpHeaders"):
                    if not fits(name := header.get("name"), HEADER, 256):
                        way = ("httpGet", "httpHeaders", i, "name")
                        yield place.says(f"{shape(name)} is not a header", *way)
                scheme = place.at("httpGet", "scheme")
                yield from place.among(scheme, ("HTTP", "HTTPS"), "httpGet", "scheme")


def probes_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Liveness and startup need one success, and only they have a grace period."""
    for container in bundle.containers:
        for probe in probes(container):
            readiness = probe.steps[-1] == "readinessProbe"
            if probe.at("successThreshold") not in (None, 0, 1) and not readiness:
                yield probe.says("must be 1", "successThreshold")
            for field in TIMES:
                time = probe.at(field)
                if time is not None and not is_number(time, 0):
                    yield probe.says(f"{shape(time)} is not 0 or more", field)
            grace = probe.at("terminationGracePeriodSeconds")
            if grace is not None and (readiness or not is_number(grace, 1)):
                yield probe.says(
                    "1 or more, and not in a readiness probe", "terminationGracePeriodSeconds"
                )


def init_containers_have_no_probes(bundle: Bundle) -> Iterator[Finding]:
    """An init container that ends has neither probes nor hooks."""
    for container in bundle.containers:
        if "initContainers" not in container.steps:
            continue
        policy = container.at("restartPolicy")
        yield from container.among(policy, ("Always",), "restartPolicy")
        if policy is None:
            lifecycle = container.below(container.at("lifecycle"), "lifecycle")
            for place in (
                *probes(container),
                *([lifecycle] if lifecycle.value is not None else ()),
            ):
                yield place.says("not in an init container that ends")


def probe_ports_exist(bundle: Bundle) -> Iterator[Finding]:
    """A probe or hook names a port of its container, or gives a number."""
    for container in bundle.containers:
        named = [port.get("name") for _, port in container.items("ports")]
        for place in (*probes(container), *hooks(container)):
            for handler in NETWORK_HANDLERS:
                port = at(place.value, handler, "port")
                if place.at(handler) is None or is_port(port):
                    continue
                if port is None or port not in named:
                    yield place.says(f"the container has no port {shape(port)}", handler, "port")


RULES: tuple[Rule, ...] = (
    handlers_are_valid,
    probes_are_valid,
    init_containers_have_no_probes,
    probe_ports_exist,
)
