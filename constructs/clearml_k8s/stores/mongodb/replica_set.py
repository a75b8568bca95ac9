"""What the pods of a standalone MongoDB have, and what makes a replica set of several."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import Address
from clearml_k8s.parts.volume import scratch_volume
from clearml_k8s.programs import shell, text_of
from clearml_k8s.stores.address import PasswordRef
from config.image import PulledImage
from config.mongodb import SET_KEY
from config.types.structs import quantity

KEY_SOURCE_DIR = "/run/mongodb-key-source"
KEY_DIR = "/run/mongodb-key"
KEY_FILE = f"{KEY_DIR}/{SET_KEY}"
# Of the image's user it is the data volume, which MongoDB's shell fills with its logs.
HOME = "/tmp"
SCRATCH = scratch_volume("shell")

# Over loopback the first user can be made without logging in; a former standalone has one.
INITIATE = """\
var result;
if (password) try { db.auth("root", password); } catch (noUserYet) {}
try { result = rs.initiate(%(config)s); } catch (error) { result = error; }
print("initiate: " + (result.errmsg || result.message || "done"));
for (var i = 0; i < 60 && !db.isMaster().ismaster; i++) sleep(1000);
if (password) {
  try {
    db.createUser({user: "root", pwd: password, roles: ["root"]});
  } catch (error) {
    print("user: " + error.message);
  }
}
"""

# MongoDB takes one change of the voting members at a time. Only pods of this StatefulSet are ever
# removed: a member elsewhere is somebody else's.
ADJUST = """\
var wanted = %(hosts)s;
var isPod = function (host) { return host.replace(/-[0-9]+[.]/, "-0.") === wanted[0]; };
var config = rs.conf();
var known = config.members.map(function (member) { return member.host; });
var missing = wanted.filter(function (host) { return known.indexOf(host) < 0; });
var left = config.members.filter(function (member) {
  return isPod(member.host) && wanted.indexOf(member.host) < 0;
});
if (missing.length) {
  var ids = config.members.map(function (member) { return member._id; });
  config.members.push({_id: Math.max.apply(null, ids) + 1, host: missing[0]});
  print("adding " + missing[0]);
} else if (left.length) {
  config.members.splice(config.members.indexOf(left[0]), 1);
  print("removing " + left[0].host);
}
if (missing.length || left.length) {
  config.version++;
  rs.reconfig(config);
} else {
  print("members: as wanted");
}
"""


class Standalone(NamedTuple):
    """A single MongoDB, whose image makes the user when it first starts."""

    password: PasswordRef | None

    args: Sequence[str] = ()
    mounts: Sequence[k8s.VolumeMount] = ()
    volumes: Sequence[k8s.Volume] = ()
    init_containers: Sequence[Container] = ()
    sidecars: Sequence[Container] = ()

    @property
    def environment(self) -> dict[str, EnvValue]:
        """What the image makes the user from."""
        if self.password is None:
            return {}
        return {
            "MONGO_INITDB_ROOT_USERNAME": "root",
            "MONGO_INITDB_ROOT_PASSWORD": self.password.value,
        }


class ReplicaSet(NamedTuple):
    """A replica set of the given members, and the password and key that guard it."""

    name: str
    members: Sequence[Address]
    image: PulledImage
    url: str
    password: PasswordRef | None
    key: PasswordRef | None

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Nothing: members must join empty, so the user is made when the set exists."""
        return {}

    @property
    def args(self) -> list[str]:
        """What each member's mongod is told."""
        return [
            *("--replSet", self.name),
            *(["--keyFile", KEY_FILE] if self.key else []),
        ]

    @property
    def mounts(self) -> list[k8s.VolumeMount]:
        """The key file, for the member itself."""
        if self.key is None:
            return []
        return [k8s.VolumeMount(name="key", mount_path=KEY_DIR, read_only=True)]

    @property
    def volumes(self) -> list[k8s.Volume]:
        """Where the key comes from, and where its copy lies; what the shell writes."""
        if self.key is None:
            return [SCRATCH]
        source = k8s.SecretVolumeSource(
            secret_name=self.key.secret.name, items=[k8s.KeyToPath(key=self.key.key, path=SET_KEY)]
        )
        memory = k8s.EmptyDirVolumeSource(medium="Memory")
        return [
            k8s.Volume(name="key-source", secret=source),
            k8s.Volume(name="key", empty_dir=memory),
            SCRATCH,
        ]

    @property
    def init_containers(self) -> list[Container]:
        """Copies the key: mongod wants a file that it alone can read, which no volume gives."""
        if self.key is None:
            return []
        copy = (
            f"cp -f {KEY_SOURCE_DIR}/{SET_KEY} {KEY_DIR}/{SET_KEY} && chmod 400 {KEY_DIR}/{SET_KEY}"
        )
        return [
            Container(
                name="copy-key",
                image=self.image,
                command=["sh", "-c", shell(copy)],
                security_context=unprivileged(),
                mounts=[
                    k8s.VolumeMount(name="key-source", mount_path=KEY_SOURCE_DIR, read_only=True),
                    k8s.VolumeMount(name="key", mount_path=KEY_DIR),
                ],
            )
        ]

    @property
    def sidecars(self) -> list[Container]:
        """Initiates the set, makes its user, and adds and removes members."""
        hosts = [f"{member.host}:{member.port}" for member in self.members]
        config = {
            "_id": self.name,
            "members": [{"_id": number, "host": host} for number, host in enumerate(hosts)],
        }
        keeper = Container(
            name="replica-set",
            image=self.image,
            command=["sh", "-c", text_of("keep_replica_set.sh")],
            env={
                "HOME": HOME,
                "PASSWORD": self.password.value if self.password else "",
                "REPLICA_SET_URL": self.url,
                "INITIATE": INITIATE % {"config": json.dumps(config)},
                "ADJUST": ADJUST % {"hosts": json.dumps(hosts)},
            },
            security_context=unprivileged(),
            mounts=[k8s.VolumeMount(name=SCRATCH.name, mount_path=HOME)],
            resources=_of_a_shell(),
        )
        return [keeper]


def _of_a_shell() -> k8s.ResourceRequirements:
    """What MongoDB's shell takes, which from 6 on runs in Node.js."""
    return k8s.ResourceRequirements(
        requests={"cpu": quantity("10m"), "memory": quantity("64Mi")},
        limits={"cpu": quantity("1"), "memory": quantity("512Mi")},
    )
