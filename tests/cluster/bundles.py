"""The bundles that go onto clusters: scenarios, combinations, presets, values of other charts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.control_plane import PRIVILEGED
from cluster.machines import Object
from config.types.merging import merge
from packed_charts import imported
from scenarios import NEED_HELM, OUTSIDE, PRESETS, SCENARIOS

ROOT = Path(__file__).parents[2]
# By name: the values, and kinds and names of what they take from their namespace.
COMBINATIONS: Mapping[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("combinations.yaml").read_text("utf-8")
)
OF_CHARTS: Mapping[str, dict[str, Any]] = {
    f"chart-{file.stem}": {"values": case["theirs"], "outside": case["outside"]}
    for file in sorted((ROOT / "tests/chart_values").glob("*.yaml"))
    for case in [yaml.safe_load(file.read_text("utf-8"))]
}
CASES = {**COMBINATIONS, **OF_CHARTS}
VALUES = {**SCENARIOS, **{name: case["values"] for name, case in CASES.items()}}
GIVEN_NAMESPACE = "given-namespace"
# Those of upgrade/ are applied on the way from one to the next.
BUNDLES = [
    *VALUES,
    *(name for name in PRESETS if not name.startswith("upgrade/")),
    GIVEN_NAMESPACE,
]

# What they take from their namespace.
NEEDED: Mapping[str, set[tuple[str, str]]] = {
    **OUTSIDE,
    **{name: {(k, n) for k, n in case.get("outside", [])} for name, case in CASES.items()},
}
# What an object needs to be one, beside its name.
CONTENT: Mapping[str, dict[str, Any]] = {
    "PersistentVolumeClaim": {
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
    }
}
# Pod Security `baseline` refuses the init container that sets vm.max_map_count on its node, as the
# chart of Elasticsearch does by default.
RELEASES: Mapping[str, dict[str, Any]] = {
    "three-elasticsearch-nodes": {"namespace": PRIVILEGED},
    "helm-stores": {"namespace": PRIVILEGED},
    GIVEN_NAMESPACE: {"createNamespace": False},
}


@dataclass(frozen=True)
class Bundle:
    """`folder` has it as `dist/`; `outside` lists kinds and names of what it does not bring."""

    folder: Path
    namespace: str
    outside: frozenset[tuple[str, str]]

    @property
    def objects(self) -> list[Object]:
        """All objects in the order in which they are applied."""
        files = sorted((self.folder / "dist").iterdir())
        return [m for file in files for m in yaml.load_all(file.read_text(), yaml.CSafeLoader)]

    def given(self) -> list[Object]:
        """What the user makes before, if anything: the namespace, and objects in it."""
        needed = [
            {
                "apiVersion": "v1",
                "kind": kind,
                "metadata": {"name": name, "namespace": self.namespace},
                **CONTENT.get(kind, {}),
            }
            for kind, name in sorted(self.outside)
        ]
        kinds = {manifest["kind"] for manifest in self.objects}
        if not needed and "Namespace" in kinds and self.namespace != PRIVILEGED:
            return []
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace},
        }
        return [namespace, *needed]


def write(
    folder: Path, name: str, more: Mapping[str, Any] | None = None, *, namespace: str = ""
) -> Bundle:
    """Synthesize a bundle by its name, changed by more values, into a folder below this one.

    `namespace` puts it into another than its own.
    """
    target = folder / f"bundle-{len(list(folder.glob('bundle-*')))}"
    target.mkdir(parents=True)
    outside = NEEDED.get(name, set())
    release = {**RELEASES.get(name, {}), **({"namespace": namespace} if namespace else {})}
    values = merge(VALUES.get(name, {}), {"release": release})
    if name in NEED_HELM:
        values = merge(values, imported(folder / "charts"))
    values = merge(values, dict(more or {}))
    file = target / "values.yaml"
    file.write_text(json.dumps(values))
    files = [str(each) for each in (*PRESETS.get(name, ()), file)]
    environment = {"CLEARML_VALUES": os.pathsep.join(files), "CDK8S_OUTDIR": str(target / "dist")}
    synthesized = subprocess.run(
        [sys.executable, str(ROOT / "main.py")],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not synthesized.returncode, synthesized.stderr
    return Bundle(target, values["release"].get("namespace", "clearml"), frozenset(outside))
