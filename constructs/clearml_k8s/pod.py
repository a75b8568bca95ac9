"""The pieces that the pods of all components share."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming, SecretRef
from config.types.structs import int_or_string
from config.workload import Image, Scheduling, Workload

EnvValue = str | k8s.EnvVarSource | None


class Timing(TypedDict, total=False):
    """When a probe runs, in seconds, and how many failures it takes."""

    initial_delay_seconds: int
    period_seconds: int
    timeout_seconds: int
    failure_threshold: int


def environment(
    ours: Mapping[str, EnvValue], theirs: Sequence[k8s.EnvVar] = ()
) -> list[k8s.EnvVar]:
    """Our variables, unset ones left out, and the user's, which replace ours of the same name."""
    replaced = {variable.name: variable for variable in theirs}
    variables = {
        name: k8s.EnvVar(name=name, value=value)
        if isinstance(value, str)
        else k8s.EnvVar(name=name, value_from=value)
        for name, value in ours.items()
        if value is not None
    }
    return list((variables | replaced).values())


def checksums(**secrets: SecretRef | None) -> dict[str, str]:
    """Annotations that change with the content of the Secrets, so that the pods roll."""
    return {
        f"checksum/{name.replace('_', '-')}": reference.checksum
        for name, reference in secrets.items()
        if reference is not None and reference.checksum is not None
    }


def tcp_probe(port: str, **timing: Unpack[Timing]) -> k8s.Probe:
    """A probe that opens a connection."""
    return k8s.Probe(tcp_socket=k8s.TcpSocketAction(port=int_or_string(port)), **timing)


def http_probe(path: str, port: str, **timing: Unpack[Timing]) -> k8s.Probe:
    """A probe that expects an HTTP status from 200 to 399."""
    return k8s.Probe(http_get=k8s.HttpGetAction(path=path, port=int_or_string(port)), **timing)


def exec_probe(*command: str, **timing: Unpack[Timing]) -> k8s.Probe:
    """A probe that runs a command in the container."""
    return k8s.Probe(exec=k8s.ExecAction(command=list(command)), **timing)


def container(
    name: str,
    workload: Workload,
    image: Image,
    *,
    env: Mapping[str, EnvValue],
    command: Sequence[str] | None = None,
    args: Sequence[str] | None = None,
    port: int | None = None,
    liveness: k8s.Probe | None = None,
    readiness: k8s.Probe | None = None,
    startup: k8s.Probe | None = None,
    mounts: Sequence[k8s.VolumeMount] = (),
    resources: k8s.ResourceRequirements | None = None,
    security_context: k8s.SecurityContext | None = None,
) -> k8s.Container:
    """The main container of a workload, listening on the port `http` if it listens at all.

    What the values say of the container comes first: resources and security context given here
    are defaults.
    """
    return k8s.Container(
        name=name,
        image=image.reference,
        image_pull_policy=image.pull_policy,
        command=command,
        args=args,
        env=environment(env, workload.extra_envs),
        ports=[k8s.ContainerPort(name="http", container_port=port)] if port else None,
        liveness_probe=liveness,
        readiness_probe=readiness,
        startup_probe=startup,
        resources=resources or workload.resources,
        security_context=workload.container_security_context or security_context,
        volume_mounts=[*mounts, *workload.additional_volume_mounts] or None,
    )


def pull_secrets(names: Sequence[str]) -> list[k8s.LocalObjectReference]:
    """References to the Secrets with credentials for the image registry."""
    return [k8s.LocalObjectReference(name=name) for name in dict.fromkeys(names)]


def pod_template(
    labels: Mapping[str, str],
    *containers: k8s.Container,
    scheduling: Scheduling,
    annotations: Mapping[str, str],
    init_containers: Sequence[k8s.Container] = (),
    volumes: Sequence[k8s.Volume] = (),
    security_context: k8s.PodSecurityContext | None = None,
    image_pull_secrets: Sequence[k8s.LocalObjectReference] = (),
    grace_period: int | None = None,
) -> k8s.PodTemplateSpec:
    """The pods of a workload; `grace_period` is in seconds."""
    return k8s.PodTemplateSpec(
        metadata=k8s.ObjectMeta(labels=labels, annotations=annotations or None),
        spec=k8s.PodSpec(
            # A Service called clearml-redis would inject the server's own variables.
            enable_service_links=False,
            automount_service_account_token=False,
            image_pull_secrets=image_pull_secrets or None,
            security_context=security_context,
            termination_grace_period_seconds=grace_period,
            init_containers=list(init_containers) or None,
            containers=list(containers),
            volumes=list(volumes) or None,
            node_selector=scheduling.node_selector or None,
            tolerations=scheduling.tolerations or None,
            affinity=scheduling.affinity,
        ),
    )


def deployment(
    scope: Construct,
    naming: Naming,
    component: str,
    workload: Workload,
    container: k8s.Container,
    *,
    replicas: int,
    init_containers: Sequence[k8s.Container] = (),
    volumes: Sequence[k8s.Volume] = (),
    annotations: Mapping[str, str],
    more_pull_secrets: Sequence[str] = (),
    recreate: bool = False,
) -> None:
    """Make the Deployment of a component; `more_pull_secrets` are for other images than its own.

    With `recreate` the old pods stop before new ones start: a volume of one node is never
    needed on two.
    """
    selector = naming.selector(component)
    k8s.KubeDeployment(
        scope,
        "deployment",
        metadata=naming.metadata(component),
        spec=k8s.DeploymentSpec(
            replicas=replicas,
            selector=k8s.LabelSelector(match_labels=selector),
            strategy=k8s.DeploymentStrategy(type="Recreate") if recreate else None,
            template=pod_template(
                naming.labels(component) | selector,
                container,
                scheduling=workload,
                annotations={**annotations, **workload.pod_annotations},
                init_containers=init_containers,
                volumes=[*volumes, *workload.additional_volumes],
                security_context=workload.pod_security_context,
                image_pull_secrets=pull_secrets([*workload.image_pull_secrets, *more_pull_secrets]),
            ),
        ),
    )
