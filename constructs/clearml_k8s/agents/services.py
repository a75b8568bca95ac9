"""The agent services."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agents.agent import (
    HOME,
    environment_of,
    secret_content,
    security_context,
    start_command,
)
from clearml_k8s.parts.container import Container
from clearml_k8s.parts.naming import Naming, SecretRef
from clearml_k8s.parts.need import ANYWHERE, ServerAddresses
from clearml_k8s.parts.secret import secret
from clearml_k8s.parts.volume import claim, claim_volume, secret_volume
from clearml_k8s.parts.workload import Workload, deployment
from config.agent_services import AgentServices as AgentServicesValues
from config.generation import Generation
from config.image import PulledImage

COMPONENT = "agentservices"
GOOGLE_KEY_FILE = "google-credentials.json"
GOOGLE_DIR = "/etc/clearml-google"


class AgentServices(Construct):
    """Deployment, claim and (if it has secrets of its own) Secret of the agent services.

    The agent runs tasks in its own container: there is no docker daemon in a pod.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: AgentServicesValues,
        servers: ServerAddresses,
        credentials: SecretRef,
        wait_image: PulledImage,
    ) -> None:
        super().__init__(scope, COMPONENT)
        component = naming.component(COMPONENT)
        data = claim_volume(
            "agentservices-data", claim(self, component, "data", values.storage.data)
        )
        volumes = [data]
        mounts = [k8s.VolumeMount(name=data.name, mount_path=f"{HOME}/.clearml")]
        variables = secret_content(values)
        google = values.google_credentials.get_secret_value() if values.google_credentials else None
        content = dict(variables)
        if google is not None and google.lstrip().startswith("{"):
            content[GOOGLE_KEY_FILE] = google
            google = f"{GOOGLE_DIR}/{GOOGLE_KEY_FILE}"
        own: SecretRef | None = None
        if content:
            own = secret(self, component.metadata(), content)
            if GOOGLE_KEY_FILE in content:
                volumes.append(secret_volume("google-credentials", own.name, GOOGLE_KEY_FILE))
                mounts.append(
                    k8s.VolumeMount(
                        name="google-credentials", mount_path=GOOGLE_DIR, read_only=True
                    )
                )
        workload = Workload(
            component=component,
            needs=servers.needs,
            peers=[ANYWHERE],  # code, packages, artifacts
            wait_image=wait_image,
            checksums={
                "credentials": credentials.checksum,
                "own": own.checksum if own else None,
            },
            volumes=volumes,
            main=Container(
                name=COMPONENT,
                image=values.pulled_image,
                command=start_command(generation.agent_version),
                args=["--services-mode", "--queue", "services", "--create-queue", "--cpu-only"],
                env={
                    **environment_of(values, servers, credentials, own, list(variables)),
                    "CLEARML_HOST_IP": values.clearml_host_ip,
                    "CLEARML_AGENT_DEFAULT_BASE_DOCKER": values.default_base_docker,
                    "CLEARML_WORKER_ID": values.clearml_worker_id,
                    "GOOGLE_APPLICATION_CREDENTIALS": google,
                },
                mounts=mounts,
                security_context=security_context(values),
            ),
        )
        self.workload = deployment(
            self,
            workload,
            values,
            replicas=values.replica_count,
        )
