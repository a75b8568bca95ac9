"""MongoDB."""

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from config.fragment import Resources
from config.kubernetes import (
    Annotations,
    Mistake,
    NonEmpty,
    OptionalDnsSubdomain,
    Port,
    PortName,
    Replicas,
    Secret,
    ServiceName,
    ServiceType,
    StorageSize,
    section,
)
from config.store import ChartModel, Store, StoreImage, StorePersistence
from config.workload import Scheduling

URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")


class MongodbImage(StoreImage):
    """The image of the embedded MongoDB."""

    repository: NonEmpty = Field(default="mongo", description="Repository of the MongoDB image.")
    tag: NonEmpty = Field(default="4.4.30", description="Tag of the MongoDB image.")


class MongodbAuth(ChartModel):
    """Authentication of MongoDB."""

    enabled: bool = Field(
        default=False, description="Whether MongoDB asks for a password (user `root`)."
    )
    root_password: Secret | None = Field(
        default=None,
        description="Password of the user `root`: letters, digits, '.', '_', '~' and '-'.",
    )
    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret with the password under `mongodb-root-password` instead.",
    )

    def mistakes(self) -> Iterator[Mistake]:
        """A switch without a password, or a password that no URL can hold."""
        if self.enabled and not (self.root_password or self.existing_secret):
            yield Mistake(
                ("enabled",),
                "needs mongodb.auth.rootPassword or mongodb.auth.existingSecret",
                self.enabled,
            )
        password = self.root_password
        # The password becomes part of a URL: server 1.0.2 knows no other way to take it.
        if password and not URL_SAFE.fullmatch(password.get_secret_value()):
            yield Mistake(
                ("rootPassword",),
                "must be letters, digits, '.', '_', '~' and '-': it becomes part of a URL",
            )


class MongodbPersistence(StorePersistence):
    """The volume of MongoDB."""

    size: StorageSize = Field(default="50Gi", description="Size of MongoDB's volume.")


class MongodbService(ChartModel):
    """The Service in front of MongoDB, or the name of your own."""

    name: ServiceName = Field(
        default="{{ .Release.Name }}-mongodb",
        description="Name of the Service; for an external MongoDB, the host name to connect to.",
    )
    type: ServiceType = Field(default="ClusterIP", description="Type of the Service.")
    port: Port = Field(default=27017, description="Port of the Service.")
    port_name: PortName = Field(default="mongo-service", description="Name of the Service's port.")


class Mongodb(Scheduling, Store):
    """MongoDB: projects, experiments, users, queues."""

    chart: ClassVar[str] = "mongodb"

    architecture: Literal["standalone", "replicaset"] = Field(
        default="standalone", description="One server (standalone) or a replica set."
    )
    auth: MongodbAuth = section()
    replica_count: Replicas = Field(default=1, description="Members of the replica set.")
    persistence: MongodbPersistence = section()
    service: MongodbService = section()
    image: MongodbImage = section()
    resources: Resources = Field(
        default=None, description="Resource requests and limits of MongoDB."
    )
    pod_annotations: Annotations = Field(default={}, description="Annotations of MongoDB's pods.")

    @property
    def makes_objects(self) -> bool:
        """Whether any manifest comes of MongoDB: its own, or the Secret with its password."""
        return self.embedded or (self.auth.enabled and not self.auth.existing_secret)

    def mistakes(self) -> Iterator[Mistake]:
        """Topologies that the provider does not support yet."""
        yield from super().mistakes()
        if self.embedded and self.architecture == "replicaset":
            yield Mistake(("architecture",), "replicaset is not supported yet", self.architecture)
        if self.embedded and self.replica_count != 1:
            yield Mistake(
                ("replicaCount",),
                "more members than one are not supported yet",
                self.replica_count,
            )
