"""Draws what the default values install into the README: `python docs/picture.py`."""

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

README = ROOT / "README.md"
MARKS = ("<!-- The picture, drawn by make docs -->\n", "<!-- End of the picture -->\n")

FLOWCHART = """\
```mermaid
%%{{init: {{"flowchart": {{"wrappingWidth": 300}}}}}}%%
flowchart TB
  classDef workload fill:#dcfce7,stroke:#16a34a,color:#111
  classDef service fill:#dbeafe,stroke:#2563eb,color:#111
  classDef claim fill:#fef3c7,stroke:#d97706,color:#111
  you((you))
{lines}
```
"""

Object = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet among all objects."""

    manifest: Object
    objects: Sequence[Object]

    @property
    def name(self) -> str:
        return _name(self.manifest)

    @property
    def group(self) -> str:
        """The box that it is in."""
        if self.manifest["kind"] == "StatefulSet":
            return "Stores"
        return "Servers" if self.services else "Agents"

    @property
    def services(self) -> list[Object]:
        """The Services whose selector finds its pods."""
        labels = self.manifest["spec"]["template"]["metadata"]["labels"].items()
        services = (each for each in self.objects if each["kind"] == "Service")
        return [each for each in services if each["spec"]["selector"].items() <= labels]

    @property
    def claims(self) -> list[Object]:
        """The claims for its volumes."""
        templates = self.manifest["spec"].get("volumeClaimTemplates", [])
        return [*templates, *self.named("PersistentVolumeClaim")]

    def named(self, *kinds: str) -> list[Object]:
        """The objects of these kinds whose name is anywhere in its pods."""
        text = json.dumps(self.manifest["spec"]["template"]["spec"])
        return [
            each
            for each in self.objects
            if each["kind"] in kinds and re.search(rf"(?<![\w-]){_name(each)}(?![\w-])", text)
        ]

    def read(self) -> list[str]:
        """Kind and name of the Secrets, also of those made in the cluster, and ConfigMaps."""
        text = json.dumps(self.manifest["spec"]["template"]["spec"])
        keys = re.findall(r'"secretKeyRef": {[^}]*"name": "([^"]+)"', text)
        named = [f"{each['kind']} {_name(each)}" for each in self.named("Secret", "ConfigMap")]
        return list(dict.fromkeys([*(f"Secret {name}" for name in keys), *named]))

    def nodes(self) -> Iterator[str]:
        """Its Services as one node, itself with what it reads, its claims."""
        if self.services:
            ports = ", ".join(str(port["port"]) for port in self.services[0]["spec"]["ports"])
            names = "<br/>".join(map(_name, self.services))
            yield f'{self.name}.service(["{names}<br/>port {ports}"]):::service'
        spec = self.manifest["spec"]
        image = spec["template"]["spec"]["containers"][0]["image"]
        lines = [
            f"<b>{self.name}</b>",
            f"{self.manifest['kind']}, replicas: {spec['replicas']}",
            re.sub(r"^[^/]+[.:][^/]*/", "", image),  # without the registry
            *(f"<i>{holder}</i>" for holder in self.read()),
        ]
        yield f'{self.name}["{"<br/>".join(lines)}"]:::workload'
        for claim in self.claims:
            size = claim["spec"]["resources"]["requests"]["storage"]
            yield f'{self.name}.{_name(claim)}[("{_name(claim)}<br/>{size}")]:::claim'

    def arrows(self, workloads: Iterable["Workload"]) -> Iterator[str]:
        """From you to its node ports, from its Services to it, from it to what it names."""
        for service in self.services:
            for port in service["spec"]["ports"]:
                if "nodePort" in port:
                    yield f"you --->|{port['nodePort']}| {self.name}.service"
        if self.services:
            yield f"{self.name}.service --> {self.name}"
        asked = self.named("Service")
        for other in workloads:
            if other != self and any(service in asked for service in other.services):
                # A longer arrow keeps the boxes below each other.
                arrow = "-->" if other.group == self.group else "--->"
                yield f"{self.name} {arrow} {other.name}.service"
        for claim in self.claims:
            yield f"{self.name} -.- {self.name}.{_name(claim)}"


def picture(objects: Sequence[Object]) -> str:
    """The flowchart of these manifests."""
    kinds = ("Deployment", "StatefulSet")
    workloads = [Workload(each, objects) for each in objects if each["kind"] in kinds]
    lines = []
    for group in ("Agents", "Servers", "Stores"):
        members = (each for each in workloads if each.group == group)
        nodes = (f"  {node}" for each in members for node in each.nodes())
        lines += [f"subgraph {group}", *nodes, "end"]
    lines += [arrow for each in workloads for arrow in each.arrows(workloads)]
    return FLOWCHART.format(lines="\n".join(f"  {line}" for line in lines))


def _name(manifest: Object) -> str:
    return str(manifest["metadata"]["name"])


def main() -> None:
    """Synthesize the default values, and replace the picture of them in the README."""
    sys.path += [str(ROOT), str(ROOT / "constructs")]
    from clearml_k8s.engine import use_bundled_node

    use_bundled_node()
    import yaml
    from cdk8s import App

    from clearml_k8s.clearml import install
    from config import Values

    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder)
        install(app, Values())
        app.synth()
        texts = [file.read_text(encoding="utf-8") for file in sorted(Path(folder).iterdir())]
    objects = [each for text in texts for each in yaml.safe_load_all(text)]
    before, _, after = re.split("|".join(MARKS), README.read_text(encoding="utf-8"))
    text = before + MARKS[0] + picture(objects) + MARKS[1] + after
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
