"""Which pods the Pod Security Standards admit, and what each container may do at most."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pod_security import (
    Object,
    against_baseline,
    against_restricted,
    containers_of,
    pods_of,
)
from rendering import render
from scenarios import MONITORED, OUTSIDE, SCENARIOS, WITHOUT_HELM, installation

INSTALLATIONS = [*SCENARIOS, *WITHOUT_HELM]
# Where the values ask for a privileged container.
PRIVILEGED = {"three-elasticsearch-nodes": {"clearml-elastic-master"}}
SERVERS = {"clearml-apiserver", "clearml-apiserver-asyncdelete", "clearml-fileserver"}
# They run as the user of the file server.
SERVERS |= {"clearml-backup-fileserver", "clearml-restore-fileserver"}
# Where the values run the servers as another user.
WITHOUT_ROOT = {"production", "high-availability", "openshift"}
STORES = {"clearml-mongodb", "clearml-redis-master", "clearml-elastic-master"}

RESTRICTED: Object = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {}}],
    "containers": [
        {
            "name": "main",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            },
        }
    ],
}


def needs_root(workload: str) -> bool:
    """nginx listens below 1024, and tasks of agents are anybody's programs."""
    return workload.endswith(("-webserver", "-agentservices", "-agent"))


def pods(name: str) -> dict[str, Object]:
    bundle = render(installation(name), outside=OUTSIDE.get(name, set()))
    return pods_of(bundle.objects)


def changed(where: str, key: str, value: Any) -> Object:
    """The restricted pod with one setting of the pod, of its context or of its container's."""
    pod = copy.deepcopy(RESTRICTED)
    place = {
        "pod": pod,
        "pod context": pod["securityContext"],
        "container": pod["containers"][0],
        "container context": pod["containers"][0]["securityContext"],
    }[where]
    if value is None:
        del place[key]
    else:
        place[key] = value
    return pod


def test_a_restricted_pod_is_admitted() -> None:
    assert against_restricted(RESTRICTED) == []


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ("pod", "hostNetwork", True),
        ("pod", "volumes", [{"name": "node", "hostPath": {"path": "/"}}]),
        ("pod context", "sysctls", [{"name": "vm.max_map_count", "value": "262144"}]),
        ("pod context", "seccompProfile", {"type": "Unconfined"}),
        ("container", "ports", [{"containerPort": 80, "hostPort": 80}]),
        ("container context", "privileged", True),
        ("container context", "procMount", "Unmasked"),
        ("container context", "capabilities", {"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
        ("container context", "appArmorProfile", {"type": "Unconfined"}),
        ("container context", "seLinuxOptions", {"user": "system_u"}),
        ("container context", "windowsOptions", {"hostProcess": True}),
    ],
)
def test_what_baseline_forbids(where: str, key: str, value: Any) -> None:
    assert against_baseline(changed(where, key, value))


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ("pod", "volumes", [{"name": "files", "nfs": {"server": "nas", "path": "/"}}]),
        ("pod context", "runAsNonRoot", None),
        ("pod context", "runAsUser", 0),
        ("pod context", "seccompProfile", None),
        ("container context", "runAsNonRoot", False),
        ("container context", "runAsUser", 0),
        ("container context", "allowPrivilegeEscalation", None),
        ("container context", "capabilities", {"add": ["NET_BIND_SERVICE"]}),
        ("container context", "capabilities", {"drop": ["ALL"], "add": ["CHOWN"]}),
    ],
)
def test_what_restricted_forbids_beside(where: str, key: str, value: Any) -> None:
    pod = changed(where, key, value)
    assert against_restricted(pod)
    assert against_baseline(pod) == []


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_baseline_admits_all_but_what_is_asked_to_be_privileged(name: str) -> None:
    refused = {workload for workload, pod in pods(name).items() if against_baseline(pod)}
    assert refused == PRIVILEGED.get(name, set())


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_restricted_admits_all_whose_image_can_run_so(name: str) -> None:
    found = pods(name)
    refused = {workload for workload, pod in found.items() if against_restricted(pod)}
    as_root = {workload for workload in found if needs_root(workload)}
    if name not in WITHOUT_ROOT:
        as_root |= SERVERS & found.keys()
    assert refused == as_root | PRIVILEGED.get(name, set())


def test_restricted_admits_exporters() -> None:
    found = pods_of(render(MONITORED).objects)
    assert {workload for workload in STORES if against_restricted(found[workload])} == set()


def confined(name: str) -> dict[str, Object]:
    """The pods that nobody asks to be privileged, and whose rights no SCC of OpenShift names."""
    elsewhere = PRIVILEGED.get(name, set())
    found = {workload: pod for workload, pod in pods(name).items() if workload not in elsewhere}
    if name == "openshift":
        found = {workload: pod for workload, pod in found.items() if not needs_root(workload)}
    return found


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_every_container_is_confined(name: str) -> None:
    for workload, pod in confined(name).items():
        for container in containers_of(pod):
            context = container["securityContext"]
            profiles = [
                each.get("seccompProfile") for each in (context, pod.get("securityContext", {}))
            ]
            assert {"type": "RuntimeDefault"} in profiles, workload
            assert context["allowPrivilegeEscalation"] is False, workload
            assert context["capabilities"]["drop"] == ["ALL"], workload


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_only_nginx_and_tasks_keep_rights_of_root(name: str) -> None:
    for workload, pod in confined(name).items():
        kept = pod["containers"] if needs_root(workload) else []
        for container in containers_of(pod):
            assert container in kept or "add" not in container["securityContext"]["capabilities"]
