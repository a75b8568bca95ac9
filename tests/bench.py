"""Ratios that do not depend on the machine: start-up, cost of an agent group, linearity, charts.

`python main.py` is measured against an empty cdk8s and cdk8s-plus-25 app, the two by turns.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "constructs")]

from clearml_k8s.engine import use_bundled_node

use_bundled_node()

from delays import imposed_delay
from rendering import render

RUNS = 15
GROUP_RUNS = 3
MINIKUBE = "config/presets/minikube.yaml"
HELM_STORES = "config/presets/helm-stores.yaml"
EMPTY_APP = """\
import cdk8s, cdk8s_plus_25
app = cdk8s.App()
cdk8s.Chart(app, "empty")
app.synth()
"""


def main() -> None:
    """Print the figures and their targets."""
    minikube = yaml.safe_load((ROOT / MINIKUBE).read_text(encoding="utf-8"))
    for name, values in (("default", {}), ("minikube", minikube)):
        print(f"delays of {name:15} {imposed_delay(render(values)):4} s on the longest path")
    with tempfile.TemporaryDirectory() as directory:
        empty, full = _by_turns(RUNS, lambda: _empty(directory), lambda: _groups(0, directory))
        print(f"empty app                 {empty:6.3f} s")
        print(f"python main.py            {full / empty:6.2f} of an empty app (target 1.3)")
        few, hundred, some, many = _by_turns(
            GROUP_RUNS,
            *(lambda count=count: _groups(count, directory) for count in (0, 100, 200, 1000)),
        )
        print(f"with 100 agent groups     {hundred / empty:6.2f} of an empty app")
        print(f"one agent group           {(many - few) / 1000 / empty:6.2%} (target 0.45 %)")
        growth = ((many - some) / 800) / ((some - few) / 200)
        print(f"growth from 200 to 1000   {growth:6.2f} (target 0.9)")
        try:
            full, imported = _by_turns(
                RUNS, lambda: _groups(0, directory), lambda: _imported(directory)
            )
        except subprocess.CalledProcessError:
            print(f"three Helm charts         not there: make imports CLEARML_VALUES={HELM_STORES}")
        else:
            print(f"three Helm charts         {(imported - full) / empty:6.2f} more (target 0.5)")


def _by_turns(runs: int, *commands: Callable[[], float]) -> list[float]:
    """The median of each command's seconds; by turns, so that all see the same machine."""
    rounds = [[command() for command in commands] for _ in range(runs)]
    return [statistics.median(seconds) for seconds in zip(*rounds, strict=True)]


def _empty(directory: str) -> float:
    return _seconds(["-c", EMPTY_APP], directory, values="")


def _groups(count: int, directory: str) -> float:
    groups = "".join(f"  group-{number}: {{}}\n" for number in range(count))
    return _seconds(
        [str(ROOT / "main.py")], directory, values=f"agentGroups:\n{groups}" if groups else ""
    )


def _imported(directory: str) -> float:
    return _seconds(
        [str(ROOT / "main.py")], directory, values=(ROOT / HELM_STORES).read_text("utf-8")
    )


def _seconds(arguments: list[str], directory: str, *, values: str) -> float:
    file = Path(directory, "values.yaml")
    file.write_text(values)
    environment = os.environ | {
        # One for each set of values, as users have it: what is there already differs little.
        "CDK8S_OUTDIR": str(Path(directory, f"dist-{len(values)}")),
        "CLEARML_VALUES": str(file),
    }
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
