"""The agent services: an agent for the `services` queue (pipelines, autoscalers, clean-up)."""

from pydantic import Field

from config.agent import Agent
from config.agent_queues import Queues
from config.claim import Storage
from config.generation import Generation
from config.image import Image, PulledImage
from config.types.kubernetes import OptionalImageRepository, OptionalImageTag, Replicas
from config.types.model import Section, section
from config.types.scalars import NonEmpty, OneLine, Text


class AgentServicesImage(Image):
    """The image of the agent services."""

    repository: OptionalImageRepository = Field(
        default="",
        description="Repository of the image; empty means the one that goes with clearml.version.",
    )
    tag: OptionalImageTag = Field(
        default="",
        description="Tag of the image; empty means the one that goes with clearml.version.",
    )


class AgentServices(Agent):
    """An agent for the `services` queue, which runs many light tasks side by side."""

    enabled: bool = Field(default=True, description="Whether agent services are installed.")
    queues: Queues = Field(
        default="services",
        description="Queues that the agent takes tasks from, most important first: a list, or "
        "names separated by spaces.",
    )
    create_queue: bool = Field(
        default=True, description="Whether the agent makes the queues that the server lacks."
    )
    clearml_config: Text = Field(
        default="",
        description="Content of the agent's clearml.conf, mounted at /root/clearml.conf.",
    )
    clearml_host_ip: OneLine | None = Field(
        default=None,
        description="Address of the server, passed on to tasks as CLEARML_HOST_IP; the agent does "
        "not read it.",
    )
    default_base_docker: OneLine | None = Field(
        default=None,
        description="Container image, passed on to tasks as CLEARML_AGENT_DEFAULT_BASE_DOCKER; the "
        "agent, which runs tasks without docker, does not read it.",
    )
    clearml_worker_id: NonEmpty = Field(
        default="clearml-services", description="Name of the worker in the user interface."
    )
    replica_count: Replicas = Field(default=1, description="Number of agent services pods.")
    image: Section[AgentServicesImage] = section()
    storage: Section[Storage] = section()

    @property
    def on_one_node(self) -> bool:
        """Whether the pods share a volume that one node alone can mount."""
        return self.storage.single_node

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the main container; what the values leave empty is the generation's."""
        return self.image.pulled(self.image_pull_secrets, generation.agent_services)
