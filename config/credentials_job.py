"""The Job that makes the credentials which the values do not give."""

from collections.abc import Iterator

from pydantic import Field

from config.pod import Job
from config.traits import ServiceAccount
from config.types.model import Mistake, Section, section


class JobAccount(ServiceAccount):
    """The account that the Job runs as, and that may read and make these Secrets."""

    create: bool = Field(default=True, description="Whether to make the ServiceAccount.")
    automount: bool = Field(
        default=True,
        description="Whether the pods get a token for the Kubernetes API, which the Job needs.",
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Rights for every pod of the namespace, or a Job that has none."""
        yield from super().mistakes()
        if not self.create and not self.name:
            message = "is needed with create: false: all pods share the default account"
            yield Mistake(("name",), message, self.name)
        if not self.automount:
            yield Mistake(
                ("automount",), "must be true: the Job talks to the Kubernetes API", False
            )


class CredentialsJob(Job):
    """The Job that makes the credentials and passwords which the values do not give."""

    enabled: bool = Field(
        default=True,
        description="Whether a Job makes them in the cluster; false where all are given, or stand "
        "in Secrets of your own.",
    )
    service_account: Section[JobAccount] = section()
