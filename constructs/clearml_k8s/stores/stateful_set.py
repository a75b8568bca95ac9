"""The pieces that the embedded stores share: a StatefulSet with its Services and volume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming
from clearml_k8s.pod import pod_template
from config.fragment import int_or_string
from config.workload import Scheduling


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
    headless: bool = False,
) -> None:
    """Make a Service of a store; the ports are (port, container port) by name.

    A headless one gives the members their host names, before they are ready too.
    """
    k8s.KubeService(
        scope,
        "headless-service" if headless else "service",
        metadata=naming.metadata(store, name),
        spec=k8s.ServiceSpec(
            type=type,
            cluster_ip="None" if headless else None,
            publish_not_ready_addresses=headless or None,
            selector=naming.store_selector(store),
            ports=[
                k8s.ServicePort(name=port_name, port=port, target_port=int_or_string(target))
                for port_name, (port, target) in ports.items()
            ],
        ),
    )


def stateful_set(
    scope: Construct,
    naming: Naming,
    store: str,
    container: k8s.Container,
    *,
    name: str,
    headless: str,
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
    selector = naming.store_selector(store)
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
        "stateful-set",
        metadata=naming.metadata(store, name),
        spec=k8s.StatefulSetSpec(
            service_name=headless,
            replicas=replicas,
            pod_management_policy="Parallel",
            selector=k8s.LabelSelector(match_labels=selector),
            volume_claim_templates=claims or None,
            template=pod_template(
                naming.labels(store) | selector,
                container,
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
