"""Asynchronous delete: the program that deletes the files of deleted tasks."""

from constructs import Construct

from clearml_k8s.apiserver import Program
from clearml_k8s.parts.configuration import ConfigDirectory
from clearml_k8s.parts.container import Container
from clearml_k8s.parts.hocon import hocon
from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.need import ServerAddress
from clearml_k8s.parts.workload import Workload, deployment
from clearml_k8s.programs import served
from config.apiserver import AsyncDelete as AsyncDeleteValues
from config.configuration import mounts_below

COMPONENT = "apiserver-asyncdelete"


class AsyncDelete(Construct):
    """Deployment of the program that deletes the files of deleted tasks, from the file server too.

    It has the settings of the API server, but not its labels: the Service of the API server would
    find its pods (issue 277 of the Helm charts). Files by hand on the API server's volume it does
    not see, only those that its own values mount. Unless `running`, it has no pod.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        values: AsyncDeleteValues,
        program: Program,
        fileserver: ServerAddress,
        running: bool,
    ) -> None:
        super().__init__(scope, COMPONENT)
        by_hand = mounts_below(values, program.config_dir)
        directories = [ConfigDirectory(program.config_dir)] if by_hand else []
        workload = Workload(
            component=naming.component(COMPONENT),
            needs={**program.needs, "fileserver": fileserver},
            wait_image=program.image,
            volumes=program.volumes,
            main=Container(
                name="asyncdelete",
                image=program.image,
                command=served("python3", "-m", "jobs.async_urls_delete"),
                args=["--fileserver-host", fileserver.url],
                env={
                    **program.environment_with(*directories),
                    "PYTHONPATH": "/opt/clearml/apiserver",
                    # The directory of the log file is made by the image's entrypoint alone.
                    "CLEARML__LOGGING__HANDLERS__TEXT_FILE__FILENAME": hocon("/dev/null"),
                },
                mounts=program.mounts,
            ),
        )
        self.workload = deployment(self, workload, values, replicas=int(running))
