"""List the images that the values ask for, or print how to copy them to a registry of one's own.

A program of its own beside main.py, whose values it reads: it writes no file.
"""

import os
import sys

# A source root, not a package: the name `constructs` belongs to PyPI's package.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "constructs"))

from clearml_k8s.interruption import end_in_one_line_when_interrupted, silence

end_in_one_line_when_interrupted()

from clearml_k8s.engine import do_without_cache_if_needed, use_bundled_node

use_bundled_node()
do_without_cache_if_needed()

from pydantic import ValidationError

from clearml_k8s.images import copy_commands, image_list
from config import ValuesError, load, values_files
from config.global_ import Global


def main() -> None:
    """Print one line for each image; what is wrong ends in lines on stderr, and in status 1."""
    target = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        values = load(values_files(os.environ))
        if not target:
            lines = image_list(values)
        else:
            lines = copy_commands(values, Global.read({"imageRegistry": target}))
    except ValidationError as error:
        sys.exit(f"COPY_TO: {error.errors()[0]['msg']} (given: {target!r})")
    except ValuesError as error:
        sys.exit(str(error))
    try:
        print(*lines, sep="\n", flush=True)
    except BrokenPipeError:
        silence()  # whoever reads has seen enough, such as head


if __name__ == "__main__":
    main()
