"""MongoDB, made here from the official image."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.naming import Address
from clearml_k8s.parts.need import Endpoint
from clearml_k8s.parts.probe import tcp_probe
from clearml_k8s.parts.service import ServicePort, headless_service, store_service
from clearml_k8s.parts.volume import DataVolume, scratch_volume
from clearml_k8s.parts.workload import Workload, run_as, stateful_set
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import MongodbAddress, PasswordRef
from clearml_k8s.stores.metrics import Exporter
from clearml_k8s.stores.mongodb.password import STORE, component_of, password
from clearml_k8s.stores.mongodb.replica_set import HOME, ReplicaSet, Standalone
from config.mongodb import SET_KEY, Mongodb

PORT = 27017
METRICS_PORT = 9216
DATA_DIR = "/data/db"


def provide(scope: Construct, site: Site, values: Mongodb) -> MongodbAddress:
    """Make StatefulSet `<release>-mongodb` with its Services and password Secret.

    With several members a PodDisruptionBudget too.
    """
    component = component_of(site)
    secret = password(scope, site, values)
    service = Address(site.release.expand(values.service.name), values.service.port)
    topology: Standalone | ReplicaSet = Standalone(password=secret)
    pods = Endpoint(component.selector, PORT)
    address = MongodbAddress([service], secret, pods=pods)
    if values.architecture == "replicaset":
        hosts = [Address(component.host(ordinal), PORT) for ordinal in range(values.replica_count)]
        address = MongodbAddress(hosts, secret, values.replica_set_name, pods)
        topology = ReplicaSet(
            name=values.replica_set_name,
            members=hosts,
            image=values.pulled_image(site.generation),
            url=address.url("admin", "PASSWORD"),
            password=secret,
            key=PasswordRef(secret.secret, SET_KEY) if secret else None,
        )
    exporter = _exporter(values, secret)
    ports = {values.service.port_name: ServicePort(service.port, STORE)}
    store_service(scope, component, service.host, ports, values.service, type=values.service.type)
    headless_service(scope, component, {STORE: ServicePort(PORT, STORE), **exporter.service_ports})
    exporter.monitor(scope, component)
    data = DataVolume(name="data", persistence=values.persistence, common=component.common)
    # Its socket, what the entrypoint makes the user with, and what its shell writes.
    tmp = scratch_volume("tmp")
    workload = Workload(
        component=component,
        main=Container(
            name=STORE,
            image=values.pulled_image(site.generation),
            # As arguments: the image's entrypoint adds --bind_ip_all and makes the user.
            args=[*site.generation.mongodb_args, *topology.args],
            env={"HOME": HOME, **topology.environment},
            ports={STORE: PORT},
            startup=tcp_probe(STORE, period_seconds=2, failure_threshold=300),
            liveness=tcp_probe(STORE, timeout_seconds=5, failure_threshold=6),
            # Not by asking it: each start of its shell takes a second of CPU and writes a log.
            readiness=tcp_probe(STORE, timeout_seconds=5),
            security_context=unprivileged(read_only=True),
            mounts=[
                data.mount(DATA_DIR),
                k8s.VolumeMount(name=tmp.name, mount_path=HOME),
                *topology.mounts,
            ],
        ),
        sidecars=[*topology.sidecars, *exporter.sidecars],
        init_containers=topology.init_containers,
        volumes=[tmp, *topology.volumes],
        security_context=run_as(999),
        grace_period=60,
        spread=bool(topology.sidecars),
        peers=[pods] if values.architecture == "replicaset" else [],
        public=[STORE] if values.service.type != "ClusterIP" else [],
        min_available=values.replica_count // 2 + 1 if values.replica_count > 1 else None,
    )
    site.workloads.append(
        stateful_set(scope, workload, values, replicas=values.replica_count, data=data)
    )
    return address


def _exporter(values: Mongodb, secret: PasswordRef | None) -> Exporter:
    replicated = values.architecture == "replicaset"
    return Exporter(
        values=values.metrics,
        port=METRICS_PORT,
        args=[
            "--collector.diagnosticdata",
            "--collector.dbstats",
            *(["--collector.replicasetstatus"] if replicated else []),
        ],
        env={
            "MONGODB_URI": f"mongodb://127.0.0.1:{PORT}",
            "MONGODB_USER": "root" if secret else None,
            "MONGODB_PASSWORD": secret.value if secret else None,
        },
    )
