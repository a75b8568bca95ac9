"""The groups of agents."""

from collections.abc import Iterable

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agents.agent import CACHES, AgentMaker, Mounted
from clearml_k8s.credentials import CredentialRefs
from clearml_k8s.parts.naming import Component, Naming
from clearml_k8s.parts.need import ServerAddresses
from clearml_k8s.parts.volume import scratch_volume, volume
from clearml_k8s.parts.workload import Placed
from config.agent_groups import AgentGroup
from config.generation import Generation
from config.image import PulledImage
from config.types.structs import quantity


class AgentGroups(Construct):
    """For each group Deployment and Secret `<fullname>-<group>-agent`; no Secret without content.

    With storage also the claim `<fullname>-<group>-agent-data`. One construct for all groups: one
    more for each would cost as much as a Secret.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: Iterable[AgentGroup],
        servers: ServerAddresses,
        credentials: CredentialRefs,
        wait_image: PulledImage,
    ) -> None:
        super().__init__(scope, "agent-groups")
        maker = AgentMaker(
            generation=generation, servers=servers, credentials=credentials, wait_image=wait_image
        )
        self.workloads = [
            self._add(group, naming.component(f"{group.name}-agent"), maker) for group in values
        ]

    def _add(self, values: AgentGroup, component: Component, maker: AgentMaker) -> Placed:
        gpus = values.nvidia_gpus_per_agent
        caches = self._caches(values, component)
        return maker.make(
            self,
            component,
            values,
            name="agent",
            args=[
                *([] if gpus else ["--cpu-only"]),
                "--queue",
                *values.queue_names,
                *(["--create-queue"] if values.create_queue else []),
            ],
            # pip's own cache, which would lie beside the agent's.
            environment={"PIP_CACHE_DIR": f"{CACHES}/pip-cache"} if caches else {},
            caches=caches,
            resources=k8s.ResourceRequirements(limits={values.gpu_resource: quantity(str(gpus))})
            if gpus
            else None,
            prefix=f"{values.name}-",
        )

    def _caches(self, values: AgentGroup, component: Component) -> list[Mounted]:
        storage, name = values.storage, f"{values.name}-agent-data"
        if storage.claim:
            scope = Construct(self, f"{values.name}-data")
            return [
                Mounted.at(CACHES, volume(scope, component, "data", storage.claim, name=name)),
                # Agents that share the claim would build environments under the same name.
                Mounted.at(f"{CACHES}/venvs-builds", scratch_volume("builds")),
            ]
        if storage.size_limit:
            limited = k8s.EmptyDirVolumeSource(size_limit=quantity(storage.size_limit))
            return [Mounted.at(CACHES, k8s.Volume(name=name, empty_dir=limited))]
        return []
