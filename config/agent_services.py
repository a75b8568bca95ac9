"""The agent services: an agent for the `services` queue (pipelines, autoscalers, clean-up)."""

from collections.abc import Iterator

from pydantic import Field

from config.agent import Agent
from config.claim import Storage
from config.generation import DEFAULT_GENERATION
from config.image import Image
from config.types.kubernetes import ImageRepository, ImageTag, Replicas
from config.types.model import Mistake, Section, section
from config.types.scalars import CONTROL, NonEmpty, OneLine, Secret


class AgentServicesImage(Image):
    """The image of the agent services."""

    repository: ImageRepository = Field(
        default=DEFAULT_GENERATION.agent_services.repository, description="Repository of the image."
    )
    tag: ImageTag = Field(
        default=DEFAULT_GENERATION.agent_services.tag, description="Tag of the image."
    )


class AgentServices(Agent):
    """An agent for the `services` queue, which runs many light tasks side by side."""

    enabled: bool = Field(default=True, description="Whether agent services are installed.")
    clearml_host_ip: OneLine | None = Field(
        default=None,
        description="Address of the server, passed on to tasks as CLEARML_HOST_IP; the agent does "
        "not read it.",
    )
    google_credentials: Secret | None = Field(
        default=None,
        description="Google credentials: a path in the container, or the JSON document itself, "
        "which is then mounted from a Secret.",
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

    def mistakes(self) -> Iterator[Mistake]:
        """A path to credentials that no variable can hold."""
        yield from super().mistakes()
        google = self.google_credentials.get_secret_value() if self.google_credentials else ""
        if not google.lstrip().startswith("{") and CONTROL.search(google):
            yield Mistake(("googleCredentials",), "must have no control characters")

    @property
    def on_one_node(self) -> bool:
        """Whether the pods share a volume that one node alone can mount."""
        return self.storage.single_node
