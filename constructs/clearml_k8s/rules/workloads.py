"""Selectors, strategies and counts of workloads, autoscalers and disruption budgets."""

import re
from collections.abc import Iterator
from typing import Any

from clearml_k8s.rules.formats import is_number
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, at
from clearml_k8s.rules.services import is_headless
from config.error import shape

# The field and the types that a kind has.
STRATEGIES = {
    "Deployment": ("strategy", ("RollingUpdate", "Recreate")),
    "StatefulSet": ("updateStrategy", ("RollingUpdate", "OnDelete")),
    "DaemonSet": ("updateStrategy", ("RollingUpdate", "OnDelete")),
}
PERCENT = re.compile(r"[0-9]+%")
METRICS = ("Resource", "ContainerResource", "Pods", "Object", "External")
SELECTIONS = ("Max", "Min", "Disabled")
COUNTS = ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")


def is_share(value: Any) -> bool:
    """Whether a value is a number of pods or a percentage of them."""
    return is_number(value, 0) or (isinstance(value, str) and bool(PERCENT.fullmatch(value)))


def percentage(share: Any) -> int | None:
    """The number of a percentage."""
    return int(share[:-1]) if isinstance(share, str) and PERCENT.fullmatch(share) else None


def selectors_match_templates(bundle: Bundle) -> Iterator[Finding]:
    """A workload selects the pods it makes."""
    for pod in bundle.pods:
        if pod.kind in ("Job", "CronJob", "Pod"):
            continue
        labels = at(pod.root, "spec", "selector", "matchLabels")
        place = Place(pod.root, labels, "spec", "selector", "matchLabels")
        if not labels:
            yield place.says("selects nothing")
        for key, value in place.fields().items():
            if key not in pod.labels or pod.labels[key] != value:
                yield place.says("not a label of the pod template", key)


def rollouts_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A strategy is one of the kind, rolling parameters belong to RollingUpdate."""
    for workload in bundle.of(*STRATEGIES):
        field, types = STRATEGIES[workload.kind]
        strategy = workload.below(workload.at("spec", field), "spec", field)
        yield from strategy.among(strategy.at("type"), types, "type")
        rolling = strategy.at("rollingUpdate")
        if rolling is not None and strategy.at("type") not in (None, "", "RollingUpdate"):
            yield strategy.says("only with type RollingUpdate", "rollingUpdate")
        parts = {key: at(rolling, key) for key in ("maxSurge", "maxUnavailable", "partition")}
        for key, part in parts.items():
            if part is not None and not is_share(part):
                yield strategy.says(f"{shape(part)} is not a share of pods", "rollingUpdate", key)
        if workload.kind == "StatefulSet" and parts["maxUnavailable"] in (0, "0%"):
            yield strategy.says("must be more than 0", "rollingUpdate", "maxUnavailable")
        if (most := percentage(parts["maxUnavailable"])) is not None and most > 100:
            yield strategy.says("more than 100%", "rollingUpdate", "maxUnavailable")
        if all(parts[key] in (0, "0%") for key in ("maxSurge", "maxUnavailable")):
            yield strategy.says("maxSurge and maxUnavailable are both 0", "rollingUpdate")


def counts_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Replicas and seconds are not negative, and a rollout has time to become ready."""
    for workload in bundle.of("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        spec = workload.below(workload.at("spec"), "spec")
        for field in COUNTS:
            count = spec.at(field)
            if count is not None and not is_number(count, 0):
                yield spec.says(f"{shape(count)} is not 0 or more", field)
        ready, deadline = spec.at("minReadySeconds"), spec.at("progressDeadlineSeconds")
        deadline = 600 if deadline is None else deadline
        if workload.kind == "Deployment" and is_number(ready, 0) and is_number(deadline, 0, ready):
            yield spec.says("not below progressDeadlineSeconds", "minReadySeconds")
        policy = spec.at("podManagementPolicy")
        yield from spec.among(policy, ("OrderedReady", "Parallel"), "podManagementPolicy")


def stateful_sets_have_a_headless_service(bundle: Bundle) -> Iterator[Finding]:
    """The serviceName of a StatefulSet is a headless Service of the set."""
    for stateful_set in bundle.of("StatefulSet"):
        name = stateful_set.at("spec", "serviceName")
        service = bundle.find("Service", name, stateful_set.namespace)
        if service is None or not is_headless(service):
            message = f"no headless Service {shape(name)} in the set"
            yield stateful_set.says(message, "spec", "serviceName")


def autoscalers_have_a_range(bundle: Bundle) -> Iterator[Finding]:
    """A HorizontalPodAutoscaler has a minimum up to its maximum."""
    for scaler in bundle.of("HorizontalPodAutoscaler"):
        low, high = scaler.at("spec", "minReplicas"), scaler.at("spec", "maxReplicas")
        low = 1 if low is None else low
        if not is_number(low, 0):
            yield scaler.says(f"{shape(low)} is not 0 or more", "spec", "minReplicas")
        elif not is_number(high, max(low, 1)):
            message = f"{shape(high)} is below the minimum {max(low, 1)}"
            yield scaler.says(message, "spec", "maxReplicas")


def autoscalers_have_targets(bundle: Bundle) -> Iterator[Finding]:
    """A HorizontalPodAutoscaler names what it scales, and looks at metrics of a known type."""
    for scaler in bundle.of("HorizontalPodAutoscaler"):
        spec = scaler.below(scaler.at("spec"), "spec")
        for field in ("kind", "name"):
            if not spec.at("scaleTargetRef", field):
                yield spec.says(f"no {field}", "scaleTargetRef", field)
        for i, metric in spec.items("metrics"):
            place = spec.below(metric, "metrics", i)
            yield from place.among(place.at("type"), METRICS, "type", or_empty=False)
            for source in ("resource", "containerResource"):
                share = place.at(source, "target", "averageUtilization")
                if share is not None and not is_number(share, 1):
                    way = (source, "target", "averageUtilization")
                    yield place.says(f"{shape(share)} is not 1 or more", *way)


def scaling_rules_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """How fast a HorizontalPodAutoscaler acts is within what Kubernetes allows."""
    for scaler in bundle.of("HorizontalPodAutoscaler"):
        for direction in ("scaleUp", "scaleDown"):
            way = ("spec", "behavior", direction)
            rules = scaler.below(scaler.at(*way), *way)
            policy = rules.at("selectPolicy")
            yield from rules.among(policy, SELECTIONS, "selectPolicy", or_empty=False)
            window = rules.at("stabilizationWindowSeconds")
            if window is not None and not is_number(window, 0, 3600):
                yield rules.says(f"{shape(window)} is not in 0-3600", "stabilizationWindowSeconds")
            if rules.at("policies") == []:
                yield rules.says("one policy is needed", "policies")
            for i, policy in rules.items("policies"):
                place = rules.below(policy, "policies", i)
                yield from place.among(
                    place.at("type"), ("Pods", "Percent"), "type", or_empty=False
                )
                if not is_number(amount := place.at("value"), 1):
                    yield place.says(f"{shape(amount)} is not 1 or more", "value")
                if not is_number(period := place.at("periodSeconds"), 1, 1800):
                    yield place.says(f"{shape(period)} is not in 1-1800", "periodSeconds")


def autoscalers_scale_a_workload(bundle: Bundle) -> Iterator[Finding]:
    """What a HorizontalPodAutoscaler scales is in the set, and names no number of pods itself."""
    for scaler in bundle.of("HorizontalPodAutoscaler"):
        kind, name = (scaler.at("spec", "scaleTargetRef", key) for key in ("kind", "name"))
        target = bundle.find(str(kind), name, scaler.namespace)
        if target is None:
            yield scaler.says(
                f"no {shape(kind)} {shape(name)} in the set", "spec", "scaleTargetRef"
            )
        elif target.at("spec", "replicas") is not None:
            yield target.says(f"{scaler.owner} sets it too", "spec", "replicas")


def disruption_budgets_have_one_bound(bundle: Bundle) -> Iterator[Finding]:
    """A PodDisruptionBudget has a minimum or a maximum, a number or a percentage."""
    for budget in bundle.of("PodDisruptionBudget"):
        bounds = {key: budget.at("spec", key) for key in ("minAvailable", "maxUnavailable")}
        if None not in bounds.values():
            yield budget.says("both minAvailable and maxUnavailable", "spec")
        for key, bound in bounds.items():
            if bound is not None and not is_share(bound):
                yield budget.says(f"{shape(bound)} is not a share of pods", "spec", key)
            if (most := percentage(bound)) is not None and most > 100:
                yield budget.says("more than 100%", "spec", key)


RULES: tuple[Rule, ...] = (
    selectors_match_templates,
    rollouts_are_valid,
    counts_are_valid,
    autoscalers_have_a_range,
    autoscalers_have_targets,
    scaling_rules_are_valid,
    disruption_budgets_have_one_bound,
)
CONVENTIONS: tuple[Rule, ...] = (
    stateful_sets_have_a_headless_service,
    autoscalers_scale_a_workload,
)
