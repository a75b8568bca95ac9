"""Elasticsearch."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field

from config.fragment import ExtraEnvs, LocalObjectReferences, NodeAffinity, Resources, Tolerations
from config.kubernetes import (
    AccessModes,
    Annotations,
    Mistake,
    NodeSelector,
    NonEmpty,
    Port,
    PullPolicy,
    Replicas,
    ServiceName,
    StorageClass,
    StorageSize,
    Text,
    over,
    section,
)
from config.store import ChartModel, Store

FILE_NAME = r"(?!\.\.?$)[-._a-zA-Z0-9]{1,253}"
DEFAULT_ENVS: Any = [
    {"name": "bootstrap.memory_lock", "value": "false"},
    {"name": "cluster.routing.allocation.node_initial_primaries_recoveries", "value": "500"},
    {"name": "cluster.routing.allocation.disk.watermark.low", "value": "500mb"},
    {"name": "cluster.routing.allocation.disk.watermark.high", "value": "500mb"},
    {"name": "cluster.routing.allocation.disk.watermark.flood_stage", "value": "500mb"},
    {"name": "http.compression_level", "value": "7"},
    {"name": "reindex.remote.whitelist", "value": "*.*"},
    {"name": "xpack.monitoring.enabled", "value": "false"},
    {"name": "xpack.security.enabled", "value": "false"},
]
DEFAULT_RESOURCES: Any = {"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}
DEFAULT_ES_CONFIG = {"elasticsearch.yml": "xpack.security.enabled: false\n"}


class ElasticsearchRoles(ChartModel):
    """What the Elasticsearch nodes do."""

    master: bool = Field(default=True, description="Whether the nodes may be elected master.")
    ingest: bool = Field(default=True, description="Whether the nodes run ingest pipelines.")
    data: bool = Field(default=True, description="Whether the nodes hold data.")
    remote_cluster_client: bool = Field(
        default=True,
        alias="remote_cluster_client",
        description="Whether the nodes connect to remote clusters.",
    )


class ElasticsearchPersistence(ChartModel):
    """Whether Elasticsearch has volumes."""

    enabled: bool = Field(
        default=True, description="Whether the data outlives the pods, on volumes of their own."
    )


class ClaimRequests(ChartModel):
    """Requests of a claim template."""

    storage: StorageSize = Field(default="50Gi", description="Size of each node's volume.")


class ClaimResources(ChartModel):
    """Resources of a claim template."""

    requests: ClaimRequests = section()


class VolumeClaimTemplate(ChartModel):
    """The claim that each node gets."""

    access_modes: AccessModes = Field(
        default=["ReadWriteOnce"], description="Access modes of each node's claim."
    )
    resources: ClaimResources = section()
    storage_class_name: StorageClass = Field(
        default="",
        description="Storage class; empty leaves the choice to the cluster's default class.",
    )


class SysctlInitContainer(ChartModel):
    """The privileged container that raises vm.max_map_count on the node."""

    enabled: bool = Field(
        default=False,
        description="Whether a privileged init container sets vm.max_map_count to 262144; without "
        "it Elasticsearch does not map files into memory and starts on any node.",
    )


class Elasticsearch(Store):
    """Elasticsearch: metrics, plots, logs and events."""

    chart: ClassVar[str] = "elasticsearch"

    http_port: Port = Field(
        default=9200, description="Port of Elasticsearch's HTTP API and its Services."
    )
    roles: ElasticsearchRoles = section()
    replicas: Annotated[Replicas, Field(ge=1)] = Field(
        default=1, description="Number of Elasticsearch nodes."
    )
    cluster_health_check_params: NonEmpty = Field(
        default="wait_for_status=yellow&timeout=1s",
        description="Query of the cluster health request that a starting node must pass.",
    )
    minimum_master_nodes: Annotated[Replicas, Field(ge=1)] = Field(
        default=1,
        description="Nodes that a voluntary disruption (a drain) must leave running when there "
        "are several; unset, a majority.",
    )
    cluster_name: ServiceName = Field(
        default="{{ .Release.Name }}-elastic",
        description="Name of the cluster; the Services are called `<name>-master` and "
        "`<name>-master-headless`. For an external Elasticsearch the host is `<name>-master`.",
    )
    es_java_opts: Text = Field(
        default="-Xmx2g -Xms2g", description="Options of the Java VM, the heap size among them."
    )
    extra_envs: ExtraEnvs = Field(
        default=DEFAULT_ENVS,
        validate_default=True,
        description="Environment variables, which Elasticsearch takes as settings.",
    )
    resources: Annotated[Resources, over(DEFAULT_RESOURCES)] = Field(
        default=DEFAULT_RESOURCES,
        validate_default=True,
        description="Resource requests and limits of each node.",
    )
    persistence: ElasticsearchPersistence = section()
    volume_claim_template: VolumeClaimTemplate = section()
    es_config: Annotated[dict[str, str], over(DEFAULT_ES_CONFIG)] = Field(
        default=DEFAULT_ES_CONFIG,
        description="Files for Elasticsearch's configuration directory, by name.",
    )
    sysctl_init_container: SysctlInitContainer = section()
    image: NonEmpty = Field(
        default="docker.elastic.co/elasticsearch/elasticsearch",
        description="Repository of the Elasticsearch image.",
    )
    image_tag: NonEmpty = Field(default="7.17.29", description="Tag of the Elasticsearch image.")
    image_pull_policy: PullPolicy = Field(
        default="IfNotPresent", description="When the kubelet pulls the image."
    )
    image_pull_secrets: LocalObjectReferences = Field(
        default=[],
        description="Secrets that hold credentials for the image registry, `name` of each.",
    )
    node_selector: NodeSelector = Field(
        default={}, description="Labels that a node must have to run Elasticsearch."
    )
    tolerations: Tolerations = Field(
        default=[], description="Taints that Elasticsearch's pods tolerate."
    )
    node_affinity: NodeAffinity = Field(
        default=None, description="Node affinity of Elasticsearch's pods."
    )
    pod_annotations: Annotations = Field(
        default={}, description="Annotations of Elasticsearch's pods."
    )

    @property
    def protected_nodes(self) -> int:
        """Nodes that a drain must leave running: a majority unless the user chose a number."""
        chosen = "minimum_master_nodes" in self.model_fields_set
        return self.minimum_master_nodes if chosen else self.replicas // 2 + 1

    def mistakes(self) -> Iterator[Mistake]:
        """More nodes that must stay than there are, and files that a ConfigMap cannot hold."""
        yield from super().mistakes()
        if self.embedded and self.minimum_master_nodes > self.replicas:
            yield Mistake(
                ("minimumMasterNodes",),
                f"must not be more than elasticsearch.replicas ({self.replicas})",
                self.minimum_master_nodes,
            )
        for file in self.es_config:
            if not re.fullmatch(FILE_NAME, file):
                yield Mistake(
                    ("esConfig", file),
                    "must be named by letters, digits, '-', '_' and '.' as a file is",
                    file,
                )
