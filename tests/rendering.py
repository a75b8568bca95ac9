"""Values -> a bundle of manifests that Kubernetes would accept; every test renders with this."""

from __future__ import annotations

import base64
import functools
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from cdk8s import App
from cdk8s_plus_25 import k8s

import definitions
from clearml_k8s import rules
from clearml_k8s.clearml import install
from config import Values

KUBERNETES_VERSIONS = ("1.25", "1.30", "1.33", "1.37")

# Fields that came later, by kind: older schemas know nothing of them.
SINCE = {
    ("Service", "trafficDistribution"): "1.30",
    ("PodDisruptionBudget", "unhealthyPodEvictionPolicy"): "1.26",
}

Object = dict[str, Any]

# It reads the schemas anew for each object.
kubernetes_validate.utils.schema_contents = functools.cache(
    kubernetes_validate.utils.schema_contents
)


@dataclass(frozen=True)
class Bundle:
    """The texts of the files of an installation, in the order in which they are applied."""

    texts: Mapping[str, str]

    @cached_property
    def files(self) -> dict[str, list[Object]]:
        """The manifests by file."""
        return {
            name: list(yaml.load_all(text, yaml.CSafeLoader)) for name, text in self.texts.items()
        }

    @cached_property
    def objects(self) -> list[Object]:
        return [manifest for manifests in self.files.values() for manifest in manifests]

    @cached_property
    def inventory(self) -> list[tuple[str, str]]:
        """Kind and name of each object."""
        return [(manifest["kind"], manifest["metadata"]["name"]) for manifest in self.objects]

    def of(self, kind: str) -> dict[str, Object]:
        """The objects of a kind by name."""
        return {m["metadata"]["name"]: m for m in self.objects if m["kind"] == kind}

    def find(self, kind: str, name: str) -> Object:
        """The object of that kind and name."""
        return self.of(kind)[name]

    @cached_property
    def workloads(self) -> dict[str, Object]:
        """Deployments and StatefulSets by name."""
        return self.of("Deployment") | self.of("StatefulSet")

    def template(self, workload: str) -> Object:
        """The pod template of a Deployment or StatefulSet."""
        template: Object = self.workloads[workload]["spec"]["template"]
        return template

    def annotations(self, workload: str) -> dict[str, str]:
        """The annotations of a workload's pods."""
        annotations: dict[str, str] = self.template(workload)["metadata"].get("annotations", {})
        return annotations

    def pod(self, workload: str) -> Object:
        """The pod spec of a Deployment or StatefulSet."""
        spec: Object = self.template(workload)["spec"]
        return spec

    def containers(self) -> Iterator[tuple[str, Object]]:
        """All containers, init containers too, each with the name of its workload."""
        for workload in self.workloads:
            pod = self.pod(workload)
            for container in (*pod.get("initContainers", []), *pod["containers"]):
                yield workload, container

    def container(self, workload: str, name: str | None = None) -> Object:
        """The main container of a workload, or the one of that name, init containers included."""
        if name is None:
            (main,) = self.pod(workload)["containers"]
            return dict(main)
        (found,) = (c for owner, c in self.containers() if (owner, c["name"]) == (workload, name))
        return found

    def env(self, workload: str) -> dict[str, Any]:
        """The variables of a workload's main container: a string, or where it comes from."""
        variables = self.container(workload).get("env", [])
        return {v["name"]: v.get("value", v.get("valueFrom")) for v in variables}

    @property
    def job(self) -> Object:
        """The Job that makes credentials."""
        (job,) = self.of("Job").values()
        return job

    @property
    def made(self) -> dict[str, Any]:
        """What the Job makes: the Secrets by name, each with what the Job is told of it."""
        if not self.of("Job"):
            return {}
        (container,) = self.job["spec"]["template"]["spec"]["containers"]
        (settings,) = container["args"]
        secrets: dict[str, Any] = json.loads(settings.replace("$$", "$"))["secrets"]
        return secrets

    def secret(self, name: str) -> dict[str, str]:
        """The decoded content of a Secret."""
        data = self.find("Secret", name).get("data", {})
        return {key: base64.b64decode(text).decode() for key, text in data.items()}


def render(
    values: Mapping[str, Any] | None = None, *, outside: Collection[tuple[str, str]] = ()
) -> Bundle:
    """Synthesize the values, and fail unless the manifests fit the schemas and all rules.

    `outside` lists (kind, name) of what the installation expects to find in the cluster.
    """
    return _render(json.dumps(values or {}), frozenset(outside))


@functools.cache
def _render(values: str, outside: frozenset[tuple[str, str]]) -> Bundle:
    bundle = synthesize(Values.model_validate(json.loads(values)))
    judged = rules.Bundle(bundle.objects, outside)
    found = (*rules.findings(judged), *rules.breaches(judged))
    mistakes = [*map(str, found), *misfits(bundle)]
    assert not mistakes, "\n".join(mistakes)
    return bundle


def synthesize(values: Values) -> Bundle:
    """The manifests of the values, whatever Kubernetes would say of them."""
    _jsii_checks_types()
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder)
        install(app, values)
        app.synth()
        files = sorted(Path(folder).glob("*.k8s.yaml"))
        bundle = Bundle({file.name: file.read_text(encoding="utf-8") for file in files})
    assert bundle.objects
    return bundle


def misfits(bundle: Bundle) -> list[str]:
    """What the strict schemas of all Kubernetes versions say."""
    return [
        line
        for manifest in bundle.objects
        for version in _versions_of(manifest)
        for line in schema_findings(json.dumps(manifest, sort_keys=True), version)
    ]


def _versions_of(manifest: Object) -> list[str]:
    """The versions whose schema knows all fields of the manifest."""
    spec = manifest.get("spec") or {}
    since = [
        tuple(map(int, version.split(".")))
        for (kind, field), version in SINCE.items()
        if kind == manifest["kind"] and field in spec
    ]
    return [
        v for v in KUBERNETES_VERSIONS if tuple(map(int, v.split("."))) >= max(since, default=())
    ]


@functools.cache
def schema_findings(manifest: str, version: str) -> tuple[str, ...]:
    """What the strict schema of that Kubernetes version says; a missing schema raises."""
    content = json.loads(manifest)
    if definitions.is_defined(content):
        return tuple(definitions.misfits(content))
    try:
        checked = kubernetes_validate.validate(content, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        place = ".".join(str(step) for step in error.absolute_path)
        name = f"{content['kind']}/{content['metadata']['name']}"
        return (f"{name} {place}: Kubernetes {version}: {error.message}",)
    assert checked == version, f"no schemas for Kubernetes {version}"
    return ()


def _jsii_checks_types() -> None:
    """Fail if somebody has switched off, for this process, the checks that the app skips."""
    try:
        k8s.ContainerPort(container_port="not a number")  # type: ignore[arg-type]
    except TypeError:
        return
    raise AssertionError("jsii's type checks are off: a test called skip_type_checks()")
