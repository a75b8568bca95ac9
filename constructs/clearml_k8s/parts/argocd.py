"""What Argo CD reads on the objects of a chart."""

from cdk8s import ApiObject, Chart, JsonPatch

from clearml_k8s.parts.untyped import in_order
from config.release import SYNC_WAVE


def in_sync_wave(chart: Chart, number: int) -> None:
    """Put the objects that the chart has so far into that wave; one that names a wave keeps it.

    Argo CD goes on to the wave with the next number when all objects of this one are healthy.
    """
    for made in (node for node in chart.node.find_all() if isinstance(node, ApiObject)):
        # As written: an object that is patched in whole has metadata besides the construct's.
        metadata = made.to_json()["metadata"]
        annotations = {SYNC_WAVE: str(number), **metadata.get("annotations", {})}
        completed = in_order({**metadata, "annotations": annotations})
        made.add_json_patch(JsonPatch.replace("/metadata", completed))
