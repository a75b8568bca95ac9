"""What the three servers have in common."""

from pydantic import Field

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
