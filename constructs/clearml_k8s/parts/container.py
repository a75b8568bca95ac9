"""A container as its component makes it, before the values have their say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.environment import EnvValue
from config.image import PulledImage


@dataclass(frozen=True, kw_only=True)
class Container:
    """What runs in a container, and the settings that hold unless the values say otherwise.

    Arguments and variables are kept from being expanded unless they are of type Template; the
    command is a program of ours, in which nothing of the user's stands.
    `privileged` containers need all rights on the node, whatever the values say.
    """

    name: str
    image: PulledImage
    command: Sequence[str] | None = None
    args: Sequence[str] | None = None
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    liveness: k8s.Probe | None = None
    readiness: k8s.Probe | None = None
    startup: k8s.Probe | None = None
    mounts: Sequence[k8s.VolumeMount] = ()
    resources: k8s.ResourceRequirements | None = None
    security_context: k8s.SecurityContext | None = None
    privileged: bool = False


def unprivileged() -> k8s.SecurityContext:
    """The security context of a container that needs no rights at all."""
    return k8s.SecurityContext(
        allow_privilege_escalation=False,
        capabilities=k8s.Capabilities(drop=["ALL"]),
        run_as_non_root=True,
    )
