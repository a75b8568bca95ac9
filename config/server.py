"""What the three servers have in common."""

from pydantic import Field

from config.generation import Generation
from config.image import PulledImage, ServerImage
from config.ingress import ServerIngress
from config.pod import Deployment
from config.service import Service
from config.types.model import Section, section


class Server(Deployment):
    """A server, which may be somewhere else."""

    enabled: bool = Field(
        default=True, description="Whether the server is installed; false: it is elsewhere."
    )
    service: Section[Service]
    ingress: Section[ServerIngress] = section()
    image: Section[ServerImage] = section()

    def pulled_image(self, generation: Generation) -> PulledImage:
        """The image of the server; what the values leave empty is the generation's."""
        return self.image.pulled(self.image_pull_secrets, generation.server)
