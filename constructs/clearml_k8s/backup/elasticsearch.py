"""Snapshots of Elasticsearch, which writes them itself: who asks it to."""

from collections.abc import Sequence
from typing import NamedTuple

from clearml_k8s.backup.repository import Repository
from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.workload import Workload, run_as
from clearml_k8s.programs import text_of
from clearml_k8s.stores.address import ElasticsearchAddress, ElasticsearchHosts
from config.image import PulledImage

REPOSITORY = "clearml"
USER = 1000  # any will do


class Snapshots(NamedTuple):
    """Who takes and restores snapshots: a program that asks Elasticsearch to.

    `owner` is the mark of this installation's snapshots, `former_owners` are marks of those that
    count as its own.
    """

    store: ElasticsearchAddress | ElasticsearchHosts
    image: PulledImage
    repository: Repository | None
    existing_repository: str
    owner: str
    former_owners: Sequence[str]

    def backup(self, component: Component, indices: str, retention: int) -> Workload:
        """Takes a snapshot."""
        owners = self.owner, " ".join(self.former_owners)
        return self._workload(component, "backup", *owners, indices, str(retention))

    def restore(self, component: Component, name: str) -> Workload:
        """Restores one."""
        return self._workload(component, "restore", name)

    def _workload(self, component: Component, action: str, *args: str) -> Workload:
        definition = self.repository.definition if self.repository else ""
        return Workload(
            component=component,
            main=Container(
                name="snapshots",
                image=self.image,
                command=["python3", "-c", text_of("snapshots.py")],
                args=[action, self.existing_repository or REPOSITORY, definition, *args],
                env=self.store.client_environment,
                mounts=self.store.mounts,
                security_context=unprivileged(),
            ),
            volumes=self.store.volumes,
            needs={"elasticsearch": self.store},
            security_context=run_as(USER),
        )
