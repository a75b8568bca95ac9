"""How agents clone Git repositories over SSH."""

from collections.abc import Iterator

from pydantic import Field

from config.types.kubernetes import OptionalDnsSubdomain, SecretKey
from config.types.model import Mistake, Model
from config.types.scalars import Secret, Text


class GitSsh(Model):
    """The key that agents clone Git repositories with over SSH, and the hosts that they trust."""

    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret with the private key, such as one of type "
        "kubernetes.io/ssh-auth.",
    )
    existing_secret_key: SecretKey = Field(
        default="ssh-privatekey", description="Key of the private key in that Secret."
    )
    known_hosts_key: SecretKey | None = Field(
        default=None, description="Key of the known_hosts file in that Secret, if it has one."
    )
    private_key: Secret | None = Field(
        default=None, description="The private key itself; kept in a Secret."
    )
    known_hosts: Text = Field(
        default="",
        description="Content of the known_hosts file: what `ssh-keyscan` says of the hosts.",
    )
    accept_new_hosts: bool = Field(
        default=False,
        description="Whether a host that known_hosts lacks is trusted; who answers in its place "
        "then gets in unnoticed.",
    )
    force: bool = Field(
        default=False, description="Whether repositories with an https URL are cloned over SSH too."
    )

    @property
    def has_key(self) -> bool:
        """Whether there is a private key at all."""
        return bool(self.existing_secret or self.private_key)

    def mistakes(self) -> Iterator[Mistake]:
        """Two sources of one file, or no host that could be trusted."""
        if self.existing_secret and self.private_key:
            yield Mistake(
                ("existingSecret",),
                "excludes privateKey: keep one of the two",
                self.existing_secret,
            )
        if self.known_hosts_key and not self.existing_secret:
            yield Mistake(("knownHostsKey",), "needs existingSecret", self.known_hosts_key)
        if self.known_hosts_key and self.known_hosts:
            yield Mistake(
                ("knownHostsKey",), "excludes knownHosts: keep one of the two", self.known_hosts_key
            )
        if self.has_key:
            if not (self.known_hosts_key or self.known_hosts or self.accept_new_hosts):
                yield Mistake(
                    ("knownHosts",),
                    "is needed, or knownHostsKey or acceptNewHosts: SSH trusts no host unasked",
                )
        elif self.known_hosts or self.accept_new_hosts or self.force:
            yield Mistake(("privateKey",), "is needed, or existingSecret: there is no key to use")
