"""`make imports`: fetch the charts that the values name, and helm where there is none."""

import os
import sys

from config import ValuesError, load, values_files
from imports.fetch import fetch, say
from imports.helm import HelmError
from imports.install import ensure_helm
from imports.pool import helm_releases


def main() -> None:
    """Fetch as much as can be had; what cannot ends in a line each, and in status 1."""
    try:
        wanted = helm_releases(load(values_files(os.environ)))
    except ValuesError as error:
        sys.exit(str(error))
    if not wanted:
        say("nothing to fetch: no store of the values has provider: helm")
        return
    try:
        helm = ensure_helm()
    except HelmError as error:
        sys.exit(str(error))
    failures = []
    for release in wanted:
        try:
            fetch(helm, release.source)
        except ValuesError as error:
            failures += error.lines
    sys.exit("\n".join(failures) or None)


if __name__ == "__main__":
    main()
