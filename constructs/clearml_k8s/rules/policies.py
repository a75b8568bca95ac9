"""NetworkPolicies."""

from collections.abc import Iterator

from clearml_k8s.rules.formats import PORT_NAME, fits, is_number, is_port, network
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, entries
from clearml_k8s.rules.services import PROTOCOLS
from config.error import shape

# The rules of a policy by direction, and where each names whom it is about.
DIRECTIONS = (("ingress", "from"), ("egress", "to"))


def policy_rules(policy: Place) -> Iterator[tuple[Place, str]]:
    """The rules of a NetworkPolicy, and the field that names the peers of each."""
    for direction, peers in DIRECTIONS:
        for i, rule in policy.items("spec", direction):
            yield policy.below(rule, "spec", direction, i), peers


def policy_ports_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A port of a NetworkPolicy has a number or a name, a range has two numbers in order."""
    for policy in bundle.of("NetworkPolicy"):
        for rule, _ in policy_rules(policy):
            for i, port in rule.items("ports"):
                place = rule.below(port, "ports", i)
                number, end = place.at("port"), place.at("endPort")
                if not (number is None or is_port(number) or fits(number, PORT_NAME, 15)):
                    yield place.says(f"{shape(number)} is not a port", "port")
                yield from place.among(place.at("protocol"), PROTOCOLS, "protocol", or_empty=False)
                if end is not None and not (
                    is_port(number) and is_number(end, number) and is_port(end)
                ):
                    yield place.says(f"{shape(end)} is not the end of a range of ports", "endPort")


def policy_peers_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A peer of a NetworkPolicy is an address block, or pods by labels."""
    for policy in bundle.of("NetworkPolicy"):
        spec = policy.below(policy.at("spec"), "spec")
        for i, kind in enumerate(entries(spec.value, "policyTypes")):
            yield from spec.among(kind, ("Ingress", "Egress"), "policyTypes", i, or_empty=False)
        for rule, field in policy_rules(policy):
            for i, peer in rule.items(field):
                known = peer.keys() & {"ipBlock", "podSelector", "namespaceSelector"}
                if not known or ("ipBlock" in known and len(known) > 1):
                    yield rule.says("either ipBlock or selectors are needed", field, i)


def network_policies_have_cidrs(bundle: Bundle) -> Iterator[Finding]:
    """NetworkPolicy address blocks are CIDRs, exceptions lie inside their block."""
    for block in bundle.walked("ipBlock"):
        if not (outer := network(block.at("cidr"))):
            yield block.says(f"{shape(block.at('cidr'))} is not a CIDR", "cidr")
        for i, exception in enumerate(entries(block.value, "except")):
            if not (inner := network(exception)):
                yield block.says(f"{shape(exception)} is not a CIDR", "except", i)
            elif outer and not (
                inner.prefixlen > outer.prefixlen and inner.network_address in outer
            ):
                yield block.says(f"not inside {outer}", "except", i)


def policies_are_about_one_workload(bundle: Bundle) -> Iterator[Finding]:
    """A NetworkPolicy selects the pods of one workload of the set."""
    for policy in bundle.of("NetworkPolicy"):
        labels = policy.fields("spec", "podSelector", "matchLabels")
        selected = [
            pod
            for pod in bundle.pods
            if labels.items() <= pod.labels.items() and pod.namespace == policy.namespace
        ]
        if len(selected) != 1:
            owners = ", ".join(pod.owner for pod in selected) or "no workload"
            yield policy.says(f"selects {owners}, not one workload", "spec", "podSelector")


RULES: tuple[Rule, ...] = (
    policy_ports_are_valid,
    policy_peers_are_valid,
    network_policies_have_cidrs,
)
CONVENTIONS: tuple[Rule, ...] = (policies_are_about_one_workload,)
