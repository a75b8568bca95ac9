"""Elasticsearch."""

from collections.abc import Sequence

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming, SecretRef, checksum
from clearml_k8s.pod import EnvValue, environment, exec_probe, tcp_probe
from clearml_k8s.secret import secret
from clearml_k8s.stores.address import (
    ElasticsearchAddress,
    ElasticsearchHosts,
    ImportedStore,
    PasswordRef,
    StoreAddress,
)
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
from clearml_k8s.volume import claim_spec
from config.elasticsearch import Elasticsearch as ElasticsearchValues
from config.elasticsearch import ElasticsearchExternal
from config.release import Release
from config.workload import Scheduling

STORE = "elasticsearch"
HOME = "/usr/share/elasticsearch"
TRANSPORT_PORT = 9300
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


class Elasticsearch(Construct):
    """StatefulSet `<clusterName>-master` with its Services and files, if it is embedded.

    With several nodes a PodDisruptionBudget too. If it is imported, the objects of its Helm chart.
    `address` is where Elasticsearch answers.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        release: Release,
        values: ElasticsearchValues,
        imported: ImportedStore[ElasticsearchAddress] | None = None,
    ) -> None:
        super().__init__(scope, STORE)
        self.address: StoreAddress
        if imported is not None:
            self.address = imported(self)
            return
        cluster = release.expand(values.cluster_name)
        members = Members(naming=naming, store=STORE, component="master", name=f"{cluster}-master")
        self.address = ElasticsearchAddress(members.name, values.http_port)
        if values.external.hosts:
            self.address = self._hosts(naming, values.external)
        if values.embedded:
            self._embed(members, cluster, values)

    def _hosts(self, naming: Naming, external: ElasticsearchExternal) -> ElasticsearchHosts:
        password: PasswordRef | None = None
        if external.password:
            content = {external.password_key: external.password.get_secret_value()}
            metadata = naming.metadata(STORE, f"{naming.release}-{STORE}")
            password = PasswordRef(secret(self, metadata, content), external.password_key)
        elif external.existing_secret:
            password = PasswordRef(SecretRef(external.existing_secret), external.password_key)
        return ElasticsearchHosts(external.urls, external.username, password)

    def _embed(self, members: Members, cluster: str, values: ElasticsearchValues) -> None:
        ports = {"http": (values.http_port, "http"), "transport": (TRANSPORT_PORT, "transport")}
        store_service(self, members, members.name, ports)
        headless_service(self, members, ports)
        template = values.volume_claim_template
        claim = claim_spec(
            template.access_modes, template.resources.requests.storage, template.storage_class_name
        )
        data = DataVolume(name=members.name, claim=claim if values.persistence.enabled else None)
        files = self._files(members, values)
        container = k8s.Container(
            name=STORE,
            image=f"{values.image}:{values.image_tag}",
            image_pull_policy=values.image_pull_policy,
            env=environment(_environment(cluster, members, values), values.extra_envs),
            ports=[
                k8s.ContainerPort(name="http", container_port=values.http_port),
                k8s.ContainerPort(name="transport", container_port=TRANSPORT_PORT),
            ],
            startup_probe=tcp_probe("http", period_seconds=5, failure_threshold=120),
            liveness_probe=tcp_probe("http", timeout_seconds=5, failure_threshold=6),
            readiness_probe=exec_probe(
                "bash", "-ec", READY.format(port=values.http_port), timeout_seconds=10
            ),
            resources=values.resources,
            security_context=unprivileged(),
            volume_mounts=[
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
            ],
        )
        stateful_set(
            self,
            members,
            container,
            replicas=values.replicas,
            identity=Identity(user=1000, group=1000),
            annotations={"checksum/configuration": checksum(values.es_config)}
            | values.pod_annotations,
            scheduling=spread(_scheduling(values), members),
            grace_period=120,
            image_pull_secrets=values.image_pull_secrets,
            data=data,
            init_containers=[_sysctl(values)] if values.sysctl_init_container.enabled else [],
            volumes=files,
        )
        if values.replicas > 1:
            disruption_budget(self, members, values.protected_nodes)

    def _files(self, members: Members, values: ElasticsearchValues) -> Sequence[k8s.Volume]:
        if not values.es_config:
            return []
        name = f"{members.name}-config"
        k8s.KubeConfigMap(self, "files", metadata=members.metadata(name), data=values.es_config)
        return [k8s.Volume(name="config", config_map=k8s.ConfigMapVolumeSource(name=name))]


def _environment(
    cluster: str, members: Members, values: ElasticsearchValues
) -> dict[str, EnvValue]:
    roles = {
        "master": values.roles.master,
        "data": values.roles.data,
        "ingest": values.roles.ingest,
        "remote_cluster_client": values.roles.remote_cluster_client,
    }
    nodes = [f"{members.name}-{ordinal}" for ordinal in range(values.replicas)]
    return {
        "node.name": k8s.EnvVarSource(
            field_ref=k8s.ObjectFieldSelector(field_path="metadata.name")
        ),
        "cluster.name": cluster,
        "node.roles": ",".join(role for role, enabled in roles.items() if enabled),
        "cluster.initial_master_nodes": ",".join(nodes) if values.roles.master else None,
        "discovery.seed_hosts": members.headless,
        "network.host": "0.0.0.0",
        "http.port": str(values.http_port),
        # Mapped files need the node's vm.max_map_count raised, which only a privileged pod can do.
        "node.store.allow_mmap": None if values.sysctl_init_container.enabled else "false",
        "ES_JAVA_OPTS": values.es_java_opts,
        "HEALTH_CHECK_PARAMS": values.cluster_health_check_params,
    }


def _scheduling(values: ElasticsearchValues) -> Scheduling:
    affinity = k8s.Affinity(node_affinity=values.node_affinity)
    return Scheduling.model_construct(
        node_selector=values.node_selector, tolerations=values.tolerations, affinity=affinity
    )


def _sysctl(values: ElasticsearchValues) -> k8s.Container:
    return k8s.Container(
        name="configure-sysctl",
        image=f"{values.image}:{values.image_tag}",
        image_pull_policy=values.image_pull_policy,
        command=["sysctl", "-w", f"vm.max_map_count={MAX_MAP_COUNT}"],
        security_context=k8s.SecurityContext(privileged=True, run_as_user=0, run_as_non_root=False),
    )
