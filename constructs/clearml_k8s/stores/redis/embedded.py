"""Redis, made here from the official image."""

from collections.abc import Sequence
from typing import NamedTuple

from constructs import Construct

from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.environment import Template
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.need import Endpoint
from clearml_k8s.parts.probe import exec_probe, tcp_probe
from clearml_k8s.parts.service import ServicePort, headless_service, store_service
from clearml_k8s.parts.volume import DataVolume
from clearml_k8s.parts.workload import Placed, Workload, run_as, stateful_set
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import REDIS_DATABASES, RedisAddress
from clearml_k8s.stores.metrics import Exporter
from clearml_k8s.stores.redis.password import STORE, password
from config.image import PulledImage
from config.redis import Redis

DATA_DIR = "/data"
PASSWORD_VARIABLE = "REDISCLI_AUTH"
PASSWORD = Template(f"$({PASSWORD_VARIABLE})")
DEFAULT_DATABASES = 16
METRICS_PORT = 9121


def provide(scope: Construct, site: Site, values: Redis) -> RedisAddress:
    """Make StatefulSet `<release>-redis-master` with its Services and Secret.

    With replicas a StatefulSet `<release>-redis-slave` of the same image and volume size too, and
    its PodDisruptionBudget.
    """
    master = _component(site, "master")
    address = RedisAddress(
        site.release.expand(values.master.name),
        values.master.port,
        values.database_number,
        password(scope, site, values),
        pods=Endpoint(master.selector, values.master.port),
    )
    ports = {STORE: ServicePort(address.port, STORE)}
    pods = _Pods(scope, values, values.pulled_image(site.generation), address)
    store_service(scope, master, address.host, ports, values.master.service)
    site.workloads.append(pods.add(master, replicas=1))
    if values.cluster.enabled:
        replicas, count = _component(site, "slave"), values.cluster.slave_count
        store_service(scope, replicas, replicas.name, ports, values.master.service)
        options = ["--replicaof", address.host, str(address.port)]
        if address.password is not None:
            options += ["--masterauth", PASSWORD]
        site.workloads.append(
            pods.add(
                replicas,
                replicas=count,
                options=options,
                spread=True,
                peers=address.endpoints,
                min_available=count - 1 or None,
            )
        )
    return address


def _component(site: Site, role: str) -> Component:
    return site.naming.store(STORE, role, f"{site.naming.release}-{STORE}-{role}")


class _Pods(NamedTuple):
    """The pods of master and replicas, which differ in few options."""

    scope: Construct
    values: Redis
    image: PulledImage
    address: RedisAddress

    def add(
        self,
        component: Component,
        *,
        replicas: int,
        options: Sequence[str] = (),
        spread: bool = False,
        peers: Sequence[Endpoint] = (),
        min_available: int | None = None,
    ) -> Placed:
        values, port, password = self.values, self.address.port, self.address.password
        exporter = Exporter(
            values=values.metrics,
            port=METRICS_PORT,
            env={
                "REDIS_ADDR": f"redis://127.0.0.1:{port}",
                "REDIS_PASSWORD": password.value if password else None,
            },
        )
        ports = {STORE: ServicePort(port, STORE), **exporter.service_ports}
        headless_service(self.scope, component, ports)
        exporter.monitor(self.scope, component)
        last_database = self.address.database + max(REDIS_DATABASES.values())
        ping = f'[ "$(redis-cli -p {port} ping)" = PONG ]'
        data = DataVolume(
            name="redis-data", persistence=values.master.persistence, common=component.common
        )
        workload = Workload(
            component=component,
            main=Container(
                name=STORE,
                image=self.image,
                args=[
                    "redis-server",
                    *("--port", str(port)),
                    *("--databases", str(max(DEFAULT_DATABASES, last_database + 1))),
                    *("--appendonly", "yes"),
                    *("--save", ""),
                    *(["--requirepass", PASSWORD] if password else []),
                    *options,
                ],
                env={PASSWORD_VARIABLE: password.value if password else None},
                ports={STORE: port},
                startup=tcp_probe(STORE, period_seconds=2, failure_threshold=150),
                liveness=tcp_probe(STORE, timeout_seconds=5, failure_threshold=6),
                # redis-cli ends with success even when the answer is an error.
                readiness=exec_probe("sh", "-c", ping, timeout_seconds=5),
                security_context=unprivileged(read_only=True),
                mounts=[data.mount(DATA_DIR)],
            ),
            sidecars=exporter.sidecars,
            security_context=run_as(999),
            grace_period=30,
            spread=spread,
            peers=peers,
            min_available=min_available,
        )
        return stateful_set(self.scope, workload, values.master, replicas=replicas, data=data)
