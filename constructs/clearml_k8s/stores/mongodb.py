"""MongoDB."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Address, Naming, SecretRef
from clearml_k8s.pod import checksums, environment, exec_probe, pull_secrets, tcp_probe
from clearml_k8s.secret import secret
from clearml_k8s.stores.address import (
    ImportedStore,
    MongodbAddress,
    MongodbConnection,
    PasswordRef,
    StoreAddress,
)
from clearml_k8s.stores.mongodb_topology import KEY, ReplicaSet, Standalone
from clearml_k8s.stores.stateful_set import (
    DataVolume,
    Identity,
    Members,
    disruption_budget,
    headless_service,
    spread,
    stateful_set,
    store_service,
    unprivileged,
)
from config.mongodb import Mongodb as MongodbValues
from config.mongodb import MongodbAuth, MongodbExternal
from config.release import Release

STORE = "mongodb"
PASSWORD_KEY = "mongodb-root-password"
PORT = 27017
DATA_DIR = "/data/db"
# The shell is called mongo up to MongoDB 5 and mongosh from 6 on.
PING = (
    """exec "$(command -v mongosh || command -v mongo)" --quiet --eval 'db.adminCommand("ping")'"""
)


class Mongodb(Construct):
    """StatefulSet `<release>-mongodb` with its Services and password Secret, if it is embedded.

    If it is imported, the objects of its Helm chart. `address` is where MongoDB answers.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        release: Release,
        values: MongodbValues,
        imported: ImportedStore[MongodbAddress] | None = None,
    ) -> None:
        super().__init__(scope, STORE)
        self.address: StoreAddress
        if imported is not None:
            self.address = imported(self)
            return
        members = Members(
            naming=naming, store=STORE, component=STORE, name=f"{naming.release}-{STORE}"
        )
        service = Address(release.expand(values.service.name), values.service.port)
        password = self._password(members, values.auth) if values.auth.enabled else None
        if values.external.given:
            self.address = self._connection(members, values.external)
        elif values.embedded and values.architecture == "replicaset":
            hosts = [
                Address(members.host(ordinal), PORT) for ordinal in range(values.replica_count)
            ]
            self.address = address = MongodbAddress(hosts, password, values.replica_set_name)
            self._embed(members, service, values, self._replica_set(address, values))
        else:
            self.address = MongodbAddress([service], password)
            if values.embedded:
                self._embed(members, service, values, Standalone(password=password))

    def _password(self, members: Members, auth: MongodbAuth) -> PasswordRef:
        if auth.root_password is None or auth.existing_secret:
            return PasswordRef(SecretRef(auth.existing_secret), auth.existing_secret_key)
        content = {PASSWORD_KEY: auth.root_password.get_secret_value()}
        if auth.replica_set_key is not None:
            content[KEY] = auth.replica_set_key.get_secret_value()
        return PasswordRef(secret(self, members.metadata(members.name), content), PASSWORD_KEY)

    def _connection(self, members: Members, external: MongodbExternal) -> MongodbConnection:
        if external.backend is None or external.auth is None:
            urls = SecretRef(external.existing_secret)
        else:
            content = {
                external.backend_key: external.backend.get_secret_value(),
                external.auth_key: external.auth.get_secret_value(),
            }
            urls = secret(self, members.metadata(members.name), content)
        return MongodbConnection(urls, external.backend_key, external.auth_key)

    def _replica_set(self, address: MongodbAddress, values: MongodbValues) -> ReplicaSet:
        return ReplicaSet(
            name=values.replica_set_name,
            members=address.members,
            image=values.image.reference,
            pull_policy=values.image.pull_policy,
            url=address.url("admin", "PASSWORD"),
            password=address.password,
            key=PasswordRef(address.password.secret, KEY) if address.password else None,
        )

    def _embed(
        self,
        members: Members,
        service: Address,
        values: MongodbValues,
        topology: Standalone | ReplicaSet,
    ) -> None:
        ports = {values.service.port_name: (service.port, STORE)}
        store_service(self, members, service.host, ports, type=values.service.type)
        headless_service(self, members, {STORE: (PORT, STORE)})
        data = DataVolume.of("data", values.persistence)
        container = k8s.Container(
            name=STORE,
            image=values.image.reference,
            image_pull_policy=values.image.pull_policy,
            # As arguments: the image's entrypoint adds --bind_ip_all and makes the user.
            args=[
                *("--setParameter", "internalQueryMaxBlockingSortMemoryUsageBytes=196100200"),
                *topology.args,
            ],
            env=environment(topology.environment) or None,
            ports=[k8s.ContainerPort(name=STORE, container_port=PORT)],
            startup_probe=tcp_probe(STORE, period_seconds=5, failure_threshold=120),
            liveness_probe=tcp_probe(STORE, timeout_seconds=5, failure_threshold=6),
            readiness_probe=exec_probe("sh", "-c", PING, timeout_seconds=10),
            resources=values.resources,
            security_context=unprivileged(),
            volume_mounts=[data.mount(DATA_DIR), *topology.mounts],
        )
        stateful_set(
            self,
            members,
            container,
            *topology.sidecars,
            replicas=values.replica_count,
            identity=Identity(user=999, group=999),
            annotations=checksums(password=self.address.secret) | values.pod_annotations,
            scheduling=spread(values, members) if topology.sidecars else values,
            grace_period=60,
            image_pull_secrets=pull_secrets(values.image.pull_secrets),
            data=data,
            init_containers=topology.init_containers,
            volumes=topology.volumes,
        )
        if values.replica_count > 1:
            disruption_budget(self, members, values.replica_count // 2 + 1)
