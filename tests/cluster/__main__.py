"""Run the tests on all versions at the same time, each in a worker of its own."""

import sys
from pathlib import Path

import pytest

from cluster.binaries import MissingError, assets, can_control

if __name__ == "__main__":
    try:
        found = assets()
    except MissingError as error:
        print(f"Skipped the tests on clusters: {error}")
        sys.exit()
    for version, programs in found.items():
        limits = "" if can_control(programs) else ": only the API server, there are no controllers"
        print(f"Kubernetes {version}{limits}", flush=True)
    here = str(Path(__file__).parent)
    workers = ("-n", str(len(found)), "--dist", "each")
    sys.exit(pytest.main([here, *workers, *sys.argv[1:]]))
