"""NetworkPolicies: the pods of an installation talk to what they need, and to nothing else."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.need import Endpoint
from clearml_k8s.parts.workload import Placed
from config.traits import NetworkPolicies, NetworkPolicy
from config.types.structs import int_or_string

METRICS = "metrics"  # whoever scrapes them
DNS = (("UDP", 53), ("TCP", 53))

Clients = Mapping[str, Mapping[int, Mapping[str, Component]]]
"""Who needs a port, by the pods that listen on it and the port; by name, so that each is once."""


def network_policies(placed: Sequence[Placed], values: NetworkPolicies) -> None:
    """Make the NetworkPolicy `<name>` of each workload that is to have one, in its chart.

    The pods of a workload are reached by those that need them, and on public ports by everybody;
    they reach what they need, and name servers. Of what is outside only the port counts, as a
    policy knows no names; who needs a port that nobody knows may talk to everything.
    """
    clients = _clients(placed)
    for each in placed:
        if _is_isolated(each, values):
            component, rules = each.workload.component, each.pod.network_policy
            egress = _egress(each)
            k8s.KubeNetworkPolicy(
                each.scope,
                f"{component.name}-network-policy",
                metadata=component.metadata(),
                spec=k8s.NetworkPolicySpec(
                    pod_selector=_selecting(component.selector),
                    policy_types=["Ingress"] if egress is None else ["Ingress", "Egress"],
                    ingress=[*_ingress(each, clients), *_extra_ingress(rules)] or None,
                    egress=None if egress is None else [*egress, *_extra_egress(rules)],
                ),
            )


def _is_isolated(each: Placed, values: NetworkPolicies) -> bool:
    said = (each.pod.network_policy.enabled, values.enabled)
    return next((enabled for enabled in said if enabled is not None), each.pod.isolated)


def _clients(placed: Sequence[Placed]) -> Clients:
    clients: defaultdict[str, defaultdict[int, dict[str, Component]]]
    clients = defaultdict(lambda: defaultdict(dict))
    for each in placed:
        component = each.workload.component
        for endpoint in _reached(each):
            if endpoint.selector is not None and endpoint.port is not None:
                clients[_key(endpoint.selector)][endpoint.port][component.name] = component
    return clients


def _key(selector: Mapping[str, str]) -> str:
    return str(sorted(selector.items()))


def _reached(each: Placed) -> Iterator[Endpoint]:
    """All that the pods of a workload talk to."""
    for need in each.workload.needs.values():
        yield from need.endpoints
    yield from each.workload.peers


def _ingress(each: Placed, clients: Clients) -> Iterator[k8s.NetworkPolicyIngressRule]:
    public = dict.fromkeys(_public_ports(each))
    if public:
        yield k8s.NetworkPolicyIngressRule(ports=[_port(*port) for port in public])
    for port, components in sorted(clients.get(_key(each.workload.component.selector), {}).items()):
        if ("TCP", port) not in public:
            yield k8s.NetworkPolicyIngressRule(
                ports=[_port("TCP", port)],
                from_=[_pods(component.selector) for component in components.values()],
            )


def _public_ports(each: Placed) -> Iterator[tuple[str, int]]:
    """Those of the workload's public ports, of metrics, and of the containers of the values."""
    workload = each.workload
    for container in (workload.main, *workload.sidecars):
        for name, port in container.ports.items():
            if name == METRICS or name in workload.public:
                yield "TCP", port
    for extra in each.pod.extra_containers:
        for declared in extra.ports or []:
            yield declared.protocol or "TCP", int(declared.container_port)


def _egress(each: Placed) -> list[k8s.NetworkPolicyEgressRule] | None:
    """A rule for name servers and for each endpoint; None if everything may be reached."""
    rules = [k8s.NetworkPolicyEgressRule(ports=[_port(*port) for port in DNS])]
    for endpoint in _reached(each):
        if endpoint == Endpoint():
            return None
        rules.append(
            k8s.NetworkPolicyEgressRule(
                to=None if endpoint.selector is None else [_pods(endpoint.selector)],
                ports=None if endpoint.port is None else [_port("TCP", endpoint.port)],
            )
        )
    return rules


def _extra_ingress(values: NetworkPolicy) -> Iterator[k8s.NetworkPolicyIngressRule]:
    for rule in values.extra_ingress:
        yield k8s.NetworkPolicyIngressRule(from_=rule.from_, ports=_spelled_out(rule.ports))


def _extra_egress(values: NetworkPolicy) -> Iterator[k8s.NetworkPolicyEgressRule]:
    for rule in values.extra_egress:
        yield k8s.NetworkPolicyEgressRule(to=rule.to, ports=_spelled_out(rule.ports))


def _spelled_out(ports: list[k8s.NetworkPolicyPort] | None) -> list[k8s.NetworkPolicyPort] | None:
    """The ports with the protocol that the API server fills in, or kubectl sends them each time."""
    return ports and [
        k8s.NetworkPolicyPort(
            protocol=each.protocol or "TCP", port=each.port, end_port=each.end_port
        )
        for each in ports
    ]


def _selecting(labels: Mapping[str, str]) -> k8s.LabelSelector:
    return k8s.LabelSelector(match_labels=labels)


def _pods(selector: Mapping[str, str]) -> k8s.NetworkPolicyPeer:
    return k8s.NetworkPolicyPeer(pod_selector=_selecting(selector))


def _port(protocol: str, port: int) -> k8s.NetworkPolicyPort:
    return k8s.NetworkPolicyPort(protocol=protocol, port=int_or_string(port))
