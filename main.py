"""Values -> App -> manifests; `cdk8s synth` and `python main.py` run this."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent
# A source root, not a package: the name `constructs` belongs to PyPI's package.
sys.path.append(str(ROOT / "constructs"))

from cdk8s import App  # noqa: E402  # after the source root is known
from clearml_k8s.clearml import install  # noqa: E402
from clearml_k8s.notes import notes  # noqa: E402
from config import ValuesError, load  # noqa: E402
from config.loading import values_files  # noqa: E402


def main() -> None:
    """Synthesize the manifests, or say what is wrong with the values and leave the output alone."""
    try:
        values = load(values_files(os.environ))
    except ValuesError as error:
        sys.exit(str(error))
    app = App()
    install(app, values)
    outdir = Path(app.outdir)
    for stale in outdir.glob("*.k8s.yaml"):
        stale.unlink()
    app.synth()
    print(notes(values, outdir), file=sys.stderr)


if __name__ == "__main__":
    main()
