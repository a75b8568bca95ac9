"""What makes backups and what restores them, as the values ask for it."""

from typing import NamedTuple

from constructs import Construct

from clearml_k8s.backup import mongodb
from clearml_k8s.backup.elasticsearch import Snapshots
from clearml_k8s.backup.fileserver import Files
from clearml_k8s.backup.place import PURPOSE, component_of, place
from clearml_k8s.backup.repository import Repository
from clearml_k8s.backup.restic import ResticRepository
from clearml_k8s.fileserver import Fileserver
from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.volume import volume
from clearml_k8s.parts.workload import Placed, Workload, cron_job, job
from clearml_k8s.stores.address import StoreAddresses
from config import Values
from config.backup import backups, claims, has_repository, installation, restores
from config.image import PulledImage


def repository(naming: Naming, values: Values) -> Repository | None:
    """What the embedded Elasticsearch needs for snapshots; None if none are asked for."""
    if not has_repository(values):
        return None
    return Repository(place(naming, values, "elasticsearch"))


class Backups(NamedTuple):
    """What is backed up, and the values that say how."""

    naming: Naming
    values: Values
    stores: StoreAddresses
    fileserver: Fileserver | None

    def make(self, scope: Construct) -> list[Placed]:
        """Make CronJob `<fullname>-backup-<name>` for each backup, and its claim `…-data`."""
        for name, claim in claims(self.values).items():
            component = component_of(self.naming, name)
            volume(Construct(scope, name), component, PURPOSE, claim, name="backups")
        restored = restores(self.values)
        return [
            # Half of what a restore has replaced would be a backup, and push out a whole one.
            cron_job(scope, self._backup(name), values, suspend=name in restored)
            for name, values in backups(self.values).items()
        ]

    def restore(self, scope: Construct) -> list[Placed]:
        """Make Job `<fullname>-restore-<name>-<digest>` for each backup that is to be restored."""
        return [
            job(scope, self._restore(name, values.backup), values)
            for name, values in restores(self.values).items()
        ]

    def _backup(self, name: str) -> Workload:
        values, component = self.values.backup, component_of(self.naming, name)
        repository, retention = self._restic(name), values.by_name[name].retention
        if name == "mongodb":
            store, image = self.stores.mongodb, self._mongodb_image
            return mongodb.backup(component, store, repository, retention, image)
        if name == "elasticsearch":
            indices = values.elasticsearch.indices
            return self._snapshots.backup(component, indices, retention)
        return self._files.backup(component, repository, retention)

    def _restore(self, name: str, backup: str) -> Workload:
        component = self.naming.component(f"restore-{name}")
        repository = self._restic(name)
        if name == "mongodb":
            store, image = self.stores.mongodb, self._mongodb_image
            return mongodb.restore(component, store, repository, backup, image)
        if name == "elasticsearch":
            return self._snapshots.restore(component, backup)
        return self._files.restore(component, repository, backup)

    def _restic(self, name: str) -> ResticRepository:
        where = place(self.naming, self.values, name)
        return ResticRepository(where, installation(self.values), self.values.backup.restic)

    @property
    def _mongodb_image(self) -> PulledImage:
        values = self.values
        return values.backup.mongodb.pulled_image(values.mongodb, values.generation)

    @property
    def _snapshots(self) -> Snapshots:
        values = self.values
        return Snapshots(
            store=self.stores.elasticsearch,
            image=values.apiserver.pulled_image(values.generation),
            repository=repository(self.naming, values),
            existing_repository=values.backup.elasticsearch.existing_repository,
            owner=installation(values),
            former_owners=values.backup.elasticsearch.former_owners,
        )

    @property
    def _files(self) -> Files:
        assert self.fileserver is not None, "a mistake of the values"
        values = self.values.fileserver
        return Files(
            server=self.fileserver.workload,
            volume=self.fileserver.files,
            on_one_node=values.on_one_node,
            image=values.pulled_image(self.values.generation),
        )
