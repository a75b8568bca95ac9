"""What is done with bundles on clusters, and what is wrong with the state that follows."""

from __future__ import annotations

import sys
from collections import defaultdict

from cluster.bundles import ROOT, Bundle
from cluster.client import Cluster, eventually
from cluster.machines import Object

WORKLOADS = ("Deployment", "StatefulSet")
TEMPLATES = "volumeClaimTemplates"
MANAGED_BY = "app.kubernetes.io/managed-by"
SERVICE = "kubernetes.io/service-name"


def apply(cluster: Cluster, bundle: Bundle) -> dict[str, str]:
    """What `kubectl apply -f dist/` says of each object; all must be accepted without a warning."""
    applied = cluster.run("kubectl", "apply", "-f", "dist/", cwd=bundle.folder)
    assert not applied.stderr, applied.stderr
    lines: list[list[str]] = [line.split() for line in applied.stdout.splitlines()]
    assert len(lines) == len(bundle.objects), lines
    return dict(lines)


def shell(cluster: Cluster, bundle: Bundle, command: str) -> None:
    """Run what the guide says, where `dist/` is."""
    done = cluster.run("bash", "-c", command, cwd=bundle.folder)
    assert not done.returncode, done.stderr


def not_unchanged(cluster: Cluster, bundle: Bundle) -> set[str]:
    """The objects of which another `kubectl apply` says other than `unchanged`.

    But for those that kubectl can only send anew: the selector of a PodDisruptionBudget, which its
    API has replaced, never merged; claim templates to which older servers add an empty time;
    quantities that the server spells otherwise, such as `2` for `2000m`; and those of Helm charts,
    which are taken as they are.
    """
    said = {name for name, verb in apply(cluster, bundle).items() if verb != "unchanged"}
    asked = {identity(o): o for o in bundle.objects}
    excused = {o["metadata"]["name"] for o in bundle.objects if not is_ours(o)} | {
        o["metadata"]["name"]
        for o in cluster.objects(*WORKLOADS, namespace=bundle.namespace)
        if any("creationTimestamp" in t["metadata"] for t in o["spec"].get(TEMPLATES, []))
        or (identity(o) in asked and resources(o) != resources(asked[identity(o)]))
    }
    return {
        name
        for name in said
        if name.partition("/")[2] not in excused and not name.startswith("poddisruptionbudget.")
    }


def identity(manifest: Object) -> tuple[str, str]:
    """What tells the object from others in its namespace."""
    return manifest["kind"], manifest["metadata"]["name"]


def resources(workload: Object) -> list[Object]:
    """What the containers ask for, as it is spelled."""
    pod = workload["spec"]["template"]["spec"]
    containers = (*pod.get("initContainers", []), *pod["containers"])
    return [container.get("resources", {}) for container in containers]


def is_ours(manifest: Object) -> bool:
    """Whether it has the label that the commands of the guide look for."""
    labels = manifest["metadata"].get("labels", {})
    return bool(manifest["kind"] == "Namespace" or labels.get(MANAGED_BY) == "cdk8s")


def refused(cluster: Cluster, bundle: Bundle) -> list[str]:
    """What `make check-cluster` says of each object that would be refused."""
    command = (sys.executable, str(ROOT / "check_cluster.py"))
    checked = cluster.run(*command, cwd=bundle.folder)
    assert not checked.stderr, checked.stderr
    count, lines = len(bundle.objects), checked.stdout.splitlines()
    if not checked.returncode:
        *warnings, summary = lines
        assert all(line.startswith("warning: ") for line in warnings)
        assert summary.startswith(f"all {count} objects would be accepted")
        return []
    assert checked.returncode == 1
    # Beside what it says of data and of objects of others.
    end = next(i for i, line in enumerate(lines) if " objects would be refused" in line)
    objects = [line for line in lines[:end] if "/" in line.partition(": ")[0]]
    beside = ("warning: ", "is there already, made by")
    objects = [line for line in objects if not any(words in line for words in beside)]
    assert lines[end].startswith(f"{len(objects)} of {count} objects would be refused")
    return objects


def settle(cluster: Cluster, bundle: Bundle) -> None:
    """Wait until all is as it is to be: pods, claims, and where Services lead."""
    if cluster.controllers:
        eventually(lambda: unready(cluster, bundle))
        eventually(lambda: wrong_endpoints(cluster, bundle))
        eventually(lambda: unbound(cluster))


def unready(cluster: Cluster, bundle: Bundle, *kinds: str) -> list[str]:
    """Workloads (of all kinds) whose pods are not all there, of the present template, and ready."""
    return [
        f"{o['kind']}/{o['metadata']['name']}: {o['status']}"
        for o in cluster.objects(*(kinds or WORKLOADS), namespace=bundle.namespace)
        if o["status"].get("observedGeneration") != o["metadata"]["generation"]
        or {o["status"].get(key, 0) for key in ("replicas", "readyReplicas", "updatedReplicas")}
        != {o["spec"]["replicas"]}
    ]


def wrong_endpoints(cluster: Cluster, bundle: Bundle) -> list[str]:
    """Services that do not lead to the pods of exactly one workload, on each of their ports.

    The workload must have the name of the Service, or one that the Service's starts with.
    """
    kinds = ("pods", "endpointslices.discovery.k8s.io", "services", *WORKLOADS)
    found = defaultdict(list)
    for manifest in cluster.objects(*kinds, namespace=bundle.namespace):
        found[manifest["kind"]].append(manifest)
    replicas = {
        o["metadata"]["name"]: o["spec"]["replicas"] for kind in WORKLOADS for o in found[kind]
    }
    owners = {o["metadata"]["name"]: owner(o) for o in found["Pod"]}
    wrong = []
    for service in found["Service"]:
        name = service["metadata"]["name"]
        slices = [
            s for s in found["EndpointSlice"] if s["metadata"]["ownerReferences"][0]["name"] == name
        ]
        endpoints = [endpoint for each in slices for endpoint in each["endpoints"] or []]
        pods = [e["targetRef"]["name"] for e in endpoints if e["conditions"]["ready"]]
        leads_to = {owners.get(pod, "") for pod in pods}
        ports = {port["name"] for each in slices for port in each["ports"] or []}
        named = [w for w in replicas if name == w or name.startswith(f"{w}-")]
        if (
            (named and leads_to != {max(named, key=len)})
            or len(pods) != sum(replicas.get(workload, -1) for workload in leads_to)
            or not pods
            or ports != {port.get("name", "") for port in service["spec"]["ports"]}
        ):
            wrong.append(f"{name} leads to {pods} on {ports}")
    return wrong


def owner(pod: Object) -> str:
    """The name of the workload that a pod belongs to."""
    reference = pod["metadata"]["ownerReferences"][0]
    name: str = reference["name"]
    return name.rpartition("-")[0] if reference["kind"] == "ReplicaSet" else name


def unbound(cluster: Cluster) -> list[str]:
    """Claims without a volume."""
    claims = cluster.objects("persistentvolumeclaims")
    return [c["metadata"]["name"] for c in claims if c["status"].get("phase") != "Bound"]
