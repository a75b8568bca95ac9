"""Git over SSH: key and known hosts as ssh expects them, and what git and the agent are told."""

from cdk8s_plus_25 import k8s

from clearml_k8s.agents.secrets import KNOWN_HOSTS, PRIVATE_KEY, AgentSecrets
from config.agent_ssh import GitSsh

# The first file that ssh looks for, whatever kind of key it holds.
FILES = {PRIVATE_KEY: "id_rsa", KNOWN_HOSTS: "known_hosts"}
OWNER_ONLY = 0o400  # or ssh refuses the key


def ssh_volume(name: str, secrets: AgentSecrets) -> k8s.Volume:
    """A volume that is root's ~/.ssh."""
    sources = [
        k8s.VolumeProjection(
            secret=k8s.SecretProjection(
                name=found.secret.name, items=[k8s.KeyToPath(key=found.key, path=file)]
            )
        )
        for key, file in FILES.items()
        if (found := secrets.keys.get(key))
    ]
    projected = k8s.ProjectedVolumeSource(default_mode=OWNER_ONLY, sources=sources)
    return k8s.Volume(name=name, projected=projected)


def ssh_environment(values: GitSsh) -> dict[str, str]:
    """The variables of an agent that has a key."""
    environment = {
        # Otherwise a Git user and password would turn ssh URLs into https ones.
        "CLEARML_AGENT__AGENT__TRANSLATE_SSH": "false",
    }
    if values.force:
        environment["CLEARML_AGENT__AGENT__FORCE_GIT_SSH_PROTOCOL"] = "true"
    if values.accept_new_hosts:
        environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
    return environment
