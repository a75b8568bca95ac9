"""The bundles that go onto clusters: scenarios, presets and what lies between them."""

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
from scenarios import OUTSIDE, SCENARIOS

ROOT = Path(__file__).parents[2]
PRESETS = {file.stem: file for file in sorted((ROOT / "config/presets").glob("*.yaml"))}
GIVEN_NAMESPACE = "given-namespace"
BUNDLES = [*SCENARIOS, *PRESETS, GIVEN_NAMESPACE]
NEED_HELM = {"helm-stores"}

# What it takes from its namespace, as the comment of the preset says.
OUTSIDE_OF_PRESETS = {"production": {("Secret", "clearml-credentials"), ("Secret", "clearml-tls")}}
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
        """What the user makes before, if anything: the namespace, and Secrets in it."""
        secrets = [
            {
                "apiVersion": "v1",
                "kind": kind,
                "metadata": {"name": name, "namespace": self.namespace},
            }
            for kind, name in sorted(self.outside)
        ]
        kinds = {manifest["kind"] for manifest in self.objects}
        if not secrets and "Namespace" in kinds and self.namespace != PRIVILEGED:
            return []
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace},
        }
        return [namespace, *secrets]


def write(
    folder: Path, name: str, more: Mapping[str, Any] | None = None, *, namespace: str = ""
) -> Bundle:
    """Synthesize a scenario or preset, changed by more values, into a folder below this one.

    `namespace` puts it into another than its own.
    """
    target = folder / f"bundle-{len(list(folder.glob('bundle-*')))}"
    target.mkdir(parents=True)
    outside = OUTSIDE.get(name, OUTSIDE_OF_PRESETS.get(name, set()))
    release = {**RELEASES.get(name, {}), **({"namespace": namespace} if namespace else {})}
    values = merge(SCENARIOS.get(name, {}), {"release": release})
    if name in NEED_HELM:
        values = merge(values, imported(folder / "charts"))
    values = merge(values, dict(more or {}))
    file = target / "values.yaml"
    file.write_text(json.dumps(values))
    files = [str(PRESETS[name]), str(file)] if name in PRESETS else [str(file)]
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
