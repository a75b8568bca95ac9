"""What the Pod Security Standards of Kubernetes forbid, said of the spec of a pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Object = dict[str, Any]

# https://kubernetes.io/docs/concepts/security/pod-security-standards/
BASELINE_CAPABILITIES = {
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
}
RESTRICTED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
SAFE_SELINUX_TYPES = {
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
}
WORKLOADS = {"Deployment", "StatefulSet", "Job", "CronJob"}


def pods_of(objects: list[Object]) -> dict[str, Object]:
    """The pod specs of all workloads by name; that of a Job without its digest."""
    return {
        _name(manifest): _pod(manifest) for manifest in objects if manifest["kind"] in WORKLOADS
    }


def containers_of(pod: Object) -> list[Object]:
    """All containers, init containers too."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def against_baseline(pod: Object) -> list[str]:
    """What the standard `baseline` forbids."""
    return list(_against_baseline(pod))


def against_restricted(pod: Object) -> list[str]:
    """What the standard `restricted` forbids; `baseline` is part of it."""
    return [*_against_baseline(pod), *_against_restricted(pod)]


def _name(manifest: Object) -> str:
    name: str = manifest["metadata"]["name"]
    return name.rpartition("-")[0] if manifest["kind"] == "Job" else name


def _pod(manifest: Object) -> Object:
    spec = manifest["spec"]
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    pod: Object = spec["template"]["spec"]
    return pod


def _contexts(pod: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The security context of the pod and of each container, with whose it is."""
    yield "pod", pod.get("securityContext", {})
    for container in containers_of(pod):
        yield container["name"], container.get("securityContext", {})


def _against_baseline(pod: Object) -> Iterator[str]:
    yield from (f"pod: {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
    for volume in pod.get("volumes", []):
        if "hostPath" in volume:
            yield f"volume {volume['name']}: hostPath"
    for sysctl in pod.get("securityContext", {}).get("sysctls", []):
        if sysctl["name"] not in SAFE_SYSCTLS:
            yield f"pod: sysctl {sysctl['name']}"
    for container in containers_of(pod):
        if any(port.get("hostPort") for port in container.get("ports", [])):
            yield f"{container['name']}: hostPort"
    for whose, context in _contexts(pod):
        options = context.get("seLinuxOptions", {})
        forbidden = {
            "privileged": context.get("privileged"),
            "hostProcess": context.get("windowsOptions", {}).get("hostProcess"),
            "procMount": context.get("procMount", "Default") != "Default",
            "capabilities": _added(context) - BASELINE_CAPABILITIES,
            "seccompProfile": _seccomp(context) == "Unconfined",
            "appArmorProfile": context.get("appArmorProfile", {}).get("type") == "Unconfined",
            "seLinuxOptions": options.get("type", "") not in SAFE_SELINUX_TYPES
            or {"user", "role"} & options.keys(),
        }
        yield from (f"{whose}: {key}" for key, is_so in forbidden.items() if is_so)


def _against_restricted(pod: Object) -> Iterator[str]:
    for volume in pod.get("volumes", []):
        if not RESTRICTED_VOLUMES & volume.keys():
            yield f"volume {volume['name']}: {[*(volume.keys() - {'name'})]}"
    (_, of_pod), *of_containers = _contexts(pod)
    if of_pod.get("runAsUser") == 0:
        yield "pod: runAsUser"
    for whose, context in of_containers:
        forbidden = {
            "allowPrivilegeEscalation": context.get("allowPrivilegeEscalation") is not False,
            "runAsNonRoot": not context.get("runAsNonRoot", of_pod.get("runAsNonRoot")),
            "runAsUser": context.get("runAsUser") == 0,
            "seccompProfile": (_seccomp(context) or _seccomp(of_pod))
            not in ("RuntimeDefault", "Localhost"),
            "capabilities": "ALL" not in context.get("capabilities", {}).get("drop", [])
            or _added(context) - {"NET_BIND_SERVICE"},
        }
        yield from (f"{whose}: {key}" for key, is_so in forbidden.items() if is_so)


def _added(context: Mapping[str, Any]) -> set[str]:
    return set(context.get("capabilities", {}).get("add", []))


def _seccomp(context: Mapping[str, Any]) -> str | None:
    kind: str | None = context.get("seccompProfile", {}).get("type")
    return kind
