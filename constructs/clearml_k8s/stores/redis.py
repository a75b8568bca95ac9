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
    stateful_set,
    store_service,
    unprivileged,
)
from clearml_k8s.volume import claim_spec
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
            self._embed(naming, values)

    def _password(self, naming: Naming, values: RedisValues) -> SecretRef:
        if values.password is None or values.existing_secret:
            return SecretRef(values.existing_secret)
        content = {REDIS_PASSWORD_KEY: values.password.get_secret_value()}
        return secret(self, naming, STORE, f"{naming.release}-{STORE}", content)

    def _embed(self, naming: Naming, values: RedisValues) -> None:
        port = values.master.port
        headless = f"{naming.release}-{STORE}-headless"
        ports = {STORE: (port, STORE)}
        store_service(self, naming, STORE, self.address.host, ports)
        store_service(self, naming, STORE, headless, ports, headless=True)
        password = self.address.secret
        persistence = values.master.persistence
        data = DataVolume(
            name="redis-data",
            claim=claim_spec(persistence.access_modes, persistence.size, persistence.storage_class)
            if persistence.enabled
            else None,
        )
        databases = max(
            DEFAULT_DATABASES, self.address.database + 1 + max(REDIS_DATABASES.values())
        )
        options = {
            "--port": str(port),
            "--databases": str(databases),
            "--appendonly": "yes",
            "--save": "",
        }
        if password is not None:
            options["--requirepass"] = f"$({PASSWORD_VARIABLE})"
        ping = f'[ "$(redis-cli -p {port} ping)" = PONG ]'
        stateful_set(
            self,
            naming,
            STORE,
            name=f"{naming.release}-{STORE}-master",
            headless=headless,
            replicas=1,
            identity=Identity(user=999, group=999),
            annotations=checksums(password=password) | values.master.pod_annotations,
            scheduling=values.master,
            grace_period=30,
            data=data,
            image_pull_secrets=pull_secrets(values.image.pull_secrets),
            container=k8s.Container(
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
            ),
        )
