"""Containers and their ports, name resolution, and what is chosen for a pod."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import (
    LABEL,
    PORT_NAME,
    SUBDOMAIN,
    address,
    fits,
    is_number,
    is_port,
    repeated,
)
from clearml_k8s.rules.manifests import Bundle, Finding, Rule, entries
from clearml_k8s.rules.services import PROTOCOLS, protocol
from config.error import shape

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
SEARCH_DOMAIN = re.compile(
    r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*\.?"
)
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
# Absent, it is Always.
RESTART_POLICIES = {
    **dict.fromkeys(("Job", "CronJob"), ("Never", "OnFailure")),
    "Pod": ("Always", "Never", "OnFailure"),
}


def containers_are_named(bundle: Bundle) -> Iterator[Finding]:
    """Container names are valid and unique in the pod, and each container has an image."""
    for pod in bundle.pods:
        if not pod.at("containers"):
            yield pod.says("no containers", "containers")
        names = [container.at("name") for container in pod.containers]
        for container, name in zip(pod.containers, names, strict=True):
            if not fits(name, LABEL, 63):
                yield container.says(f"{shape(name)} is not a container name", "name")
            image = container.at("image")
            if not isinstance(image, str) or not image.strip():
                yield container.says("no image", "image")
            policy = container.at("imagePullPolicy")
            yield from container.among(policy, PULL_POLICIES, "imagePullPolicy")
            policy = container.at("terminationMessagePolicy")
            yield from container.among(policy, MESSAGE_POLICIES, "terminationMessagePolicy")
        for index in repeated(names):
            yield pod.containers[index].says("another container of the pod has this name", "name")


def container_ports_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Container ports are in range, with valid names that are unique in the container."""
    for container in bundle.containers:
        ports = container.items("ports")
        for i, port in ports:
            name = port.get("name")
            for field in ("containerPort", "hostPort"):
                number = port.get(field)
                if not is_port(number) and (field == "containerPort" or number):
                    yield container.says(f"{shape(number)} is not a port", "ports", i, field)
            if name is not None and not fits(name, PORT_NAME, 15):
                message = f"{shape(name)} is not a port name of at most 15 characters"
                yield container.says(message, "ports", i, "name")
            yield from container.among(port.get("protocol"), PROTOCOLS, "ports", i, "protocol")
        for i in repeated(port.get("name") for _, port in ports):
            yield container.says("another port of the container has this name", "ports", i, "name")


def host_ports_are_unique(bundle: Bundle) -> Iterator[Finding]:
    """No two ports of a pod want the same port of the node."""
    for pod in bundle.pods:
        ports = [
            (container, i, (number, protocol(port), port.get("hostIP")))
            for container in pod.containers
            for i, port in container.items("ports")
            if (number := port.get("hostPort"))
        ]
        for index in repeated(key for *_, key in ports):
            container, i, _ = ports[index]
            yield container.says("another port of the pod has it", "ports", i, "hostPort")


def lives_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Restart policies suit the kind, times are not negative."""
    for pod in bundle.pods:
        policy = pod.at("restartPolicy") or "Always"
        yield from pod.among(policy, RESTART_POLICIES.get(pod.kind, ("Always",)), "restartPolicy")
        grace = pod.at("terminationGracePeriodSeconds")
        if grace is not None and not is_number(grace, 0):
            yield pod.says(f"{shape(grace)} is not 0 or more", "terminationGracePeriodSeconds")


def service_links_are_off(bundle: Bundle) -> Iterator[Finding]:
    """The variables of all Services of the namespace do not come into the containers."""
    for pod in bundle.pods:
        links = pod.at("enableServiceLinks")
        if pod.kind in ("Deployment", "StatefulSet") and links is not False:
            yield pod.says("must be false", "enableServiceLinks")


def name_resolution_is_valid(bundle: Bundle) -> Iterator[Finding]:
    """Host aliases and name servers are IP addresses; without a policy they must be there."""
    for pod in bundle.pods:
        policy, servers = pod.at("dnsPolicy"), entries(pod.at("dnsConfig"), "nameservers")
        yield from pod.among(policy, DNS_POLICIES, "dnsPolicy")
        if policy == "None" and not servers:
            yield pod.says("needed with dnsPolicy None", "dnsConfig", "nameservers")
        if len(servers) > 3:
            yield pod.says("more than 3", "dnsConfig", "nameservers")
        for i, server in enumerate(servers):
            if not address(server):
                yield pod.says(
                    f"{shape(server)} is not an IP address", "dnsConfig", "nameservers", i
                )
        searches = entries(pod.at("dnsConfig"), "searches")
        if len(searches) > 32 or len(" ".join(map(str, searches))) > 2048:
            yield pod.says("more than 32, or than 2048 characters", "dnsConfig", "searches")
        for i, domain in enumerate(searches):
            if domain != "." and not fits(domain, SEARCH_DOMAIN, 253):
                yield pod.says(f"{shape(domain)} is not a domain", "dnsConfig", "searches", i)
        for i, option in pod.items("dnsConfig", "options"):
            if not option.get("name"):
                yield pod.says("no name", "dnsConfig", "options", i, "name")
        for i, alias in pod.items("hostAliases"):
            if not address(ip := alias.get("ip")):
                yield pod.says(f"{shape(ip)} is not an IP address", "hostAliases", i, "ip")
            for j, name in enumerate(entries(alias, "hostnames")):
                if not fits(name, SUBDOMAIN, 253):
                    yield pod.says(f"{shape(name)} is not a host", "hostAliases", i, "hostnames", j)


RULES: tuple[Rule, ...] = (
    containers_are_named,
    container_ports_are_valid,
    host_ports_are_unique,
    lives_are_valid,
    name_resolution_is_valid,
)
CONVENTIONS: tuple[Rule, ...] = (service_links_are_off,)
