"""From values to files."""

from pathlib import Path
from typing import TYPE_CHECKING

from cdk8s import App

from clearml_k8s.clearml import install
from clearml_k8s.engine import send_set_fields_only, skip_type_checks
from clearml_k8s.notes import notes
from config import Values

if TYPE_CHECKING:
    from clearml_k8s.stores.imported import ImportedStores


def synthesize(values: Values) -> str:
    """Write the manifests into cdk8s' output folder, and hand back what to tell the user.

    Manifests of an earlier synthesis are replaced only when all new ones could be built. Raises
    ValuesError for Helm charts that cannot be had or rendered.
    """
    rendering = _imported(values)
    skip_type_checks()
    send_set_fields_only()
    app = App()
    stores, warnings = rendering.wait() if rendering else ({}, [])
    addresses = install(app, values, stores)
    outdir = Path(app.outdir)
    for stale in outdir.glob("*.k8s.yaml"):
        stale.unlink()
    app.synth()
    return notes(values, addresses, outdir, warnings)


def _imported(values: Values) -> "ImportedStores | None":
    if not (values.mongodb.imported or values.redis.imported or values.elasticsearch.imported):
        return None
    from clearml_k8s.stores.imported import ImportedStores  # costs time that others are spared

    return ImportedStores(values)
