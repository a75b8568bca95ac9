"""What Argo CD reads on the objects of a chart."""

import json

from cdk8s import ApiObject, Chart, JsonPatch

SYNC_WAVE = "argocd.argoproj.io/sync-wave"


def in_sync_wave(chart: Chart, number: int) -> None:
    """Put the objects that the chart has so far into that wave; one that names a wave keeps it.

    Argo CD goes on to the wave with the next number when all objects of this one are healthy.
    """
    for made in (node for node in chart.node.find_all() if isinstance(node, ApiObject)):
        # As written: an object that is patched in whole has metadata besides the construct's.
        metadata = made.to_json()["metadata"]
        annotations = {SYNC_WAVE: str(number), **metadata.get("annotations", {})}
        # Sorted, as cdk8s does not sort what is patched in.
        in_order = json.loads(json.dumps({**metadata, "annotations": annotations}, sort_keys=True))
        made.add_json_patch(JsonPatch.replace("/metadata", in_order))
