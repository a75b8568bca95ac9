"""The Job that makes the credentials which the values do not give."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from config.pod import DAY, HOUR, Job, deadline, default_resources, time_to_live
from config.traits import ServiceAccount
from config.types.fragment import Resources
from config.types.kubernetes import AtLeastOneOrNever, SecondsOrNever
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
    active_deadline_seconds: AtLeastOneOrNever = deadline(HOUR)
    ttl_seconds_after_finished: SecondsOrNever = time_to_live(
        DAY, "; the next apply makes it anew, and it finds nothing to do"
    )
    service_account: Section[JobAccount] = section()
