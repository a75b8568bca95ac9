"""The root of the values: all that a user can set."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from config import addresses, names
from config.addresses import PARTS, Endpoint, PublicUrls
from config.agent_groups import AgentGroups
from config.agent_services import AgentServices
from config.apiserver import Apiserver
from config.cert_manager import CertManager
from config.clearml import Clearml
from config.elasticsearch import Elasticsearch
from config.external_services import ExternalServices, translated
from config.fileserver import Fileserver
from config.gateway import Gateway
from config.generation import DEFAULT_GENERATION, Generation
from config.ingress import Ingress
from config.mongodb import Mongodb
from config.redis import Redis
from config.release import Release, fullname
from config.server import Server
from config.store import Store
from config.types.kubernetes import Annotations, Labels, OptionalDnsLabel, OptionalNamePrefix
from config.types.model import Mistake, Model, Section, section
from config.webserver import Webserver


class Values(Model):
    """The values of one installation."""

    release: Section[Release] = section()
    name_override: OptionalDnsLabel = Field(
        default="", description="Replaces `clearml` in the names and labels of all objects."
    )
    fullname_override: OptionalNamePrefix = Field(
        default="", description="Replaces what the names of ClearML's own objects start with."
    )
    common_labels: Labels = Field(default={}, description="More labels of all objects and pods.")
    common_annotations: Annotations = Field(
        default={}, description="More annotations of all objects; those of pods: podAnnotations."
    )
    clearml: Section[Clearml] = section()
    apiserver: Section[Apiserver] = section()
    fileserver: Section[Fileserver] = section()
    webserver: Section[Webserver] = section()
    agentservices: Section[AgentServices] = section()
    agent_groups: AgentGroups = Field(
        default={},
        validate_default=True,
        description="Groups of agents by key; a group takes the default of whatever it leaves out.",
    )
    ingress: Section[Ingress] = section()
    gateway: Section[Gateway] = section()
    cert_manager: Section[CertManager] = section()
    mongodb: Section[Mongodb] = section()
    redis: Section[Redis] = section()
    elasticsearch: Section[Elasticsearch] = section()

    external_services: Section[ExternalServices] = section()

    @model_validator(mode="before")
    @classmethod
    def _in_the_words_of_the_stores(cls, raw: Any) -> Any:
        return translated(raw) if isinstance(raw, dict) else raw

    @property
    def generation(self) -> Generation:
        """What is particular to the servers that these values install."""
        return DEFAULT_GENERATION

    @property
    def stores(self) -> dict[str, Store]:
        """The sections of the stores by name."""
        return {
            "mongodb": self.mongodb,
            "redis": self.redis,
            "elasticsearch": self.elasticsearch,
        }

    def server(self, name: str) -> Server:
        """The section of `webserver`, `apiserver` or `fileserver`."""
        server: Server = getattr(self, name)
        return server

    def has(self, server: str) -> bool:
        """Whether the server of that name is installed."""
        return self.server(server).enabled

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """What leads to the servers from outside the cluster, by server."""
        return addresses.endpoints(self)

    @property
    def cookie_domain(self) -> str:
        """The domain of the session's cookie; empty for the API server's host alone."""
        return addresses.cookie_domain(self)

    @property
    def public_urls(self) -> PublicUrls:
        """Where browsers reach the servers."""
        return addresses.public_urls(self)

    @property
    def fullname(self) -> str:
        """What the names of ClearML's own objects start with."""
        return fullname(self.release.name, self.name_override, self.fullname_override)

    def mistakes(self) -> Iterator[Mistake]:
        """Names that no object can have, node ports that two Services ask for, wrong addresses."""
        yield from names.mistakes(self)
        yield from self._shared_node_ports()
        yield from addresses.mistakes(self)

    def _shared_node_ports(self) -> Iterator[Mistake]:
        services = {name: getattr(self, name).service for name in sorted(PARTS) if self.has(name)}
        # Defaults first: the mistake is in what was given.
        by_default = sorted(services, key=lambda n: "node_port" in services[n].model_fields_set)
        owners: dict[int, str] = {}
        for server in by_default:
            port = services[server].published_node_port
            if port is not None and owners.setdefault(port, server) != server:
                yield Mistake(
                    (server, "service", "nodePort"),
                    f"is the node port of {owners[port]} too",
                    port,
                )

    def warnings(self) -> Iterator[str]:
        """What the values allow but a careful reader would change."""
        published = self.clearml.credentials.published
        if published and not self.clearml.existing_secret:
            yield (
                "clearml.credentials: published defaults are in use, which anyone can sign in "
                f"with; set your own ({', '.join(published)}) or clearml.existingSecret"
            )
        services = self.agentservices
        if services.enabled and services.replica_count > 1 and services.on_one_node:
            yield (
                "agentservices.replicaCount: several pods on different nodes cannot share a "
                "ReadWriteOnce volume; set agentservices.storage.data.accessModes"
            )
        search = self.elasticsearch
        if search.source == "embedded" and not search.roles.master:
            yield "elasticsearch.roles.master: without a master no Elasticsearch cluster forms"
        yield from addresses.warnings(self)
