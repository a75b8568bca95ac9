"""What agent services and agent groups have in common: how a ClearML agent is started and told."""

from collections.abc import Sequence

from cdk8s_plus_25 import k8s
from pydantic import SecretStr

from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import SecretRef
from clearml_k8s.parts.need import ServerAddresses
from config.agent import Agent

HOME = "/root"

# The version and the daemon's options arrive as a variable and as arguments: no shell parses them.
START = """\
set -eu
if [ -n "${AGENT_VERSION:-}" ] || ! command -v clearml-agent >/dev/null; then
  if ! python3 -m pip --version >/dev/null 2>&1 || ! command -v git >/dev/null; then
    apt-get update
    apt-get install -y --no-install-recommends curl git python3-pip
  fi
  python3 -m pip install --upgrade pip
  python3 -m pip install "clearml-agent${AGENT_VERSION:-%s}"
fi
exec clearml-agent daemon --foreground "$@"
"""


def start_command(default_version: str) -> list[str]:
    """Command that installs the agent where needed and runs its daemon with the arguments."""
    return ["/bin/sh", "-c", START % default_version, "clearml-agent"]


def secret_content(values: Agent) -> dict[str, str]:
    """The agent's own secrets, those that are set, by the variable that carries each."""
    secrets = {
        "CLEARML_AGENT_GIT_USER": values.clearml_git_user,
        "CLEARML_AGENT_GIT_PASS": values.clearml_git_password,
        "AWS_ACCESS_KEY_ID": values.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": values.aws_secret_access_key,
        "AZURE_STORAGE_ACCOUNT": values.azure_storage_account,
        "AZURE_STORAGE_KEY": values.azure_storage_key,
    }
    return revealed(secrets)


def revealed(secrets: dict[str, SecretStr | None]) -> dict[str, str]:
    """The secrets that are set, in clear text, for the content of a Secret."""
    return {name: value.get_secret_value() for name, value in secrets.items() if value is not None}


def security_context(values: Agent) -> k8s.SecurityContext | None:
    """The security context of an agent's container, unless the values say more."""
    return k8s.SecurityContext(privileged=True) if values.privileged else None


def environment_of(
    values: Agent,
    servers: ServerAddresses,
    credentials: SecretRef,
    own: SecretRef | None,
    keys: Sequence[str],
) -> dict[str, EnvValue]:
    """The variables of an agent; `keys` are those of its own Secret that are variables."""
    return {
        "CLEARML_API_HOST": servers.inside("apiserver"),
        # These two end up in links that people open.
        "CLEARML_WEB_HOST": values.clearml_web_host or servers.outside("webserver"),
        "CLEARML_FILES_HOST": values.clearml_files_host or servers.outside("fileserver"),
        "CLEARML_API_ACCESS_KEY": credentials.key("services_agent_key"),
        "CLEARML_API_SECRET_KEY": credentials.key("services_agent_secret"),
        "AGENT_VERSION": values.agent_version or None,
        # Pythons of Debian 12, Ubuntu 24.04 and later refuse without it.
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
        "AWS_DEFAULT_REGION": values.aws_default_region,
        **({key: own.key(key) for key in keys} if own else {}),
    }
