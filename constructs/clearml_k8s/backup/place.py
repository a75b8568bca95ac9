"""Where backups are: on a claim, or in a bucket."""

from typing import NamedTuple
from urllib.parse import urlsplit

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import Component, Naming, SecretRef
from clearml_k8s.parts.need import ANYWHERE, Endpoint
from clearml_k8s.parts.volume import claim_name, claim_volume
from config import Values
from config.backup import Bucket, prefix

CLAIM_DIR = "/backups"
PURPOSE = "data"
# What the names of restic repositories begin with: beside them lie backups of former releases.
RESTIC = "restic-"
AWS = "https://s3.amazonaws.com"
DEFAULT_PORTS = {"http": 80, "https": 443}


class BucketFolder(NamedTuple):
    """The folder of a bucket that holds the backups of one thing."""

    values: Bucket
    prefix: str
    name: str

    @property
    def path(self) -> str:
        """What the names of its objects begin with."""
        return f"{self.prefix}/{self.name}"

    @property
    def url(self) -> str:
        """The restic repository in it."""
        endpoint = self.values.endpoint or AWS
        return f"s3:{endpoint}/{self.values.bucket}/{self.prefix}/{RESTIC}{self.name}"

    @property
    def environment(self) -> dict[str, EnvValue]:
        """What restic must know to use the bucket."""
        return {"AWS_DEFAULT_REGION": self.values.region or None, **self.keys}

    @property
    def keys(self) -> dict[str, EnvValue]:
        """The id of the access key and the key, if the values name a Secret with them."""
        secret = SecretRef(self.values.existing_secret)
        if not secret.name:
            return {}
        return {
            "AWS_ACCESS_KEY_ID": secret.key(self.values.access_key_id_key),
            "AWS_SECRET_ACCESS_KEY": secret.key(self.values.secret_access_key_key),
        }

    @property
    def endpoints(self) -> list[Endpoint]:
        """The port of the object store; anywhere if the rights come from the cloud."""
        if not self.values.existing_secret:
            return [ANYWHERE]
        url = urlsplit(self.values.endpoint or "https://")
        return [Endpoint(port=url.port or DEFAULT_PORTS[url.scheme])]


class Place(NamedTuple):
    """Where the backups of one thing are: in a folder of a bucket, if there is one, or a claim."""

    name: str
    bucket: BucketFolder | None
    claim: str

    @property
    def folder(self) -> str:
        """The folder on the claim."""
        return f"{CLAIM_DIR}/{self.name}"

    @property
    def restic_folder(self) -> str:
        """The restic repository on the claim, whose top folder may hold other files."""
        return f"{CLAIM_DIR}/{RESTIC}{self.name}"

    @property
    def volume(self) -> k8s.Volume:
        """A volume with the claim."""
        return claim_volume("backups", self.claim)

    def mount(self, *, read_only: bool | None = None) -> k8s.VolumeMount:
        """The claim in its place."""
        return k8s.VolumeMount(name="backups", mount_path=CLAIM_DIR, read_only=read_only)


def component_of(naming: Naming, name: str) -> Component:
    """The component that makes the backups of that name."""
    return naming.component(f"backup-{name}")


def place(naming: Naming, values: Values, name: str) -> Place:
    """Where the backups of that name are, whether or not any are made."""
    component, backups = component_of(naming, name), values.backup
    return Place(
        name=name,
        bucket=BucketFolder(backups.s3, prefix(values), name) if backups.s3.bucket else None,
        claim=backups.by_name[name].storage.existing or claim_name(component, PURPOSE),
    )
