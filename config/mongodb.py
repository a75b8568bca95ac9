"""MongoDB."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from config.chart import MongodbChart
from config.generation import DEFAULT_GENERATION, Generation
from config.image import Image, PulledImage
from config.metrics import StoreMetrics
from config.pod import StatefulSet, default_resources
from config.service import StoreService
from config.store import BITNAMI, ChartModel, Store, StoreImage, StorePersistence
from config.types.fragment import Resources
from config.types.kubernetes import (
    DnsLabel,
    ImageRepository,
    ImageTag,
    OptionalDnsSubdomain,
    OptionalImageRepository,
    OptionalImageTag,
    Port,
    PortName,
    SecretKey,
    ServiceName,
    ServiceType,
    StorageSize,
)
from config.types.model import Mistake, Model, Section, section
from config.types.scalars import Integer, Secret, matching

PASSWORD_KEY = "mongodb-root-password"
SET_KEY = "mongodb-replica-set-key"
REPLICA_SET_KEY = re.compile(r"[A-Za-z0-9+/=]{6,1024}")
URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")
# Of the characters that a URL is made of: what is beyond ASCII depends on the server's locale.
ConnectionString = Annotated[
    Secret,
    matching(
        r"^mongodb(\+srv)?://[!#-\[\]-~]+$",
        "must be a URL that begins with mongodb:// or mongodb+srv://, other characters as %XX",
    ),
]


RESOURCES: Any = {
    "requests": {"cpu": "100m", "memory": "512Mi"},
    "limits": {"cpu": "2", "memory": "4Gi"},
}


class MongodbImage(StoreImage):
    """The image of the embedded MongoDB."""

    repository: OptionalImageRepository = Field(
        default="",
        description="Repository of the MongoDB image; empty means the one that goes with "
        "clearml.version.",
    )
    tag: OptionalImageTag = Field(
        default="",
        description="Tag of the MongoDB image; empty means the one that goes with clearml.version.",
    )


class MongodbAuth(ChartModel):
    """Authentication of MongoDB."""

    enabled: bool = Field(
        default=False, description="Whether MongoDB asks for a password (user `root`)."
    )
    root_password: Secret | None = Field(
        default=None,
        description="Password of the user `root`: letters, digits, '.', '_', '~' and '-'; unset, "
        "one is made in the cluster if MongoDB is made here.",
    )
    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret that holds the password instead.",
    )

    replica_set_key: Secret | None = Field(
        default=None,
        description="Key that the members of a replica set know each other by: 6 to 1024 letters "
        "and digits; unset, it is made as the password is. In an existing Secret it is called "
        f"`{SET_KEY}`.",
    )
    existing_secret_key: SecretKey = Field(
        default=PASSWORD_KEY, description="Key of the password in that Secret."
    )

    def mistakes(self) -> Iterator[Mistake]:
        """A password that no URL can hold, or a key that no member takes."""
        password = self.root_password
        key = self.replica_set_key
        if key and not REPLICA_SET_KEY.fullmatch(key.get_secret_value()):
            yield Mistake(("replicaSetKey",), "must be 6 to 1024 of letters, digits, '+' and '/'")
        # The password becomes part of a URL, the one way that every server takes it.
        if password and not URL_SAFE.fullmatch(password.get_secret_value()):
            yield Mistake(
                ("rootPassword",),
                "must be letters, digits, '.', '_', '~' and '-': it becomes part of a URL",
            )


class MongodbPersistence(StorePersistence):
    """The volume of MongoDB."""

    size: StorageSize = Field(default="50Gi", description="Size of MongoDB's volume.")


class MongodbService(StoreService):
    """The Service in front of MongoDB, or the name of your own."""

    name: ServiceName = Field(
        default="{{ .Release.Name }}-mongodb",
        description="Name of the Service; for an external MongoDB, the host name to connect to.",
    )
    type: ServiceType = Field(default="ClusterIP", description="Type of the Service.")
    port: Port = Field(default=27017, description="Port of the Service.")
    port_name: PortName = Field(default="mongo-service", description="Name of the Service's port.")


class MongodbExporterImage(StoreImage):
    """The image of the exporter of MongoDB's metrics."""

    repository: ImageRepository = Field(
        default=DEFAULT_GENERATION.mongodb_exporter.repository,
        description="Repository of the exporter's image.",
    )
    tag: ImageTag = Field(
        default=DEFAULT_GENERATION.mongodb_exporter.tag, description="Tag of the exporter's image."
    )


class MongodbMetrics(StoreMetrics):
    """Metrics of MongoDB."""

    image: Section[MongodbExporterImage] = section()


class MongodbExternal(Model):
    """Connection strings of a MongoDB of your own, for all that host and port cannot say."""

    backend: ConnectionString | None = Field(
        default=None,
        description="URL of the backend database: `mongodb://user:password@host:27017/backend?…`.",
    )
    auth: ConnectionString | None = Field(
        default=None, description="URL of the auth database: `mongodb://…/auth?…`."
    )
    existing_secret: OptionalDnsSubdomain = Field(
        default="", description="Name of a Secret that holds the two URLs instead."
    )
    backend_key: SecretKey = Field(
        default="backend", description="Key of the backend database's URL in that Secret."
    )
    auth_key: SecretKey = Field(
        default="auth", description="Key of the auth database's URL in that Secret."
    )

    @property
    def has_urls(self) -> bool:
        """Whether there are connection strings."""
        return bool(self.backend or self.auth or self.existing_secret)

    def mistakes(self) -> Iterator[Mistake]:
        """One URL without the other, or URLs from two sources."""
        if (self.backend is None) != (self.auth is None):
            missing = "backend" if self.backend is None else "auth"
            yield Mistake((missing,), "is needed too: the server has two databases")
        if self.has_urls and self.backend_key == self.auth_key:
            yield Mistake(
                ("authKey",), "is the key of the backend database's URL too", self.auth_key
            )
        if self.backend and self.existing_secret:
            yield Mistake(
                ("existingSecret",),
                "excludes backend and auth: keep one of the two",
                self.existing_secret,
            )


class Mongodb(StatefulSet, Store):
    """MongoDB: projects, experiments, users, queues."""

    spellings: ClassVar[Mapping[str, str]] = BITNAMI
    address_path: ClassVar[str] = "mongodb.external or mongodb.service.name"
    own_secret: ClassVar[str] = "{{ .Release.Name }}-mongodb"

    chart: Section[MongodbChart] = section()

    architecture: Literal["standalone", "replicaset"] = Field(
        default="standalone", description="One server (standalone) or a replica set."
    )
    auth: Section[MongodbAuth] = section()
    replica_set_name: DnsLabel = Field(default="rs0", description="Name of the replica set.")
    replica_count: Annotated[Integer, Field(ge=1, le=7)] = Field(
        default=1,
        description="Members of the replica set; an odd number survives best. Take members away "
        "one at a time, or the majority is lost.",
    )
    resources: Resources = default_resources(RESOURCES)
    persistence: Section[MongodbPersistence] = section()
    service: Section[MongodbService] = section()
    external: Section[MongodbExternal] = section()
    metrics: Section[MongodbMetrics] = section()
    image: Section[MongodbImage] = section()

    @property
    def image_section(self) -> Image:
        """The image of the store, as the values name it."""
        return self.image

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the embedded MongoDB."""
        return self.image.pulled(
            [*self.image.pull_secrets, *self.image_pull_secrets], generation.mongodb
        )

    @property
    def has_address(self) -> bool:
        """Whether there are connection strings or the name of a host."""
        return self.external.has_urls or "name" in self.service.model_fields_set

    @property
    def fewest(self) -> int:
        """How many pods there are at least."""
        return self.replica_count

    @property
    def lacking(self) -> list[str]:
        """The paths, from the section on, of password and key that are to be made in the cluster.

        Members of a replica set need the key if they ask for the password.
        """
        auth = self.auth
        if self.source == "external" or not auth.enabled or auth.existing_secret:
            return []
        wanted = {"auth.rootPassword": auth.root_password}
        if self.architecture == "replicaset":
            wanted["auth.replicaSetKey"] = auth.replica_set_key
        return [path for path, given in wanted.items() if not given]

    def mistakes(self) -> Iterator[Mistake]:
        """Topologies that do not exist, and settings that the provider would not read."""
        yield from super().mistakes()
        if self.external.has_urls and self.source != "external":
            yield Mistake(("external",), "is read only with provider external")
        known = self.auth.root_password or self.auth.existing_secret
        # Without a password the switch gives way, such as that of a preset.
        if self.external.has_urls and self.auth.enabled and known and self.source == "external":
            yield Mistake(
                ("auth", "enabled"), "is part of the connection strings of mongodb.external", True
            )
        if (
            self.source == "embedded"
            and self.architecture == "standalone"
            and self.replica_count > 1
        ):
            yield Mistake(
                ("replicaCount",),
                "a standalone MongoDB is one pod; set mongodb.architecture to replicaset",
                self.replica_count,
            )
        if self.source == "embedded" and self.replica_count > 1:
            yield from self.persistence.shared("persistence")
        unknown = self.auth.enabled and not known and not self.external.has_urls
        if self.source == "external" and unknown:
            yield Mistake(
                ("auth", "enabled"),
                "needs mongodb.auth.rootPassword or mongodb.auth.existingSecret; write false where "
                "it asks for no password",
                self.auth.enabled,
            )
        if self.source == "imported":
            yield from self._chart_mistakes()

    def _chart_mistakes(self) -> Iterator[Mistake]:
        """What the chart would make up anew with each synthesis, or reads under another name."""
        auth, tls = self.auth.model_extra or {}, self.chart_section("tls")
        if tls.get("enabled") and not tls.get("existingSecret"):
            yield Mistake(("tls", "enabled"), "needs mongodb.tls.existingSecret", True)
        user = auth.get("username") and auth.get("database")
        if self.auth.enabled and user and not (auth.get("password") or self.auth.existing_secret):
            yield Mistake(("auth", "password"), "is needed with a username and a database")
        key = self.auth.existing_secret_key
        if key != MongodbAuth.model_fields["existing_secret_key"].default:
            yield Mistake(("auth", "existingSecretKey"), "cannot be chosen with provider helm", key)
