"""What a component talks to: what it waits for, and what its network lets through, follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clearml_k8s.parts.environment import EnvValue, Template, literal
from clearml_k8s.parts.naming import Address, SecretRef


@dataclass(frozen=True)
class Target:
    """A URL to wait for, and the variables that it takes its `$(VARIABLE)`s from."""

    url: Template
    environment: Mapping[str, EnvValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """A port of some pods; None stands for pods outside, and for a port that is not known."""

    selector: Mapping[str, str] | None = None
    port: int | None = None


ANYWHERE = Endpoint()


class Need(Protocol):
    """Something that a component talks to: a store or a server, whoever provides it."""

    @property
    def target(self) -> Target | None:
        """What to wait for before the component starts; None if there is no need to wait."""

    @property
    def secret(self) -> SecretRef | None:
        """The Secret that the component reads at its start in order to talk to it."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Where it listens, any of these."""


@dataclass(frozen=True)
class ServerAddress(Address):
    """Where a ClearML server answers, the path that says that it does, and the pods behind it."""

    probe: str | None = None
    pods: Endpoint | None = None
    secret: None = field(default=None, init=False)

    @property
    def endpoints(self) -> list[Endpoint]:
        """Its pods, or its port if it is outside."""
        return [self.pods or Endpoint(port=self.port)]

    @property
    def target(self) -> Target | None:
        """The path, where the server has one."""
        return Target(literal(self.url + self.probe)) if self.probe else None


@dataclass(frozen=True, kw_only=True)
class ServerAddresses:
    """The three ClearML servers of an installation."""

    apiserver: ServerAddress
    webserver: ServerAddress
    fileserver: ServerAddress

    @property
    def needs(self) -> dict[str, Need]:
        """The servers by name."""
        return vars(self)
