"""Repositories of restic: the containers that write backups into one, and those that read them."""

from typing import NamedTuple

from cdk8s_plus_25 import k8s

from clearml_k8s.backup.place import Place
from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import SecretRef
from clearml_k8s.parts.need import Endpoint
from clearml_k8s.parts.volume import scratch_volume
from clearml_k8s.programs import text_of
from config.backup import Restic

# For dumps, restic's cache and temporary files: nothing else can be written to.
SCRATCH_DIR = "/tmp"
SCRATCH = k8s.VolumeMount(name="scratch", mount_path=SCRATCH_DIR)
TOOLS_DIR = f"{SCRATCH_DIR}/tools"


class ResticRepository(NamedTuple):
    """The repository with the backups of one thing, in its place.

    `installation` is the host of its snapshots: whose they are, where several installations share
    a repository.
    """

    place: Place
    installation: str
    values: Restic

    @property
    def environment(self) -> dict[str, EnvValue]:
        """What restic and the programs around it must know."""
        secret, bucket = SecretRef(self.values.existing_secret), self.place.bucket
        return {
            "HOME": SCRATCH_DIR,
            "RESTIC_REPOSITORY": bucket.url if bucket else self.place.restic_folder,
            "RESTIC_PASSWORD": secret.key(self.values.password_key) if secret.name else None,
            "RESTIC_FLAGS": None if secret.name else "--insecure-no-password",
            "BACKUP_HOST": self.installation,
            "BACKUP_TAG": self.place.name,
            **(bucket.environment if bucket else {}),
        }

    @property
    def volumes(self) -> list[k8s.Volume]:
        """The volumes of a pod that makes or reads backups."""
        scratch = scratch_volume(SCRATCH.name)
        return [scratch] if self.place.bucket else [scratch, self.place.volume]

    @property
    def endpoints(self) -> list[Endpoint]:
        """What such a pod talks to."""
        return self.place.bucket.endpoints if self.place.bucket else []

    def mounts(self, *, read_only: bool | None = None) -> list[k8s.VolumeMount]:
        """The volumes in their places."""
        place = [] if self.place.bucket else [self.place.mount(read_only=read_only)]
        return [SCRATCH, *place]

    def backup(self, folder: str, retention: int, *mounts: k8s.VolumeMount) -> Container:
        """Return the container that backs up a folder, verifies, and forgets the oldest backups."""
        args = [folder, str(retention), str(self.values.read_data_percent)]
        return self._container("backup", args, [*self.mounts(), *mounts])

    def fetch(self, backup: str, folder: str, *files: str) -> Container:
        """Return the container that writes files of a backup into a folder."""
        return self._container("fetch", [backup, folder, *files], self.mounts(read_only=True))

    def lend(self, backup: str) -> Container:
        """Return the container that copies restic and the id of a backup to `TOOLS_DIR`.

        There containers of other images find it.
        """
        return self._container("lend", [backup, TOOLS_DIR], self.mounts(read_only=True))

    def _container(self, action: str, args: list[str], mounts: list[k8s.VolumeMount]) -> Container:
        return Container(
            name=action,
            image=self.values.image.pulled([]),
            command=["sh", "-c", text_of("restic.sh"), "restic"],
            args=[action, *args],
            env=self.environment,
            mounts=mounts,
            security_context=unprivileged(read_only=True),
            does_main_work=True,
        )
