"""Redis."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from config.chart import RedisChart
from config.generation import DEFAULT_GENERATION, Generation
from config.image import Image, PulledImage
from config.metrics import StoreMetrics
from config.pod import StatefulSet, default_resources
from config.service import StoreService
from config.store import BITNAMI, ChartModel, Store, StoreImage, StorePersistence
from config.types.fragment import Resources
from config.types.kubernetes import (
    Count,
    ImageRepository,
    ImageTag,
    OptionalDnsSubdomain,
    OptionalImageRepository,
    OptionalImageTag,
    Port,
    SecretKey,
    ServiceName,
    StorageSize,
)
from config.types.model import Mistake, Model, Section, section
from config.types.scalars import Integer, Secret, matching

PASSWORD_KEY = "redis-password"
# The server's parser reads quotes and backslashes as something else, in the quotes that it is put
# in; what is beyond ASCII depends on the server's locale, and ends 1.0.2.
RedisPassword = Annotated[
    Secret,
    matching(r"^[ !#-\[\]-~]*$", "must be ASCII characters other than quotes and backslashes"),
]


RESOURCES: Any = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "1Gi"},
}


class RedisImage(StoreImage):
    """The image of the embedded Redis."""

    repository: OptionalImageRepository = Field(
        default="",
        description="Repository of the Redis image; empty means the one that goes with "
        "clearml.version.",
    )
    tag: OptionalImageTag = Field(
        default="",
        description="Tag of the Redis image; empty means the one that goes with clearml.version.",
    )


class RedisPersistence(StorePersistence):
    """The volume of Redis."""

    size: StorageSize = Field(default="5Gi", description="Size of Redis' volume.")


class RedisMaster(StatefulSet, ChartModel):
    """The Redis server, and the Service in front of it or the name of your own."""

    spellings: ClassVar[Mapping[str, str]] = BITNAMI

    name: ServiceName = Field(
        default="{{ .Release.Name }}-redis-master",
        description="Name of the Service; for an external Redis, the host name to connect to.",
    )
    port: Port = Field(default=6379, description="Port of Redis and its Service.")
    service: Section[StoreService] = section()
    resources: Resources = default_resources(RESOURCES)
    persistence: Section[RedisPersistence] = section()


class RedisCluster(ChartModel):
    """Replicas of Redis."""

    enabled: bool = Field(
        default=False,
        description="Whether Redis has replicas, which the master copies its data to.",
    )
    slave_count: Annotated[Integer, Field(ge=1, le=100)] = Field(
        default=2, description="Number of replicas."
    )


class RedisExporterImage(StoreImage):
    """The image of the exporter of Redis' metrics."""

    repository: ImageRepository = Field(
        default=DEFAULT_GENERATION.redis_exporter.repository,
        description="Repository of the exporter's image.",
    )
    tag: ImageTag = Field(
        default=DEFAULT_GENERATION.redis_exporter.tag, description="Tag of the exporter's image."
    )


class RedisMetrics(StoreMetrics):
    """Metrics of Redis."""

    image: Section[RedisExporterImage] = section()


class RedisExternal(Model):
    """What only a Redis of your own can be."""

    tls: bool = Field(default=False, description="Whether an external Redis speaks TLS.")


class Redis(Store):
    """Redis: sessions, workers, locks."""

    address_path: ClassVar[str] = "redis.master.name"
    own_secret: ClassVar[str] = "{{ .Release.Name }}-redis"

    chart: Section[RedisChart] = section()

    use_password: bool = Field(default=False, description="Whether Redis asks for a password.")
    password: RedisPassword | None = Field(
        default=None,
        description="Password of Redis; unset, one is made in the cluster if Redis is made here.",
    )
    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret that holds the password instead.",
    )
    existing_secret_password_key: SecretKey = Field(
        default=PASSWORD_KEY, description="Key of the password in that Secret."
    )
    database_number: Count = Field(
        default=0,
        description="First Redis database: sessions are kept there, workers 4 databases further.",
    )
    master: Section[RedisMaster] = section()
    cluster: Section[RedisCluster] = section()
    external: Section[RedisExternal] = section()
    metrics: Section[RedisMetrics] = section()
    image: Section[RedisImage] = section()

    @property
    def image_section(self) -> Image:
        """The image of the store, as the values name it."""
        return self.image

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the embedded Redis."""
        return self.image.pulled(
            [*self.image.pull_secrets, *self.master.image_pull_secrets], generation.redis
        )

    @property
    def has_address(self) -> bool:
        """Whether there is the name of a host."""
        return "name" in self.master.model_fields_set

    @property
    def lacking(self) -> list[str]:
        """The path, from the section on, of the password that is to be made in the cluster."""
        made_here = self.use_password and self.source != "external" and not self.existing_secret
        return ["password"] if made_here and not self.password else []

    def mistakes(self) -> Iterator[Mistake]:
        """A switch without a password, replicas."""
        yield from super().mistakes()
        if self.external.tls and self.source != "external":
            yield Mistake(("external", "tls"), "is read only with provider external", True)
        unknown = self.use_password and not (self.password or self.existing_secret)
        if self.source == "external" and unknown:
            yield Mistake(
                ("usePassword",),
                "needs redis.password or redis.existingSecret; write false where it asks for no "
                "password",
                self.use_password,
            )
        if self.source == "embedded" and self.cluster.enabled:
            yield from self.master.persistence.shared("master", "persistence")
        if self.source == "imported":
            yield from self._chart_mistakes()

    def _chart_mistakes(self) -> Iterator[Mistake]:
        """What the servers would not use."""
        if self.chart_section("tls").get("enabled"):
            yield Mistake(("tls", "enabled"), "is not supported: the servers would not use it")
