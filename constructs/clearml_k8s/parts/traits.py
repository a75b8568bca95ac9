"""What stands around a workload."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Component
from config.types.structs import int_or_string


def disruption_budget(scope: Construct, component: Component, min_available: int) -> None:
    """Make the PodDisruptionBudget `<name>-pdb`: how many pods a drain must leave running."""
    k8s.KubePodDisruptionBudget(
        scope,
        f"{component.name}-disruption-budget",
        metadata=component.metadata(f"{component.name}-pdb"),
        spec=k8s.PodDisruptionBudgetSpec(
            min_available=int_or_string(min_available),
            selector=k8s.LabelSelector(match_labels=component.selector),
        ),
    )
