"""All that any pod may be told, whatever runs in it: each section of a component contains it.

A field that a PodSpec has under the same name is passed on as it is; what becomes of the others
is said in one place too, `parts/workload.py` of the constructs.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field
from pydantic.alias_generators import to_snake

from config.generation import Generation
from config.image import Image, PulledImage, PullSecret
from config.traits import (
    Autoscaling,
    NetworkPolicy,
    PodDisruptionBudget,
    ServiceAccount,
    StoreNetworkPolicy,
    StorePodDisruptionBudget,
    StoreServiceAccount,
)
from config.types.fragment import (
    Affinity,
    DeploymentStrategy,
    DnsConfig,
    EnvFrom,
    ExtraContainers,
    ExtraEnvs,
    HostAliases,
    Lifecycle,
    PodSecurityContext,
    Resources,
    SecurityContext,
    StatefulSetStrategy,
    Tolerations,
    TopologySpreadConstraints,
    VolumeMounts,
    Volumes,
)
from config.types.kubernetes import (
    Annotations,
    AtLeastOne,
    AtLeastOneOrNever,
    Count,
    Labels,
    NodeSelector,
    OptionalDnsSubdomain,
    Replicas,
    Seconds,
    SecondsOrNever,
)
from config.types.model import Mistake, Model, Section, section
from config.types.scalars import Integer
from config.types.schedule import CronSchedule, TimeZone


class Probe(Model):
    """When a probe runs; what is left out stays as the component has it."""

    enabled: bool = Field(default=True, description="Whether the probe is there.")
    initial_delay_seconds: Seconds | None = Field(
        default=None, description="Seconds from the container's start to the first probe."
    )
    period_seconds: AtLeastOne | None = Field(
        default=None, description="Seconds from one probe to the next."
    )
    timeout_seconds: AtLeastOne | None = Field(
        default=None, description="Seconds that an answer may take."
    )
    failure_threshold: AtLeastOne | None = Field(
        default=None, description="Failures in a row that count as one."
    )

    @property
    def timing(self) -> dict[str, int]:
        """What is set, by field of a probe."""
        fields = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: given for name, given in fields if name != "enabled" and given is not None}


class ReadinessProbe(Probe):
    """When the probe runs that decides whether a pod gets requests."""

    success_threshold: AtLeastOne | None = Field(
        default=None, description="Successes in a row that count as one."
    )


class LivenessProbe(Probe):
    """When the probe runs whose failure restarts the container."""

    success_threshold: Annotated[Integer, Field(ge=1, le=1)] | None = Field(
        default=None, description="Kubernetes allows 1 only."
    )
    termination_grace_period_seconds: AtLeastOne | None = Field(
        default=None, description="Seconds that the container has to end after such a failure."
    )


RESOURCES_OF_INIT_CONTAINERS: Any = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}


def default_resources(default: Any) -> Any:
    """The field of resources that hold unless the values say anything of them."""
    return Field(
        default=default,
        validate_default=True,
        description="Resource requests and limits of the main container; given, they replace "
        "these as a whole.",
    )


class InitContainers(Model):
    """The containers that run before the main one, such as those that wait."""

    resources: Resources = Field(
        default=RESOURCES_OF_INIT_CONTAINERS,
        validate_default=True,
        description="Resource requests and limits of each init container; given, they replace "
        "these as a whole.",
    )


# What decides on which node a pod runs, and when; `Pod.following` takes affinity to nodes too.
SCHEDULING = frozenset(
    {
        "node_selector",
        "tolerations",
        "priority_class_name",
        "runtime_class_name",
        "scheduler_name",
    }
)


class Pod(Model):
    """The pods of a component, and their main container."""

    node_selector: NodeSelector = Field(
        default={}, description="Labels that a node must have to run the pods."
    )
    tolerations: Tolerations = Field(default=[], description="Taints that the pods tolerate.")
    affinity: Affinity = Field(
        default=None, description="Node and pod affinity of the pods, as Kubernetes spells it."
    )
    extra_envs: ExtraEnvs = Field(
        default=[],
        description="More environment variables; one of the same name replaces ours.",
    )
    pod_annotations: Annotations = Field(default={}, description="Annotations of the pods.")
    resources: Resources = Field(
        default=None, description="Resource requests and limits of the main container."
    )
    image_pull_secrets: list[PullSecret] = Field(
        default=[], description="Names of Secrets that hold credentials for the image registry."
    )
    pod_security_context: PodSecurityContext = Field(
        default=None,
        description="Security context of the pods, over ours field by field; `enabled: false` "
        "leaves it out.",
    )
    container_security_context: SecurityContext = Field(
        default=None,
        description="Security context of the containers, over ours field by field; "
        "`enabled: false` leaves it out.",
    )
    additional_volumes: Volumes = Field(
        default=[], description="More volumes for the pods, as Kubernetes spells them."
    )
    additional_volume_mounts: VolumeMounts = Field(
        default=[], description="More volume mounts for the main container."
    )
    topology_spread_constraints: TopologySpreadConstraints = Field(
        default=[],
        description="How the pods spread over zones, nodes and the like; one without a "
        "labelSelector counts the pods of its component.",
    )
    priority_class_name: OptionalDnsSubdomain = Field(
        default="", description="Priority class of the pods; empty means the cluster's default."
    )
    runtime_class_name: OptionalDnsSubdomain = Field(
        default="", description="Runtime class of the pods; empty means the cluster's default."
    )
    scheduler_name: OptionalDnsSubdomain = Field(
        default="", description="Scheduler of the pods; empty means the cluster's default."
    )
    host_aliases: HostAliases = Field(
        default=[], description="More lines for the pods' /etc/hosts: `ip` and `hostnames` each."
    )
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] | None = (
        Field(default=None, description="How the pods look up names; unset means ClusterFirst.")
    )
    dns_config: DnsConfig = Field(
        default=None, description="Name servers, search domains and resolver options of the pods."
    )
    termination_grace_period_seconds: Seconds | None = Field(
        default=None, description="Seconds that the containers have to end; unset, as needed."
    )
    lifecycle: Lifecycle = Field(
        default=None,
        description="Hooks of the main container, `postStart` and `preStop`; a `preStop` replaces "
        "ours, which lets servers answer what still reaches them.",
    )
    host_users: bool | None = Field(
        default=None,
        description="Whether the pods use the user namespace of their node; false gives them one "
        "of their own, whose root is nobody outside (Kubernetes 1.33 and later). Unset, they do.",
    )
    pod_labels: Labels = Field(default={}, description="More labels of the pods.")
    env_from: EnvFrom = Field(
        default=[],
        description="ConfigMaps and Secrets whose keys become variables of the main container.",
    )
    init_containers: Section[InitContainers] = section()
    extra_init_containers: ExtraContainers = Field(
        default=[], description="More init containers, which run after ours."
    )
    extra_containers: ExtraContainers = Field(
        default=[], description="More containers beside the main one."
    )
    network_policy: Section[NetworkPolicy] = section()
    service_account: Section[ServiceAccount] = section()

    isolated: ClassVar[bool] = False
    """Whether the pods have a NetworkPolicy unless the values say."""

    inherited: ClassVar[frozenset[str]] = SCHEDULING
    """The fields that pods take from those that they follow, unless the values set them."""

    @property
    def affinity_to_nodes(self) -> Any:
        """The node affinity of the pods, if they have one."""
        return self.affinity.node_affinity if self.affinity else None

    def following(self, other: "Pod") -> Self:
        """Return the same pods with what they inherit of others; a field of their own counts more.

        Of affinity they inherit that to nodes alone. Anti-affinity to pods of the other component
        would keep them, and new pods of that component, from nodes where the others run.
        """
        filled = self.filled_from(other, self.inherited)
        nodes = other.affinity_to_nodes
        if nodes is None or "affinity" in self.model_fields_set:
            return filled
        from cdk8s_plus_25 import k8s

        return filled.model_copy(update={"affinity": k8s.Affinity(node_affinity=nodes)})

    def mistakes(self) -> Iterator[Mistake]:
        """A pod without name servers."""
        yield from super().mistakes()
        if self.dns_policy == "None" and not (self.dns_config and self.dns_config.nameservers):
            yield Mistake(("dnsConfig", "nameservers"), "must not be empty with dnsPolicy None")


class LongRunning(Pod):
    """Pods that run on: they are probed, replaced, and evicted in turns."""

    liveness_probe: Section[LivenessProbe] = section()
    readiness_probe: Section[ReadinessProbe] = section()
    startup_probe: Section[LivenessProbe] = section()
    deployment_annotations: Annotations = Field(
        default={}, description="Annotations of the Deployment or StatefulSet itself."
    )
    revision_history_limit: Count | None = Field(
        default=None, description="Old revisions to keep for a rollback; unset, Kubernetes' 10."
    )
    pod_disruption_budget: Section[PodDisruptionBudget] = section()

    without: ClassVar[Sequence[str]] = ()
    """The probes that there are not."""

    @property
    def fewest(self) -> int:
        """How many pods there are at least."""
        return 1

    def mistakes(self) -> Iterator[Mistake]:
        """Timing of probes that are not there."""
        yield from super().mistakes()
        for key in self.without:
            probe: Probe = getattr(self, to_snake(key))
            if probe.timing:
                yield Mistake((key,), "there is no such probe")


class OnePod(LongRunning):
    """The pod of a Deployment that has no more."""

    update_strategy: DeploymentStrategy = Field(
        default=None,
        description="How new pods replace old ones; unset, Recreate where they share a volume "
        "that one node alone can mount.",
    )

    @property
    def on_one_node(self) -> bool:
        """Whether the pods share a volume that one node alone can mount."""
        return False

    def mistakes(self) -> Iterator[Mistake]:
        """New pods that wait for the volume of old ones."""
        yield from super().mistakes()
        strategy = self.update_strategy
        if self.on_one_node and strategy is not None and strategy.type != "Recreate":
            yield Mistake(
                ("updateStrategy", "type"),
                "must be Recreate: the pods share a volume that one node alone can mount",
                strategy.type,
            )


class Deployment(OnePod):
    """Pods that are alike."""

    image: Section[Image]
    replica_count: Replicas
    autoscaling: Section[Autoscaling] = section()

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the main container; what the values leave empty is the generation's."""
        return self.image.pulled(self.image_pull_secrets)

    @property
    def fewest(self) -> int:
        """How many pods there are at least."""
        scaling = self.autoscaling
        return scaling.min_replicas if scaling.enabled else self.replica_count

    def mistakes(self) -> Iterator[Mistake]:
        """What keeps the pods from being scaled."""
        yield from super().mistakes()
        if self.autoscaling.enabled:
            yield from self._unscalable()

    def _unscalable(self) -> Iterator[Mistake]:
        if self.on_one_node:
            yield Mistake(
                ("autoscaling", "enabled"),
                "several pods cannot share a volume that one node alone can mount",
                True,
            )
        owners: dict[tuple[str | int, ...], Any] = {("resources",): self.resources}
        owners |= {
            ("extraContainers", index, "resources"): container.resources
            for index, container in enumerate(self.extra_containers)
        }
        for resource in self.autoscaling.targets:
            for path, given in owners.items():
                # Without a request the limit is one.
                quantities = (given.requests, given.limits) if given else ()
                if not any(resource in (part or {}) for part in quantities):
                    yield Mistake(
                        (*path, "requests", resource),
                        "is needed by autoscaling, whose target is a share of it",
                    )


class StatefulSet(LongRunning):
    """Pods that keep their names and volumes."""

    isolated: ClassVar[bool] = True

    pod_disruption_budget: Section[StorePodDisruptionBudget] = section()
    network_policy: Section[StoreNetworkPolicy] = section()
    service_account: Section[StoreServiceAccount] = section()
    update_strategy: StatefulSetStrategy = Field(
        default=None, description="How new pods replace old ones; unset, one after the other."
    )


HOUR = 60 * 60
DAY = 24 * HOUR


def deadline(default: int) -> Any:
    """Return the field of a Job's deadline, with the default in seconds."""
    return Field(
        default=default,
        description="Seconds after which a Job that is not done fails, whatever holds it up; "
        "`never`: as long as it takes.",
    )


def time_to_live(default: int, consequence: str = "") -> Any:
    """Return the field of how long a Job stays when it is done, with the default in seconds."""
    return Field(
        default=default,
        description=f"Seconds after which a complete or failed Job is removed{consequence}; "
        "`never`: it stays.",
    )


class Job(Pod):
    """A pod that does its work and ends; each kind of Job says when at the latest."""

    isolated: ClassVar[bool] = True

    job_annotations: Annotations = Field(
        default={}, description="Annotations of the Job or CronJob itself."
    )
    backoff_limit: Count = Field(default=6, description="Failed pods after which the Job gives up.")
    active_deadline_seconds: AtLeastOneOrNever
    ttl_seconds_after_finished: SecondsOrNever


class CronJob(Job):
    """A pod that does its work again and again."""

    schedule: CronSchedule
    time_zone: TimeZone = Field(
        default="",
        description="Time zone of the schedule, such as Europe/Berlin; empty, that of the cluster.",
    )
    suspend: bool = Field(default=False, description="Whether no more Jobs start for now.")
    starting_deadline_seconds: AtLeastOne | None = Field(
        default=None, description="Seconds that a Job may start late; unset, any number."
    )
    successful_jobs_history_limit: Count = Field(
        default=3, description="Finished Jobs that are kept."
    )
    failed_jobs_history_limit: Count = Field(default=1, description="Failed Jobs that are kept.")
