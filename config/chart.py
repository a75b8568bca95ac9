"""Helm charts of the stores: which one, and where its archive comes from."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from config.types.model import Mistake, Model
from config.types.scalars import OneLine, Text, matching

ChartVersion = Annotated[
    Text,
    matching(
        r"v?\d+\.\d+\.\d+([-+][-+.0-9A-Za-z]+)?",
        "must be one exact version of the chart such as 1.2.3",
    ),
]
Repository = Annotated[
    Text,
    matching(
        r"(https?|oci)://[^\s/?#@]+(/[^\s?#]*)?", "must be the URL of a repository: http(s) or oci"
    ),
]
Sha256 = Annotated[
    Text,
    matching(r"([0-9a-f]{64})?", "must be a SHA-256 digest: 64 digits and letters from a to f"),
]

# Of the archives that the ClearML chart 2.0.0-alpha2 was released with.
KNOWN_DIGESTS = {
    "mongodb-10.3.4.tgz": "dfaf47fb5851b19dfe271e8280fbcde1c02b10dd0c31ee522a1614b704b09c67",
    "redis-10.9.0.tgz": "a2a6d7b06bc8aba16bac89d9a31c6cc7b5d2bbb9660a3b31dc2e6328580289a5",
    "elasticsearch-7.10.1.tgz": "38b3cc63a0d1ba7079cee3469f97813b2555c35c9cde9b72b629c3c765cbb02b",
}
# Where the ClearML chart's own repository has them.
COPIES = (
    "https://github.com/allegroai/clearml-helm-charts"
    "/raw/clearml-2.0.0-alpha2/charts/clearml/charts"
)


class ChartSource(Model):
    """The Helm chart that the store is imported from while its provider is helm."""

    name: ClassVar[str]

    version: ChartVersion
    repository: Repository
    archive: OneLine = Field(
        default="",
        description="Path or URL of the chart's archive (.tgz), instead of the repository.",
    )
    sha256: Sha256 = Field(
        default="",
        description="SHA-256 digest that the chart's archive must have; known without being set "
        "for the default version.",
    )

    @property
    def is_default(self) -> bool:
        """Whether the chart is the one that is taken where the values name none."""
        return not self.archive and self.version == type(self).model_fields["version"].default

    @property
    def file_name(self) -> str:
        """How the archive is called."""
        return f"{self.name}-{self.version}.tgz"

    @property
    def major(self) -> int:
        """The major version, which the names of the chart's values depend on."""
        return int(self.version.removeprefix("v").split(".")[0])

    @property
    def is_url(self) -> bool:
        """Whether the archive is somewhere else than on this machine."""
        return self.archive.startswith(("http://", "https://"))

    @property
    def digest(self) -> str:
        """The digest that the archive must have; empty where nobody knows it."""
        return self.sha256 or KNOWN_DIGESTS.get(self.file_name, "")

    def mistakes(self) -> Iterator[Mistake]:
        """An archive that cannot be one."""
        if "://" in self.archive and not self.is_url:
            yield Mistake(("archive",), "must be a path, or an http(s) URL", self.archive)


class MongodbChart(ChartSource):
    """The Helm chart that MongoDB is imported from while its provider is helm."""

    name: ClassVar[str] = "mongodb"

    version: ChartVersion = Field(default="10.3.4", description="Version of the MongoDB chart.")
    repository: Repository = Field(
        default="https://charts.bitnami.com/bitnami",
        description="Repository of the MongoDB chart: an http(s) or oci URL.",
    )


class RedisChart(ChartSource):
    """The Helm chart that Redis is imported from while its provider is helm."""

    name: ClassVar[str] = "redis"

    version: ChartVersion = Field(default="10.9.0", description="Version of the Redis chart.")
    repository: Repository = Field(
        default="https://charts.bitnami.com/bitnami",
        description="Repository of the Redis chart: an http(s) or oci URL.",
    )


class ElasticsearchChart(ChartSource):
    """The Helm chart that Elasticsearch is imported from while its provider is helm."""

    name: ClassVar[str] = "elasticsearch"

    version: ChartVersion = Field(
        default="7.10.1", description="Version of the Elasticsearch chart."
    )
    repository: Repository = Field(
        default="https://helm.elastic.co",
        description="Repository of the Elasticsearch chart: an http(s) or oci URL.",
    )
