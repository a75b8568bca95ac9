"""Container images: what they are called, and where they come from."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from config.generation import Release
from config.types.kubernetes import (
    DnsSubdomain,
    ImageDigest,
    ImageRepository,
    ImageTag,
    OptionalImageRegistry,
    OptionalImageRepository,
    OptionalImageTag,
    PullPolicy,
)
from config.types.model import Mistake, Model

DOCKER_HUB = "docker.io"
# What a reference may begin with that is a registry and no folder of Docker Hub.
REGISTRY = re.compile(r"^(localhost|[^/]*[.:][^/]*)/")


class PulledImage(NamedTuple):
    """An image as its section names it, and how the kubelet gets it.

    `version` is the end of a reference: `:tag`, `@digest` or both.
    """

    repository: str
    version: str
    pull_policy: str
    registry: str = ""
    pull_secrets: Sequence[str] = ()

    def reference(self, registry: str) -> str:
        """The image as containers name it, where all images come from the registry.

        One of its own wins.
        """
        if self.registry:
            return _moved(self.repository, self.registry) + self.version
        return from_registry(self.repository, registry) + self.version


def from_registry(reference: str, registry: str) -> str:
    """The image from that registry instead of the one that the reference may begin with.

    Docker Hub has no copies of what other registries have: those stay. An empty registry changes
    nothing.
    """
    if not registry or (registry == DOCKER_HUB and REGISTRY.match(reference)):
        return reference
    return _moved(reference, registry)


def _moved(reference: str, registry: str) -> str:
    if reference.startswith(f"{registry}/"):
        return reference
    return f"{registry}/{REGISTRY.sub('', reference, count=1)}"


def version(tag: str, digest: str) -> str:
    """What stands behind the repository in a reference; one of the two may be empty."""
    if tag.startswith("sha256:"):
        tag, digest = "", tag
    return (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def digest_mistakes(tag: str, digest: str, key: str = "digest") -> Iterator[Mistake]:
    """A digest in the tag and beside it."""
    if digest and "sha256:" in tag:
        yield Mistake((key,), "is in the tag too: keep one of the two")


def _name_in_mapping(raw: object) -> object:
    return raw["name"] if isinstance(raw, dict) and raw.keys() == {"name"} else raw


PullSecret = Annotated[DnsSubdomain, BeforeValidator(_name_in_mapping)]


class Image(Model):
    """A container image."""

    registry: OptionalImageRegistry = Field(
        default="",
        description="Registry of this image alone; empty means that of `global.imageRegistry`, or "
        "what the repository begins with.",
    )
    repository: ImageRepository = Field(
        description="Image repository, with the registry if need be."
    )
    tag: ImageTag = Field(description="Image tag.")
    digest: ImageDigest = Field(
        default="",
        description="Digest of the image, `sha256:` and 64 hexadecimal digits; it counts more than "
        "the tag.",
    )
    pull_policy: PullPolicy = Field(
        default="IfNotPresent", description="When the kubelet pulls the image."
    )

    def pulled(self, pull_secrets: Sequence[str], default: Release | None = None) -> PulledImage:
        """The image, pulled with the credentials that the Secrets of these names hold.

        What the values leave empty is that of the default.
        """
        # A digest alone says nothing of the version that is the default.
        tag = self.tag if "tag" in self.model_fields_set or not self.digest else ""
        if default and not (tag or self.digest):
            tag = default.tag
        return PulledImage(
            registry=self.registry,
            repository=self.repository or (default.repository if default else ""),
            version=version(tag, self.digest),
            pull_policy=self.pull_policy,
            pull_secrets=pull_secrets,
        )

    def mistakes(self) -> Iterator[Mistake]:
        """Two digests."""
        yield from super().mistakes()
        yield from digest_mistakes(self.tag, self.digest)


class ServerImage(Image):
    """The image that holds the three ClearML servers."""

    repository: OptionalImageRepository = Field(
        default="",
        description="Repository of the ClearML server image; empty means that of clearml.version.",
    )
    tag: OptionalImageTag = Field(
        default="",
        description="Tag of the ClearML server image; empty means that of clearml.version, which "
        "a tag of all servers may say instead.",
    )
