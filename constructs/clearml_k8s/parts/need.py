"""What a component talks to; what it waits for before it starts follows from that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clearml_k8s.parts.environment import EnvValue, Template, literal
from clearml_k8s.parts.naming import Address, SecretRef


@dataclass(frozen=True)
class Target:
    """A URL to wait for, and the variables that it takes its `$(VARIABLE)`s from."""

    url: Template
    environment: Mapping[str, EnvValue] = field(default_factory=dict)


class Need(Protocol):
    """Something that a component talks to: a store or a server, whoever provides it."""

    @property
    def target(self) -> Target | None:
        """What to wait for before the component starts; None if there is no need to wait."""

    @property
    def secret(self) -> SecretRef | None:
        """The Secret that the component reads at its start in order to talk to it."""


@dataclass(frozen=True)
class ServerAddress(Address):
    """Where a ClearML server answers, and the path that says that it does."""

    probe: str | None = None
    secret: None = field(default=None, init=False)

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
