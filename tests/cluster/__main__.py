"""Run the tests on all versions at the same time, each in a worker of its own."""

import sys
from pathlib import Path

import pytest

from cluster.binaries import MissingError, assets

if __name__ == "__main__":
    try:
        versions = assets()
    except MissingError as error:
        print(f"Clusters: skipped, {error}")
        sys.exit()
    here = str(Path(__file__).parent)
    workers = ("-n", str(len(versions)), "--dist", "each")
    sys.exit(pytest.main([here, *workers, *sys.argv[1:]]))
