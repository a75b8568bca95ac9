"""Where backups are: on a claim, or in a bucket."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import Component, Naming, SecretRef
from clearml_k8s.parts.need import ANYWHERE, Endpoint
from clearml_k8s.parts.volume import claim_name, claim_volume
from clearml_k8s.programs import text_of
from config.backup import Backups, Bucket
from config.image import PulledImage

CLAIM_DIR = "/backups"
PURPOSE = "data"
# Without these nothing is written over plain HTTP, and each object that is read gives a warning.
FEW_CHECKSUMS = {
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}
DEFAULT_PORTS = {"http": 80, "https": 443}


class BucketFolder(NamedTuple):
    """The folder of a bucket that holds the backups of one thing."""

    values: Bucket
    name: str

    @property
    def path(self) -> str:
        """What the names of its objects begin with."""
        return f"{self.values.prefix}/{self.name}"

    @property
    def remote(self) -> str:
        """The folder as rclone spells it."""
        return f"s3:{self.values.bucket}/{self.path}"

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

    def container(
        self, image: PulledImage, program: str, args: Sequence[str], mount: k8s.VolumeMount
    ) -> Container:
        """A container that runs rclone."""
        values = self.values
        return Container(
            name=program,
            image=image,
            command=["sh", "-c", text_of(f"{program}.sh"), program],
            args=args,
            env={
                "RCLONE_CONFIG_S3_TYPE": "s3",
                "RCLONE_CONFIG_S3_PROVIDER": "Other" if values.endpoint else "AWS",
                "RCLONE_CONFIG_S3_ENV_AUTH": "true",
                "RCLONE_CONFIG_S3_REGION": values.region or None,
                "RCLONE_CONFIG_S3_ENDPOINT": values.endpoint or None,
                # It would ask for a right that writing objects does not need.
                "RCLONE_CONFIG_S3_NO_CHECK_BUCKET": "true",
                **(FEW_CHECKSUMS if values.endpoint else {}),
                **self.keys,
            },
            mounts=[mount],
            security_context=unprivileged(),
        )


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
    def volume(self) -> k8s.Volume:
        """A volume with the claim."""
        return claim_volume("backups", self.claim)

    def mount(self, *, read_only: bool | None = None) -> k8s.VolumeMount:
        """The claim in its place."""
        return k8s.VolumeMount(name="backups", mount_path=CLAIM_DIR, read_only=read_only)


def component_of(naming: Naming, name: str) -> Component:
    """The component that makes the backups of that name."""
    return naming.component(f"backup-{name}")


def place(naming: Naming, values: Backups, name: str) -> Place:
    """Where the backups of that name are, whether or not any are made."""
    component = component_of(naming, name)
    return Place(
        name=name,
        bucket=BucketFolder(values.s3, name) if values.s3.bucket else None,
        claim=values.by_name[name].storage.existing or claim_name(component, PURPOSE),
    )
