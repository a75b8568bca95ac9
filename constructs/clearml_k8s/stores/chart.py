"""What of the values reaches the objects of a Helm chart though the chart does not know it."""

from collections.abc import Mapping

from clearml_k8s.parts.naming import Naming, SecretRef, checksum
from clearml_k8s.parts.workload import settings_of
from config.pod import StatefulSet
from config.types.structs import to_plain
from imports.error import ChartError
from imports.patches import PROBES, WORKLOADS, Object, strategic_merge
from imports.release import ReleaseManifests


def adapted(
    store: str, chart: ReleaseManifests, naming: Naming, pod: StatefulSet
) -> ReleaseManifests:
    """The chart with the common labels and annotations, and with these settings of its pods.

    Raises ChartError for timings of a probe that the chart does not make.
    """
    return ReleaseManifests(
        [_adapted(store, manifest, naming, pod) for manifest in chart.objects], chart.warnings
    )


def secret_ref(made: Object | None, existing: str) -> SecretRef:
    """The user's Secret, or the one that the chart made."""
    if existing or made is None:
        return SecretRef(existing)
    return SecretRef(made["metadata"]["name"], checksum(made["data"]))


def _adapted(store: str, manifest: Object, naming: Naming, pod: StatefulSet) -> Object:
    common = {"labels": naming.common_labels, "annotations": naming.common_annotations}
    adapted: Object = strategic_merge(manifest, {"metadata": _missing(manifest, common)})
    if manifest["kind"] in WORKLOADS:
        annotations = _missing(adapted, {"annotations": pod.deployment_annotations})
        patch = {"metadata": annotations, "spec": _spec(store, manifest, naming, pod)}
        adapted = strategic_merge(adapted, patch)
    return adapted


def _spec(store: str, workload: Object, naming: Naming, pod: StatefulSet) -> Object:
    template, settings = workload["spec"]["template"], settings_of(pod)
    labels = {"labels": {**naming.common_labels, **pod.pod_labels}}
    settings["metadata"] = _missing(template, labels)
    main, patch = template["spec"]["containers"][0], settings["spec"]["containers"][0]
    for key in patch.keys() & PROBES - main.keys():
        raise ChartError(store, f"makes no {key} that could be set")
    patch["name"] = main["name"]
    if pod.init_containers.resources is not None:
        resources = to_plain(pod.init_containers.resources)
        names = [container["name"] for container in template["spec"].get("initContainers", [])]
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


def _missing(owner: Object, more: Mapping[str, Mapping[str, str]]) -> Object | None:
    """What its metadata lack; the chart's own labels are those that its selectors look for."""
    metadata = owner.get("metadata", {})
    missing = {
        part: {key: entry for key, entry in entries.items() if key not in metadata.get(part, {})}
        for part, entries in more.items()
    }
    return {part: entries for part, entries in missing.items() if entries} or None
