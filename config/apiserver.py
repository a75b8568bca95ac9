"""The API server."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from config.claim import Claim
from config.configuration import (
    ADDITIONAL_CONFIGS_DIR,
    CONFIG_DIR,
    GENERATED_CONFIG_DIR,
    HoconConfigs,
    mounts_below,
)
from config.generation import DEFAULT_GENERATION
from config.pod import OnePod, Pod, default_resources
from config.server import Server
from config.service import Service
from config.types.fragment import Resources
from config.types.kubernetes import (
    AbsolutePath,
    AtLeastOne,
    NodePort,
    Port,
    Replicas,
    Seconds,
    StorageSize,
)
from config.types.model import Mistake, Model, Section, section
from config.types.urls import HttpUrl

RESOURCES_OF_ASYNC_DELETE: Any = {
    "requests": {"cpu": "10m", "memory": "128Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}
RESOURCES: Any = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "2", "memory": "2Gi"},
}


class ApiserverService(Service):
    """The Service in front of the API server."""

    port: Port = Field(default=8008, description="Port of the API server's Service.")
    node_port: NodePort = Field(
        default=DEFAULT_GENERATION.web_page_node_ports["apiserver"],
        description="Node port of the API server; 0 lets the cluster choose. "
        "A LoadBalancer has it only if it is set.",
    )


class ConfigClaim(Claim):
    """The claim for the server's own configuration files."""

    size: StorageSize = Field(default="1Gi", description="Size of the configuration volume.")


class ApiserverStorage(Model):
    """The volume for configuration files that are maintained by hand."""

    enable_config_volume: bool = Field(
        default=False,
        description="Mount a volume for your own configuration files at `apiserver.configDir`.",
    )
    config: Section[ConfigClaim] = section()


class Processes(Model):
    """The processes that answer requests: several if any of these is set, and otherwise one."""

    count: AtLeastOne | None = Field(
        default=None, description="Number of processes; unset, 8 if one of the others is set."
    )
    timeout: AtLeastOne | None = Field(
        default=None,
        description="Seconds after which a process that does not answer is replaced; unset, 600.",
    )
    max_requests: AtLeastOne | None = Field(
        default=None, description="Requests after which a process is replaced; unset, never."
    )
    max_requests_jitter: AtLeastOne | None = Field(
        default=None,
        description="Up to how many requests more, at random, so that not all go at once.",
    )

    @property
    def given(self) -> dict[str, int]:
        """What is set, by field."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: number for name, number in fields.items() if number is not None}

    def mistakes(self) -> Iterator[Mistake]:
        """A jitter of nothing."""
        yield from super().mistakes()
        if self.max_requests_jitter and not self.max_requests:
            yield Mistake(("maxRequestsJitter",), "needs maxRequests", self.max_requests_jitter)


class AsyncDelete(OnePod):
    """The program that deletes the files of deleted tasks, in a pod of its own."""

    without: ClassVar[Sequence[str]] = ("livenessProbe", "readinessProbe", "startupProbe")
    # All but what is about several pods or the main container's program, and the account, which
    # the API server makes.
    inherited: ClassVar[frozenset[str]] = frozenset(
        {
            *(Pod.model_fields.keys() - {"affinity", "extra_envs", "lifecycle", "service_account"}),
            "deployment_annotations",
            "revision_history_limit",
        }
    )

    enabled: bool = Field(
        default=True,
        description="Whether it does so, as of server 1.7; otherwise such files stay.",
    )
    url_prefixes: list[HttpUrl] = Field(
        default=[],
        description="More URLs that clients have uploaded files to the file server at, such as "
        "former host names, other nodes and forwarded ports: files below them are deleted too.",
    )
    resources: Resources = default_resources(RESOURCES_OF_ASYNC_DELETE)

    def following(self, other: Pod) -> Self:
        """Return the same with what it inherits; variables of both are joined by name."""
        own = {variable.name for variable in self.extra_envs}
        theirs = [variable for variable in other.extra_envs if variable.name not in own]
        update = {"extra_envs": [*theirs, *self.extra_envs]}
        return super().following(other).model_copy(update=update)


class Apiserver(Server, HoconConfigs):
    """The API server: REST API, start-up work, and the examples that a new server shows."""

    config_dir: AbsolutePath = Field(
        default=CONFIG_DIR,
        description="Directory that the server reads configuration files (*.conf) from.",
    )
    prepopulate_enabled: bool = Field(
        default=True, description="Whether a new, empty server is filled with example projects."
    )
    prepopulate_zip_files: AbsolutePath = Field(
        default="/opt/clearml/db-pre-populate",
        description="Zip file, or directory of zip files, in the image with the examples.",
    )
    prepopulate_artifacts_path: AbsolutePath = Field(
        default="/mnt/fileserver",
        description="Where the examples' artifacts are unpacked: the mount path of the file "
        "server's volume in the container that unpacks them.",
    )
    resources: Resources = default_resources(RESOURCES)
    service: Section[ApiserverService] = section()
    liveness_delay: Seconds = Field(
        default=60, description="Seconds before the first liveness probe of the API server."
    )
    readiness_delay: Seconds = Field(
        default=60, description="Seconds before the first readiness probe of the API server."
    )
    readiness: Literal["ping", "stores"] = Field(
        default="ping",
        description="What makes a pod ready: `ping`, that the server answers, or `stores`, that "
        "MongoDB and Elasticsearch answer it too. Requests that would hang are then refused.",
    )
    auth_cookies_max_age: AtLeastOne | None = Field(
        default=None,
        description="Seconds that browsers keep the session's cookie; unset, for ever.",
    )
    replica_count: Replicas = Field(default=1, description="Number of API server pods.")
    storage: Section[ApiserverStorage] = section()
    processes: Section[Processes] = section()
    asyncdelete: Section[AsyncDelete] = section()

    @property
    def on_one_node(self) -> bool:
        """Whether the pods share a volume that one node alone can mount."""
        return self.storage.enable_config_volume and self.storage.config.single_node

    @property
    def has_files_by_hand(self) -> bool:
        """Whether `config_dir` has files that the values do not know, which win over all others."""
        return self.storage.enable_config_volume or mounts_below(self, self.config_dir)

    def mistakes(self) -> Iterator[Mistake]:
        """A directory of our own files as that of others too."""
        yield from super().mistakes()
        directory = PurePosixPath(self.config_dir)
        if any(map(directory.is_relative_to, (GENERATED_CONFIG_DIR, ADDITIONAL_CONFIGS_DIR))):
            yield Mistake(
                ("configDir",), "is where the generated files lie; choose another", self.config_dir
            )
