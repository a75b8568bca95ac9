"""The API server."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any

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
from config.types.merging import or_else
from config.types.model import Mistake, Model, Section, section

RESOURCES: Any = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "2", "memory": "2Gi"},
}


class ApiserverService(Service):
    """The Service in front of the API server."""

    port: Port = Field(default=8008, description="Port of the API server's Service.")
    node_port: NodePort = Field(
        default=DEFAULT_GENERATION.web_page_node_ports["apiserver"],
        description="Node port of the API server (NodePort and LoadBalancer); 0 lets the cluster "
        "choose.",
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
    resources: Annotated[Resources, or_else(RESOURCES)] = Field(
        default=RESOURCES,
        validate_default=True,
        description="Resource requests and limits of the main container; given, they replace "
        "these as a whole.",
    )
    service: Section[ApiserverService] = section()
    liveness_delay: Seconds = Field(
        default=60, description="Seconds before the first liveness probe of the API server."
    )
    readiness_delay: Seconds = Field(
        default=60, description="Seconds before the first readiness probe of the API server."
    )
    auth_cookies_max_age: AtLeastOne | None = Field(
        default=None,
        description="Seconds that browsers keep the session's cookie; unset, for ever.",
    )
    replica_count: Replicas = Field(default=1, description="Number of API server pods.")
    storage: Section[ApiserverStorage] = section()

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
