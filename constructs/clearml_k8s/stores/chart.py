"""What of the values reaches the objects of a Helm chart though the chart does not know it."""

from collections.abc import Mapping

from clearml_k8s.parts.naming import Naming, SecretRef, checksum
from clearml_k8s.parts.workload import settings_of
from config.pod import StatefulSet
from config.types.structs import to_plain
from imports.patches import WORKLOADS, Object, strategic_merge
from imports.rendering import Rendered


def adapted(chart: Rendered, naming: Naming, pod: StatefulSet) -> Rendered:
    """The chart with the common labels and annotations, and with these settings of its pods."""
    return Rendered(
        [strategic_merge(made, _patch(made, naming, pod)) for made in chart.objects], chart.warnings
    )


def secret_ref(made: Object | None, existing: str) -> SecretRef:
    """The user's Secret, or the one that the chart made."""
    if existing or made is None:
        return SecretRef(existing)
    return SecretRef(made["metadata"]["name"], checksum(made["data"]))


def _patch(made: Object, naming: Naming, pod: StatefulSet) -> Object:
    common = {"labels": naming.common_labels, "annotations": naming.common_annotations}
    patch: Object = {"metadata": _missing(made["metadata"], common)}
    if made["kind"] not in WORKLOADS:
        return patch
    patch["metadata"] |= _missing(made["metadata"], {"annotations": pod.deployment_annotations})
    template, containers = made["spec"]["template"], made["spec"]["template"]["spec"]
    settings = settings_of(pod)
    labels = {**naming.common_labels, **pod.pod_labels}
    settings["metadata"] = _missing(template.get("metadata", {}), {"labels": labels})
    settings["spec"]["containers"][0] |= {"name": containers["containers"][0]["name"]}
    resources = to_plain(pod.init_containers.resources)
    if resources:
        ours = [
            {"name": container["name"], "resources": resources}
            for container in containers.get("initContainers", [])
        ]
        settings["spec"]["initContainers"] = ours + settings["spec"].get("initContainers", [])
    strategy = "updateStrategy" if made["kind"] == "StatefulSet" else "strategy"
    chosen = {strategy: pod.update_strategy, "revisionHistoryLimit": pod.revision_history_limit}
    set_ones = {key: to_plain(value) for key, value in chosen.items() if value is not None}
    patch["spec"] = {"template": settings, **set_ones}
    return patch


def _missing(metadata: Object, more: Mapping[str, Mapping[str, str]]) -> Object:
    """What is not there yet: the chart's own labels are those that its selectors look for."""
    return {
        part: missing
        for part, entries in more.items()
        if (missing := {k: v for k, v in entries.items() if k not in metadata.get(part, {})})
    }
