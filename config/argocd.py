"""What Argo CD is told about the objects."""

from pydantic import Field

from config.types.model import Model


class Argocd(Model):
    """Annotations for Argo CD."""

    sync_waves: bool = Field(
        default=False,
        description="Whether Argo CD applies the files one after the other, by their numbers.",
    )
