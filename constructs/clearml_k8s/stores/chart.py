"""What of the values reaches the objects of a Helm chart though the chart does not know it."""

from collections.abc import Mapping

from clearml_k8s.parts.naming import Naming, SecretRef
from clearml_k8s.parts.workload import settings_of
from config.image import Image, PulledImage, from_registry
from config.pod import StatefulSet
from config.types.structs import to_plain
from imports.error import ChartError
from imports.patches import PROBES, WORKLOADS, Object, strategic_merge
from imports.release import ReleaseManifests


def adapted(
    store: str, chart: ReleaseManifests, naming: Naming, pod: StatefulSet, image: Image
) -> ReleaseManifests:
    """The chart with what all objects have in common, and with these settings of its pods.

    `image` is that of the main containers, of which the chart need not know registry and digest.
    What the values do not set stays as helm rendered it.

    Raises ChartError for timings of a probe that the chart does not make, and for labels of pods
    that its selectors look for.
    """
    for manifest in chart.objects:
        naming.common.contents.add_manifest(manifest)
    return ReleaseManifests(
        [_adapted(store, manifest, naming, pod, image) for manifest in chart.objects],
        chart.warnings,
    )


def secret_ref(made: Object | None, existing: str) -> SecretRef:
    """The user's Secret, or the one that the chart made."""
    if existing or made is None:
        return SecretRef(existing)
    return SecretRef(made["metadata"]["name"])


def _adapted(
    store: str, manifest: Object, naming: Naming, pod: StatefulSet, image: Image
) -> Object:
    common = {"labels": naming.common.labels, "annotations": naming.common.annotations}
    adapted = strategic_merge(manifest, {"metadata": _missing(manifest, common)})
    if manifest["kind"] in WORKLOADS:
        annotations = {"annotations": pod.deployment_annotations or None}
        patch = {"metadata": annotations, "spec": _spec(store, manifest, naming, pod)}
        adapted = strategic_merge(adapted, patch)
        images = _images(manifest["spec"]["template"]["spec"], image, naming.common.image_registry)
        adapted = strategic_merge(adapted, {"spec": {"template": {"spec": images}}})
    return _with_class(adapted, naming.common.storage_class)


def _images(pod: Object, image: Image, registry: str) -> Object:
    """Where the images of the chart's own containers come from."""
    main = pod["containers"][0]["image"]
    return {
        field: [
            {
                "name": container["name"],
                "image": _pinned(main, image).reference(registry)
                if container["image"] == main
                else from_registry(container["image"], registry),
            }
            for container in pod[field]
        ]
        for field in ("containers", "initContainers")
        if pod.get(field)
    }


def _pinned(rendered: str, image: Image) -> PulledImage:
    name, _, digest = rendered.partition("@")
    digest = image.digest or digest
    return PulledImage(
        registry=image.registry,
        repository=name,
        version=f"@{digest}" if digest else "",
        pull_policy=image.pull_policy,
    )


def _with_class(manifest: Object, storage_class: str) -> Object:
    """The object, where claims and their templates that name no storage class get this one."""
    spec = manifest.get("spec", {})
    if storage_class and manifest["kind"] == "PersistentVolumeClaim":
        return {**manifest, "spec": {"storageClassName": storage_class, **spec}}
    if storage_class and "volumeClaimTemplates" in spec:
        claims = [
            {**claim, "spec": {"storageClassName": storage_class, **claim["spec"]}}
            for claim in spec["volumeClaimTemplates"]
        ]
        return {**manifest, "spec": {**spec, "volumeClaimTemplates": claims}}
    return manifest


def _spec(store: str, workload: Object, naming: Naming, pod: StatefulSet) -> Object:
    template, selector = workload["spec"]["template"], _selector(workload)
    settings = settings_of(pod, naming.common, selector)
    settings["metadata"] = {"labels": _pod_labels(store, workload, naming, pod) or None}
    main, patch = template["spec"]["containers"][0], settings["spec"]["containers"][0]
    for key in patch.keys() & PROBES - main.keys():
        if patch[key]:
            raise ChartError(store, f"makes no {key} that could be set")
    patch["name"] = main["name"]
    names = [container["name"] for container in template["spec"].get("initContainers", [])]
    if names and "resources" in pod.init_containers.model_fields_set:
        resources = to_plain(pod.init_containers.resources)
        settings["spec"]["initContainers"] = [
            *({"name": name, "resources": resources} for name in names),
            *settings["spec"].get("initContainers", []),
        ]
    # A Deployment is only ever recreated: its pods share one volume.
    strategy = to_plain(pod.update_strategy) if workload["kind"] == "StatefulSet" else None
    return {
        "updateStrategy": strategy,
        "revisionHistoryLimit": pod.revision_history_limit,
        "template": settings,
    }


def _pod_labels(store: str, workload: Object, naming: Naming, pod: StatefulSet) -> dict[str, str]:
    """The labels that its pods get besides those that they keep."""
    theirs = workload["spec"]["template"].get("metadata", {}).get("labels", {})
    selector = _selector(workload)
    for key in pod.pod_labels.keys() & selector.keys():
        if pod.pod_labels[key] != selector[key]:
            raise ChartError(store, f"finds its pods by the label {key}: podLabels must leave it")
    common = {key: label for key, label in naming.common.labels.items() if key not in theirs}
    return common | pod.pod_labels


def _selector(workload: Object) -> Mapping[str, str]:
    """The labels that find its pods."""
    labels: Mapping[str, str] = workload["spec"].get("selector", {}).get("matchLabels", {})
    return labels


def _missing(owner: Object, more: Mapping[str, Mapping[str, str]]) -> Object | None:
    """What its metadata lack; the chart's own labels are those that its selectors look for."""
    metadata = owner.get("metadata", {})
    missing = {
        part: {key: entry for key, entry in entries.items() if key not in metadata.get(part, {})}
        for part, entries in more.items()
    }
    return {part: entries for part, entries in missing.items() if entries} or None
