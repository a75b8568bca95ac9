"""Redis."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.chart import RedisChart
from config.store import ChartModel, Store, StoreImage, StorePersistence
from config.types.fragment import Resources
from config.types.kubernetes import (
    Annotations,
    OptionalDnsSubdomain,
    Port,
    SecretKey,
    ServiceName,
    StorageSize,
)
from config.types.model import Mistake, Model, Section, section
from config.types.scalars import Integer, NonEmpty, Secret
from config.workload import Scheduling


class RedisImage(StoreImage):
    """The image of the embedded Redis."""

    repository: NonEmpty = Field(default="redis", description="Repository of the Redis image.")
    tag: NonEmpty = Field(default="6.2.22", description="Tag of the Redis image.")


class RedisPersistence(StorePersistence):
    """The volume of Redis."""

    size: StorageSize = Field(default="5Gi", description="Size of Redis' volume.")


class RedisMaster(Scheduling, ChartModel):
    """The Redis server, and the Service in front of it or the name of your own."""

    name: ServiceName = Field(
        default="{{ .Release.Name }}-redis-master",
        description="Name of the Service; for an external Redis, the host name to connect to.",
    )
    port: Port = Field(default=6379, description="Port of Redis and its Service.")
    persistence: Section[RedisPersistence] = section()
    resources: Resources = Field(default=None, description="Resource requests and limits of Redis.")
    pod_annotations: Annotations = Field(default={}, description="Annotations of Redis' pods.")


class RedisCluster(ChartModel):
    """Replicas of Redis."""

    enabled: bool = Field(
        default=False,
        description="Whether Redis has replicas, which the master copies its data to.",
    )
    slave_count: Annotated[Integer, Field(ge=1, le=100)] = Field(
        default=2, description="Number of replicas."
    )


class RedisExternal(Model):
    """What only a Redis of your own can be."""

    tls: bool = Field(default=False, description="Whether an external Redis speaks TLS.")


class Redis(Store):
    """Redis: sessions, workers, locks."""

    chart: Section[RedisChart] = section()

    use_password: bool = Field(default=False, description="Whether Redis asks for a password.")
    password: Secret | None = Field(default=None, description="Password of Redis.")
    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret that holds the password instead.",
    )
    existing_secret_password_key: SecretKey = Field(
        default="redis-password", description="Key of the password in that Secret."
    )
    database_number: Annotated[Integer, Field(ge=0)] = Field(
        default=0,
        description="First Redis database: sessions are kept there, workers 4 databases further.",
    )
    master: Section[RedisMaster] = section()
    cluster: Section[RedisCluster] = section()
    external: Section[RedisExternal] = section()
    image: Section[RedisImage] = section()

    @property
    def makes_objects(self) -> bool:
        """Whether any manifest comes of Redis: its own, or the Secret with its password."""
        return super().makes_objects or (self.use_password and not self.existing_secret)

    def mistakes(self) -> Iterator[Mistake]:
        """A switch without a password, an unusable password, replicas."""
        yield from super().mistakes()
        if self.external.tls and not self.is_external:
            yield Mistake(("external", "tls"), "is read only with provider external", True)
        if self.use_password and not (self.password or self.existing_secret):
            yield Mistake(
                ("usePassword",), "needs redis.password or redis.existingSecret", self.use_password
            )
        if self.password and set('"\\\n\r') & set(self.password.get_secret_value()):
            yield Mistake(("password",), "must not contain quotes, backslashes or line breaks")
        if self.imported:
            yield from self._chart_mistakes()

    def _chart_mistakes(self) -> Iterator[Mistake]:
        """What has a name of ours already, and what the chart would make up with each synthesis."""
        names = {
            "enabled": "usePassword",
            "password": "password",
            "existingSecret": "existingSecret",
            "existingSecretPasswordKey": "existingSecretPasswordKey",
        }
        for key in self.chart_section("auth").keys() & names:
            yield Mistake(("auth", key), f"is called redis.{names[key]} here, for all versions")
        if self.chart_section("tls").get("enabled"):
            yield Mistake(("tls", "enabled"), "is not supported: the servers would not use it")
