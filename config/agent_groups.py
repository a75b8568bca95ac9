"""The agent groups: any number of Deployments of agents, each for its own queues."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from config.agent import Agent
from config.image import Image
from config.types.kubernetes import Count, DnsLabel, ImageRepository, ImageTag, Replicas
from config.types.model import Mistake, Section, refuse, section
from config.types.scalars import Secret, Text, readable

DEFAULT_GROUP = "agent-group0"


class AgentGroupImage(Image):
    """The image that the agents of a group run in."""

    repository: ImageRepository = Field(
        default="nvidia/cuda", description="Repository of the image that tasks run in."
    )
    tag: ImageTag = Field(
        default="11.0-base-ubuntu18.04", description="Tag of the image that tasks run in."
    )


def _queues(queues: str) -> str:
    if not queues.split():
        raise ValueError("must name at least one queue")
    if any(queue.startswith("-") for queue in queues.split()):
        raise ValueError("a queue's name must not start with '-'")
    for queue in queues.split():
        readable(queue)
    return queues


class AgentGroup(Agent):
    """A group of equal agents."""

    enabled: bool = Field(default=True, description="Whether the group is installed.")
    name: DnsLabel = Field(
        description="Name of the group, part of its objects' names; by default its key."
    )
    queues: Annotated[Text, AfterValidator(_queues)] = Field(
        default="default",
        description="Queues that the agents take tasks from, most important first, separated by "
        "spaces.",
    )
    nvidia_gpus_per_agent: Count = Field(
        default=1, description="NVIDIA GPUs of each agent; 0 asks for none."
    )
    clearml_access_key: Secret | None = Field(
        default=None,
        description="Access key that the group's agents use; unset, the agents' own credential.",
    )
    clearml_secret_key: Secret | None = Field(
        default=None, description="Secret key that belongs to clearmlAccessKey."
    )
    clearml_config: Text = Field(
        default="sdk {\n}",
        description="Content of the agents' clearml.conf, mounted at /root/clearml.conf.",
    )
    replica_count: Replicas = Field(default=0, description="Number of agents in the group.")
    image: Section[AgentGroupImage] = section()

    def mistakes(self) -> Iterator[Mistake]:
        """One key of the pair without the other."""
        yield from super().mistakes()
        pair = {
            "clearmlAccessKey": self.clearml_access_key,
            "clearmlSecretKey": self.clearml_secret_key,
        }
        missing = [key for key, given in pair.items() if given is None]
        if len(missing) == 1:
            yield Mistake((missing[0],), "is needed by the other key of the pair")


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
