"""What may stand around the pods of a component: budget, autoscaler, policy, account."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field

from config.store import ChartModel
from config.types.fragment import AutoscalerBehavior, EgressRules, IngressRules
from config.types.kubernetes import (
    Annotations,
    AtLeastOne,
    OptionalDnsSubdomain,
    Replicas,
    Share,
)
from config.types.model import Mistake, Model


class PodDisruptionBudget(Model):
    """How many pods must stay while nodes are drained."""

    enabled: bool | None = Field(
        default=None,
        description="Whether there is a PodDisruptionBudget; unset, where one of its bounds is "
        "set, and for the pods of an embedded store if there are several.",
    )
    min_available: Share | None = Field(
        default=None,
        description="Pods that must stay: a number or a percentage. Without either bound one "
        "pod goes at a time, and of a store a majority stays.",
    )
    max_unavailable: Share | None = Field(
        default=None, description="Pods that may be gone: a number or a percentage."
    )

    unhealthy_pod_eviction_policy: Literal["IfHealthyBudget", "AlwaysAllow"] | None = Field(
        default=None,
        description="Whether pods that are not ready may always be evicted (AlwaysAllow), so that "
        "they hold up no drain (Kubernetes 1.27 and later); unset, only while enough others are.",
    )

    @property
    def has_bound(self) -> bool:
        """Whether the values say how many pods must stay."""
        return self.min_available is not None or self.max_unavailable is not None

    def lets_go_of(self, pods: int) -> bool:
        """Whether one of so many pods may be evicted, as far as the values say."""
        if self.enabled is False or not self.has_bound:
            return True
        if self.min_available is not None:
            return _pods(self.min_available, pods) < pods
        return _pods(self.max_unavailable or "", pods) > 0

    def mistakes(self) -> Iterator[Mistake]:
        """Both bounds, of which Kubernetes takes one."""
        yield from super().mistakes()
        if self.min_available is not None and self.max_unavailable is not None:
            yield Mistake(("maxUnavailable",), "excludes minAvailable: keep one of the two", None)


def _pods(share: str, of: int) -> int:
    """How many pods a share is; a part of one counts as one, as in Kubernetes."""
    return -(-int(share[:-1]) * of // 100) if share.endswith("%") else int(share)


class Autoscaling(Model):
    """A number of pods that follows their load, for which the cluster needs a metrics server."""

    enabled: bool = Field(
        default=False,
        description="Whether a HorizontalPodAutoscaler sets the number of pods, which replicaCount "
        "does not then.",
    )
    min_replicas: Annotated[Replicas, Field(ge=1)] = Field(
        default=1, description="Number of pods that there are at least."
    )
    max_replicas: Annotated[Replicas, Field(ge=1)] | None = Field(
        default=None, description="Number of pods that there are at most."
    )
    target_cpu_utilization_percentage: AtLeastOne | None = Field(
        default=None,
        alias="targetCPUUtilizationPercentage",
        description="CPU that the pods are to use on average, in percent of what they request.",
    )
    target_memory_utilization_percentage: AtLeastOne | None = Field(
        default=None,
        description="Memory that the pods are to use on average, in percent of what they request.",
    )
    behavior: AutoscalerBehavior = Field(
        default=None, description="How fast pods come and go, as Kubernetes spells it."
    )

    @property
    def targets(self) -> dict[str, int]:
        """The percentages that are set, by resource."""
        targets = {
            "cpu": self.target_cpu_utilization_percentage,
            "memory": self.target_memory_utilization_percentage,
        }
        return {resource: target for resource, target in targets.items() if target is not None}

    def mistakes(self) -> Iterator[Mistake]:
        """An autoscaler without a limit or a target, or with a limit below its minimum."""
        yield from super().mistakes()
        if not self.enabled:
            return
        if self.max_replicas is None:
            yield Mistake(("maxReplicas",), "is needed by an enabled autoscaler")
        elif self.max_replicas < self.min_replicas:
            yield Mistake(
                ("maxReplicas",),
                f"must not be less than minReplicas ({self.min_replicas})",
                self.max_replicas,
            )
        if not self.targets:
            yield Mistake(
                ("enabled",),
                "needs targetCPUUtilizationPercentage or targetMemoryUtilizationPercentage",
                True,
            )


class NetworkPolicy(Model):
    """Who may talk to the pods, and to whom they may talk: what the components need."""

    enabled: bool | None = Field(
        default=None,
        description="Whether there is a NetworkPolicy; unset, what networkPolicy.enabled at the "
        "root says.",
    )
    extra_ingress: IngressRules = Field(
        default=[], description="More ingress rules of the policy, as Kubernetes spells them."
    )
    extra_egress: EgressRules = Field(
        default=[], description="More egress rules of the policy, as Kubernetes spells them."
    )


class NetworkPolicies(Model):
    """The NetworkPolicies of all components."""

    enabled: bool | None = Field(
        default=None,
        description="Whether the components have a NetworkPolicy each; unset, the embedded stores "
        "alone.",
    )


class ServiceAccount(Model):
    """The account that the pods run as."""

    create: bool = Field(default=False, description="Whether to make the ServiceAccount.")
    name: OptionalDnsSubdomain = Field(
        default="",
        description="Name of the ServiceAccount; empty means the component's own name if it is "
        "made, and the namespace's default account if not.",
    )
    annotations: Annotations = Field(
        default={}, description="Annotations of the ServiceAccount, such as a role of the cloud."
    )
    automount: bool = Field(
        default=False,
        description="Whether the pods get a token for the Kubernetes API.",
    )

    def shared(self, own_name: str) -> Self:
        """Return the same account for pods of another component, which does not make it.

        `own_name` is what the account is called that is made without a name.
        """
        name = self.name or (own_name if self.create else "")
        return self.model_copy(update={"create": False, "name": name, "annotations": {}})

    def mistakes(self) -> Iterator[Mistake]:
        """Annotations of an account that somebody else makes."""
        yield from super().mistakes()
        if self.annotations and not self.create:
            yield Mistake(("annotations",), "need create: true")


class StorePodDisruptionBudget(PodDisruptionBudget, ChartModel):
    """How many pods must stay while nodes are drained."""


class StoreNetworkPolicy(NetworkPolicy, ChartModel):
    """Who may talk to the pods, and to whom they may talk: what the components need."""


class StoreServiceAccount(ServiceAccount, ChartModel):
    """The account that the pods run as."""
