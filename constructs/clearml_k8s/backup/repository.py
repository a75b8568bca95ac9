"""The repository that the embedded Elasticsearch writes snapshots to: on a volume or in S3."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from cdk8s_plus_25 import k8s

from clearml_k8s.backup.place import CLAIM_DIR, BucketFolder, Place
from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.need import Endpoint
from clearml_k8s.programs import shell
from config.image import PulledImage

KEYSTORE = "elasticsearch.keystore"
KEYSTORE_DIR = "/run/keystore"
# From standard input, as all processes see the command line.
ADD_KEYS = f"""\
set -e
test -f config/{KEYSTORE} || elasticsearch-keystore create
printf %s "$AWS_ACCESS_KEY_ID" |
  elasticsearch-keystore add --stdin --force s3.client.default.access_key
printf %s "$AWS_SECRET_ACCESS_KEY" |
  elasticsearch-keystore add --stdin --force s3.client.default.secret_key
cp config/{KEYSTORE} {KEYSTORE_DIR}/
"""


class Repository(NamedTuple):
    """What the nodes of the embedded Elasticsearch need to write snapshots."""

    place: Place

    @property
    def definition(self) -> str:
        """What the repository is registered as."""
        bucket = self.place.bucket
        if bucket is None:
            return json.dumps({"type": "fs", "settings": {"location": self.place.folder}})
        settings = {"bucket": bucket.values.bucket, "base_path": bucket.path}
        return json.dumps({"type": "s3", "settings": settings})

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Settings of the nodes."""
        bucket = self.place.bucket
        if bucket is None:
            return {"path.repo": CLAIM_DIR}
        values = bucket.values
        return {
            "s3.client.default.region": values.region or None,
            "s3.client.default.endpoint": values.endpoint or None,
            "s3.client.default.path_style_access": "true" if values.endpoint else None,
        }

    @property
    def volumes(self) -> list[k8s.Volume]:
        """The claim, or a volume for the keystore."""
        if self.place.bucket is None:
            return [self.place.volume]
        memory = k8s.EmptyDirVolumeSource(medium="Memory")
        return [k8s.Volume(name="keystore", empty_dir=memory)] if self._keys else []

    def mounts(self, home: str) -> list[k8s.VolumeMount]:
        """The claim, or the keystore, in its place."""
        if self.place.bucket is None:
            return [self.place.mount()]
        path = f"{home}/config/{KEYSTORE}"
        keystore = k8s.VolumeMount(name="keystore", mount_path=path, sub_path=KEYSTORE)
        return [keystore] if self._keys else []

    def init_containers(self, image: PulledImage) -> list[Container]:
        """Makes the keystore, the only place where Elasticsearch looks for access keys."""
        if not self._keys:
            return []
        return [
            Container(
                name="make-keystore",
                image=image,
                command=["bash", "-c", shell(ADD_KEYS)],
                env=self._keys,
                mounts=[k8s.VolumeMount(name="keystore", mount_path=KEYSTORE_DIR)],
                security_context=unprivileged(),
            )
        ]

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """What the nodes talk to."""
        return self.place.bucket.endpoints if self.place.bucket else []

    @property
    def _keys(self) -> dict[str, EnvValue]:
        bucket: BucketFolder | None = self.place.bucket
        return bucket.keys if bucket else {}
