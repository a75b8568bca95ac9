"""Values -> App -> manifests; `cdk8s synth` and `python main.py` run this."""

import gc
import os
import sys
from pathlib import Path

# Imports make so many objects that looking for garbage among them takes noticeable time.
gc.disable()

# A source root, not a package: the name `constructs` belongs to PyPI's package.
sys.path.append(str(Path(__file__).parent / "constructs"))

from clearml_k8s.synthesis import synthesize
from config import ValuesError, load, values_files


def main() -> None:
    """Synthesize the manifests, or say what is wrong with the values and leave the output alone."""
    try:
        told = synthesize(load(values_files(os.environ)))
    except ValuesError as error:
        sys.exit(str(error))
    print(told, file=sys.stderr)
    gc.freeze()  # or the interpreter looks through them once more at its end


if __name__ == "__main__":
    main()
