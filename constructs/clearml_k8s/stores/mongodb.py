"""MongoDB."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming, SecretRef
from clearml_k8s.pod import EnvValue, checksums, environment, exec_probe, pull_secrets, tcp_probe
from clearml_k8s.secret import secret
from clearml_k8s.stores.address import MONGODB_PASSWORD_KEY, MONGODB_USER, MongodbAddress
from clearml_k8s.stores.stateful_set import (
    DataVolume,
    Identity,
    Members,
    headless_service,
    stateful_set,
    store_service,
    unprivileged,
)
from config.mongodb import Mongodb as MongodbValues
from config.mongodb import MongodbAuth
from config.release import Release

STORE = "mongodb"
PORT = 27017
DATA_DIR = "/data/db"
# The shell is called mongo up to MongoDB 5 and mongosh from 6 on.
PING = (
    """exec "$(command -v mongosh || command -v mongo)" --quiet --eval 'db.adminCommand("ping")'"""
)


class Mongodb(Construct):
    """StatefulSet `<release>-mongodb` with its Services and password Secret, if it is embedded.

    `address` is where MongoDB answers, embedded or external.
    """

    def __init__(
        self, scope: Construct, *, naming: Naming, release: Release, values: MongodbValues
    ) -> None:
        super().__init__(scope, STORE)
        members = Members(
            naming=naming, store=STORE, component=STORE, name=f"{naming.release}-{STORE}"
        )
        self.address = MongodbAddress(
            release.expand(values.service.name),
            values.service.port,
            self._password(members, values.auth) if values.auth.enabled else None,
        )
        if values.embedded:
            self._embed(members, values)

    def _password(self, members: Members, auth: MongodbAuth) -> SecretRef:
        if auth.root_password is None or auth.existing_secret:
            return SecretRef(auth.existing_secret)
        content = {MONGODB_PASSWORD_KEY: auth.root_password.get_secret_value()}
        return secret(self, members.metadata(members.name), content)

    def _embed(self, members: Members, values: MongodbValues) -> None:
        ports = {values.service.port_name: (values.service.port, STORE)}
        store_service(self, members, self.address.host, ports, type=values.service.type)
        headless_service(self, members, {STORE: (PORT, STORE)})
        env: dict[str, EnvValue] = {}
        password = self.address.secret
        if password is not None:
            env = {
                "MONGO_INITDB_ROOT_USERNAME": MONGODB_USER,
                "MONGO_INITDB_ROOT_PASSWORD": password.key(MONGODB_PASSWORD_KEY),
            }
        data = DataVolume.of("data", values.persistence)
        container = k8s.Container(
            name=STORE,
            image=values.image.reference,
            image_pull_policy=values.image.pull_policy,
            # As arguments: the image's entrypoint adds --bind_ip_all and makes the user.
            args=["--setParameter", "internalQueryMaxBlockingSortMemoryUsageBytes=196100200"],
            env=environment(env) or None,
            ports=[k8s.ContainerPort(name=STORE, container_port=PORT)],
            startup_probe=tcp_probe(STORE, period_seconds=5, failure_threshold=120),
            liveness_probe=tcp_probe(STORE, timeout_seconds=5, failure_threshold=6),
            readiness_probe=exec_probe("sh", "-c", PING, timeout_seconds=10),
            resources=values.resources,
            security_context=unprivileged(),
            volume_mounts=[data.mount(DATA_DIR)],
        )
        stateful_set(
            self,
            members,
            container,
            replicas=1,
            identity=Identity(user=999, group=999),
            annotations=checksums(password=password) | values.pod_annotations,
            scheduling=values,
            grace_period=60,
            image_pull_secrets=pull_secrets(values.image.pull_secrets),
            data=data,
        )
