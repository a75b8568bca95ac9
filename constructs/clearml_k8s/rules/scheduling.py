"""Tolerations, affinity, selector expressions and topology spread."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import (
    LABEL,
    SUBDOMAIN,
    fits,
    is_label_key,
    is_label_value,
    is_number,
    repeated,
)
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, entries
from config.error import shape

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
LABEL_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
NODE_OPERATORS = (*LABEL_OPERATORS, "Gt", "Lt")
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
INTEGER = re.compile(r"[+-]?[0-9]+")


def tolerations_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A toleration of any value names no value; only NoExecute has a time."""
    for pod in bundle.pods:
        for i, toleration in pod.items("tolerations"):
            place = pod.below(toleration, "tolerations", i)
            key, operator = toleration.get("key"), toleration.get("operator") or "Equal"
            value, effect = toleration.get("value") or "", toleration.get("effect") or None
            yield from place.among(operator, ("Exists", "Equal"), "operator")
            yield from place.among(effect, EFFECTS, "effect")
            if key and not is_label_key(key):
                yield place.says(f"{shape(key)} is not the key of a taint", "key")
            if not key and operator != "Exists":
                yield place.says("without a key the operator must be Exists", "operator")
            if operator == "Exists" and value:
                yield place.says("not with operator Exists", "value")
            elif not is_label_value(value):
                yield place.says(f"{shape(value)} is not the value of a taint", "value")
            if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
                yield place.says("only with effect NoExecute", "tolerationSeconds")


def selector_expressions_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """An expression of a selector has a key, a known operator, and as many values as it takes."""
    for place in bundle.walked("matchExpressions"):
        operators = NODE_OPERATORS if "nodeAffinity" in place.steps else LABEL_OPERATORS
        for i, expression in place.items():
            key, operator = expression.get("key"), expression.get("operator")
            values = entries(expression, "values")
            if not is_label_key(key):
                yield place.says(f"{shape(key)} is not a label key", i, "key")
            yield from place.among(str(operator or None), operators, i, "operator")
            if operator in ("In", "NotIn"):
                if not values:
                    yield place.says(f"needed with operator {operator}", i, "values")
            elif operator in ("Exists", "DoesNotExist"):
                if values:
                    yield place.says(f"not with operator {operator}", i, "values")
            elif operator in ("Gt", "Lt") and not (
                len(values) == 1 and INTEGER.fullmatch(str(values[0]))
            ):
                yield place.says(f"one integer is needed with operator {operator}", i, "values")
            for j, value in enumerate(values):
                if not is_label_value(value):
                    yield place.says(f"{shape(value)} is not a label value", i, "values", j)


def affinities_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Required terms exist, preferred ones weigh 1-100, and pod terms have a topology."""
    for pod in bundle.pods:
        if not pod.at("affinity"):
            continue
        nodes = pod.below(pod.at("affinity", "nodeAffinity"), "affinity", "nodeAffinity")
        if nodes.at(REQUIRED) is not None and not nodes.at(REQUIRED, "nodeSelectorTerms"):
            yield nodes.says("no terms", REQUIRED, "nodeSelectorTerms")
        yield from weights(nodes)
        terms = [
            nodes.below(t, REQUIRED, "nodeSelectorTerms", i)
            for i, t in nodes.items(REQUIRED, "nodeSelectorTerms")
        ]
        terms += [
            nodes.below(t.get("preference"), PREFERRED, i, "preference")
            for i, t in nodes.items(PREFERRED)
        ]
        for term in terms:
            yield from node_fields(term)
        for field in ("podAffinity", "podAntiAffinity"):
            pods = pod.below(pod.at("affinity", field), "affinity", field)
            yield from weights(pods)
            terms = [pods.below(term, REQUIRED, i) for i, term in pods.items(REQUIRED)]
            terms += [
                pods.below(term.get("podAffinityTerm"), PREFERRED, i, "podAffinityTerm")
                for i, term in pods.items(PREFERRED)
            ]
            for term in terms:
                yield from topology_key(term)
                for i, name in enumerate(entries(term.value, "namespaces")):
                    if not fits(name, LABEL, 63):
                        yield term.says(f"{shape(name)} is not a namespace", "namespaces", i)


def node_fields(term: Place) -> Iterator[Finding]:
    """Findings about the fields of a node, of which there is only the name."""
    for i, expression in term.items("matchFields"):
        key, operator = expression.get("key"), expression.get("operator")
        if key != "metadata.name":
            yield term.says(f"{shape(key)} is not metadata.name", "matchFields", i, "key")
        yield from term.among(str(operator or None), ("In", "NotIn"), "matchFields", i, "operator")
        if len(values := entries(expression, "values")) != 1:
            yield term.says("one value is needed", "matchFields", i, "values")
        elif not fits(values[0], SUBDOMAIN, 253):
            message = f"{shape(values[0])} is not the name of a node"
            yield term.says(message, "matchFields", i, "values", 0)


def weights(affinity: Place) -> Iterator[Finding]:
    """Findings about the weights of preferred terms."""
    for i, term in affinity.items(PREFERRED):
        if not is_number(term.get("weight"), 1, 100):
            yield affinity.says(
                f"{shape(term.get('weight'))} is not in 1-100", PREFERRED, i, "weight"
            )


def topology_key(term: Place) -> Iterator[Finding]:
    """A finding about the topology key of a term."""
    if not is_label_key(key := term.at("topologyKey")):
        yield term.says(f"{shape(key)} is not a label key", "topologyKey")


def topology_spreads_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A topology spread has a skew of 1 or more, a topology, and says what happens else."""
    for pod in bundle.pods:
        spreads = pod.items("topologySpreadConstraints")
        for i, spread in spreads:
            place = pod.below(spread, "topologySpreadConstraints", i)
            skew, otherwise = spread.get("maxSkew"), spread.get("whenUnsatisfiable")
            domains = spread.get("minDomains")
            if not is_number(skew, 1):
                yield place.says(f"{shape(skew)} is not 1 or more", "maxSkew")
            yield from place.among(str(otherwise or None), UNSATISFIABLE, "whenUnsatisfiable")
            yield from topology_key(place)
            if domains is not None and not (is_number(domains, 1) and otherwise == "DoNotSchedule"):
                yield place.says("1 or more, and only with DoNotSchedule", "minDomains")
            if place.at("matchLabelKeys") is not None and place.at("labelSelector") is None:
                yield place.says("only with labelSelector", "matchLabelKeys")
            selected = place.fields("labelSelector", "matchLabels").keys() | {
                expression.get("key")
                for _, expression in place.items("labelSelector", "matchExpressions")
            }
            for j, key in enumerate(entries(spread, "matchLabelKeys")):
                if not is_label_key(key):
                    yield place.says(f"{shape(key)} is not a label key", "matchLabelKeys", j)
                elif key in selected:
                    yield place.says("labelSelector has this key too", "matchLabelKeys", j)
            for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
                yield from place.among(
                    spread.get(field), ("Honor", "Ignore"), field, or_empty=False
                )
        pairs = ((s.get("topologyKey"), s.get("whenUnsatisfiable")) for _, s in spreads)
        for i in repeated(pairs):
            yield pod.says("another constraint is the same", "topologySpreadConstraints", i)


RULES: tuple[Rule, ...] = (
    tolerations_are_valid,
    selector_expressions_are_valid,
    affinities_are_valid,
    topology_spreads_are_valid,
)
