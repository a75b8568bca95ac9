"""The agent services."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agent import (
    HOME,
    Servers,
    environment_of,
    secret_content,
    start_command,
)
from clearml_k8s.naming import Naming, SecretRef
from clearml_k8s.pod import checksums, container, deployment
from clearml_k8s.secret import secret
from clearml_k8s.volume import claim, secret_volume
from config.agent_services import AgentServices as AgentServicesValues

COMPONENT = "agentservices"
GOOGLE_KEY_FILE = "google-credentials.json"
GOOGLE_DIR = "/etc/clearml-google"


class AgentServices(Construct):
    """Deployment, claim and (if it has secrets of its own) Secret of the agent services.

    The agent runs tasks in its own container: there is no docker daemon in a pod.
    """

    def __init__(
        self, scope: Construct, *, naming: Naming, values: AgentServicesValues, servers: Servers
    ) -> None:
        super().__init__(scope, COMPONENT)
        volumes = [claim(self, naming, COMPONENT, "data", values.storage.data)]
        mounts = [k8s.VolumeMount(name=volumes[0].name, mount_path=f"{HOME}/.clearml")]
        variables = secret_content(values)
        google = values.google_credentials.get_secret_value() if values.google_credentials else None
        content = dict(variables)
        if google is not None and google.lstrip().startswith("{"):
            content[GOOGLE_KEY_FILE] = google
            google = f"{GOOGLE_DIR}/{GOOGLE_KEY_FILE}"
        own: SecretRef | None = None
        if content:
            own = secret(self, naming.metadata(COMPONENT), content)
            if GOOGLE_KEY_FILE in content:
                volumes.append(secret_volume("google-credentials", own.name, GOOGLE_KEY_FILE))
                mounts.append(
                    k8s.VolumeMount(
                        name="google-credentials", mount_path=GOOGLE_DIR, read_only=True
                    )
                )
        env = environment_of(values, servers, own, list(variables))
        deployment(
            self,
            naming,
            COMPONENT,
            values,
            replicas=values.replica_count,
            annotations=checksums(credentials=servers.credentials, own=own),
            init_containers=[servers.wait],
            more_pull_secrets=servers.pull_secrets,
            volumes=volumes,
            recreate=values.storage.data.single_node,
            container=container(
                COMPONENT,
                values,
                values.image,
                command=start_command(),
                args=["--services-mode", "--queue", "services", "--create-queue", "--cpu-only"],
                env={
                    **env,
                    "CLEARML_HOST_IP": values.clearml_host_ip,
                    "CLEARML_AGENT_DEFAULT_BASE_DOCKER": values.default_base_docker,
                    "CLEARML_WORKER_ID": values.clearml_worker_id,
                    "GOOGLE_APPLICATION_CREDENTIALS": google,
                },
                mounts=mounts,
                security_context=k8s.SecurityContext(privileged=True)
                if values.privileged
                else None,
            ),
        )
