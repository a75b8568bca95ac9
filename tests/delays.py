"""How long the manifests themselves keep an installation from being ready, however fast it is.

Delays before probes count in full, and intervals between two looks too: the worst case. What is
waited for is ready first, so the figure is that of the longest path.
"""

from __future__ import annotations

import functools
import re

from rendering import Bundle, Object

# Seconds between two looks of a container that waits (parts/wait.py), and of a probe by default.
WAIT_INTERVAL = 5
PROBE_PERIOD = 10


def imposed_delay(bundle: Bundle) -> int:
    """Seconds from apply to ready that the manifests impose on the longest path."""

    @functools.cache
    def ready(workload: str) -> int:
        pod = bundle.pod(workload)
        before = [ready(other) for other in _waited_for(bundle, pod)]
        waits = max(before) + WAIT_INTERVAL if before else 0
        return waits + _until_ready(pod["containers"][0])

    return max(ready(workload) for workload in bundle.workloads)


def _until_ready(container: Object) -> int:
    startup, readiness = (container.get(f"{kind}Probe") for kind in ("startup", "readiness"))
    if readiness is None:
        return 0
    started = 0
    if startup is not None:
        started = startup.get("initialDelaySeconds", 0) + startup.get("periodSeconds", PROBE_PERIOD)
    asked = max(started, readiness.get("initialDelaySeconds", 0))
    return int(asked + readiness.get("periodSeconds", PROBE_PERIOD))


def _waited_for(bundle: Bundle, pod: Object) -> set[str]:
    """The workloads behind the Services that the init containers wait for."""
    urls = [argument for c in pod.get("initContainers", []) for argument in c.get("args", [])]
    hosts = {host for url in urls for host in re.findall(r"(?<=//)([^:/,]+)", url)}
    selectors = [
        service["spec"]["selector"]
        for name, service in bundle.of("Service").items()
        if name in hosts
    ]
    return {
        name
        for name in bundle.workloads
        for selector in selectors
        if selector.items() <= bundle.template(name)["metadata"]["labels"].items()
    }
