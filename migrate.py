"""Print the values file of another ClearML chart in our words; ends as a synthesis of it would.

A program of its own beside main.py; what it does to the file is in config/migration.py.
"""

import os
import sys

# A source root, not a package: the name `constructs` belongs to PyPI's package.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "constructs"))

from clearml_k8s.interruption import end_in_one_line_when_interrupted

end_in_one_line_when_interrupted()

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from clearml_k8s.engine import do_without_cache_if_needed, use_bundled_node

use_bundled_node()
do_without_cache_if_needed()

from config import Values, ValuesError
from config.migration import main


def refused(values: Values, file: Path) -> Sequence[str]:
    """What Kubernetes would refuse in the manifests of the values; stores of Helm charts aside."""
    if any(store.source == "imported" for store in values.stores.values()):
        return []  # which would have to be downloaded
    from clearml_k8s.synthesis import synthesize  # imports cdk8s

    with TemporaryDirectory() as folder:
        try:
            synthesize(values, [file], Path(folder) / "dist")
        except ValuesError as error:
            return error.lines
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], refused))
