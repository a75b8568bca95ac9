"""Rules for the finished manifests of an installation, which see what no schema can."""

from clearml_k8s.rules import (
    environment,
    metadata,
    names,
    pods,
    policies,
    probes,
    references,
    resources,
    routes,
    scheduling,
    security,
    services,
    storage,
    volumes,
    workloads,
)
from clearml_k8s.rules.manifests import Bundle, Finding, Rule

__all__ = ["Bundle", "Finding", "breaches", "findings", "too_large_to_apply"]

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *metadata.RULES,
    *workloads.RULES,
    *pods.RULES,
    *environment.RULES,
    *resources.RULES,
    *probes.RULES,
    *volumes.RULES,
    *security.RULES,
    *scheduling.RULES,
    *services.RULES,
    *routes.RULES,
    *policies.RULES,
    *storage.RULES,
    *references.RULES,
)
CONVENTIONS: tuple[Rule, ...] = (
    *names.CONVENTIONS,
    *metadata.CONVENTIONS,
    *workloads.CONVENTIONS,
    *pods.CONVENTIONS,
    *environment.CONVENTIONS,
    *services.CONVENTIONS,
    *routes.CONVENTIONS,
    *policies.CONVENTIONS,
    *storage.CONVENTIONS,
    *references.CONVENTIONS,
)


def findings(bundle: Bundle) -> list[Finding]:
    """What Kubernetes refuses, or cannot run whatever else is in the cluster."""
    return [finding for rule in RULES for finding in rule(bundle)]


def breaches(bundle: Bundle) -> list[Finding]:
    """What Kubernetes accepts, but no installation of ours has."""
    return [finding for rule in CONVENTIONS for finding in rule(bundle)]


def too_large_to_apply(bundle: Bundle) -> list[Finding]:
    """The objects that only `kubectl apply --server-side` can apply."""
    return list(metadata.objects_fit_an_annotation(bundle))
