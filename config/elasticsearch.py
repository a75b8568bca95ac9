"""Elasticsearch."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field
from pydantic.alias_generators import to_camel

from config.chart import ElasticsearchChart
from config.generation import DEFAULT_GENERATION, REMOVED_SETTINGS, Generation, number
from config.image import Image, PulledImage, digest_mistakes
from config.metrics import StoreMetrics
from config.pod import StatefulSet
from config.service import StoreService
from config.store import ChartModel, Store, StoreImage, StorePersistence
from config.types.fragment import (
    ExtraEnvs,
    NodeAffinity,
    OverVariables,
    Resources,
)
from config.types.kubernetes import (
    AccessModes,
    Annotations,
    ImageDigest,
    ImageRepository,
    ImageTag,
    OptionalDnsSubdomain,
    OptionalImageRegistry,
    OptionalImageRepository,
    OptionalImageTag,
    Port,
    PullPolicy,
    Replicas,
    SecretKey,
    ServiceName,
    StorageClass,
    StorageSize,
)
from config.types.merging import over
from config.types.model import Mistake, Model, Section, refuse, section
from config.types.scalars import NonEmpty, Readable, Secret, Text, matching

FILE_NAME = r"(?!\.\.?$)[-._a-zA-Z0-9]{1,253}"
URL_SAFE = r"[A-Za-z0-9._~-]*"
PORT_NUMBER = (
    r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
HostUrl = Annotated[
    Text,
    matching(
        rf"(https?://)?[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:{PORT_NUMBER})?"
        r"(/[A-Za-z0-9._~-]+)*/?",
        "must be a host with scheme and port, such as https://search.example.com:9200",
    ),
]
UrlSafe = Annotated[Text, matching(URL_SAFE, "must be letters, digits, '.', '_', '~' and '-'")]
PEM = r"(?s)\s*-----BEGIN CERTIFICATE-----\s.+\s-----END CERTIFICATE-----\s*"
DEFAULT_RESOURCES: Any = {"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}
# Fields of an image by how the chart spells them.
FLAT_IMAGE = {
    "registry": "image_registry",
    "repository": "image",
    "tag": "image_tag",
    "digest": "image_digest",
    "pull_policy": "image_pull_policy",
}
DEFAULT_SETTINGS = OverVariables(DEFAULT_GENERATION.elasticsearch_settings)
DEFAULT_ES_CONFIG = dict(DEFAULT_GENERATION.elasticsearch_files)


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
    annotations: Annotations = Field(
        default={}, description="Annotations of the claims; fixed once the store is installed."
    )


class ClaimRequests(ChartModel):
    """Requests of a claim template."""

    storage: StorageSize = Field(default="50Gi", description="Size of each node's volume.")


class ClaimResources(ChartModel):
    """Resources of a claim template."""

    requests: Section[ClaimRequests] = section()


class VolumeClaimTemplate(ChartModel):
    """The claim that each node gets."""

    access_modes: AccessModes = Field(
        default=["ReadWriteOnce"], description="Access modes of each node's claim."
    )
    resources: Section[ClaimResources] = section()
    storage_class_name: StorageClass = Field(
        default="",
        description="Storage class; empty means `global.storageClass`, or else the cluster's "
        "default class.",
    )


class SysctlInitContainer(ChartModel):
    """The privileged container that raises vm.max_map_count on the node."""

    enabled: bool = Field(
        default=False,
        description="Whether a privileged init container sets vm.max_map_count to 262144; without "
        "it Elasticsearch does not map files into memory and starts on any node. With provider "
        "helm it is there until this is set to false.",
    )


def _pem(text: str) -> str:
    # Not shown, as it may be a private key.
    if text and not re.fullmatch(PEM, text):
        refuse([Mistake((), "must be one or more certificates in PEM format")])
    return text


class ElasticsearchCa(Model):
    """The certificate authority that an Elasticsearch of your own is trusted by."""

    certificate: Annotated[Text, AfterValidator(_pem)] = Field(
        default="", description="Its certificate in PEM format; empty means the public ones."
    )
    existing_secret: OptionalDnsSubdomain = Field(
        default="", description="Name of a Secret that holds the certificate instead."
    )
    key: SecretKey = Field(default="ca.crt", description="Key of the certificate in that Secret.")

    @property
    def is_given(self) -> bool:
        """Whether there is a certificate."""
        return bool(self.certificate or self.existing_secret)

    def mistakes(self) -> Iterator[Mistake]:
        """A certificate from two sources."""
        if self.certificate and self.existing_secret:
            yield Mistake(
                ("existingSecret",),
                "excludes certificate: keep one of the two",
                self.existing_secret,
            )


class ElasticsearchExporterImage(StoreImage):
    """The image of the exporter of Elasticsearch's metrics."""

    repository: ImageRepository = Field(
        default=DEFAULT_GENERATION.elasticsearch_exporter.repository,
        description="Repository of the exporter's image.",
    )
    tag: ImageTag = Field(
        default=DEFAULT_GENERATION.elasticsearch_exporter.tag,
        description="Tag of the exporter's image.",
    )


class ElasticsearchMetrics(StoreMetrics):
    """Metrics of Elasticsearch."""

    image: Section[ElasticsearchExporterImage] = section()


class ElasticsearchExternal(Model):
    """Nodes of an Elasticsearch of your own, and who logs in to it."""

    hosts: list[HostUrl] = Field(
        default=[],
        description="The nodes, `https://host:9200` each, with a path if they are behind one; "
        "scheme http and port 9200 may be left out. Empty takes `<clusterName>-master`.",
    )
    username: UrlSafe = Field(default="", description="User that the server logs in as.")
    password: Secret | None = Field(
        default=None,
        description="Password of that user: letters, digits, '.', '_', '~' and '-'.",
    )
    existing_secret: OptionalDnsSubdomain = Field(
        default="", description="Name of a Secret that holds the password instead."
    )
    password_key: SecretKey = Field(
        default="password", description="Key of the password in that Secret."
    )
    ca: Section[ElasticsearchCa] = section()
    verify_certs: bool = Field(
        default=True, description="Whether the certificates of https nodes are checked."
    )

    @property
    def urls(self) -> list[str]:
        """The nodes, with scheme and port."""
        urls = [host if "://" in host else f"http://{host}" for host in self.hosts]
        return [re.sub(r"(?<=//)([^/:]+)(?!:)(?=/|$)", r"\1:9200", url) for url in urls]

    def mistakes(self) -> Iterator[Mistake]:
        """A user without hosts or password, or a password that no URL can hold."""
        if self.password and self.existing_secret:
            yield Mistake(
                ("existingSecret",),
                "excludes password: keep one of the two",
                self.existing_secret,
            )
        has_password = bool(self.password or self.existing_secret)
        if has_password and not self.username:
            yield Mistake(("username",), "is needed with a password")
        if self.username and not has_password:
            yield Mistake(("password",), "is needed with a username, or existingSecret")
        if self.username and not self.hosts:
            yield Mistake(("hosts",), "must name the nodes that the user logs in to", [])
        if not any(url.startswith("https:") for url in self.urls):
            for name, given in (("ca", self.ca.is_given), ("verifyCerts", not self.verify_certs)):
                if given:
                    yield Mistake((name,), "is for https://, with which none of the hosts begins")
        if self.password and self.ca.certificate and self.password_key == self.ca.key:
            yield Mistake(("ca", "key"), "is the key of the password too", self.ca.key)
        if self.password and not re.fullmatch(URL_SAFE, self.password.get_secret_value()):
            yield Mistake(
                ("password",),
                "must be letters, digits, '.', '_', '~' and '-': it becomes part of a URL",
            )


class Elasticsearch(StatefulSet, Store):
    """Elasticsearch: metrics, plots, logs and events."""

    spellings: ClassVar[Mapping[str, str]] = {
        "extraVolumes": "additionalVolumes",
        "extraVolumeMounts": "additionalVolumeMounts",
        "securityContext": "containerSecurityContext",
        "terminationGracePeriod": "terminationGracePeriodSeconds",
    }
    image_paths: ClassVar[Mapping[str, tuple[str, ...]]] = {
        key: (to_camel(flat),) for key, flat in FLAT_IMAGE.items()
    }
    address_path: ClassVar[str] = "elasticsearch.external.hosts"

    chart: Section[ElasticsearchChart] = section()

    http_port: Port = Field(
        default=9200, description="Port of Elasticsearch's HTTP API and its Services."
    )
    service: Section[StoreService] = section()
    roles: Section[ElasticsearchRoles] = section()
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
        "are several; a majority at least.",
    )
    cluster_name: ServiceName = Field(
        default="{{ .Release.Name }}-elastic",
        description="Name of the cluster; the Services are called `<name>-master` and "
        "`<name>-master-headless`. For an external Elasticsearch the host is `<name>-master`.",
    )
    es_java_opts: Text = Field(
        default="-Xmx2g -Xms2g", description="Options of the Java VM, the heap size among them."
    )
    extra_envs: Annotated[ExtraEnvs, DEFAULT_SETTINGS] = Field(
        default=[
            {"name": name, "value": value} for name, value in DEFAULT_SETTINGS.defaults.items()
        ],
        validate_default=True,
        description="Environment variables, which Elasticsearch takes as settings; yours are "
        "added, one of the same name replaces ours, and one whose value is null takes it away.",
    )
    resources: Annotated[Resources, over(DEFAULT_RESOURCES)] = Field(
        default=DEFAULT_RESOURCES,
        validate_default=True,
        description="Resource requests and limits of each node.",
    )
    persistence: Section[ElasticsearchPersistence] = section()
    volume_claim_template: Section[VolumeClaimTemplate] = section()
    es_config: Annotated[dict[Readable, Readable], over(DEFAULT_ES_CONFIG)] = Field(
        default=DEFAULT_ES_CONFIG,
        description="Files for Elasticsearch's configuration directory, by name.",
    )
    external: Section[ElasticsearchExternal] = section()
    metrics: Section[ElasticsearchMetrics] = section()
    sysctl_init_container: Section[SysctlInitContainer] = section()
    image: OptionalImageRepository = Field(
        default="",
        description="Repository of the Elasticsearch image; empty means the one that goes with "
        "clearml.version.",
    )
    image_tag: OptionalImageTag = Field(
        default="",
        description="Tag of the Elasticsearch image; empty means the one that goes with "
        "clearml.version.",
    )
    image_registry: OptionalImageRegistry = Field(
        default="",
        description="Registry of this image alone; empty means that of `global.imageRegistry`, or "
        "what the repository begins with.",
    )
    image_digest: ImageDigest = Field(
        default="",
        description="Digest of the image, `sha256:` and 64 hexadecimal digits; it counts more than "
        "the tag.",
    )
    image_pull_policy: PullPolicy = Field(
        default="IfNotPresent", description="When the kubelet pulls the image."
    )
    node_affinity: NodeAffinity = Field(
        default=None, description="Node affinity of Elasticsearch's pods."
    )

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the embedded Elasticsearch."""
        return self.image_section.pulled(self.image_pull_secrets, generation.elasticsearch)

    @property
    def has_address(self) -> bool:
        """Whether there are hosts, or the name of the cluster that the host is called after."""
        return bool(self.external.hosts) or "cluster_name" in self.model_fields_set

    @property
    def image_section(self) -> Image:
        """The image as the other sections spell it."""
        given = {name for name, flat in FLAT_IMAGE.items() if flat in self.model_fields_set}
        fields = {name: getattr(self, flat) for name, flat in FLAT_IMAGE.items()}
        return Image.model_construct(given, **fields)

    @property
    def volume(self) -> StorePersistence:
        """The volume of each node as the other stores spell it."""
        template = self.volume_claim_template
        return StorePersistence.default(
            enabled=self.persistence.enabled,
            access_modes=template.access_modes,
            size=template.resources.requests.storage,
            storage_class=template.storage_class_name,
            annotations=self.persistence.annotations,
        )

    def removed_settings(self, generation: Generation) -> list[str]:
        """Those of the variables that are settings which the image's Elasticsearch refuses."""
        version = number(self.image_tag) or number(generation.elasticsearch.tag)
        removed = {
            name
            for since, names in REMOVED_SETTINGS.items()
            if version and version[0] >= since
            for name in names
        }
        return [variable.name for variable in self.extra_envs if variable.name in removed]

    def refused_settings(self, generation: Generation) -> list[str]:
        """Those of them that the values ask for themselves."""
        given = [
            v.name for v in self.extra_envs if not any(v is d for d in DEFAULT_SETTINGS.variables)
        ]
        return [name for name in self.removed_settings(generation) if name in given]

    def as_pod(self, generation: Generation) -> Self:
        """The same as other pods spell it: `nodeAffinity` in `affinity`, no refused settings."""
        removed = self.removed_settings(generation)
        kept = [variable for variable in self.extra_envs if variable.name not in removed]
        if self.node_affinity is None:
            return self.model_copy(update={"extra_envs": kept})
        from cdk8s_plus_25 import k8s

        from config.types.structs import overlaid

        affinity = overlaid(k8s.Affinity(node_affinity=self.node_affinity), self.affinity)
        return self.model_copy(update={"extra_envs": kept, "affinity": affinity})

    @property
    def affinity_to_nodes(self) -> Any:
        """The node affinity of the pods, under either key."""
        return self.node_affinity or super().affinity_to_nodes

    @property
    def fewest(self) -> int:
        """How many pods there are at least."""
        return self.replicas

    @property
    def protected_nodes(self) -> int:
        """Nodes that a drain must leave running: a majority at least, or no master is elected."""
        return max(self.minimum_master_nodes, self.replicas // 2 + 1)

    def mistakes(self) -> Iterator[Mistake]:
        """More nodes that must stay than there are, and files that a ConfigMap cannot hold."""
        yield from super().mistakes()
        yield from digest_mistakes(self.image_tag, self.image_digest, "imageDigest")
        if self.node_affinity and self.affinity and self.affinity.node_affinity:
            yield Mistake(("nodeAffinity",), "is in affinity too: keep one of the two")
        if self.external.hosts and self.source != "external":
            yield Mistake(("external",), "is read only with provider external")
        if self.source == "imported" and self.metrics.enabled:
            yield Mistake(("metrics", "enabled"), "is not supported: the chart has none", True)
        if self.source == "imported" and (self.model_extra or {}).get("createCert"):
            yield Mistake(("createCert",), "is not supported: the servers would not use it", True)
        if self.source == "imported" and self.chart_section("secret").get("enabled"):
            yield Mistake(("secret", "enabled"), "is not supported: the servers would not use it")
        if self.source == "embedded" and self.minimum_master_nodes > self.replicas:
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
