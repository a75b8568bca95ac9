"""From values to files."""

from pathlib import Path

from cdk8s import App

from clearml_k8s.clearml import install
from clearml_k8s.engine import send_set_fields_only, skip_type_checks
from clearml_k8s.notes import notes
from clearml_k8s.stores import render_charts
from config import Values


def synthesize(values: Values) -> str:
    """Write the manifests into cdk8s' output folder, and hand back what to tell the user.

    Manifests of an earlier synthesis are replaced only when all new ones could be built. Raises
    ValuesError for Helm charts that cannot be had or rendered.
    """
    charts = render_charts(values)
    skip_type_checks()
    send_set_fields_only()
    app = App()
    rendered = charts()
    servers = install(app, values, rendered)
    outdir = Path(app.outdir)
    for stale in outdir.glob("*.k8s.yaml"):
        stale.unlink()
    app.synth()
    warnings = [warning for chart in rendered.values() for warning in chart.warnings]
    return notes(values, servers, outdir, warnings)
