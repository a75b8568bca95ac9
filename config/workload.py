"""What every ClearML workload can be told: where it runs, with what, and what its pods carry."""

from pydantic import Field

from config.types.fragment import (
    Affinity,
    ExtraEnvs,
    PodSecurityContext,
    Resources,
    SecurityContext,
    Tolerations,
    VolumeMounts,
    Volumes,
)
from config.types.kubernetes import (
    AccessModes,
    Annotations,
    DnsSubdomain,
    NodePort,
    NodeSelector,
    Port,
    PullPolicy,
    ServiceType,
    StorageClass,
    StorageSize,
)
from config.types.model import Model
from config.types.scalars import NonEmpty


class Image(Model):
    """A container image."""

    repository: NonEmpty = Field(description="Image repository, with the registry if need be.")
    tag: NonEmpty = Field(description="Image tag.")
    pull_policy: PullPolicy = Field(
        default="IfNotPresent", description="When the kubelet pulls the image."
    )

    @property
    def reference(self) -> str:
        """`repository:tag`, or `repository@digest` when the tag is a digest."""
        separator = "@" if self.tag.startswith("sha256:") else ":"
        return f"{self.repository}{separator}{self.tag}"


class ServerImage(Image):
    """The image that holds the three ClearML servers."""

    repository: NonEmpty = Field(
        default="allegroai/clearml", description="Repository of the ClearML server image."
    )
    tag: NonEmpty = Field(default="1.0.2", description="Tag of the ClearML server image.")


class Scheduling(Model):
    """Which nodes the pods may run on."""

    node_selector: NodeSelector = Field(
        default={}, description="Labels that a node must have to run the pods."
    )
    tolerations: Tolerations = Field(default=[], description="Taints that the pods tolerate.")
    affinity: Affinity = Field(
        default=None, description="Node and pod affinity of the pods, as Kubernetes spells it."
    )


class Workload(Scheduling):
    """A Deployment of one main container."""

    extra_envs: ExtraEnvs = Field(
        default=[],
        description="More environment variables; one of the same name replaces ours.",
    )
    pod_annotations: Annotations = Field(default={}, description="Annotations of the pods.")
    resources: Resources = Field(
        default=None, description="Resource requests and limits of the main container."
    )
    image_pull_secrets: list[DnsSubdomain] = Field(
        default=[], description="Names of Secrets that hold credentials for the image registry."
    )
    pod_security_context: PodSecurityContext = Field(
        default=None, description="Security context of the pods."
    )
    container_security_context: SecurityContext = Field(
        default=None, description="Security context of the main container."
    )
    additional_volumes: Volumes = Field(
        default=[], description="More volumes for the pods, as Kubernetes spells them."
    )
    additional_volume_mounts: VolumeMounts = Field(
        default=[], description="More volume mounts for the main container."
    )


class Service(Model):
    """A Service in front of a server."""

    type: ServiceType = Field(
        default="NodePort", description="Type of the Service: ClusterIP, NodePort or LoadBalancer."
    )
    port: Port
    node_port: NodePort

    @property
    def published_node_port(self) -> int | None:
        """The node port to ask for; None where the type has none or the cluster may choose."""
        return self.node_port if self.type != "ClusterIP" and self.node_port else None


class Claim(Model):
    """A PersistentVolumeClaim."""

    class_: StorageClass = Field(
        default="standard",
        alias="class",
        description="Storage class; empty leaves the choice to the cluster's default class.",
    )
    size: StorageSize
    access_modes: AccessModes = Field(
        default=["ReadWriteOnce"], description="Access modes of the claim."
    )

    @property
    def single_node(self) -> bool:
        """Whether only the pods of one node can mount the volume."""
        return not {"ReadWriteMany", "ReadOnlyMany"} & set(self.access_modes)


class LargeClaim(Claim):
    """A claim for data that grows."""

    size: StorageSize = Field(default="50Gi", description="Size of the volume.")
