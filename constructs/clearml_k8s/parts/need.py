"""What a component talks to: what it waits for, and what its network lets through, follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from clearml_k8s.parts.environment import EnvValue, Template, literal
from clearml_k8s.parts.naming import Address
from config.addresses import PublicUrls


class Target(NamedTuple):
    """A URL to wait for, and the variables that it takes its `$(VARIABLE)`s from."""

    url: Template
    environment: Mapping[str, EnvValue] = {}


class Endpoint(NamedTuple):
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
    def endpoints(self) -> Sequence[Endpoint]:
        """Where it listens, any of these."""


@dataclass(frozen=True)
class ServerAddress(Address):
    """Where a ClearML server answers, the path that says that it does, and the pods behind it."""

    probe: str | None = None
    pods: Endpoint | None = None

    @property
    def endpoints(self) -> list[Endpoint]:
        """Its pods, or its port if it is outside."""
        return [self.pods or Endpoint(port=self.port)]

    @property
    def target(self) -> Target | None:
        """The path, where the server has one."""
        return Target(literal(self.url + self.probe)) if self.probe else None


class OtherServer(NamedTuple):
    """An API server at a URL from the values."""

    url: str

    @property
    def target(self) -> Target:
        """Its host and port alone: who answers there may redirect, with a certificate of theirs."""
        return Target(literal(f"tcp://{urlsplit(self.url).hostname}:{self._port}"))

    @property
    def endpoints(self) -> list[Endpoint]:
        """Its port."""
        return [Endpoint(port=self._port)]

    @property
    def _port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or {"http": 80, "https": 443}[parts.scheme]


class ServerAddresses(NamedTuple):
    """The three ClearML servers of an installation, None for one that is elsewhere.

    `public` is where browsers and clients outside find them.
    """

    apiserver: ServerAddress | None = None
    webserver: ServerAddress | None = None
    fileserver: ServerAddress | None = None
    public: PublicUrls = PublicUrls()

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
        """What a client of the servers talks to, an API server elsewhere too."""
        elsewhere = None if self.apiserver else self.public.apiserver
        return {**({"apiserver": OtherServer(elsewhere)} if elsewhere else {}), **self.installed}

    @property
    def files_elsewhere(self) -> list[Endpoint]:
        """Where a file server listens that is elsewhere; nowhere if files are in a bucket."""
        url = self.public.fileserver or ""
        is_server = not self.fileserver and url.startswith("http")
        return OtherServer(url).endpoints if is_server else []

    def inside(self, server: str) -> str | None:
        """The URL for requests of pods: that of the Service, else the public one."""
        return self._service(server) or self.public.of(server)

    def outside(self, server: str) -> str | None:
        """The URL that opens in a browser too, if one is known; else that of the Service."""
        return self.public.of(server) or self._service(server)

    def _service(self, server: str) -> str | None:
        address = self.installed.get(server)
        return address.url if address else None
