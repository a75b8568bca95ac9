"""The agent services."""

from constructs import Construct

from clearml_k8s.agents.agent import CACHES, AgentMaker, Mounted
from clearml_k8s.credentials import CredentialRefs
from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.need import ServerAddresses
from clearml_k8s.parts.volume import volume
from config.agent_services import AgentServices as AgentServicesValues
from config.generation import Generation
from config.image import PulledImage

COMPONENT = "agentservices"


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
        credentials: CredentialRefs,
        wait_image: PulledImage,
    ) -> None:
        super().__init__(scope, COMPONENT)
        component = naming.component(COMPONENT)
        data = volume(self, component, "data", values.storage.claim, name="agentservices-data")
        maker = AgentMaker(
            generation=generation, servers=servers, credentials=credentials, wait_image=wait_image
        )
        self.workload = maker.make(
            self,
            component,
            values,
            name=COMPONENT,
            args=[
                "--services-mode",
                "--queue",
                *values.queue_names,
                *(["--create-queue"] if values.create_queue else []),
                "--cpu-only",
            ],
            environment={
                "CLEARML_HOST_IP": values.clearml_host_ip,
                "CLEARML_AGENT_DEFAULT_BASE_DOCKER": values.default_base_docker,
                "CLEARML_WORKER_ID": values.clearml_worker_id,
            },
            caches=[Mounted.at(CACHES, data)],
        )
