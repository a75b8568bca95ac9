"""Redis."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming, SecretRef
from clearml_k8s.pod import checksums, environment, exec_probe, pull_secrets, tcp_probe
from clearml_k8s.secret import secret
from clearml_k8s.stores.address import REDIS_DATABASES, REDIS_PASSWORD_KEY, RedisAddress
from clearml_k8s.stores.stateful_set import (
    DataVolume,
    Identity,
    Members,
    headless_service,
    stateful_set,
    store_service,
    unprivileged,
)
from config.redis import Redis as RedisValues
from config.release import Release

STORE = "redis"
DATA_DIR = "/data"
PASSWORD_VARIABLE = "REDISCLI_AUTH"
DEFAULT_DATABASES = 16


class Redis(Construct):
    """StatefulSet `<release>-redis-master` with its Services and Secret, if it is embedded.

    `address` is where Redis answers, embedded or external.
    """

    def __init__(
        self, scope: Construct, *, naming: Naming, release: Release, values: RedisValues
    ) -> None:
        super().__init__(scope, STORE)
        self.address = RedisAddress(
            release.expand(values.master.name),
            values.master.port,
            values.database_number,
            self._password(naming, values) if values.use_password else None,
        )
        if values.embedded:
            master = Members(
                naming=naming,
                store=STORE,
                component="master",
                name=f"{naming.release}-{STORE}-master",
            )
            self._embed(master, values)

    def _password(self, naming: Naming, values: RedisValues) -> SecretRef:
        if values.password is None or values.existing_secret:
            return SecretRef(values.existing_secret)
        content = {REDIS_PASSWORD_KEY: values.password.get_secret_value()}
        return secret(self, naming.metadata(STORE, f"{naming.release}-{STORE}"), content)

    def _embed(self, master: Members, values: RedisValues) -> None:
        port = values.master.port
        ports = {STORE: (port, STORE)}
        store_service(self, master, self.address.host, ports)
        headless_service(self, master, ports)
        password = self.address.secret
        last_database = self.address.database + max(REDIS_DATABASES.values())
        options = {
            "--port": str(port),
            "--databases": str(max(DEFAULT_DATABASES, last_database + 1)),
            "--appendonly": "yes",
            "--save": "",
        }
        if password is not None:
            options["--requirepass"] = f"$({PASSWORD_VARIABLE})"
        ping = f'[ "$(redis-cli -p {port} ping)" = PONG ]'
        data = DataVolume.of("redis-data", values.master.persistence)
        container = k8s.Container(
            name=STORE,
            image=values.image.reference,
            image_pull_policy=values.image.pull_policy,
            args=["redis-server", *(part for option in options.items() for part in option)],
            env=environment(
                {PASSWORD_VARIABLE: password.key(REDIS_PASSWORD_KEY) if password else None}
            )
            or None,
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
            master,
            container,
            replicas=1,
            identity=Identity(user=999, group=999),
            annotations=checksums(password=password) | values.master.pod_annotations,
            scheduling=values.master,
            grace_period=30,
            image_pull_secrets=pull_secrets(values.image.pull_secrets),
            data=data,
        )
