"""The pieces that the embedded stores share: a StatefulSet with its Services and volume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdk8s_plus_25 import k8s
from config.kubernetes import int_or_string
from constructs import Construct

from clearml_k8s.naming import Naming


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
    naming: Naming,
    store: str,
    name: str,
    ports: Mapping[str, tuple[int, str]],
    *,
    type: str = "ClusterIP",
) -> None:
    """Make the Service of a store; the ports are (port, container port) by name."""
    _service(scope, "service", naming, store, name, ports, type=type)


def headless_service(
    scope: Construct,
    naming: Naming,
    store: str,
    name: str,
    ports: Mapping[str, tuple[int, str]],
) -> None:
    """Make the headless Service that gives the members of a store their host names."""
    _service(
        scope,
        "headless-service",
        naming,
        store,
        name,
        ports,
        cluster_ip="None",
        publish_not_ready_addresses=True,
    )


def _service(
    scope: Construct,
    id: str,
    naming: Naming,
    store: str,
    name: str,
    ports: Mapping[str, tuple[int, str]],
    **spec: object,
) -> None:
    k8s.KubeService(
        scope,
        id,
        metadata=naming.metadata(store, name),
        spec=k8s.ServiceSpec(
            selector=naming.store_selector(store),
            ports=[
                k8s.ServicePort(name=port_name, port=port, target_port=int_or_string(target))
                for port_name, (port, target) in ports.items()
            ],
            **spec,
        ),
    )


def stateful_set(
    scope: Construct,
    naming: Naming,
    store: str,
    *,
    name: str,
    headless: str,
    replicas: int,
    identity: Identity,
    container: k8s.Container,
    data: DataVolume,
    init_containers: Sequence[k8s.Container] = (),
    volumes: Sequence[k8s.Volume] = (),
    annotations: Mapping[str, str],
    scheduling: Mapping[str, object],
    grace_period: int,
) -> None:
    """Make the StatefulSet of a store; members start in parallel, the grace period is in seconds."""
    selector = naming.store_selector(store)
    claims = []
    if data.claim is not None:
        claims = [
            k8s.KubePersistentVolumeClaimProps(
                metadata=k8s.ObjectMeta(name=data.name), spec=data.claim
            )
        ]
    else:
        volumes = [*volumes, k8s.Volume(name=data.name, empty_dir=k8s.EmptyDirVolumeSource())]
    k8s.KubeStatefulSet(
        scope,
        "stateful-set",
        metadata=naming.metadata(store, name),
        spec=k8s.StatefulSetSpec(
            service_name=headless,
            replicas=replicas,
            pod_management_policy="Parallel",
            selector=k8s.LabelSelector(match_labels=selector),
            volume_claim_templates=claims or None,
            template=k8s.PodTemplateSpec(
                metadata=k8s.ObjectMeta(
                    labels=naming.labels(store) | selector, annotations=dict(annotations) or None
                ),
                spec=k8s.PodSpec(
                    enable_service_links=False,
                    automount_service_account_token=False,
                    termination_grace_period_seconds=grace_period,
                    security_context=k8s.PodSecurityContext(
                        run_as_user=identity.user,
                        run_as_group=identity.group,
                        fs_group=identity.group,
                        seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
                    ),
                    init_containers=list(init_containers) or None,
                    containers=[container],
                    volumes=list(volumes) or None,
                    **scheduling,
                ),
            ),
        ),
    )
