"""All kinds of workloads: what a component is, and all that the values say of its pods."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct
from pydantic.alias_generators import to_camel

from clearml_k8s.parts.container import Container
from clearml_k8s.parts.contents import checksum
from clearml_k8s.parts.environment import environment, escaped
from clearml_k8s.parts.naming import Common, Component
from clearml_k8s.parts.need import Endpoint, Need
from clearml_k8s.parts.traits import (
    account_name,
    autoscaler,
    disruption_budget,
    service_account,
)
from clearml_k8s.parts.untyped import untyped
from clearml_k8s.parts.volume import DataVolume
from clearml_k8s.parts.wait import wait_for
from config.image import PulledImage
from config.pod import CronJob, Deployment, Job, LongRunning, OnePod, Pod, Probe, StatefulSet
from config.types.structs import fields_of, overlaid, to_plain

# Settings that a PodSpec has under the same name, with the same meaning.
SAME_IN_POD_SPEC = (Pod.model_fields.keys() & fields_of(k8s.PodSpec)) - {
    "image_pull_secrets",
    "init_containers",
    "service_account",
}
DIGEST_LENGTH = 10


def run_as(user: int | None = None) -> k8s.PodSecurityContext:
    """The user that an image runs as, if it does not say; files belong to the group of that number.

    System calls are those that the container runtime allows by default.
    """
    return k8s.PodSecurityContext(
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
    )


class Workload(NamedTuple):
    """What runs in the pods of a component, and the settings that hold without any values.

    `needs` is what it talks to; with a `wait_image` an init container of that image waits for
    those that must be there first. `peers` is what it talks to besides, such as others of its kind.
    `public` names the ports that everybody may reach; those called `metrics` are public anyway.
    `grace_period` is in seconds; with `spread` the pods go to different nodes where possible, else
    where `affinity` says. `min_available` is how many must stay while nodes are drained, unless the
    values say.
    """

    component: Component
    main: Container
    init_containers: Sequence[Container] = ()
    sidecars: Sequence[Container] = ()
    volumes: Sequence[k8s.Volume] = ()
    needs: Mapping[str, Need] = {}
    peers: Sequence[Endpoint] = ()
    public: Sequence[str] = ()
    wait_image: PulledImage | None = None
    security_context: k8s.PodSecurityContext | None = run_as()
    grace_period: int | None = None
    spread: bool = False
    affinity: k8s.Affinity | None = None
    min_available: int | None = None


class Placed(NamedTuple):
    """A workload where it was made, and what the values say of its pods."""

    scope: Construct
    workload: Workload
    pod: Pod

    @property
    def pod_context(self) -> Any:
        """The security context of its pods, for others that write to the same volumes."""
        return _pod_context(self.workload, self.pod)

    @property
    def container_context(self) -> Any:
        """The security context of its main container."""
        return _container_context(self.workload.main, self.pod)


def deployment(
    scope: Construct,
    workload: Workload,
    pod: OnePod,
    *,
    replicas: int = 1,
    id: str = "deployment",
) -> Placed:
    """Make the Deployment of a component, and what stands around it.

    Where its pods share a volume of one node, old ones stop before new ones start.
    """
    component = workload.component
    scaling = pod.autoscaling if isinstance(pod, Deployment) else None
    recreation = k8s.DeploymentStrategy(type="Recreate") if pod.on_one_node else None
    k8s.KubeDeployment(
        scope,
        id,
        metadata=component.metadata(annotations=pod.deployment_annotations),
        spec=k8s.DeploymentSpec(
            replicas=_replicas(workload, None if scaling and scaling.enabled else replicas),
            selector=k8s.LabelSelector(match_labels=component.selector),
            strategy=pod.update_strategy or recreation,
            revision_history_limit=pod.revision_history_limit,
            template=_template(workload, pod),
        ),
    )
    if scaling:
        autoscaler(scope, component, scaling)
    return _surrounded(scope, workload, pod)


def stateful_set(
    scope: Construct, workload: Workload, pod: StatefulSet, *, replicas: int, data: DataVolume
) -> Placed:
    """Make the StatefulSet of a store's component, and what stands around it.

    Its pods start in parallel.
    """
    component = workload.component
    spec = k8s.StatefulSetSpec(
        service_name=component.headless,
        replicas=_replicas(workload, replicas),
        pod_management_policy="Parallel",
        selector=k8s.LabelSelector(match_labels=component.selector),
        update_strategy=pod.update_strategy,
        revision_history_limit=pod.revision_history_limit,
        template=_template(workload, pod, data.volumes),
    )
    templates = {"volumeClaimTemplates": data.templates} if data.templates else {}
    # Not a KubeStatefulSet, which leaves out kind and status of claim templates, patched in or not.
    untyped(
        scope,
        f"{component.name}-stateful-set",
        api_version="apps/v1",
        kind="StatefulSet",
        metadata=component.metadata(annotations=pod.deployment_annotations),
        spec={**to_plain(spec), **templates},
    )
    return _surrounded(scope, workload, pod)


def job(scope: Construct, workload: Workload, pod: Job) -> Placed:
    """Make the Job `<name>-<digest>` of a component, and what stands around it.

    The digest is of its content, which no Job can change: another content is another Job. When it
    is removed is no part of that, or a restore would be made again only to be removed later.
    """
    component, spec = workload.component, _job_spec(workload, pod)
    content = to_plain(spec)
    content.pop("ttlSecondsAfterFinished", None)
    digest = checksum({"spec": json.dumps(content, sort_keys=True)})
    k8s.KubeJob(
        scope,
        f"{component.name}-job",
        metadata=component.metadata(
            f"{component.name}-{digest[:DIGEST_LENGTH]}", pod.job_annotations
        ),
        spec=spec,
    )
    return _surrounded(scope, workload, pod)


def cron_job(
    scope: Construct, workload: Workload, pod: CronJob, *, suspend: bool = False
) -> Placed:
    """Make the CronJob of a component, and what stands around it; its Jobs never overlap.

    With `suspend` it starts none, whatever the values say.
    """
    component = workload.component
    k8s.KubeCronJob(
        scope,
        f"{component.name}-cron-job",
        metadata=component.metadata(annotations=pod.job_annotations),
        spec=k8s.CronJobSpec(
            schedule=pod.schedule,
            time_zone=pod.time_zone or None,
            concurrency_policy="Forbid",
            suspend=pod.suspend or suspend,
            starting_deadline_seconds=pod.starting_deadline_seconds,
            successful_jobs_history_limit=pod.successful_jobs_history_limit,
            failed_jobs_history_limit=pod.failed_jobs_history_limit,
            job_template=k8s.JobTemplateSpec(
                metadata=k8s.ObjectMeta(labels={**component.labels, **component.common.labels}),
                spec=_job_spec(workload, pod),
            ),
        ),
    )
    return _surrounded(scope, workload, pod)


def _replicas(workload: Workload, wanted: int | None) -> int | None:
    """Return how many pods to run: none while the data of a store that they need is replaced.

    A number that is set, 0 too, keeps an autoscaler from choosing one.
    """
    return 0 if workload.needs.keys() & workload.component.common.restored else wanted


def _job_spec(workload: Workload, pod: Job) -> k8s.JobSpec:
    return k8s.JobSpec(
        template=_template(workload, pod, restart_policy="Never"),
        backoff_limit=pod.backoff_limit,
        active_deadline_seconds=pod.active_deadline_seconds,
        ttl_seconds_after_finished=pod.ttl_seconds_after_finished,
    )


def settings_of(pod: LongRunning, common: Common, selector: Mapping[str, str]) -> dict[str, Any]:
    """The settings alone: a patch for the template of a pod that something else has made.

    The selector is what finds those pods. The patch holds what the values say, and no default; an
    empty mapping in it stands for what is to be taken away.
    """
    nobody = Component(name="", labels={}, selector=selector, common=common)
    nothing = Container(
        name="",
        image=PulledImage(repository="", version="", pull_policy=""),
        security_context=None,
    )
    workload = Workload(component=nobody, main=nothing, security_context=None)
    patch: dict[str, Any] = to_plain(_template(workload, pod))
    spec, main = patch["spec"], patch["spec"]["containers"][0]
    del spec["enableServiceLinks"], spec["automountServiceAccountToken"]
    del main["name"], main["image"], main["imagePullPolicy"]
    for name in ("liveness_probe", "readiness_probe", "startup_probe"):
        probe: Probe = getattr(pod, name)
        if not probe.enabled:
            main[to_camel(name)] = {}
        elif probe.timing:
            main[to_camel(name)] = {to_camel(key): value for key, value in probe.timing.items()}
    return patch


def _surrounded(scope: Construct, workload: Workload, pod: Pod) -> Placed:
    component = workload.component
    if isinstance(pod, LongRunning):
        disruption_budget(scope, component, pod.pod_disruption_budget, workload.min_available)
    service_account(scope, component, pod.service_account)
    return Placed(scope, workload, pod)


def _template(
    workload: Workload,
    pod: Pod,
    more_volumes: Sequence[k8s.Volume] = (),
    restart_policy: str | None = None,
) -> k8s.PodTemplateSpec:
    component, needs = workload.component, workload.needs
    registry = component.common.image_registry
    init_containers = list(workload.init_containers)
    targets = {name: need.target for name, need in needs.items() if need.target is not None}
    if workload.wait_image is not None and targets:
        init_containers.insert(0, wait_for(workload.wait_image, targets))
    containers = (workload.main, *init_containers, *workload.sidecars)
    pull_secrets = [name for container in containers for name in container.image.pull_secrets]
    pull_secrets += component.common.pull_secrets
    settings = {
        name: setting
        for name in SAME_IN_POD_SPEC
        if (setting := getattr(pod, name)) not in (None, "", [], {})
    }
    if pod.topology_spread_constraints:
        settings["topology_spread_constraints"] = _spread(component, pod)
    if workload.spread:
        settings["affinity"] = overlaid(_apart(component), pod.affinity)
    if workload.affinity is not None:
        settings["affinity"] = overlaid(workload.affinity, pod.affinity)
    settings.setdefault("termination_grace_period_seconds", workload.grace_period)
    spec = k8s.PodSpec(
        restart_policy=restart_policy,
        # A Service called clearml-redis would inject the server's own variables.
        enable_service_links=False,
        automount_service_account_token=pod.service_account.automount,
        service_account_name=account_name(component, pod.service_account),
        image_pull_secrets=_references([*pod.image_pull_secrets, *pull_secrets]) or None,
        init_containers=[
            *(_init_container(container, pod, registry) for container in init_containers),
            *pod.extra_init_containers,
        ]
        or None,
        containers=[
            _main_container(workload.main, pod, registry),
            *(_container(container, pod, registry) for container in workload.sidecars),
            *pod.extra_containers,
        ],
        volumes=[*workload.volumes, *more_volumes, *pod.additional_volumes] or None,
        security_context=_pod_context(workload, pod),
        **settings,
    )
    # A Job reads them once: another annotation would be another Job, which runs anew.
    rolls = isinstance(pod, LongRunning)
    checksums = component.common.contents.checksums(spec) if rolls else {}
    return k8s.PodTemplateSpec(
        metadata=k8s.ObjectMeta(
            labels=component.pod_labels(pod.pod_labels),
            annotations={**checksums, **pod.pod_annotations} or None,
        ),
        spec=spec,
    )


def _main_container(container: Container, pod: Pod, registry: str) -> k8s.Container:
    probes = _probes(container, pod) if isinstance(pod, LongRunning) else {}
    return _container(
        container,
        pod,
        registry,
        env=environment(container.env, pod.extra_envs),
        env_from=pod.env_from or None,
        **probes,
        resources=overlaid(container.resources, pod.resources),
        lifecycle=overlaid(_pause(container.pause), pod.lifecycle),
        volume_mounts=[*container.mounts, *pod.additional_volume_mounts] or None,
    )


def _init_container(container: Container, pod: Pod, registry: str) -> k8s.Container:
    given = pod.init_containers
    as_main = container.does_main_work and "resources" not in given.model_fields_set
    resources = pod.resources if as_main else given.resources
    return _container(container, pod, registry, resources=resources)


def _container(container: Container, pod: Pod, registry: str, **settings: Any) -> k8s.Container:
    return k8s.Container(
        name=container.name,
        image=container.image.reference(registry),
        image_pull_policy=container.image.pull_policy,
        command=container.command,
        args=None if container.args is None else [escaped(word) for word in container.args],
        ports=[
            k8s.ContainerPort(name=name, container_port=port)
            for name, port in container.ports.items()
        ]
        or None,
        security_context=_container_context(container, pod),
        **{
            "env": environment(container.env),
            "lifecycle": _pause(container.pause),
            "resources": container.resources,
            "volume_mounts": list(container.mounts) or None,
            **settings,
        },
    )


def _pause(seconds: int) -> k8s.Lifecycle | None:
    """A hook, as Kubernetes' own `sleep` is of 1.30 only; None for no pause."""
    if not seconds:
        return None
    sleep = k8s.ExecAction(command=["sleep", str(seconds)])
    return k8s.Lifecycle(pre_stop=k8s.LifecycleHandler(exec=sleep))


def _pod_context(workload: Workload, pod: Pod) -> Any:
    return overlaid(workload.security_context, pod.pod_security_context)


def _container_context(container: Container, pod: Pod) -> Any:
    ours, theirs = container.security_context, pod.container_security_context
    if theirs and theirs.privileged:
        return theirs
    return ours if container.privileged else overlaid(ours, theirs)


def _probes(container: Container, pod: LongRunning) -> dict[str, k8s.Probe | None]:
    return {
        "liveness_probe": _timed(container.liveness, pod.liveness_probe),
        "readiness_probe": _timed(container.readiness, pod.readiness_probe),
        "startup_probe": _timed(container.startup, pod.startup_probe),
    }


def _timed(probe: k8s.Probe | None, timing: Probe) -> k8s.Probe | None:
    if not timing.enabled:
        return None
    return k8s.Probe(**probe._values | timing.timing) if probe else None


def _references(names: Sequence[str]) -> list[k8s.LocalObjectReference]:
    return [k8s.LocalObjectReference(name=name) for name in dict.fromkeys(names)]


def _spread(component: Component, pod: Pod) -> list[k8s.TopologySpreadConstraint]:
    """The constraints of the values; one that does not say which pods it counts counts these."""
    of_these = k8s.LabelSelector(match_labels=component.selector) if component.selector else None
    return [
        k8s.TopologySpreadConstraint(**{"label_selector": of_these} | constraint._values)
        for constraint in pod.topology_spread_constraints
    ]


def _apart(component: Component) -> k8s.Affinity:
    """Pods on different nodes where that is possible."""
    term = k8s.PodAffinityTerm(
        topology_key="kubernetes.io/hostname",
        label_selector=k8s.LabelSelector(match_labels=component.selector),
    )
    return k8s.Affinity(
        pod_anti_affinity=k8s.PodAntiAffinity(
            preferred_during_scheduling_ignored_during_execution=[
                k8s.WeightedPodAffinityTerm(weight=100, pod_affinity_term=term)
            ]
        )
    )
