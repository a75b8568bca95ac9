"""What stands around the pods of a workload, if the values ask for it."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.untyped import untyped
from config.traits import Autoscaling, PodDisruptionBudget, ServiceAccount
from config.types.structs import int_or_string, to_plain


def disruption_budget(
    scope: Construct, component: Component, values: PodDisruptionBudget, min_available: int | None
) -> None:
    """Make the PodDisruptionBudget `<name>-pdb`: how many pods a drain must leave running.

    `min_available` is how many where the values do not say; with None there is no budget unless
    they ask for one, and then one pod goes at a time.
    """
    asked_for = values.has_bound or min_available is not None
    if not (asked_for if values.enabled is None else values.enabled):
        return
    if values.has_bound:
        bounds = {"min_available": values.min_available, "max_unavailable": values.max_unavailable}
    elif min_available is not None:
        bounds = {"min_available": str(min_available)}
    else:
        bounds = {"max_unavailable": "1"}
    spec = k8s.PodDisruptionBudgetSpec(
        selector=k8s.LabelSelector(match_labels=component.selector),
        **{bound: _share(share) for bound, share in bounds.items() if share is not None},
    )
    policy = values.unhealthy_pod_eviction_policy
    # Not a KubePodDisruptionBudget, which drops the policy, patched in or not.
    untyped(
        scope,
        f"{component.name}-disruption-budget",
        api_version="policy/v1",
        kind="PodDisruptionBudget",
        metadata=component.metadata(f"{component.name}-pdb"),
        spec=to_plain(spec) | ({"unhealthyPodEvictionPolicy": policy} if policy else {}),
    )


def autoscaler(scope: Construct, component: Component, values: Autoscaling) -> None:
    """Make the HorizontalPodAutoscaler `<name>` of the Deployment of that name, if enabled."""
    if not values.enabled or values.max_replicas is None:
        return
    k8s.KubeHorizontalPodAutoscalerV2(
        scope,
        f"{component.name}-autoscaler",
        metadata=component.metadata(),
        spec=k8s.HorizontalPodAutoscalerSpecV2(
            scale_target_ref=k8s.CrossVersionObjectReferenceV2(
                api_version="apps/v1", kind="Deployment", name=component.name
            ),
            min_replicas=values.min_replicas,
            max_replicas=values.max_replicas,
            metrics=[_utilization(*target) for target in values.targets.items()],
            behavior=values.behavior,
        ),
    )


def account_name(component: Component, values: ServiceAccount) -> str | None:
    """The ServiceAccount that the pods run as; None for the default one of the namespace."""
    return values.name or (component.name if values.create else None)


def service_account(scope: Construct, component: Component, values: ServiceAccount) -> None:
    """Make the ServiceAccount of the pods, if it is to be made and the scope has none of its name.

    So the replicas of a store share the one that the values name.
    """
    name = account_name(component, values)
    id = f"{name}-service-account"
    if values.create and scope.node.try_find_child(id) is None:
        k8s.KubeServiceAccount(scope, id, metadata=component.metadata(name, values.annotations))


def _share(given: str) -> k8s.IntOrString:
    """A number of pods, or a percentage of them."""
    return int_or_string(int(given) if given.isdecimal() else given)


def _utilization(resource: str, target: int) -> k8s.MetricSpecV2:
    return k8s.MetricSpecV2(
        type="Resource",
        resource=k8s.ResourceMetricSourceV2(
            name=resource,
            target=k8s.MetricTargetV2(type="Utilization", average_utilization=target),
        ),
    )
