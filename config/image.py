"""Container images."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from config.generation import DEFAULT_GENERATION
from config.types.kubernetes import ImageRepository, ImageTag, PullPolicy
from config.types.model import Model


@dataclass(frozen=True)
class PulledImage:
    """An image as containers name it, and how the kubelet gets it."""

    reference: str
    pull_policy: str
    pull_secrets: Sequence[str]


class Image(Model):
    """A container image."""

    repository: ImageRepository = Field(
        description="Image repository, with the registry if need be."
    )
    tag: ImageTag = Field(description="Image tag.")
    pull_policy: PullPolicy = Field(
        default="IfNotPresent", description="When the kubelet pulls the image."
    )

    def pulled(self, pull_secrets: Sequence[str]) -> PulledImage:
        """The image, pulled with the credentials that the Secrets of these names hold."""
        return PulledImage(reference(self.repository, self.tag), self.pull_policy, pull_secrets)


def reference(repository: str, tag: str) -> str:
    """`repository:tag`, or `repository@digest` when the tag is a digest."""
    return f"{repository}{'@' if tag.startswith('sha256:') else ':'}{tag}"


class ServerImage(Image):
    """The image that holds the three ClearML servers."""

    repository: ImageRepository = Field(
        default=DEFAULT_GENERATION.server.repository,
        description="Repository of the ClearML server image.",
    )
    tag: ImageTag = Field(
        default=DEFAULT_GENERATION.server.tag, description="Tag of the ClearML server image."
    )
