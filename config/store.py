"""What MongoDB, Redis and Elasticsearch have in common."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from config.chart import ChartSource
from config.generation import DEFAULT_GENERATION, Generation
from config.image import Image, PulledImage, PullSecret
from config.types.kubernetes import (
    AccessModes,
    Annotations,
    OptionalDnsSubdomain,
    StorageClass,
    StorageSize,
)
from config.types.merging import merge
from config.types.model import Mistake, Model, UnknownKey

Provider = Literal["embedded", "helm", "external"]
Source = Literal["embedded", "imported", "external"]


class ChartModel(Model):
    """A section of a store; keys that only the store's Helm chart knows are kept as they are.

    The last of a section's bases: the configuration of the last one counts.
    """

    model_config = ConfigDict(extra="allow")

    spellings: ClassVar[Mapping[str, str]] = {}
    """Our keys by how the chart spells them."""

    @model_validator(mode="before")
    @classmethod
    def _in_our_words(cls, raw: Any) -> Any:
        """Respell keys, and take out nulls, which reset to the default.

        Nulls of keys that only the chart knows stay, and so do texts, which are templates to it.
        """
        if not isinstance(raw, dict):
            return raw
        ours = {str(field.alias): field.annotation for field in cls.model_fields.values()}
        raw = {
            cls.spellings[key]
            if key in cls.spellings
            and cls.spellings[key] not in raw
            and (isinstance(value, list) or (key not in ours and not isinstance(value, str)))
            else key: value
            for key, value in raw.items()
        }
        values = {key: value for key, value in raw.items() if key not in ours or value is not None}
        for key, value in values.items():
            section = ours.get(key, ChartModel)
            mixed = isinstance(section, type) and issubclass(section, ChartModel)
            if isinstance(value, dict) and not mixed:
                values[key] = merge({}, value)
        return values

    def chart_section(self, key: str) -> dict[str, Any]:
        """A section that only the Helm chart knows; empty where there is none."""
        section = (self.model_extra or {}).get(key)
        return section if isinstance(section, dict) else {}

    def chart_keys(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Paths of the keys that are not ours, here and below, and their values."""
        fields = type(self).model_fields
        for key, value in (self.model_extra or {}).items():
            if value is not None:
                yield (*path, key), value
        for name, field in fields.items():
            section = getattr(self, name)
            if isinstance(section, ChartModel):
                yield from section.chart_keys((*path, str(field.alias)))


# How Bitnami's charts spell settings of pods.
BITNAMI = {
    "extraEnvVars": "extraEnvs",
    "extraVolumes": "additionalVolumes",
    "extraVolumeMounts": "additionalVolumeMounts",
    "sidecars": "extraContainers",
    "initContainers": "extraInitContainers",  # if it is a list; ours of that name is a section
}


# Bitnami's images, or copies of them, by their repository or by how their tags end.
BITNAMI_IMAGE = re.compile(r"(^|/)bitnami(legacy|secure)?/|-debian-\d+-r\d+")


class StoreImage(Image, ChartModel):
    """The container image of a store."""

    pull_secrets: list[PullSecret] = Field(
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
        description="Storage class; empty means `global.storageClass`, or else the cluster's "
        "default class.",
    )
    existing_claim: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a claim that is there already, for a store of one pod; no claim is "
        "made then.",
    )
    annotations: Annotations = Field(
        default={}, description="Annotations of the claims; fixed once the store is installed."
    )

    def shared(self, *path: str) -> Iterator[Mistake]:
        """One claim for several pods, each of which needs its own; the path is the section's."""
        if self.existing_claim:
            message = "is for a store of one pod: each of several needs a volume of its own"
            yield Mistake((*path, "existingClaim"), message, self.existing_claim)


class Store(ChartModel):
    """A data store: made by this program, by its Helm chart, or somebody else's."""

    enabled: bool = Field(
        default=True,
        description="Whether the store is part of the installation; false means provider external.",
    )
    provider: Provider = Field(
        default="embedded",
        description="Where the store comes from: embedded (made here from the official image), "
        "helm (its Helm chart) or external (a service of your own, found by name and port).",
    )
    chart: ChartSource

    image_paths: ClassVar[Mapping[str, tuple[str, ...]]] = {
        key: ("image", key) for key in ("repository", "tag", "digest")
    }
    """Where the section has what says the image of the store."""

    address_path: ClassVar[str]
    """Where the section has the address of somebody else's store."""

    @property
    def image_section(self) -> Image:
        """The image of the store, as the values name it."""
        raise NotImplementedError

    @property
    def said_version(self) -> tuple[tuple[str, ...], str]:
        """What the values say of the version of the image, and at which path; empty if nothing."""
        key = "tag" if self.image_section.tag else "digest"
        said: str = getattr(self.image_section, key)
        return self.image_paths[key], said

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the embedded store; what the values leave empty is the generation's."""
        raise NotImplementedError

    @property
    def has_address(self) -> bool:
        """Whether the values say where somebody else's store is."""
        raise NotImplementedError

    @property
    def lacking(self) -> list[str]:
        """The paths, from the section on, of the passwords that are to be made in the cluster."""
        return []

    @property
    def source(self) -> Source:
        """Who makes the store: this program, its Helm chart, or somebody else."""
        if not self.enabled or self.provider == "external":
            return "external"
        return "imported" if self.provider == "helm" else "embedded"

    def mistakes(self) -> Iterator[Mistake]:
        """Keys that the provider would not read, and images that it cannot run."""
        yield from super().mistakes()
        image = self.pulled_image(DEFAULT_GENERATION).reference("")
        if self.source == "embedded" and BITNAMI_IMAGE.search(image):
            yield Mistake(
                self.image_paths["repository"],
                "is an image of Bitnami, whose paths, variables and user are not those of the "
                "official image that provider embedded runs; leave it out, or take provider helm",
                image,
            )
        if self.provider != "helm":
            for path, value in self.chart_keys():
                yield UnknownKey(
                    path,
                    f"unknown key, which only the {self.chart.name} Helm chart may read "
                    "(provider: helm)",
                    value,
                )
