"""From values to files."""

from pathlib import Path

from cdk8s import App

from clearml_k8s.clearml import install
from clearml_k8s.jsii_speed import skip_type_checks
from clearml_k8s.notes import notes
from config import Values


def synthesize(values: Values) -> str:
    """Write the manifests into cdk8s' output folder, and hand back what to tell the user.

    Manifests of an earlier synthesis are replaced only when all new ones could be built.
    """
    skip_type_checks()
    app = App()
    addresses = install(app, values)
    outdir = Path(app.outdir)
    for stale in outdir.glob("*.k8s.yaml"):
        stale.unlink()
    app.synth()
    return notes(values, addresses, outdir)
