"""The pieces that the embedded stores share: a StatefulSet with its Services and volume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming
from clearml_k8s.pod import pod_template
from clearml_k8s.volume import claim_spec
from config.store import StorePersistence
from config.types.structs import int_or_string
from config.workload import Scheduling


@dataclass(frozen=True, kw_only=True)
class Members:
    """The pods of one component of a store, such as Redis' master: their names and labels."""

    naming: Naming
    store: str
    component: str
    name: str

    @property
    def headless(self) -> str:
        """Name of the headless Service."""
        return f"{self.name}-headless"

    @property
    def selector(self) -> dict[str, str]:
        """Labels that find the pods; a StatefulSet can never change them."""
        return self.naming.store_selector(self.store, self.component)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the pods and of all objects around them."""
        return self.naming.labels(self.component) | self.selector

    def metadata(self, name: str) -> k8s.ObjectMeta:
        """Metadata of an object around the pods."""
        return k8s.ObjectMeta(name=name, labels=self.labels)

    def host(self, ordinal: int) -> str:
        """Host name of one member."""
        return f"{self.name}-{ordinal}.{self.headless}"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The user and group that a store's image runs as and its files belong to."""

    user: int
    group: int


@dataclass(frozen=True, kw_only=True)
class DataVolume:
    """The volume of each member: a claim template, or without a claim an emptyDir."""

    name: str
    claim: k8s.PersistentVolumeClaimSpec | None

    @classmethod
    def of(cls, name: str, persistence: StorePersistence) -> Self:
        """The volume that the values of a store describe."""
        claim = claim_spec(persistence.access_modes, persistence.size, persistence.storage_class)
        return cls(name=name, claim=claim if persistence.enabled else None)

    def mount(self, path: str) -> k8s.VolumeMount:
        """The volume, mounted at the path."""
        return k8s.VolumeMount(name=self.name, mount_path=path)


def unprivileged() -> k8s.SecurityContext:
    """The security context of a container that needs no rights at all."""
    return k8s.SecurityContext(
        allow_privilege_escalation=False,
        capabilities=k8s.Capabilities(drop=["ALL"]),
        run_as_non_root=True,
    )


def store_service(
    scope: Construct,
    members: Members,
    name: str,
    ports: Mapping[str, tuple[int, str]],
    *,
    type: str = "ClusterIP",
) -> None:
    """Make a Service of a store; the ports are (port, container port) by name."""
    k8s.KubeService(
        scope,
        f"{members.component}-service",
        metadata=members.metadata(name),
        spec=k8s.ServiceSpec(type=type, selector=members.selector, ports=_service_ports(ports)),
    )


def headless_service(
    scope: Construct, members: Members, ports: Mapping[str, tuple[int, str]]
) -> None:
    """Make the Service that gives the members their host names, before they are ready too."""
    k8s.KubeService(
        scope,
        f"{members.component}-headless-service",
        metadata=members.metadata(members.headless),
        spec=k8s.ServiceSpec(
            cluster_ip="None",
            publish_not_ready_addresses=True,
            selector=members.selector,
            ports=_service_ports(ports),
        ),
    )


def _service_ports(ports: Mapping[str, tuple[int, str]]) -> list[k8s.ServicePort]:
    return [
        k8s.ServicePort(name=name, port=port, target_port=int_or_string(target))
        for name, (port, target) in ports.items()
    ]


def disruption_budget(scope: Construct, members: Members, min_available: int) -> None:
    """Make the PodDisruptionBudget `<name>-pdb`: how many members a drain must leave running."""
    k8s.KubePodDisruptionBudget(
        scope,
        f"{members.component}-disruption-budget",
        metadata=members.metadata(f"{members.name}-pdb"),
        spec=k8s.PodDisruptionBudgetSpec(
            min_available=int_or_string(min_available),
            selector=k8s.LabelSelector(match_labels=members.selector),
        ),
    )


def spread(values: Scheduling, members: Members) -> Scheduling:
    """The scheduling of the values, and members on different nodes where that is possible.

    An anti-affinity in the values replaces ours.
    """
    term = k8s.PodAffinityTerm(
        topology_key="kubernetes.io/hostname",
        label_selector=k8s.LabelSelector(match_labels=members.selector),
    )
    apart = k8s.PodAntiAffinity(
        preferred_during_scheduling_ignored_during_execution=[
            k8s.WeightedPodAffinityTerm(weight=100, pod_affinity_term=term)
        ]
    )
    given = values.affinity or k8s.Affinity()
    affinity = k8s.Affinity(
        node_affinity=given.node_affinity,
        pod_affinity=given.pod_affinity,
        pod_anti_affinity=given.pod_anti_affinity or apart,
    )
    return values.model_copy(update={"affinity": affinity})


def stateful_set(
    scope: Construct,
    members: Members,
    *containers: k8s.Container,
    replicas: int,
    identity: Identity,
    data: DataVolume,
    scheduling: Scheduling,
    annotations: Mapping[str, str],
    grace_period: int,
    image_pull_secrets: Sequence[k8s.LocalObjectReference],
    init_containers: Sequence[k8s.Container] = (),
    volumes: Sequence[k8s.Volume] = (),
) -> None:
    """Make the StatefulSet of a store; members start in parallel, `grace_period` is in seconds."""
    claims: list[k8s.KubePersistentVolumeClaimProps] = []
    if data.claim is None:
        volumes = [*volumes, k8s.Volume(name=data.name, empty_dir=k8s.EmptyDirVolumeSource())]
    else:
        claims = [
            k8s.KubePersistentVolumeClaimProps(
                metadata=k8s.ObjectMeta(name=data.name), spec=data.claim
            )
        ]
    k8s.KubeStatefulSet(
        scope,
        f"{members.component}-stateful-set",
        metadata=members.metadata(members.name),
        spec=k8s.StatefulSetSpec(
            service_name=members.headless,
            replicas=replicas,
            pod_management_policy="Parallel",
            selector=k8s.LabelSelector(match_labels=members.selector),
            volume_claim_templates=claims or None,
            template=pod_template(
                members.labels,
                *containers,
                scheduling=scheduling,
                annotations=annotations,
                init_containers=init_containers,
                volumes=volumes,
                image_pull_secrets=image_pull_secrets,
                grace_period=grace_period,
                security_context=k8s.PodSecurityContext(
                    run_as_user=identity.user,
                    run_as_group=identity.group,
                    fs_group=identity.group,
                    seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
                ),
            ),
        ),
    )
