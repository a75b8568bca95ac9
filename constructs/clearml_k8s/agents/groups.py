"""The groups of agents."""

from collections.abc import Iterable

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agents.agent import (
    HOME,
    environment_of,
    revealed,
    secret_content,
    security_context,
    start_command,
)
from clearml_k8s.parts.container import Container
from clearml_k8s.parts.naming import Naming, SecretRef
from clearml_k8s.parts.need import ANYWHERE, ServerAddresses
from clearml_k8s.parts.secret import secret
from clearml_k8s.parts.volume import secret_volume
from clearml_k8s.parts.workload import Placed, Workload, deployment
from config.agent_groups import AgentGroup
from config.generation import Generation
from config.image import PulledImage
from config.types.structs import quantity

GPU = "nvidia.com/gpu"
CONFIG_FILE = "clearml.conf"


class AgentGroups(Construct):
    """For each group Deployment and Secret `<fullname>-<group>-agent`; no Secret without content.

    One construct for all of them: one more for each would cost as much as a Secret.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: Iterable[AgentGroup],
        servers: ServerAddresses,
        credentials: SecretRef,
        wait_image: PulledImage,
    ) -> None:
        super().__init__(scope, "agent-groups")
        self._naming = naming
        self._generation = generation
        self._servers = servers
        self._credentials = credentials
        self._wait_image = wait_image
        self.workloads = [self._add(group) for group in values]

    def _add(self, values: AgentGroup) -> Placed:
        component = self._naming.component(f"{values.name}-agent")
        variables = secret_content(values) | revealed(
            {
                "CLEARML_API_ACCESS_KEY": values.clearml_access_key,
                "CLEARML_API_SECRET_KEY": values.clearml_secret_key,
            }
        )
        content = dict(variables)
        if values.clearml_config:
            content[CONFIG_FILE] = values.clearml_config
        own: SecretRef | None = None
        if content:
            own = secret(self, component.metadata(), content, id=f"{values.name}-secret")
        volumes: list[k8s.Volume] = []
        mounts: list[k8s.VolumeMount] = []
        if own and values.clearml_config:
            volumes = [secret_volume("clearml-conf", own.name, CONFIG_FILE)]
            mounts = [
                k8s.VolumeMount(
                    name="clearml-conf",
                    mount_path=f"{HOME}/{CONFIG_FILE}",
                    sub_path=CONFIG_FILE,
                    read_only=True,
                )
            ]
        gpus = values.nvidia_gpus_per_agent
        workload = Workload(
            component=component,
            needs=self._servers.needs,
            peers=[ANYWHERE],  # code, packages, artifacts
            wait_image=self._wait_image,
            checksums={
                "credentials": self._credentials.checksum,
                "own": own.checksum if own else None,
            },
            volumes=volumes,
            main=Container(
                name="agent",
                image=values.pulled_image,
                command=start_command(self._generation.agent_version),
                args=[
                    *([] if gpus else ["--cpu-only"]),
                    "--queue",
                    *values.queues.split(),
                ],
                env=environment_of(values, self._servers, self._credentials, own, list(variables)),
                mounts=mounts,
                resources=k8s.ResourceRequirements(limits={GPU: quantity(str(gpus))})
                if gpus
                else None,
                security_context=security_context(values),
            ),
        )
        return deployment(
            self, workload, values, replicas=values.replica_count, id=f"{values.name}-deployment"
        )
