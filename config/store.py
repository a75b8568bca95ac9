"""What MongoDB, Redis and Elasticsearch have in common."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from config.kubernetes import (
    AccessModes,
    DnsSubdomain,
    Mistake,
    Model,
    StorageClass,
    StorageSize,
    did_you_mean,
)
from config.workload import Image

Provider = Literal["embedded", "helm", "external"]


class ChartModel(Model):
    """A section of a store; keys that only the store's Helm chart knows are kept as they are.

    The last of a section's bases: the configuration of the last one counts.
    """

    model_config = ConfigDict(extra="allow")

    def chart_keys(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
        """Paths of the keys that are not ours, here and below, and the keys that stand beside."""
        fields = type(self).model_fields
        for key in self.model_extra or {}:
            yield (*path, key), [str(field.alias) for field in fields.values()]
        for name, field in fields.items():
            section = getattr(self, name)
            if isinstance(section, ChartModel):
                yield from section.chart_keys((*path, str(field.alias)))


class StoreImage(Image, ChartModel):
    """The container image of a store."""

    pull_secrets: list[DnsSubdomain] = Field(
        default=[], description="Names of Secrets that hold credentials for the image registry."
    )


class StorePersistence(ChartModel):
    """The volume of a store."""

    enabled: bool = Field(
        default=True, description="Whether the data outlives the pod, on a volume of its own."
    )
    access_modes: AccessModes = Field(
        default=["ReadWriteOnce"], description="Access modes of the claim."
    )
    size: StorageSize
    storage_class: StorageClass = Field(
        default="",
        description="Storage class; empty leaves the choice to the cluster's default class.",
    )


class Store(ChartModel):
    """A data store: made by this program, by its Helm chart, or somebody else's."""

    chart: ClassVar[str]

    enabled: bool = Field(
        default=True,
        description="Whether the store is part of the installation; false means provider external.",
    )
    provider: Provider = Field(
        default="embedded",
        description="Where the store comes from: embedded (made here from the official image), "
        "helm (its Helm chart) or external (a service of your own, found by name and port).",
    )

    @property
    def embedded(self) -> bool:
        """Whether this program makes the store."""
        return self.enabled and self.provider == "embedded"

    @property
    def makes_objects(self) -> bool:
        """Whether any manifest comes of the store: its own, or the Secret with its password."""
        return self.embedded

    def mistakes(self) -> Iterator[Mistake]:
        """A provider that does not exist yet, and keys that the provider would not read."""
        if self.enabled and self.provider == "helm":
            yield Mistake(("provider",), "helm is not supported yet", self.provider)
        if self.provider != "helm":
            for path, known in self.chart_keys():
                yield Mistake(
                    path,
                    f"unknown key, which only the {self.chart} Helm chart may read (provider: helm)"
                    f"{did_you_mean(path[-1], known)}",
                    path[-1],
                )
