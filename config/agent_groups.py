"""The agent groups: any number of Deployments of agents, each for its own queues."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from config.agent import Agent
from config.agent_queues import Queues
from config.claim import Storage
from config.generation import Generation
from config.image import Image, PulledImage
from config.types.kubernetes import (
    QUALIFIED_NAME,
    Count,
    DnsLabel,
    OptionalImageRepository,
    OptionalImageTag,
    Replicas,
    StorageSize,
)
from config.types.model import Mistake, Section, refuse, section
from config.types.scalars import Text, matching

DEFAULT_GROUP = "agent-group0"

ExtendedResource = Annotated[
    Text,
    matching(
        rf"(?!requests\.|(.*\.)?kubernetes\.io/)(?=.*/){QUALIFIED_NAME}",
        "must be a resource of a device plugin, such as nvidia.com/gpu",
    ),
]


class AgentGroupImage(Image):
    """The image that the agents of a group run in."""

    repository: OptionalImageRepository = Field(
        default="",
        description="Repository of the image that tasks run in; empty means the one that goes with "
        "clearml.version.",
    )
    tag: OptionalImageTag = Field(
        default="",
        description="Tag of the image that tasks run in; empty means the one that goes with "
        "clearml.version.",
    )


class AgentGroupStorage(Storage):
    """The volume at /root/.clearml, where the agents keep what they fetched and installed."""

    enabled: bool = Field(
        default=False,
        description="Whether the agents' caches outlive the pods, on a claim; otherwise they go "
        "with them.",
    )
    size_limit: StorageSize | None = Field(
        default=None, description="Size of all that an agent may keep where there is no claim."
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Settings of what is not there."""
        yield from super().mistakes()
        if self.data.model_fields_set and "enabled" not in self.model_fields_set:
            yield Mistake(("enabled",), "must be true for storage.data to have an effect")
        if self.enabled and self.size_limit:
            yield Mistake(("sizeLimit",), "is for caches without a claim", self.size_limit)


class AgentGroup(Agent):
    """A group of equal agents."""

    enabled: bool = Field(default=True, description="Whether the group is installed.")
    name: DnsLabel = Field(
        description="Name of the group, part of its objects' names; by default its key."
    )
    queues: Queues = Field(
        default="default",
        description="Queues that the agents take tasks from, most important first: a list, or "
        "names separated by spaces.",
    )
    create_queue: bool = Field(
        default=False, description="Whether the agents make the queues that the server lacks."
    )
    nvidia_gpus_per_agent: Count = Field(
        default=1, description="GPUs of each agent; 0 asks for none."
    )
    gpu_resource: ExtendedResource = Field(
        default="nvidia.com/gpu",
        description="What such a GPU is to Kubernetes: the resource of a device plugin, such as "
        "nvidia.com/mig-1g.5gb or amd.com/gpu.",
    )
    clearml_config: Text = Field(
        default="sdk {\n}",
        description="Content of the agents' clearml.conf, mounted at /root/clearml.conf.",
    )
    replica_count: Replicas = Field(default=0, description="Number of agents in the group.")
    image: Section[AgentGroupImage] = section()

    storage: Section[AgentGroupStorage] = section()

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the main container; what the values leave empty is the generation's."""
        return self.image.pulled(self.image_pull_secrets, generation.agent_group)

    @property
    def on_one_node(self) -> bool:
        """Whether the pods share a volume that one node alone can mount."""
        return self.storage.single_node

    def mistakes(self) -> Iterator[Mistake]:
        """A volume of one node for agents on several."""
        yield from super().mistakes()
        if self.replica_count > 1 and self.on_one_node:
            yield Mistake(
                ("replicaCount",),
                "several agents cannot share a ReadWriteOnce volume; set "
                "storage.data.accessModes to [ReadWriteMany]",
                self.replica_count,
            )


def _named_by_key(raw: object) -> object:
    if not isinstance(raw, dict):
        return raw
    groups: dict[Any, Any] = {DEFAULT_GROUP: AgentGroup.default(name=DEFAULT_GROUP)} | raw
    return {
        key: {"name": key} | group if isinstance(group, dict) else group
        for key, group in groups.items()
    }


def _unique_names(groups: dict[str, AgentGroup]) -> dict[str, AgentGroup]:
    first: dict[str, str] = {}
    refuse(
        Mistake((key, "name"), f"is the name of agentGroups.{first[group.name]} too", group.name)
        for key, group in groups.items()
        if first.setdefault(group.name, key) != key
    )
    return groups


AgentGroups = Annotated[
    dict[str, Section[AgentGroup]], BeforeValidator(_named_by_key), AfterValidator(_unique_names)
]
