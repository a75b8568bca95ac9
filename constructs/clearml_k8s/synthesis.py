"""From values to files."""

from pathlib import Path

from cdk8s import App

from clearml_k8s.clearml import install
from clearml_k8s.engine import send_set_fields_only, skip_type_checks
from clearml_k8s.notes import notes
from clearml_k8s.output import new_files, put_in_place
from clearml_k8s.stores import render_charts
from config import Values


def synthesize(values: Values, outdir: Path) -> str:
    """Write the manifests into the output folder, and hand back what to tell the user.

    Manifests of an earlier synthesis are replaced only when all new ones could be written. Raises
    ValuesError for Helm charts that cannot be had or rendered, OSError for what the disk refuses,
    and JSIIError or RuntimeError for what jsii does.
    """
    charts = render_charts(values)
    skip_type_checks()
    send_set_fields_only()
    rendered = charts()
    with new_files(outdir) as folder:
        app = App(outdir=str(folder))
        servers = install(app, values, rendered)
        app.synth()
        put_in_place(folder, outdir)
        warnings = [warning for chart in rendered.values() for warning in chart.warnings]
        return notes(values, servers, outdir, warnings)
