"""Backups of what the servers keep, and how to restore them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from config.claim import Claim
from config.generation import Generation, number
from config.image import Image, PulledImage
from config.pod import DAY, CronJob, Job, Pod, deadline, default_resources, time_to_live
from config.types.fragment import Resources
from config.types.kubernetes import (
    AtLeastOne,
    AtLeastOneOrNever,
    ImageRepository,
    ImageTag,
    OptionalDnsSubdomain,
    OptionalImageRepository,
    OptionalImageTag,
    SecondsOrNever,
    SecretKey,
    StorageSize,
)
from config.types.model import Mistake, Model, Section, section
from config.types.scalars import Integer, NonEmpty, Text, matching
from config.types.schedule import CronSchedule
from config.types.urls import with_valid_host

if TYPE_CHECKING:
    from config.mongodb import Mongodb
    from config.values import Values

# Whose official images bring the S3 repository along.
FIRST_ELASTICSEARCH_WITH_S3 = 8
RESOURCES: Any = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "2", "memory": "1Gi"},
}

BackupName = Annotated[
    Text,
    matching(
        r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$",
        "must be the name of a backup, such as 20260131-020000: letters, digits, '.', '_', '-'",
    ),
]
SnapshotOwner = Annotated[
    Text,
    matching(
        r"^[a-z0-9.-]+/[a-z0-9.-]+/[A-Za-z0-9_-]+$",
        "must be a namespace, a release and the UUID of an Elasticsearch cluster with '/' between",
    ),
]
BackupId = Annotated[
    Text,
    matching(
        r"^([0-9a-f]{4,64}|latest)?$",
        "must be the id of a backup, such as 4bba301e, or latest; backups of former releases are "
        "restored by their manifests",
    ),
]
Endpoint = Annotated[
    Text,
    matching(
        r"^(https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?)?$",
        "must be empty or a URL such as https://s3.example.com:9000",
    ),
    AfterValidator(with_valid_host),
]


class BackupClaim(Claim):
    """The claim that backups are kept on."""

    size: StorageSize = Field(default="100Gi", description="Size of the volume.")
    keep: bool = Field(
        default=True,
        description="Whether Argo CD, Flux and Helm leave the claim and its namespace alone when "
        "they are no longer asked for; kubectl knows no such mark.",
    )


class ResticImage(Image):
    """The image that makes backups of MongoDB and of files, and reads them."""

    repository: ImageRepository = Field(
        default="restic/restic", description="Repository of the image with restic."
    )
    tag: ImageTag = Field(default="0.18.1", description="Tag of the image with restic.")


class Restic(Model):
    """The repositories with the backups of MongoDB and of files."""

    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret with the password that encrypts them; empty means none. It "
        "cannot change later, and without it no backup can be read: keep it outside the cluster.",
    )
    password_key: SecretKey = Field(
        default="password", description="Key of the password in that Secret."
    )
    read_data_percent: Annotated[Integer, Field(ge=0, le=100)] = Field(
        default=100,
        description="Share of the repository's data that each backup reads again to verify it; "
        "that all data is there, in its size, is verified anyway.",
    )
    image: Section[ResticImage] = section()


class Bucket(Model):
    """A bucket of an object store that speaks S3."""

    bucket: Annotated[
        Text,
        matching(
            r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$",
            "must be the name of a bucket: 3 to 63 lower-case letters, digits, '.' and '-'",
        ),
    ] = Field(
        default="",
        description="Name of the bucket that all backups go into; empty means the claims instead.",
    )
    prefix: Annotated[
        Text,
        matching(
            r"^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?$",
            "must be a path without '/' at its ends: letters, digits, '_', '.', '-'",
        ),
    ] = Field(
        default="",
        description="What the names of all objects begin with; empty means namespace and name of "
        "the release, `clearml/clearml`.",
    )
    region: Annotated[Text, matching(r"^[a-z0-9-]*$", "must be a region such as eu-central-1")] = (
        Field(default="", description="Region of the bucket, where the store has regions.")
    )
    endpoint: Endpoint = Field(default="", description="URL of the object store; empty means AWS.")
    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret with the access key; empty means that the pods get their "
        "rights from the cloud, by serviceAccount.annotations or the node.",
    )
    access_key_id_key: SecretKey = Field(
        default="access-key-id", description="Key of the access key's id in that Secret."
    )
    secret_access_key_key: SecretKey = Field(
        default="secret-access-key", description="Key of the secret access key in that Secret."
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Settings of a bucket without its name."""
        yield from super().mistakes()
        if (self.region or self.endpoint or self.existing_secret) and not self.bucket:
            yield Mistake(("bucket",), "must name the bucket that the other settings are for", "")


class Backup(CronJob):
    """A backup that is made again and again."""

    enabled: bool = Field(default=False, description="Whether backups are made.")
    resources: Resources = default_resources(RESOURCES)
    active_deadline_seconds: AtLeastOneOrNever = deadline(DAY)
    ttl_seconds_after_finished: SecondsOrNever = time_to_live(7 * DAY)
    retention: AtLeastOne = Field(
        default=7,
        description="Backups that are kept; older ones are removed after the next is complete.",
    )
    storage: Section[BackupClaim] = section()


class OptionalImage(Image):
    """The image with the tools of a store."""

    repository: OptionalImageRepository = Field(
        default="",
        description="Repository of the image; empty means that of the embedded store.",
    )
    tag: OptionalImageTag = Field(
        default="", description="Tag of the image; empty means that of the embedded store."
    )


class MongodbBackup(Backup):
    """Dumps of MongoDB."""

    schedule: CronSchedule = Field(
        default="0 2 * * *",
        description="When dumps are made; before the others, so that what they refer to is there.",
    )
    image: Section[OptionalImage] = section()

    def pulled_image(self, store: "Mongodb", generation: Generation) -> PulledImage:
        """The image with mongodump: the embedded store's, unless the values say otherwise."""
        image = self.image
        said = image.registry or image.repository or image.tag or image.digest
        if store.source == "embedded" and not said:
            return store.pulled_image(generation)
        return image.pulled(self.image_pull_secrets, generation.mongodb)


class ElasticsearchBackup(Backup):
    """Snapshots of Elasticsearch."""

    schedule: CronSchedule = Field(default="15 2 * * *", description="When snapshots are taken.")
    indices: NonEmpty = Field(
        default="*,-.*",
        description="Indices that are in a snapshot, as Elasticsearch spells patterns; narrow them "
        "down for an Elasticsearch that has others too.",
    )
    existing_repository: BackupName = Field(
        default="",
        description="Name of a snapshot repository that Elasticsearch knows already; empty means "
        "one on the claim or in the bucket.",
    )
    former_owners: list[SnapshotOwner] = Field(
        default=[],
        description="Marks of installations that are gone, as `namespace/release/UUID of the "
        "Elasticsearch cluster`: what they left in the repository counts as this one's. A backup "
        "that meets a foreign mark fails and tells it.",
    )


class FileserverBackup(Backup):
    """Backups of the file server's files."""

    schedule: CronSchedule = Field(default="30 2 * * *", description="When backups are made.")


class Backups(Model):
    """Backups of MongoDB, Elasticsearch and the file server."""

    s3: Section[Bucket] = section()
    restic: Section[Restic] = section()
    mongodb: Section[MongodbBackup] = section()
    elasticsearch: Section[ElasticsearchBackup] = section()
    fileserver: Section[FileserverBackup] = section()

    @property
    def by_name(self) -> dict[str, Backup]:
        """The sections by what they are backups of."""
        return {
            "mongodb": self.mongodb,
            "elasticsearch": self.elasticsearch,
            "fileserver": self.fileserver,
        }


class Restore(Job):
    """A Job that puts a backup back."""

    resources: Resources = default_resources(RESOURCES)
    # A restore that is cut off leaves half of the data.
    active_deadline_seconds: AtLeastOneOrNever = deadline(3 * DAY)
    ttl_seconds_after_finished: SecondsOrNever = time_to_live(
        7 * DAY, "; the next apply then restores once more, so take the restore out of the values"
    )
    backup: BackupName = Field(
        default="",
        description="Name of the backup to restore, in place of what is there now; empty restores "
        "nothing.",
    )


class ResticRestore(Restore):
    """A Job that puts a backup back that restic has made."""

    backup: BackupId = Field(
        default="",
        description="Id of the backup to restore, or `latest`, in place of what is there now; "
        "empty restores nothing.",
    )


class Restores(Model):
    """What to restore from the backups."""

    mongodb: Section[ResticRestore] = section()
    elasticsearch: Section[Restore] = section()
    fileserver: Section[ResticRestore] = section()

    @property
    def by_name(self) -> dict[str, Restore]:
        """The sections by what they restore."""
        return {
            "mongodb": self.mongodb,
            "elasticsearch": self.elasticsearch,
            "fileserver": self.fileserver,
        }


def installation(values: "Values") -> str:
    """Return what tells the backups of this installation from those of others."""
    return f"{values.release.namespace}/{values.release.name}"


def prefix(values: "Values") -> str:
    """Return what the names of all objects in the bucket begin with."""
    return values.backup.s3.prefix or installation(values)


def backups(values: "Values") -> dict[str, Backup]:
    """Return the backups that these values ask for, scheduled as what they are backups of."""
    return {
        name: each.following(_backed_up(values, name))
        for name, each in values.backup.by_name.items()
        if each.enabled
    }


def restores(values: "Values") -> dict[str, Restore]:
    """Return the restores that these values ask for, scheduled as what they restore."""
    return {
        name: each.following(_backed_up(values, name))
        for name, each in values.restore.by_name.items()
        if each.backup
    }


def _backed_up(values: "Values", name: str) -> Pod:
    """Return the pods whose data it is; the API server's where a store is outside the cluster."""
    pods: dict[str, Pod] = {
        "mongodb": values.mongodb,
        "elasticsearch": values.elasticsearch,
        "fileserver": values.fileserver,
    }
    outside = name in values.stores and values.stores[name].source == "external"
    return values.apiserver if outside else pods[name]


def asked_for(values: "Values") -> dict[tuple[str, str], Backup | Restore]:
    """The backups and restores that these values ask for, by path."""
    asked: dict[tuple[str, str], Backup | Restore] = {
        ("backup", name): each for name, each in backups(values).items()
    }
    return asked | {("restore", name): each for name, each in restores(values).items()}


def claims(values: "Values") -> dict[str, BackupClaim]:
    """The claims that backups are written to, by what they are backups of."""
    if values.backup.s3.bucket:
        return {}
    return {
        name: each.storage
        for name, each in values.backup.by_name.items()
        if each.enabled
        and not (name == "elasticsearch" and values.backup.elasticsearch.existing_repository)
    }


def has_repository(values: "Values") -> bool:
    """Whether the embedded Elasticsearch needs a snapshot repository of ours."""
    asked = any(name == "elasticsearch" for _, name in asked_for(values))
    return asked and not values.backup.elasticsearch.existing_repository


def restored_stores(values: "Values") -> list[str]:
    """Return the stores whose data a Job is to replace."""
    asked = asked_for(values)
    return [name for name in values.stores if ("restore", name) in asked]


def mistakes(values: "Values") -> Iterator[Mistake]:
    """Backups without anything to back up or a place for it, and restores that servers disturb."""
    asked = asked_for(values)
    for kind, name in asked:
        if name == "fileserver":
            yield from _files(values, kind)
    if has_repository(values):
        yield from _repository(values)
    for name, restore in values.restore.by_name.items():
        if restore.backup:
            yield from _restore(values, name, restore.backup)


def _files(values: "Values", kind: str) -> Iterator[Mistake]:
    key = "enabled" if kind == "backup" else "backup"
    if not values.fileserver.enabled:
        yield Mistake((kind, "fileserver", key), "is not possible: the file server is elsewhere")
    elif not values.fileserver.storage.enabled:
        yield Mistake(
            (kind, "fileserver", key), "is not possible: fileserver.storage.enabled is false"
        )


def _repository(values: "Values") -> Iterator[Mistake]:
    search, backup, s3 = values.elasticsearch, values.backup.elasticsearch, values.backup.s3
    version = number(search.image_tag or values.generation.elasticsearch.tag)
    if search.source != "embedded":
        path = ("backup", "elasticsearch", "existingRepository")
        if backup.enabled:
            yield Mistake(
                path,
                "must name a snapshot repository of an Elasticsearch that is not provider embedded",
            )
        else:
            yield Mistake(
                ("restore", "elasticsearch", "backup"),
                f"needs {'.'.join(path)}: Elasticsearch is not provider embedded",
                values.restore.elasticsearch.backup,
            )
    elif s3.bucket:
        if version and version[0] < FIRST_ELASTICSEARCH_WITH_S3 and not search.image:
            yield Mistake(
                ("backup", "s3", "bucket"),
                "needs Elasticsearch 8 or an image with the plugin repository-s3 "
                "(elasticsearch.image), or backup.elasticsearch.existingRepository",
                s3.bucket,
            )
    elif search.replicas > 1 and backup.storage.single_node:
        yield Mistake(
            ("backup", "elasticsearch", "storage", "accessModes"),
            "must be [ReadWriteMany] for several nodes, all of which write to the volume",
            backup.storage.modes,
        )


def _restore(values: "Values", name: str, given: str) -> Iterator[Mistake]:
    backup = values.backup.by_name[name]
    has_place = backup.enabled or backup.storage.existing or values.backup.s3.bucket
    if name == "elasticsearch" and values.backup.elasticsearch.existing_repository:
        has_place = True
    if not has_place:
        yield Mistake(
            ("restore", name, "backup"),
            f"needs a place where backups are: backup.s3.bucket, backup.{name}.storage."
            f"existingClaim or backup.{name}.enabled",
            given,
        )
    server = values.apiserver
    if name in values.stores and server.enabled and server.fewest > 0:
        scaling = "apiserver.autoscaling.enabled false and " if server.autoscaling.enabled else ""
        yield Mistake(
            ("restore", name, "backup"),
            f"needs {scaling}apiserver.replicaCount 0: the server must not run while its data is "
            "replaced",
            given,
        )


def warnings(values: "Values") -> Iterator[str]:
    """What applying a restore does besides, and who must stop that is not stopped here."""
    for name, restore in values.restore.by_name.items():
        if restore.backup:
            yield from _restore_warnings(values, name, restore)


def _restore_warnings(values: "Values", name: str, restore: Restore) -> Iterator[str]:
    path, lifetime, again = f"restore.{name}", restore.ttl_seconds_after_finished, ""
    if lifetime is not None:
        again = f": {lifetime} s later the Job is removed, and the next apply or sync repeats it"
    stopped = f"all that uses {name} has 0 replicas, " if name in values.stores else ""
    yield (
        f"{path}: the Job in 1200-restore.k8s.yaml replaces what is there now by backup "
        f"{restore.backup}; meanwhile {stopped}backup.{name} is suspended. Take {path}.backup out "
        f"of the values as soon as the Job is complete{again}"
    )
    if name in values.stores and not values.apiserver.enabled:
        yield (
            f"{path}: apiserver.enabled is false; an API server elsewhere that uses this {name} "
            "must be stopped first, and its asynchronous delete with it"
        )
    if name == "fileserver" and values.fileserver.fewest > 0:
        yield (
            f"{path}: the file server runs on, so what is uploaded or deleted meanwhile may be "
            "lost or come back; fileserver.replicaCount: 0 stops it, and asynchronous delete too"
        )
