"""The file server."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from config.claim import Storage
from config.configuration import HoconConfigs
from config.generation import DEFAULT_GENERATION
from config.pod import default_resources
from config.server import Server
from config.service import Service
from config.types.fragment import Resources
from config.types.kubernetes import NodePort, Port, Replicas
from config.types.model import Mistake, Model, Section, section

RESOURCES: Any = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "2", "memory": "1Gi"},
}


class FileserverService(Service):
    """The Service in front of the file server."""

    port: Port = Field(default=8081, description="Port of the file server's Service.")
    node_port: NodePort = Field(
        default=DEFAULT_GENERATION.web_page_node_ports["fileserver"],
        description="Node port of the file server; 0 lets the cluster choose. "
        "A LoadBalancer has it only if it is set.",
    )


class FileserverAuth(Model):
    """Logins of the file server."""

    enabled: bool = Field(
        default=True,
        description="Whether files are only for those who are logged in, as of server 1.16; older "
        "ones give them to everybody.",
    )


class Fileserver(Server, HoconConfigs):
    """The file server: artifacts, debug images and models."""

    resources: Resources = default_resources(RESOURCES)
    service: Section[FileserverService] = section()
    replica_count: Replicas = Field(default=1, description="Number of file server pods.")
    storage: Section[Storage] = section()
    auth: Section[FileserverAuth] = section()

    @property
    def on_one_node(self) -> bool:
        """Whether the pods share a volume that one node alone can mount."""
        return self.storage.single_node

    def mistakes(self) -> Iterator[Mistake]:
        """A volume of one node for pods of several, or none that they share."""
        yield from super().mistakes()
        if self.replica_count > 1 and not self.storage.enabled:
            yield Mistake(
                ("replicaCount",),
                "several pods need a volume that they share; set fileserver.storage.enabled",
                self.replica_count,
            )
        if self.replica_count > 1 and self.on_one_node:
            yield Mistake(
                ("replicaCount",),
                "several pods cannot share a ReadWriteOnce volume; set "
                "fileserver.storage.data.accessModes to [ReadWriteMany]",
                self.replica_count,
            )
