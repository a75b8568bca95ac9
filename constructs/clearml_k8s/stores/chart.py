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
    common = {"labels": naming.common_labels, "annotations": naming.common_annotations}
    objects = [
        strategic_merge(manifest, {"metadata": _missing(manifest, common)})
        for manifest in chart.objects
    ]
    workloads = [manifest for manifest in objects if manifest["kind"] in WORKLOADS]
    for manifest in workloads:
        for key in settings_of(pod)["spec"]["containers"][0].keys() & PROBES:
            if key not in manifest["spec"]["template"]["spec"]["containers"][0]:
                raise ChartError(store, f"makes no {key} that could be set")
    return ReleaseManifests(
        [
            strategic_merge(manifest, _settings(manifest, naming, pod))
            if manifest in workloads
            else manifest
            for manifest in objects
        ],
        chart.warnings,
    )


def secret_ref(made: Object | None, existing: str) -> SecretRef:
    """The user's Secret, or the one that the chart made."""
    if existing or made is None:
        return SecretRef(existing)
    return SecretRef(made["metadata"]["name"], checksum(made["data"]))


def _settings(workload: Object, naming: Naming, pod: StatefulSet) -> Object:
    template = workload["spec"]["template"]
    settings = settings_of(pod)
    labels = {"labels": {**naming.common_labels, **pod.pod_labels}}
    settings["metadata"] = _missing(template, labels)
    settings["spec"]["containers"][0]["name"] = template["spec"]["containers"][0]["name"]
    settings["spec"]["initContainers"] = [
        *(
            {"name": container["name"], "resources": to_plain(pod.init_containers.resources)}
            for container in template["spec"].get("initContainers", [])
            if pod.init_containers.resources is not None
        ),
        *settings["spec"].get("initContainers", []),
    ] or None
    strategy = "updateStrategy" if workload["kind"] == "StatefulSet" else "strategy"
    chosen = {strategy: pod.update_strategy, "revisionHistoryLimit": pod.revision_history_limit}
    spec = {key: to_plain(value) for key, value in chosen.items() if value is not None}
    return {
        "metadata": _missing(workload, {"annotations": pod.deployment_annotations}),
        "spec": spec | {"template": settings},
    }


def _missing(owner: Object, more: Mapping[str, Mapping[str, str]]) -> Object | None:
    """What its metadata lack; the chart's own labels are those that its selectors look for."""
    metadata = owner.get("metadata", {})
    missing = {
        part: {key: entry for key, entry in entries.items() if key not in metadata.get(part, {})}
        for part, entries in more.items()
    }
    return {part: entries for part, entries in missing.items() if entries} or None
