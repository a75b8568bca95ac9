"""The Job that makes the credentials which the values do not give."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from config.pod import Job, default_resources
from config.traits import ServiceAccount
from config.types.fragment import Resources
from config.types.model import Mistake, Section, section

RESOURCES: Any = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "500m", "memory": "128Mi"},
}


class JobAccount(ServiceAccount):
    """The account that the Job runs as, and that may read and make these Secrets."""

    create: bool = Field(default=True, description="Whether to make the ServiceAccount.")

    def mistakes(self) -> Iterator[Mistake]:
        """Rights for every pod of the namespace."""
        yield from super().mistakes()
        if not self.create and not self.name:
            message = "is needed with create: false: all pods share the default account"
            yield Mistake(("name",), message, self.name)


class CredentialsJob(Job):
    """The Job that makes the credentials and passwords which the values do not give."""

    enabled: bool = Field(
        default=True,
        description="Whether a Job makes them in the cluster; false where all are given, or stand "
        "in Secrets of your own.",
    )
    resources: Resources = default_resources(RESOURCES)
    service_account: Section[JobAccount] = section()
