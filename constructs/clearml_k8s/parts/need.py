"""What a component talks to; what it waits for before it starts follows from that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clearml_k8s.parts.environment import EnvValue, Template, literal
from clearml_k8s.parts.naming import Address, SecretRef
from config.addresses import PublicUrls


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
    """The three ClearML servers of an installation, None for one that is elsewhere.

    `public` is where browsers and clients outside find them.
    """

    apiserver: ServerAddress | None = None
    webserver: ServerAddress | None = None
    fileserver: ServerAddress | None = None
    public: PublicUrls = field(default_factory=PublicUrls)

    @property
    def installed(self) -> dict[str, ServerAddress]:
        """The servers that are here, by name."""
        servers = {
            "apiserver": self.apiserver,
            "webserver": self.webserver,
            "fileserver": self.fileserver,
        }
        return {name: address for name, address in servers.items() if address}

    @property
    def needs(self) -> Mapping[str, Need]:
        """What a client of the servers talks to."""
        return self.installed

    def inside(self, server: str) -> str | None:
        """The URL for requests of pods: that of the Service, else the public one."""
        return self._service(server) or self.public.of(server)

    def outside(self, server: str) -> str | None:
        """The URL that opens in a browser too, if one is known; else that of the Service."""
        return self.public.of(server) or self._service(server)

    def _service(self, server: str) -> str | None:
        address = self.installed.get(server)
        return address.url if address else None
