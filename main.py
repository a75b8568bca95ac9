"""Values -> App -> manifests; `cdk8s synth` and `python main.py` run this."""

import os
import sys

# A source root, not a package: the name `constructs` belongs to PyPI's package.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "constructs"))

from clearml_k8s.interruption import end_in_one_line_when_interrupted, silence

end_in_one_line_when_interrupted()

import gc
from pathlib import Path

# Imports make so many objects that looking for garbage among them takes noticeable time.
gc.disable()
# Two threads import at the start, see below: neither is to wait long for the other.
sys.setswitchinterval(0.001)

from clearml_k8s.engine import (
    BackgroundImport,
    do_without_cache_if_needed,
    do_without_typeguard,
    say_nothing_of_its_end,
    use_bundled_node,
)
from clearml_k8s.output import in_one_line, say

use_bundled_node()
do_without_cache_if_needed()
do_without_typeguard()
# The engine of cdk8s starts in a process of its own; meanwhile the types of values are built.
import jsii  # noqa: F401  # takes all of Python's time, so the thread is for what comes after

sys.unraisablehook = say_nothing_of_its_end
engine = BackgroundImport("cdk8s_plus_25")

from config import ValuesError, load, values_files


def main() -> int:
    """Synthesize the manifests, or say what is wrong and leave the output alone; 0 or 1."""
    outdir = Path(os.environ.get("CDK8S_OUTDIR") or "dist")
    status = 1
    try:
        files = values_files(os.environ)
        engine.wait()  # what may be in the values is checked against classes of cdk8s
        values = load(files)
        from clearml_k8s.synthesis import synthesize  # imports cdk8s

        told = synthesize(values, files, outdir)
        status = 0
    except ValuesError as error:
        told = str(error)
    except Exception as error:
        line = in_one_line(error)
        if line is None:
            raise
        told = line
    say(told)
    if status:
        silence()
    gc.freeze()  # or the interpreter looks through them once more at its end
    return status


if __name__ == "__main__":
    sys.exit(main())
