"""Claims for volumes."""

from pydantic import Field

from config.types.kubernetes import AccessModes, StorageClass, StorageSize
from config.types.model import Model


class Claim(Model):
    """A PersistentVolumeClaim."""

    class_: StorageClass = Field(
        default="standard",
        alias="class",
        description="Storage class; empty leaves the choice to the cluster's default class.",
    )
    size: StorageSize
    access_modes: AccessModes = Field(
        default=["ReadWriteOnce"], description="Access modes of the claim."
    )

    @property
    def single_node(self) -> bool:
        """Whether only the pods of one node can mount the volume."""
        return not {"ReadWriteMany", "ReadOnlyMany"} & set(self.access_modes)


class LargeClaim(Claim):
    """A claim for data that grows."""

    size: StorageSize = Field(default="50Gi", description="Size of the volume.")
