"""Claims for volumes."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from config.types.kubernetes import (
    AccessMode,
    AccessModes,
    Annotations,
    OptionalDnsSubdomain,
    StorageClass,
    StorageSize,
)
from config.types.model import Mistake, Model, Section, section


class Claim(Model):
    """A PersistentVolumeClaim."""

    existing_claim: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a claim that is there already, to mount instead of a new one; of the "
        "other settings only the access modes count then: they must be those that it has.",
    )
    existing_pvc: OptionalDnsSubdomain = Field(
        default="",
        alias="existingPVC",
        description="The same as `existingClaim`, as the Helm chart spells it.",
    )
    class_: StorageClass = Field(
        default="standard",
        alias="class",
        description="Storage class; `global.storageClass` takes the place of the default. Empty "
        "means that too, or else the cluster's default class.",
    )
    size: StorageSize
    access_modes: AccessModes = Field(
        default=["ReadWriteOnce"], description="Access modes of the claim."
    )
    access_mode: AccessMode | None = Field(
        default=None, description="The same as `accessModes` with a single one."
    )
    annotations: Annotations = Field(default={}, description="Annotations of the claim.")
    keep: bool = Field(
        default=False,
        description="Whether Argo CD, Flux and Helm leave the claim and its namespace alone when "
        "they are no longer asked for; kubectl knows no such mark.",
    )

    @property
    def existing(self) -> str:
        """Name of the claim to mount instead of a new one; empty where there is none."""
        return self.existing_claim or self.existing_pvc

    @property
    def modes(self) -> Sequence[AccessMode]:
        """The access modes, however they were spelled."""
        return [self.access_mode] if self.access_mode else self.access_modes

    @property
    def single_node(self) -> bool:
        """Whether only the pods of one node can mount the volume."""
        return not {"ReadWriteMany", "ReadOnlyMany"} & set(self.modes)

    def storage_class(self, general: str) -> str:
        """The class to ask for, where `general` is that of all claims that name none."""
        chosen = self.class_ if "class_" in self.model_fields_set else ""
        return chosen or general or self.class_

    def mistakes(self) -> Iterator[Mistake]:
        """One value in two spellings that differ."""
        yield from super().mistakes()
        if self.existing_claim and self.existing_pvc not in ("", self.existing_claim):
            yield Mistake(("existingPVC",), "is not the same as existingClaim", self.existing_pvc)
        both = self.access_mode and "access_modes" in self.model_fields_set
        if both and self.access_modes != [self.access_mode]:
            yield Mistake(("accessMode",), "is not the same as accessModes", self.access_mode)


class LargeClaim(Claim):
    """A claim for data that grows."""

    size: StorageSize = Field(default="50Gi", description="Size of the volume.")


class Storage(Model):
    """The volume of a component."""

    enabled: bool = Field(
        default=True,
        description="Whether the files outlive the pod, on a claim; otherwise they go with it.",
    )
    data: Section[LargeClaim] = section()

    @property
    def claim(self) -> LargeClaim | None:
        """The claim, if there is to be one."""
        return self.data if self.enabled else None

    @property
    def single_node(self) -> bool:
        """Whether there is a claim that only the pods of one node can mount."""
        return self.enabled and self.data.single_node
