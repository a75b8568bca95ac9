"""Rules for a whole bundle: what the API server refuses and the schema of an object cannot see."""

from collections.abc import Collection, Sequence

from clearml_k8s.rules import (
    environment,
    metadata,
    names,
    pods,
    probes,
    references,
    resources,
    scheduling,
    security,
    services,
    storage,
    volumes,
    workloads,
)
from clearml_k8s.rules.manifests import Bundle, Object, Rule

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
    *storage.RULES,
    *references.RULES,
)


def findings(
    objects: Sequence[Object], outside: Collection[tuple[str, str]] = frozenset()
) -> list[str]:
    """One line for each mistake in a bundle; `outside` lists (kind, name) that it relies on."""
    bundle = Bundle(objects, outside)
    return [line for rule in RULES for line in rule(bundle)]
