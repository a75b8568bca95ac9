"""What agent services and agent groups have in common."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field
from pydantic.alias_generators import to_snake

from config.agent_queues import Queues
from config.agent_ssh import GitSsh
from config.pod import Deployment, default_resources
from config.types.fragment import Resources
from config.types.kubernetes import DNS_SUBDOMAIN, SecretKey, StorageSize
from config.types.model import Mistake, Section, did_you_mean, section
from config.types.scalars import (
    CONTROL,
    WITHOUT_COLON,
    OneLine,
    Password,
    Readable,
    Secret,
    Text,
    Token,
    matching,
)

VERSION_CLAUSE = r"(===?|~=|!=|[<>]=?) *[0-9A-Za-z.*+!_-]+"
VersionSpecifier = Annotated[
    Text,
    matching(
        rf"^$|^{VERSION_CLAUSE}( *, *{VERSION_CLAUSE})*$",
        'must be a version with its comparison, such as "==1.9.2" or ">=0.16.1"',
    ),
]


def _port_in_range(url: str) -> str:
    port = re.search(r":([0-9]+)(/|$)", url)
    if port and not 1 <= int(port[1]) <= 65535:
        raise ValueError("must have a port of 1 to 65535")
    return url


ServerUrl = Annotated[
    Text,
    matching(
        r"^$|^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[-A-Za-z0-9._~/]*)?$",
        "must be a URL such as https://api.clearml.example.com",
    ),
    AfterValidator(_port_in_range),
]
AccessKey = Annotated[Token, WITHOUT_COLON]

# Values that may come from an existing Secret.
FROM_SECRETS = (
    "clearmlAccessKey",
    "clearmlSecretKey",
    "clearmlGitUser",
    "clearmlGitPassword",
    "awsAccessKeyId",
    "awsSecretAccessKey",
    "azureStorageAccount",
    "azureStorageKey",
    "googleCredentials",
    "clearmlConfig",
)


RESOURCES: Any = {"requests": {"cpu": "100m", "memory": "256Mi"}}


class Agent(Deployment):
    """A Deployment of ClearML agents."""

    without: ClassVar[Sequence[str]] = ("livenessProbe", "startupProbe")

    resources: Resources = default_resources(RESOURCES)
    agent_version: VersionSpecifier = Field(
        default="",
        description='Version of the clearml-agent package with its comparison, such as ">=0.16.1"; '
        "empty takes what the image has, or else what goes with clearml.version. Where the "
        "image lacks it, pip installs it into the system's Python "
        "(PIP_BREAK_SYSTEM_PACKAGES is 1).",
    )
    setup_script: Text = Field(
        default="",
        description="Script that runs in the container before the agent: of sh, or of what its "
        "`#!` names. If it fails, no agent starts.",
    )
    queues: Queues
    create_queue: bool
    clearml_access_key: AccessKey | None = Field(
        default=None,
        description="Access key that these agents use; unset, the agents' own credential.",
    )
    clearml_secret_key: Token | None = Field(
        default=None, description="Secret key that belongs to clearmlAccessKey."
    )
    clearml_git_user: Password | None = Field(
        default=None, description="User that the agents clone Git repositories as."
    )
    clearml_git_password: Password | None = Field(
        default=None, description="Password or token of that Git user; kept in a Secret."
    )
    git_ssh: Section[GitSsh] = section()
    aws_access_key_id: Token | None = Field(
        default=None, description="AWS access key for S3; kept in a Secret."
    )
    aws_secret_access_key: Token | None = Field(
        default=None, description="AWS secret key for S3; kept in a Secret."
    )
    aws_default_region: OneLine | None = Field(default=None, description="AWS region for S3.")
    azure_storage_account: Token | None = Field(
        default=None, description="Azure storage account; kept in a Secret."
    )
    azure_storage_key: Token | None = Field(
        default=None, description="Key of the Azure storage account; kept in a Secret."
    )
    google_credentials: Secret | None = Field(
        default=None,
        description="Google credentials: a path in the container, or the JSON document itself, "
        "which is then mounted from a Secret.",
    )
    clearml_config: Text
    existing_secrets: dict[Readable, dict[Readable, SecretKey]] = Field(
        default={},
        description="Secrets of your own by name; each maps values, such as clearmlGitUser, "
        "googleCredentials or clearmlConfig, to the keys that hold them instead.",
    )
    clearml_api_host: ServerUrl = Field(
        default="",
        description="URL of the API server that the agents talk to; empty, that of its Service.",
    )
    clearml_web_host: OneLine | None = Field(
        default=None,
        description="URL of the web server that tasks report; unset, the web server's Service.",
    )
    clearml_files_host: OneLine | None = Field(
        default=None,
        description="URL of the file server that tasks upload to; unset, the server's Service.",
    )
    shm_size: StorageSize | None = Field(
        default=None,
        description="Size of /dev/shm, which counts as memory of the container; unset, 64Mi.",
    )
    privileged: bool = Field(
        default=False,
        description="Whether the agents' containers run privileged; a GPU does not need it.",
    )

    @property
    def queue_names(self) -> list[str]:
        """The queues, most important first."""
        return self.queues.split() if isinstance(self.queues, str) else self.queues

    @property
    def existing_keys(self) -> dict[str, tuple[str, str]]:
        """Secret and key that hold a value instead, by the value's name as in YAML."""
        return {
            value: (secret, key)
            for secret, keys in self.existing_secrets.items()
            for value, key in keys.items()
        }

    @property
    def has_credential(self) -> bool:
        """Whether the agents have a credential of their own for the API server."""
        return bool(self.clearml_access_key) or "clearmlAccessKey" in self.existing_keys

    @property
    def google_document(self) -> str:
        """The Google credentials in clear text; empty if they are the path of a file."""
        given = self.google_credentials.get_secret_value() if self.google_credentials else ""
        return given if given.lstrip().startswith("{") else ""

    def mistakes(self) -> Iterator[Mistake]:
        """Secrets that cannot be had, and SSH keys that SSH refuses."""
        yield from super().mistakes()
        yield from self._existing_secrets()
        pair = ("clearmlAccessKey", "clearmlSecretKey")
        missing = [
            key for key in pair if key not in self.existing_keys and self._given(key) is None
        ]
        if len(missing) == 1:
            yield Mistake((missing[0],), "is needed by the other key of the pair")
        google = self.google_credentials
        if google and not self.google_document and CONTROL.search(google.get_secret_value()):
            yield Mistake(("googleCredentials",), "must have no control characters")
        yield from self._readable_key()

    def _existing_secrets(self) -> Iterator[Mistake]:
        for secret, keys in self.existing_secrets.items():
            if not re.fullmatch(DNS_SUBDOMAIN, secret):
                yield Mistake(("existingSecrets", secret), "cannot be the name of a Secret")
            for value, key in keys.items():
                path = ("existingSecrets", secret, value)
                if value not in FROM_SECRETS:
                    near = did_you_mean(value, FROM_SECRETS)
                    others = f"; those are {', '.join(FROM_SECRETS)}"
                    yield Mistake(path, f"is no secret value{near or others}")
                elif to_snake(value) in self.model_fields_set and self._given(value):
                    yield Mistake(path, f"excludes {value}: keep one of the two", key)
                elif self.existing_keys[value] != (secret, key):
                    yield Mistake(path, "is taken from another Secret too", key)

    def _readable_key(self) -> Iterator[Mistake]:
        pod, container = self.pod_security_context, self.container_security_context
        group = pod.fs_group if pod else None
        user = (container and container.run_as_user) or (pod and pod.run_as_user)
        if self.git_ssh.has_key and group is not None and not user:
            yield Mistake(
                ("podSecurityContext", "fsGroup"),
                "does not go with gitSsh: root's SSH refuses keys that a group may read",
                group,
            )

    def _given(self, value: str) -> object:
        return getattr(self, to_snake(value))
