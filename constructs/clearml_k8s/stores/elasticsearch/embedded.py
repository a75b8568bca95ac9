"""Elasticsearch, made here from the official image."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.contents import CONFIG_MAP
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.need import Endpoint
from clearml_k8s.parts.probe import exec_probe, tcp_probe
from clearml_k8s.parts.service import ServicePort, headless_service, store_service
from clearml_k8s.parts.volume import DataVolume
from clearml_k8s.parts.workload import Workload, run_as, stateful_set
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import ElasticsearchAddress
from clearml_k8s.stores.metrics import Exporter
from config.elasticsearch import Elasticsearch
from config.generation import number
from config.image import PulledImage
from config.types.structs import quantity
from config.upgrade_steps import ALLOW, GUARD

STORE = "elasticsearch"
HOME = "/usr/share/elasticsearch"
TRANSPORT_PORT = 9300
METRICS_PORT = 9114
MAX_MAP_COUNT = 262144

# Until the cluster has been healthy once the whole cluster is asked, then only this node.
READY = """\
url=http://127.0.0.1:{port}
if [ -f /tmp/.started ]; then
  exec curl --silent --fail --max-time 5 --output /dev/null "$url/"
fi
curl --silent --fail --max-time 5 --output /dev/null "$url/_cluster/health?$HEALTH_CHECK_PARAMS"
touch /tmp/.started
"""

# Up to version 7 the data lies in the folder `nodes`. Version 8 moves it out when it starts, for
# good, and leaves a file of that name, at which 7 stops (Elasticsearch's NodeEnvironment).
CONVERTS_SINCE = 8
REFUSE = f"""\
cd {HOME} || exit 1
for image in lib/elasticsearch-7.*.jar; do
  if [ -e "$image" ]; then exit 0; fi
done
if [ -d data/nodes ]; then
  echo "data/nodes is a folder: Elasticsearch 7 has written this volume. A later one would" >&2
  echo "convert it when it starts, and 7 could not read it any more. Nothing has been changed." >&2
  echo "Go back to the Elasticsearch that was there, and go on step by step with the presets" >&2
  echo "upgrade/1-server-1.17 and upgrade/2-stores-of-1.17, which asks for the conversion" >&2
  echo "(docs/upgrading.md). {ALLOW}: true converts it at once." >&2
  exit 1
fi
"""


def provide(scope: Construct, site: Site, values: Elasticsearch) -> ElasticsearchAddress:
    """Make StatefulSet `<clusterName>-master` with its Services and files.

    With several nodes a PodDisruptionBudget too.
    """
    cluster = site.release.expand(values.cluster_name)
    component = site.naming.store(STORE, "master", f"{cluster}-master")
    ports = {"http": values.http_port, "transport": TRANSPORT_PORT}
    service_ports = {name: ServicePort(port, name) for name, port in ports.items()}
    store_service(scope, component, component.name, service_ports, values.service)
    exporter = Exporter(
        values=values.metrics,
        port=METRICS_PORT,
        args=[f"--es.uri=http://127.0.0.1:{values.http_port}"],
    )
    headless_service(scope, component, {**service_ports, **exporter.service_ports})
    exporter.monitor(scope, component)
    data = DataVolume(name=component.name, persistence=values.volume, common=component.common)
    image = values.pulled_image(site.generation)
    files = _files(scope, component, values)
    snapshots = site.snapshots
    workload = Workload(
        component=component,
        main=Container(
            name=STORE,
            image=image,
            env={
                **_environment(cluster, component, values),
                **(snapshots.environment if snapshots else {}),
            },
            ports=ports,
            startup=tcp_probe("http", period_seconds=2, failure_threshold=300),
            liveness=tcp_probe("http", timeout_seconds=5, failure_threshold=6),
            readiness=exec_probe(
                "bash", "-ec", READY.format(port=values.http_port), timeout_seconds=10
            ),
            security_context=unprivileged(),
            resources=_processors(values),
            mounts=[
                data.mount(f"{HOME}/data"),
                *(
                    k8s.VolumeMount(
                        name=volume.name,
                        mount_path=f"{HOME}/config/{file}",
                        sub_path=file,
                        read_only=True,
                    )
                    for volume in files
                    for file in values.es_config
                ),
                *(snapshots.mounts(HOME) if snapshots else []),
            ],
        ),
        sidecars=exporter.sidecars,
        init_containers=[
            *([] if site.converts_data else _guard(image, data)),
            *([_sysctl(image)] if values.sysctl_init_container.enabled else []),
            *(snapshots.init_containers(image) if snapshots else []),
        ],
        volumes=[*files, *(snapshots.volumes if snapshots else [])],
        security_context=run_as(1000),
        grace_period=120,
        spread=True,
        peers=[
            Endpoint(component.selector, TRANSPORT_PORT),
            *(snapshots.endpoints if snapshots else []),
        ],
        min_available=values.protected_nodes if values.replicas > 1 else None,
    )
    pod = values.as_pod(site.generation)
    site.workloads.append(stateful_set(scope, workload, pod, replicas=values.replicas, data=data))
    pods = Endpoint(component.selector, values.http_port)
    return ElasticsearchAddress(component.name, values.http_port, pods)


def _files(scope: Construct, component: Component, values: Elasticsearch) -> list[k8s.Volume]:
    if not values.es_config:
        return []
    name = f"{component.name}-config"
    component.common.contents.add(CONFIG_MAP, name, values.es_config)
    k8s.KubeConfigMap(scope, "files", metadata=component.metadata(name), data=values.es_config)
    return [k8s.Volume(name="config", config_map=k8s.ConfigMapVolumeSource(name=name))]


def _environment(cluster: str, component: Component, values: Elasticsearch) -> dict[str, EnvValue]:
    roles = {
        "master": values.roles.master,
        "data": values.roles.data,
        "ingest": values.roles.ingest,
        "remote_cluster_client": values.roles.remote_cluster_client,
    }
    nodes = [f"{component.name}-{ordinal}" for ordinal in range(values.replicas)]
    return {
        "node.name": k8s.EnvVarSource(
            field_ref=k8s.ObjectFieldSelector(field_path="metadata.name")
        ),
        "cluster.name": cluster,
        "node.roles": ",".join(role for role, enabled in roles.items() if enabled),
        "cluster.initial_master_nodes": ",".join(nodes) if values.roles.master else None,
        "discovery.seed_hosts": component.headless,
        "network.host": "0.0.0.0",
        "http.port": str(values.http_port),
        # Mapped files need the node's vm.max_map_count raised, which only a privileged pod can do.
        "node.store.allow_mmap": None if values.sysctl_init_container.enabled else "false",
        # The way round CVE-2025-66566, which every 7.17 has (config/holes.py).
        "transport.compress": "false",
        "ES_JAVA_OPTS": values.es_java_opts,
        "HEALTH_CHECK_PARAMS": values.cluster_health_check_params,
    }


def _processors(values: Elasticsearch) -> k8s.ResourceRequirements | None:
    """What the nodes get of the processors, where the values say nothing of them."""
    given = values.resources
    if given and any("cpu" in (part or {}) for part in (given.requests, given.limits)):
        return None
    return k8s.ResourceRequirements(
        requests={"cpu": quantity("100m")}, limits={"cpu": quantity("2")}
    )


def _guard(image: PulledImage, data: DataVolume) -> list[Container]:
    """What looks at the data before an Elasticsearch that may convert it, if this is one."""
    version = number(image.version.removeprefix(":"))
    if version and version[0] < CONVERTS_SINCE:
        return []
    return [
        Container(
            name=GUARD,
            image=image,
            command=["sh", "-c", REFUSE],
            security_context=unprivileged(read_only=True),
            mounts=[data.mount(f"{HOME}/data")],
        )
    ]


def _sysctl(image: PulledImage) -> Container:
    return Container(
        name="configure-sysctl",
        image=image,
        command=["sysctl", "-w", f"vm.max_map_count={MAX_MAP_COUNT}"],
        security_context=k8s.SecurityContext(privileged=True, run_as_user=0, run_as_non_root=False),
        privileged=True,
    )
