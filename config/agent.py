"""What agent services and agent groups have in common."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field
from pydantic.alias_generators import to_snake

from config.generation import DEFAULT_GENERATION
from config.pod import Deployment
from config.types.model import Mistake
from config.types.scalars import OneLine, Secret, Text, matching

VERSION_CLAUSE = r"(===?|~=|!=|[<>]=?) *[0-9A-Za-z.*+!_-]+"
VersionSpecifier = Annotated[
    Text,
    matching(
        rf"^$|^{VERSION_CLAUSE}( *, *{VERSION_CLAUSE})*$",
        'must be a version with its comparison, such as "==1.9.2" or ">=0.16.1"',
    ),
]


class Agent(Deployment):
    """A Deployment of ClearML agents."""

    agent_version: VersionSpecifier = Field(
        default="",
        description='Version of the clearml-agent package with its comparison, such as ">=0.16.1"; '
        f"empty takes what the image has, or else {DEFAULT_GENERATION.agent_version}. Where the "
        "image lacks it, pip installs it into the system's Python "
        "(PIP_BREAK_SYSTEM_PACKAGES is 1).",
    )
    clearml_git_user: Secret | None = Field(
        default=None, description="User that the agents clone Git repositories as."
    )
    clearml_git_password: Secret | None = Field(
        default=None, description="Password or token of that Git user; kept in a Secret."
    )
    aws_access_key_id: Secret | None = Field(
        default=None, description="AWS access key for S3; kept in a Secret."
    )
    aws_secret_access_key: Secret | None = Field(
        default=None, description="AWS secret key for S3; kept in a Secret."
    )
    aws_default_region: OneLine | None = Field(default=None, description="AWS region for S3.")
    azure_storage_account: Secret | None = Field(
        default=None, description="Azure storage account; kept in a Secret."
    )
    azure_storage_key: Secret | None = Field(
        default=None, description="Key of the Azure storage account; kept in a Secret."
    )
    clearml_web_host: OneLine | None = Field(
        default=None,
        description="URL of the web server that tasks report; unset, the web server's Service.",
    )
    clearml_files_host: OneLine | None = Field(
        default=None,
        description="URL of the file server that tasks upload to; unset, the server's Service.",
    )
    privileged: bool = Field(
        default=False,
        description="Whether the agents' containers run privileged; a GPU does not need it.",
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Timings of probes that agents do not have."""
        yield from super().mistakes()
        for key in ("livenessProbe", "readinessProbe", "startupProbe"):
            timing = getattr(self, to_snake(key)).timing
            if timing:
                yield Mistake((key,), "agents have no such probe")
