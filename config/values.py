"""The root of the values: all that a user can set."""

from collections.abc import Iterable, Iterator
from typing import Any, Self, cast

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from config import addresses, amounts, backup, names, server_version
from config.addresses import PARTS, PublicUrls, Route
from config.agent import Agent
from config.agent_groups import AgentGroups
from config.agent_services import AgentServices
from config.apiserver import Apiserver, AsyncDelete
from config.argocd import Argocd
from config.backup import Backups, Restores
from config.cert_manager import CertManager
from config.clearml import Clearml
from config.credentials_job import CredentialsJob
from config.elasticsearch import Elasticsearch
from config.fileserver import Fileserver
from config.gateway import Gateway
from config.generation import HALVES, Generation
from config.global_ import Global
from config.image_credentials import ImageCredentials
from config.ingress import Ingress, ServerIngress
from config.mongodb import Mongodb
from config.pod import LongRunning, Pod
from config.redis import Redis
from config.release import Release, fullname
from config.server import Server
from config.store import Store
from config.traits import NetworkPolicies
from config.translation import translated
from config.types.kubernetes import Annotations, Labels, OptionalDnsLabel, OptionalNamePrefix
from config.types.manifest import Manifest
from config.types.model import Mistake, Model, Section, refuse, section
from config.upgrade_steps import UNSAFE_ALLOWED
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
    global_: Section[Global] = Field(alias="global", default={}, validate_default=True)
    image_credentials: Section[ImageCredentials] = section()
    argocd: Section[Argocd] = section()
    clearml: Section[Clearml] = section()
    credentials_job: Section[CredentialsJob] = section()
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
    network_policy: Section[NetworkPolicies] = section()
    mongodb: Section[Mongodb] = section()
    redis: Section[Redis] = section()
    elasticsearch: Section[Elasticsearch] = section()
    backup: Section[Backups] = section()
    restore: Section[Restores] = section()

    extra_objects: list[Manifest] = Field(
        default=[],
        description="More Kubernetes objects of any kind, each as in a manifest; they get the "
        "namespace of the release and the common labels and annotations where they have none.",
    )

    _notices: tuple[str, ...] = ()

    @classmethod
    def read(cls, mapping: object) -> Self:
        """The values that a mapping, spelled as in YAML, describes; raises ValuesError."""
        from config.loading import values_of  # which makes Values, too

        return cast(Self, values_of(mapping))

    @model_validator(mode="before")
    @classmethod
    def _in_our_words(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        translation = translated(raw, knows=cls.knows)
        refuse(translation.mistakes)
        return translation.content

    @property
    def generation(self) -> Generation:
        """What is particular to the servers that these values install."""
        return server_version.generation(self)

    @property
    def annotations_of_all(self) -> dict[str, str]:
        """The annotations of all objects: the common ones, and what an upgrade is allowed."""
        allowed = {UNSAFE_ALLOWED: "true"} if self.clearml.allow_unsafe_upgrade else {}
        return {**self.common_annotations, **allowed}

    @property
    def file_authentication(self) -> bool:
        """Whether the file server asks for a login."""
        return self.generation.file_authentication and self.fileserver.auth.enabled

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

    def own_ingress(self, server: str) -> ServerIngress:
        """The Ingress for the server of that name alone."""
        return self.ingress.for_one(addresses.PARTS[server], self.server(server).ingress)

    def has(self, server: str) -> bool:
        """Whether the server of that name is installed."""
        return self.server(server).enabled

    @property
    def routes(self) -> dict[str, Route]:
        """What leads to the servers from outside the cluster, by server."""
        return addresses.routes(self)

    @property
    def cookie_domain(self) -> str:
        """The domain of the session's cookie; empty for the API server's host alone."""
        return addresses.cookie_domain(self)

    @property
    def public_urls(self) -> PublicUrls:
        """Where browsers reach the servers."""
        return addresses.public_urls(self)

    @property
    def told_page(self) -> PublicUrls:
        """What of these the web page has to be told."""
        return addresses.told_page(self)

    @property
    def file_urls(self) -> list[str]:
        """All URLs outside the cluster that clients may have uploaded files at."""
        return addresses.file_urls(self)

    @property
    def pods(self) -> dict[tuple[str, ...], Pod]:
        """The sections of all pods that are made here, by path."""
        pods: dict[tuple[str, ...], Pod] = {
            (name,): self.server(name)
            for name in ("apiserver", "fileserver", "webserver")
            if self.has(name)
        }
        if self.async_delete:
            pods["apiserver", "asyncdelete"] = self.inheriting_async_delete
        if self.lacking:
            pods["credentialsJob",] = self.inheriting_credentials_job
        if self.agentservices.enabled:
            pods["agentservices",] = self.agentservices
        groups = self.agent_groups.items()
        pods |= {("agentGroups", key): group for key, group in groups if group.enabled}
        stores: dict[tuple[str, ...], Pod] = {
            ("mongodb",): self.mongodb,
            ("redis", "master"): self.redis.master,
            ("elasticsearch",): self.elasticsearch,
        }
        pods |= {
            path: pod for path, pod in stores.items() if self.stores[path[0]].source == "embedded"
        }
        return pods | backup.asked_for(self)

    @property
    def agents_by_path(self) -> dict[str, Agent]:
        """The sections of all agents that are installed, by path."""
        groups = self.agent_groups.items()
        return {
            **({"agentservices": self.agentservices} if self.agentservices.enabled else {}),
            **{f"agentGroups.{key}": group for key, group in groups if group.enabled},
        }

    @property
    def agents(self) -> list[Agent]:
        """The sections of all agents that are installed."""
        return list(self.agents_by_path.values())

    @property
    def lacking_credentials(self) -> list[str]:
        """The credentials, by field of clearml.credentials, that are to be made in the cluster."""
        readers = {
            "webserver": self.has("webserver"),
            "fileserver": self.has("fileserver"),
            "services_agent": not all(agent.has_credential for agent in self.agents),
        }
        needed = self.generation.credentials
        if not self.has("apiserver"):
            users = [u for u in self.generation.system_users if readers.get(u.name)]
            needed = [f"{user.secret_key}_{half}" for user in users for half in HALVES]
        return self.clearml.lacking(needed)

    @property
    def lacking(self) -> list[str]:
        """All credentials and passwords that are to be made in the cluster, as messages say it."""
        keys = ", ".join(map(to_camel, self.lacking_credentials))
        return [
            *([f"clearml.credentials ({keys})"] if keys else []),
            *(f"{name}.{path}" for name, store in self.stores.items() for path in store.lacking),
        ]

    @property
    def async_delete(self) -> bool:
        """Whether a program of its own deletes the files of deleted tasks."""
        possible = self.generation.async_delete and self.has("apiserver") and self.has("fileserver")
        return possible and self.apiserver.asyncdelete.enabled

    @property
    def inheriting_async_delete(self) -> AsyncDelete:
        """The pod of asynchronous delete: what it does not set is as the API server has it."""
        server, pod = self.apiserver, self.apiserver.asyncdelete
        account = pod.service_account
        if not account.model_fields_set & {"create", "name"}:
            account = account.filled_from(
                server.service_account.shared(f"{self.fullname}-apiserver")
            )
        return pod.following(server).model_copy(update={"service_account": account})

    @property
    def inheriting_credentials_job(self) -> CredentialsJob:
        """The Job that makes credentials, scheduled as the API server, whose image it runs."""
        return self.credentials_job.following(self.apiserver)

    @property
    def keeps_claims(self) -> bool:
        """Whether a claim is to outlive the installation, and so the namespace that it is in."""
        claims = (
            self.fileserver.storage.data,
            self.agentservices.storage.data,
            self.apiserver.storage.config,
            *(group.storage.data for group in self.agent_groups.values()),
            *backup.claims(self).values(),
        )
        return any(claim.keep for claim in claims)

    @property
    def fullname(self) -> str:
        """What the names of ClearML's own objects start with."""
        return fullname(self.release.name, self.name_override, self.fullname_override)

    def mistakes(self) -> Iterator[Mistake]:
        """Names that no object can have, what two components would both take, wrong addresses."""
        yield from server_version.mistakes(self)
        yield from names.mistakes(self)
        if self.lacking and not self.credentials_job.enabled:
            message = f"must be true, or these are to be given: {', '.join(self.lacking)}"
            yield Mistake(("credentialsJob", "enabled"), message, False)
        yield from self._shared_node_ports()
        yield from self._shared_accounts()
        yield from addresses.mistakes(self)
        yield from backup.mistakes(self)
        if self.has("fileserver") and self.file_authentication:
            yield from self._unchecked_logins()

    def _unchecked_logins(self) -> Iterator[Mistake]:
        if not self.has("apiserver") and not self.public_urls.apiserver:
            yield Mistake(
                ("fileserver", "auth", "enabled"),
                "needs an API server, which checks the logins: set "
                "clearml.clientConfigurationApiUrl",
                True,
            )

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

    def _shared_accounts(self) -> Iterator[Mistake]:
        makers: dict[str, str] = {}
        for path, pod in self.pods.items():
            account = pod.service_account
            if account.create and account.name:
                maker = makers.setdefault(account.name, ".".join(path))
                if maker != ".".join(path):
                    yield Mistake(
                        (*path, "serviceAccount", "create"),
                        f"must be false: {maker}.serviceAccount makes {account.name} already",
                        True,
                    )

    def with_notices(self, notices: Iterable[str]) -> Self:
        """The same values, with more to warn of: what the values files say in vain."""
        self._notices = tuple(notices)
        return self

    def warnings(self) -> Iterator[str]:
        """What the values allow but a careful reader would change."""
        yield from self._notices
        yield from self.clearml.warnings()
        if not self.fileserver.storage.enabled:
            yield "fileserver.storage.enabled: uploaded files are lost whenever the pod is replaced"
        services = self.agentservices
        if services.enabled and services.replica_count > 1 and services.on_one_node:
            yield (
                "agentservices.replicaCount: several pods on different nodes cannot share a "
                "ReadWriteOnce volume; set agentservices.storage.data.accessModes"
            )
        search = self.elasticsearch
        if search.source == "embedded" and not search.roles.master:
            yield "elasticsearch.roles.master: without a master no Elasticsearch cluster forms"
        for path, pod in self.pods.items():
            if not isinstance(pod, LongRunning):
                continue
            if pod.fewest > 0 and not pod.pod_disruption_budget.lets_go_of(pod.fewest):
                yield (
                    f"{'.'.join(path)}.podDisruptionBudget: forbids every eviction (pods: "
                    f"{pod.fewest}), so that no drain of their nodes ends"
                )
        written = search.source == "embedded" and "extra_envs" in search.model_fields_set
        if written and (refused := search.refused_settings(self.generation)):
            yield (
                f"elasticsearch.extraEnvs: {', '.join(refused)} is left out: the Elasticsearch of "
                "that version does not know it, and would not start"
            )
        yield from self._unknown_to_the_servers()
        yield from self._unknown_credentials()
        yield from self._unused_passwords()
        yield from self._unknown_stores()
        yield from server_version.warnings(self)
        yield from backup.warnings(self)
        yield from amounts.warnings(self)
        yield from addresses.warnings(self)

    def _unknown_to_the_servers(self) -> Iterator[str]:
        generation, processes = self.generation, self.apiserver.processes
        auth = self.fileserver.auth
        # What its pod is to be like does not ask for it.
        deletion = self.apiserver.asyncdelete.model_fields_set & {"enabled", "url_prefixes"}
        for key, asked_for, known in (
            ("fileserver.auth", auth.model_fields_set, generation.file_authentication),
            ("apiserver.asyncdelete", deletion, generation.async_delete),
            ("apiserver.processes", processes.model_fields_set, generation.gunicorn),
        ):
            if asked_for and not known:
                yield f"{key}: the server of version {generation.version} has no such thing"

    def _unknown_credentials(self) -> Iterator[str]:
        if self.lacking_credentials and not self.has("apiserver"):
            yield (
                "clearml.credentials: the API server is elsewhere, and knows none that are made "
                "here; set those that it knows, or clearml.existingSecret"
            )

    def _unused_passwords(self) -> Iterator[str]:
        auth, redis = self.mongodb.auth, self.redis
        if (auth.root_password or auth.existing_secret) and not auth.enabled:
            yield "mongodb.auth.enabled: is false, so that nobody is asked for the password"
        if (redis.password or redis.existing_secret) and not redis.use_password:
            yield "redis.usePassword: is false, so that nobody is asked for the password"

    def _unknown_stores(self) -> Iterator[str]:
        for name, store in self.stores.items():
            if self.apiserver.enabled and store.source == "external" and not store.has_address:
                yield (
                    f"{name}: is somebody else's, and looked for under the name that it would have "
                    f"here; set {store.address_path}"
                )
