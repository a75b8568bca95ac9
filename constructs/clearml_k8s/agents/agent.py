"""What agent services and agent groups have in common: how a ClearML agent is started and told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agents.secrets import (
    CONFIG_FILE,
    GOOGLE_KEY_FILE,
    SETUP_SCRIPT,
    AgentSecrets,
    agent_secrets,
)
from clearml_k8s.agents.ssh import ssh_environment, ssh_volume
from clearml_k8s.credentials import CredentialRefs
from clearml_k8s.parts.container import Container, confined
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.need import ANYWHERE, Need, OtherServer, ServerAddresses
from clearml_k8s.parts.probe import exec_probe
from clearml_k8s.parts.workload import Placed, Workload, deployment
from clearml_k8s.programs import shell
from config.agent import Agent
from config.generation import Generation
from config.image import PulledImage
from config.types.structs import quantity

HOME = "/root"
CACHES = f"{HOME}/.clearml"
GOOGLE_DIR = "/etc/clearml-google"
SETUP_DIR = "/etc/clearml-setup"

# What tasks may need, which are anybody's programs: package managers, a server for SSH.
OF_TASKS = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)
SETUP = f"{SETUP_DIR}/{SETUP_SCRIPT}"
SSH_CLIENT = """\
if ! command -v ssh >/dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends openssh-client
fi"""
# The version and the daemon's options arrive as a variable and as arguments: no shell parses them.
AGENT = """\
if [ -n "${AGENT_VERSION:-}" ] || ! command -v clearml-agent >/dev/null; then
  if ! python3 -m pip --version >/dev/null 2>&1 || ! command -v git >/dev/null; then
    apt-get update
    apt-get install -y --no-install-recommends curl git python3-pip
  fi
  python3 -m pip install --upgrade pip
  if [ -n "${AGENT_VERSION:-}" ]; then
    python3 -m pip install "clearml-agent$AGENT_VERSION"
  else
    python3 -m pip install %s
  fi
fi"""
DAEMON = 'exec clearml-agent daemon --foreground "$@"'
# The shell that installs has become the daemon.
RUNS = '[ "$(cat /proc/1/comm)" != sh ]'


class Mounted(NamedTuple):
    """A volume, and where the agent finds it."""

    volume: k8s.Volume
    mount: k8s.VolumeMount

    @classmethod
    def at(cls, path: str, volume: k8s.Volume, **options: Any) -> Self:
        """The volume, mounted at the path; `options` are those of a VolumeMount."""
        return cls(volume, k8s.VolumeMount(name=volume.name, mount_path=path, **options))


class AgentMaker(NamedTuple):
    """Makes Deployments of agents that share the servers of an installation."""

    generation: Generation
    servers: ServerAddresses
    credentials: CredentialRefs
    wait_image: PulledImage

    def make(
        self,
        scope: Construct,
        component: Component,
        values: Agent,
        *,
        name: str,
        args: Sequence[str],
        environment: Mapping[str, EnvValue] | None = None,
        caches: Sequence[Mounted] = (),
        resources: k8s.ResourceRequirements | None = None,
        prefix: str = "",
    ) -> Placed:
        """Make Deployment and Secret of the component; no Secret without content.

        `name` is that of the container, `args` are the daemon's; the ids of the two begin with
        `prefix`.
        """
        secrets = agent_secrets(scope, component, values, id=f"{prefix}secret")
        mounted = [*caches, *_files(values, secrets)]
        workload = Workload(
            component=component,
            needs=self._needs(values),
            peers=[ANYWHERE],  # code, packages, data of tasks
            wait_image=self.wait_image,
            volumes=[volume for volume, _ in mounted],
            main=Container(
                name=name,
                image=values.pulled_image(self.generation),
                command=_start_command(values, self.generation),
                args=args,
                env={
                    **_environment_of(values, self.servers, self.credentials, secrets),
                    **(environment or {}),
                    "GOOGLE_APPLICATION_CREDENTIALS": _google_path(values, secrets),
                },
                readiness=exec_probe("sh", "-c", RUNS, period_seconds=10),
                mounts=[mount for _, mount in mounted],
                resources=resources,
                security_context=k8s.SecurityContext(privileged=True)
                if values.privileged
                else confined(*OF_TASKS),
            ),
        )
        return deployment(
            scope, workload, values, replicas=values.replica_count, id=f"{prefix}deployment"
        )

    def _needs(self, values: Agent) -> Mapping[str, Need]:
        if not values.clearml_api_host:
            return self.servers.needs
        return {**self.servers.needs, "apiserver": OtherServer(values.clearml_api_host)}


def _start_command(values: Agent, generation: Generation) -> list[str]:
    """Command that installs what is missing and runs the agent's daemon with the arguments."""
    steps = [
        "set -eu",
        *([SETUP] if values.setup_script else []),
        *([SSH_CLIENT] if values.git_ssh.has_key else []),
        AGENT % _requirements(generation),
    ]
    return ["/bin/sh", "-c", shell("\n".join(steps)) + DAEMON, "clearml-agent"]


def _requirements(generation: Generation) -> str:
    """What pip installs where the values name no version; older Pythons run no newer agents."""
    older, newer = generation.agent_version, generation.newer_agent_version
    if newer is None:
        return f'"clearml-agent{older}"'
    return (
        f"\"clearml-agent{newer}; python_version >= '3.8'\" "
        f"\"clearml-agent{older}; python_version < '3.8'\""
    )


def _environment_of(
    values: Agent,
    servers: ServerAddresses,
    credentials: CredentialRefs,
    secrets: AgentSecrets,
) -> dict[str, EnvValue]:
    return {
        "CLEARML_API_HOST": values.clearml_api_host or servers.inside("apiserver"),
        # These two end up in links that people open.
        "CLEARML_WEB_HOST": values.clearml_web_host or servers.outside("webserver"),
        "CLEARML_FILES_HOST": values.clearml_files_host or servers.outside("fileserver"),
        "CLEARML_API_ACCESS_KEY": credentials.key("services_agent_key"),
        "CLEARML_API_SECRET_KEY": credentials.key("services_agent_secret"),
        "AGENT_VERSION": values.agent_version or None,
        # Pythons of Debian 12, Ubuntu 24.04 and later refuse without it.
        "PIP_BREAK_SYSTEM_PACKAGES": "1",
        "AWS_DEFAULT_REGION": values.aws_default_region,
        **secrets.environment,
        **(ssh_environment(values.git_ssh) if values.git_ssh.has_key else {}),
    }


def _google_path(values: Agent, secrets: AgentSecrets) -> str | None:
    if GOOGLE_KEY_FILE in secrets.keys:
        return f"{GOOGLE_DIR}/{GOOGLE_KEY_FILE}"
    return values.google_credentials.get_secret_value() if values.google_credentials else None


def _files(values: Agent, secrets: AgentSecrets) -> Iterator[Mounted]:
    """What is mounted into an agent's container beside its caches."""
    if config := secrets.keys.get(CONFIG_FILE):
        yield Mounted.at(
            f"{HOME}/{CONFIG_FILE}",
            config.volume("clearml-conf", CONFIG_FILE),
            sub_path=CONFIG_FILE,
            read_only=True,
        )
    if google := secrets.keys.get(GOOGLE_KEY_FILE):
        key_file = google.volume("google-credentials", GOOGLE_KEY_FILE)
        yield Mounted.at(GOOGLE_DIR, key_file, read_only=True)
    if setup := secrets.keys.get(SETUP_SCRIPT):
        script = setup.volume("setup", SETUP_SCRIPT, mode=0o555)
        yield Mounted.at(SETUP_DIR, script, read_only=True)
    if values.git_ssh.has_key:
        yield Mounted.at(f"{HOME}/.ssh", ssh_volume("ssh", secrets), read_only=True)
    if values.shm_size:
        memory = k8s.EmptyDirVolumeSource(medium="Memory", size_limit=quantity(values.shm_size))
        yield Mounted.at("/dev/shm", k8s.Volume(name="shm", empty_dir=memory))
