"""A group of agents."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agent import (
    HOME,
    Servers,
    environment_of,
    literal,
    revealed,
    secret_content,
    start_command,
)
from clearml_k8s.naming import Naming, SecretRef
from clearml_k8s.pod import checksums, container, deployment
from clearml_k8s.secret import secret
from clearml_k8s.volume import secret_volume
from config.agent_groups import AgentGroup as AgentGroupValues
from config.types.structs import quantity

GPU = "nvidia.com/gpu"
CONFIG_FILE = "clearml.conf"


class AgentGroup(Construct):
    """Deployment and Secret `<fullname>-<group>-agent`; the Secret only if there is content."""

    def __init__(
        self, scope: Construct, *, naming: Naming, values: AgentGroupValues, servers: Servers
    ) -> None:
        component = f"{values.name}-agent"
        super().__init__(scope, component)
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
        volumes: list[k8s.Volume] = []
        mounts: list[k8s.VolumeMount] = []
        if content:
            own = secret(self, naming.metadata(component), content)
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
        deployment(
            self,
            naming,
            component,
            values,
            replicas=values.replica_count,
            annotations=checksums(credentials=servers.credentials, own=own),
            init_containers=[servers.wait],
            more_pull_secrets=servers.pull_secrets,
            volumes=volumes,
            container=container(
                "agent",
                values,
                values.image,
                command=start_command(),
                args=[
                    *([] if gpus else ["--cpu-only"]),
                    "--queue",
                    *literal(values.queues.split()),
                ],
                env=environment_of(values, servers, own, list(variables)),
                mounts=mounts,
                resources=_with_gpus(values.resources, gpus) if gpus else None,
                security_context=k8s.SecurityContext(privileged=True)
                if values.privileged
                else None,
            ),
        )


def _with_gpus(resources: k8s.ResourceRequirements | None, gpus: int) -> k8s.ResourceRequirements:
    given = resources or k8s.ResourceRequirements()
    return k8s.ResourceRequirements(
        limits={GPU: quantity(str(gpus)), **(given.limits or {})}, requests=given.requests
    )
