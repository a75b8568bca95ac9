"""What holds for the images and claims of all components."""

from collections.abc import Iterator

from pydantic import Field

from config.image import PullSecret
from config.types.kubernetes import OptionalImageRegistry, StorageClass
from config.types.model import Mistake, Model


class Global(Model):
    """What holds for the images and claims of all components."""

    image_registry: OptionalImageRegistry = Field(
        default="",
        description="Registry of all images that name none of their own in `image.registry`, put "
        "in the place of one that the repository begins with; `docker.io` takes no image away from "
        "another registry.",
    )
    image_pull_secrets: list[PullSecret] = Field(
        default=[],
        description="Names of Secrets that hold credentials for image registries, for all pods.",
    )
    storage_class: StorageClass = Field(
        default="",
        description="Storage class of all claims that name none of their own; empty leaves each "
        "its default.",
    )
    default_storage_class: StorageClass = Field(
        default="", description="The same as `storageClass`, as later charts spell it."
    )

    @property
    def class_of_claims(self) -> str:
        """The storage class of claims that name none, however it was spelled; may be empty."""
        return self.storage_class or self.default_storage_class

    def mistakes(self) -> Iterator[Mistake]:
        """One value in two spellings that differ."""
        yield from super().mistakes()
        given = self.default_storage_class
        if self.storage_class and given not in ("", self.storage_class):
            yield Mistake(("defaultStorageClass",), "is not the same as storageClass", given)
