"""Probes: what the kubelet asks a container."""

from typing import TypedDict, Unpack

from cdk8s_plus_25 import k8s

from config.types.structs import int_or_string


class Timing(TypedDict, total=False):
    """When a probe runs, in seconds, and how many failures it takes."""

    initial_delay_seconds: int
    period_seconds: int
    timeout_seconds: int
    failure_threshold: int


def tcp_probe(port: str, **timing: Unpack[Timing]) -> k8s.Probe:
    """A probe that opens a connection."""
    return k8s.Probe(tcp_socket=k8s.TcpSocketAction(port=int_or_string(port)), **timing)


def http_probe(path: str | None, port: str, **timing: Unpack[Timing]) -> k8s.Probe:
    """A probe that expects an HTTP status from 200 to 399; without a path, a connection."""
    if path is None:
        return tcp_probe(port, **timing)
    return k8s.Probe(http_get=k8s.HttpGetAction(path=path, port=int_or_string(port)), **timing)


def exec_probe(*command: str, **timing: Unpack[Timing]) -> k8s.Probe:
    """A probe that runs a command in the container."""
    return k8s.Probe(exec=k8s.ExecAction(command=list(command)), **timing)
