"""Values -> App -> manifests; `cdk8s synth` and `python main.py` run this."""

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread

# Imports make so many objects that looking for garbage among them takes noticeable time.
gc.disable()
# Two threads import at the start, see below: neither is to wait long for the other.
sys.setswitchinterval(0.001)

# A source root, not a package: the name `constructs` belongs to PyPI's package.
sys.path.append(str(Path(__file__).parent / "constructs"))

from clearml_k8s.engine import use_bundled_node

use_bundled_node()
# The engine of cdk8s starts in a process of its own; meanwhile the values are read.
import jsii  # noqa: F401  # takes all of Python's time, so the thread is for what comes after

Thread(target=import_module, args=["cdk8s_plus_25"]).start()

from config import ValuesError, load, values_files


def main() -> None:
    """Synthesize the manifests, or say what is wrong with the values and leave the output alone."""
    try:
        values = load(values_files(os.environ))
        from clearml_k8s.synthesis import synthesize  # waits for the engine

        told = synthesize(values)
    except ValuesError as error:
        sys.exit(str(error))
    print(told, file=sys.stderr)
    gc.freeze()  # or the interpreter looks through them once more at its end


if __name__ == "__main__":
    main()
