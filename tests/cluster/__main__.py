"""Run the tests on all versions at the same time, each in a worker of its own."""

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # tidy up then, too
    with TemporaryDirectory(prefix="clearml-cluster-", ignore_cleanup_errors=True) as folder:
        basetemp = f"--basetemp={folder}/pytest"
        status = pytest.main([here, *workers, basetemp, *sys.argv[1:]])
    sys.exit(status)
