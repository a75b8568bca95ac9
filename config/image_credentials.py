"""Credentials for a private image registry."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.types.kubernetes import OptionalDnsSubdomain
from config.types.model import Mistake, Model
from config.types.scalars import OneLine, Password, Text, matching

# As `docker login` takes it.
RegistryServer = Annotated[
    Text,
    matching(
        r"^((https?://)?[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]+)?(/[-._a-zA-Z0-9]+)*/?)?$",
        "must be empty or a registry such as registry.example.com:5000",
    ),
]


class ImageCredentials(Model):
    """What the kubelet logs in with to a private image registry, for all pods."""

    enabled: bool = Field(default=False, description="Whether images are pulled with credentials.")
    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret of type kubernetes.io/dockerconfigjson that holds them; "
        "nothing below is read then.",
    )
    registry: RegistryServer = Field(
        default="",
        description="Registry that they are for; empty means that of `global.imageRegistry`, or "
        "else docker.io.",
    )
    username: OneLine = Field(default="", description="User that logs in.")
    password: Password | None = Field(
        default=None, description="Password or token of that user; kept in a Secret."
    )
    email: OneLine = Field(default="", description="Mail address, which some registries ask for.")

    def mistakes(self) -> Iterator[Mistake]:
        """A switch without credentials, or credentials that no registry can read."""
        yield from super().mistakes()
        if self.enabled and not self.existing_secret:
            if not self.username:
                yield Mistake(("username",), "is needed, or imageCredentials.existingSecret")
            elif ":" in self.username:
                yield Mistake(("username",), "must have no ':', which its password would begin at")
            if not (self.password and self.password.get_secret_value()):
                yield Mistake(("password",), "is needed, or imageCredentials.existingSecret")
