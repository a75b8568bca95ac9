"""Redis."""

from collections.abc import Sequence

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming, SecretRef
from clearml_k8s.pod import checksums, environment, exec_probe, pull_secrets, tcp_probe
from clearml_k8s.secret import secret
from clearml_k8s.stores.address import REDIS_DATABASES, ImportedStore, PasswordRef, RedisAddress
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
from config.redis import Redis as RedisValues
from config.release import Release
from config.workload import Scheduling

STORE = "redis"
PASSWORD_KEY = "redis-password"
DATA_DIR = "/data"
PASSWORD_VARIABLE = "REDISCLI_AUTH"
DEFAULT_DATABASES = 16


class Redis(Construct):
    """StatefulSet `<release>-redis-master` with its Services and Secret, if it is embedded.

    With replicas a StatefulSet `<release>-redis-slave` of the same image and volume size too.

    If it is imported, the objects of its Helm chart. `address` is where Redis answers.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        release: Release,
        values: RedisValues,
        imported: ImportedStore[RedisAddress] | None = None,
    ) -> None:
        super().__init__(scope, STORE)
        if imported is not None:
            self.address = imported(self)
            return
        self.address = RedisAddress(
            release.expand(values.master.name),
            values.master.port,
            values.database_number,
            self._password(naming, values) if values.use_password else None,
            tls=values.external.tls,
        )
        if values.embedded:
            self._master(naming, values)
        if values.embedded and values.cluster.enabled:
            self._replicas(naming, values)

    def _password(self, naming: Naming, values: RedisValues) -> PasswordRef:
        if values.password is None or values.existing_secret:
            return PasswordRef(
                SecretRef(values.existing_secret), values.existing_secret_password_key
            )
        content = {PASSWORD_KEY: values.password.get_secret_value()}
        metadata = naming.metadata(STORE, f"{naming.release}-{STORE}")
        return PasswordRef(secret(self, metadata, content), PASSWORD_KEY)

    def _master(self, naming: Naming, values: RedisValues) -> None:
        master = self._members(naming, "master")
        store_service(self, master, self.address.host, self._ports)
        self._pods(master, values, replicas=1, options=[], scheduling=values.master)

    def _replicas(self, naming: Naming, values: RedisValues) -> None:
        replicas = self._members(naming, "slave")
        store_service(self, replicas, replicas.name, self._ports)
        options = ["--replicaof", self.address.host, str(self.address.port)]
        if self.address.password is not None:
            options += ["--masterauth", f"$({PASSWORD_VARIABLE})"]
        count = values.cluster.slave_count
        scheduling = spread(values.master, replicas)
        self._pods(replicas, values, replicas=count, options=options, scheduling=scheduling)
        if count > 1:
            disruption_budget(self, replicas, count - 1)

    def _members(self, naming: Naming, role: str) -> Members:
        name = f"{naming.release}-{STORE}-{role}"
        return Members(naming=naming, store=STORE, component=role, name=name)

    @property
    def _ports(self) -> dict[str, tuple[int, str]]:
        return {STORE: (self.address.port, STORE)}

    def _pods(
        self,
        members: Members,
        values: RedisValues,
        *,
        replicas: int,
        options: Sequence[str],
        scheduling: Scheduling,
    ) -> None:
        headless_service(self, members, self._ports)
        port, password = self.address.port, self.address.password
        last_database = self.address.database + max(REDIS_DATABASES.values())
        args = [
            "redis-server",
            *("--port", str(port)),
            *("--databases", str(max(DEFAULT_DATABASES, last_database + 1))),
            *("--appendonly", "yes"),
            *("--save", ""),
            *(["--requirepass", f"$({PASSWORD_VARIABLE})"] if password else []),
            *options,
        ]
        ping = f'[ "$(redis-cli -p {port} ping)" = PONG ]'
        data = DataVolume.of("redis-data", values.master.persistence)
        container = k8s.Container(
            name=STORE,
            image=values.image.reference,
            image_pull_policy=values.image.pull_policy,
            args=args,
            env=environment({PASSWORD_VARIABLE: password.value if password else None}) or None,
            ports=[k8s.ContainerPort(name=STORE, container_port=port)],
            startup_probe=tcp_probe(STORE, period_seconds=5, failure_threshold=60),
            liveness_probe=tcp_probe(STORE, timeout_seconds=5, failure_threshold=6),
            # redis-cli ends with success even when the answer is an error.
            readiness_probe=exec_probe("sh", "-c", ping, timeout_seconds=5),
            resources=values.master.resources,
            security_context=unprivileged(),
            volume_mounts=[data.mount(DATA_DIR)],
        )
        stateful_set(
            self,
            members,
            container,
            replicas=replicas,
            identity=Identity(user=999, group=999),
            annotations=checksums(password=password.secret if password else None)
            | values.master.pod_annotations,
            scheduling=scheduling,
            grace_period=30,
            image_pull_secrets=pull_secrets(values.image.pull_secrets),
            data=data,
        )
