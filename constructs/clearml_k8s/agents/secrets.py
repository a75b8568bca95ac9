"""Where an agent's secrets come from: its own Secret, or Secrets that exist already."""

from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct
from pydantic.alias_generators import to_snake

from clearml_k8s.parts.naming import Component, SecretRef
from clearml_k8s.parts.secret import secret
from config.agent import Agent

CONFIG_FILE = "clearml.conf"
GOOGLE_KEY_FILE = "google-credentials.json"
SETUP_SCRIPT = "setup-script"
PRIVATE_KEY = "ssh-privatekey"
KNOWN_HOSTS = "known_hosts"
# The variable that carries a value, which is its key in the agent's own Secret too.
VARIABLES = {
    "clearmlGitUser": "CLEARML_AGENT_GIT_USER",
    "clearmlGitPassword": "CLEARML_AGENT_GIT_PASS",
    "awsAccessKeyId": "AWS_ACCESS_KEY_ID",
    "awsSecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "azureStorageAccount": "AZURE_STORAGE_ACCOUNT",
    "azureStorageKey": "AZURE_STORAGE_KEY",
    "clearmlAccessKey": "CLEARML_API_ACCESS_KEY",
    "clearmlSecretKey": "CLEARML_API_SECRET_KEY",
}
FILES = {"clearmlConfig": CONFIG_FILE, "googleCredentials": GOOGLE_KEY_FILE}


class SecretKey(NamedTuple):
    """A key of a Secret."""

    secret: SecretRef
    key: str

    def volume(self, name: str, file: str, mode: int | None = None) -> k8s.Volume:
        """A volume with what the key holds as its one file."""
        return k8s.Volume(
            name=name,
            secret=k8s.SecretVolumeSource(
                secret_name=self.secret.name,
                items=[k8s.KeyToPath(key=self.key, path=file, mode=mode)],
            ),
        )


class AgentSecrets(NamedTuple):
    """Where each secret is, by the key that it has, or would have, in the agent's own Secret."""

    keys: dict[str, SecretKey]

    @property
    def environment(self) -> dict[str, k8s.EnvVarSource]:
        """The secrets that are variables."""
        return {
            variable: found.secret.key(found.key)
            for variable in VARIABLES.values()
            if (found := self.keys.get(variable))
        }


def agent_secrets(
    scope: Construct, component: Component, values: Agent, *, id: str
) -> AgentSecrets:
    """Make the agent's own Secret, called like the component, unless nothing goes into it."""
    existing = {
        (VARIABLES | FILES)[value]: SecretKey(SecretRef(name), key)
        for value, (name, key) in values.existing_keys.items()
    }
    ssh = values.git_ssh
    if ssh.existing_secret:
        existing[PRIVATE_KEY] = SecretKey(SecretRef(ssh.existing_secret), ssh.existing_secret_key)
    if ssh.known_hosts_key:
        existing[KNOWN_HOSTS] = SecretKey(SecretRef(ssh.existing_secret), ssh.known_hosts_key)
    content = {key: text for key, text in _content(values).items() if key not in existing}
    if not content:
        return AgentSecrets(existing)
    own = secret(scope, component, content, id=id)
    return AgentSecrets({key: SecretKey(own, key) for key in content} | existing)


def _content(values: Agent) -> dict[str, str]:
    """What the values say in clear text, by key."""
    secrets = {key: getattr(values, to_snake(value)) for value, key in VARIABLES.items()}
    content = {key: given.get_secret_value() for key, given in secrets.items() if given is not None}
    ssh = values.git_ssh
    files = {
        CONFIG_FILE: values.clearml_config,
        GOOGLE_KEY_FILE: values.google_document,
        SETUP_SCRIPT: values.setup_script,
        # Without the newline at its end no key is valid.
        PRIVATE_KEY: ssh.private_key and ssh.private_key.get_secret_value().rstrip() + "\n",
        KNOWN_HOSTS: ssh.known_hosts,
    }
    return content | {key: text for key, text in files.items() if text}
