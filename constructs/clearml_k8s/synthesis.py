"""From values to files."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import yaml
from cdk8s import App

from clearml_k8s.clearml import install
from clearml_k8s.engine import send_set_fields_only, skip_type_checks
from clearml_k8s.notes import notes
from clearml_k8s.output import new_files, put_in_place
from clearml_k8s.rules import Bundle, findings, too_large_to_apply
from clearml_k8s.stores import render_charts
from clearml_k8s.upgrade import upgrade_warnings
from config import Values, ValuesError
from config.loading import read_in_our_words
from config.loading.reading import text_of

BETWEEN_DOCUMENTS = re.compile(r"^---\n", re.MULTILINE)


def synthesize(values: Values, files: Sequence[Path], outdir: Path) -> str:
    """Write the manifests into the output folder, and hand back what to tell the user.

    `files` is where the values come from, for messages. Manifests of an earlier synthesis are
    replaced only when all new ones could be written. Raises ValuesError for Helm charts that cannot
    be had or rendered and for what Kubernetes would refuse, OSError for what the disk refuses, and
    JSIIError or RuntimeError for what jsii does.
    """
    charts = render_charts(values)
    skip_type_checks()
    send_set_fields_only()
    rendered = charts()
    with new_files(outdir) as folder:
        app = App(outdir=str(folder))
        servers = install(app, values, rendered)
        app.synth()
        documents = _documents(folder)
        bundle = Bundle([yaml.load(document, yaml.CSafeLoader) for document in documents])
        if found := findings(bundle):
            from clearml_k8s.rules.blame import lines
            from config.loading.wording import in_order

            raise ValuesError(in_order(lines(found, read_in_our_words(files).sources), files))
        warnings = [f"{file}: is empty, and sets nothing" for file in files if _is_empty(file)]
        with suppress(OSError):  # what cannot be read can be replaced
            warnings += upgrade_warnings(_documents(outdir), documents, bundle)
        warnings += [warning for chart in rendered.values() for warning in chart.warnings]
        warnings += [str(finding) for finding in too_large_to_apply(bundle)]
        put_in_place(folder, outdir)
        return notes(values, servers, outdir, warnings)


def _is_empty(file: Path) -> bool:
    """Whether nothing is in it, not even a comment: what was to write it may have failed."""
    return not text_of(file).strip()


def _documents(folder: Path) -> list[str]:
    """The manifests in a folder, a text for each object."""
    files = [file for file in sorted(folder.glob("*.k8s.yaml")) if file.is_file()]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    return [document for text in texts for document in BETWEEN_DOCUMENTS.split(text)]
