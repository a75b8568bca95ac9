"""A container as its component makes it, before the values have their say."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.environment import EnvValue
from config.image import PulledImage


def confined(*capabilities: str, read_only: bool = False) -> k8s.SecurityContext:
    """The security context of a container that has these rights of root's, and gets no more.

    If it is `read_only`, it writes to its volumes alone.
    """
    return k8s.SecurityContext(
        allow_privilege_escalation=False,
        capabilities=k8s.Capabilities(drop=["ALL"], add=list(capabilities) or None),
        read_only_root_filesystem=read_only or None,
    )


def unprivileged(*, read_only: bool = False) -> k8s.SecurityContext:
    """The security context of a container that needs no rights at all, and is not root."""
    return k8s.SecurityContext(**confined(read_only=read_only)._values, run_as_non_root=True)


class Container(NamedTuple):
    """What runs in a container, and the settings that hold unless the values say otherwise.

    Arguments and variables are kept from being expanded unless they are of type Template; the
    command is a program of ours, in which nothing of the user's stands.
    Without a security context of its own a container is confined; with None it has none but that of
    the values. `privileged` containers need all rights on the node, whatever the values say. When
    the pod is to end, a container goes on for `pause` seconds before it is told so: requests still
    find their way to it. One that `does_main_work` has the resources of the main container, even as
    an init container, unless the values say otherwise.
    """

    name: str
    image: PulledImage
    command: Sequence[str] | None = None
    args: Sequence[str] | None = None
    env: Mapping[str, EnvValue] = {}
    ports: Mapping[str, int] = {}
    liveness: k8s.Probe | None = None
    readiness: k8s.Probe | None = None
    startup: k8s.Probe | None = None
    mounts: Sequence[k8s.VolumeMount] = ()
    resources: k8s.ResourceRequirements | None = None
    security_context: k8s.SecurityContext | None = confined()
    privileged: bool = False
    pause: int = 0
    does_main_work: bool = False
