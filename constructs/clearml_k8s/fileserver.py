"""The file server."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Address, Naming
from clearml_k8s.pod import container, deployment, tcp_probe
from clearml_k8s.service import HTTP, service
from clearml_k8s.volume import claim
from config.apiserver import Apiserver as ApiserverValues
from config.fileserver import Fileserver as FileserverValues

COMPONENT = "fileserver"
PORT = 8081
UPLOAD_DIR = "/mnt/fileserver"

UNPACK_EXAMPLES = """\
import pathlib, sys, zipfile

source, target = (pathlib.Path(path) for path in sys.argv[1:])
marker = target / ".examples-unpacked"
if marker.exists():
    sys.exit()
archives = source.glob("*.artifacts") if source.is_dir() else [source.with_suffix(".artifacts")]
for archive in archives:
    if archive.is_file():
        print("unpacking %s into %s" % (archive, target), flush=True)
        zipfile.ZipFile(str(archive)).extractall(str(target))
marker.touch()
"""


class Fileserver(Construct):
    """Deployment, Service and claim of the file server; `address` is where it answers.

    The artifacts of the example projects are unpacked here, by an init container from the API
    server's image, and not by the API server: their volume belongs to this pod alone.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        values: FileserverValues,
        examples: ApiserverValues,
    ) -> None:
        super().__init__(scope, COMPONENT)
        self.address: Address = service(self, naming, COMPONENT, values.service)
        volume = claim(self, naming, COMPONENT, "data", values.storage.data)
        has_examples = examples.prepopulate_enabled
        deployment(
            self,
            naming,
            COMPONENT,
            values,
            replicas=values.replica_count,
            annotations={},
            init_containers=[_unpack_examples(examples, volume)] if has_examples else [],
            more_pull_secrets=examples.image_pull_secrets if has_examples else [],
            volumes=[volume],
            recreate=values.storage.data.single_node,
            container=container(
                COMPONENT,
                values,
                values.image,
                args=[COMPONENT],
                port=PORT,
                env={"CLEARML_UPLOAD_FOLDER": UPLOAD_DIR},
                # 1.0.2 answers no GET that could serve as a probe.
                startup=tcp_probe(HTTP, period_seconds=5, failure_threshold=60),
                liveness=tcp_probe(HTTP, timeout_seconds=5),
                readiness=tcp_probe(HTTP, timeout_seconds=5),
                mounts=[k8s.VolumeMount(name=volume.name, mount_path=UPLOAD_DIR)],
            ),
        )


def _unpack_examples(examples: ApiserverValues, volume: k8s.Volume) -> k8s.Container:
    target = examples.prepopulate_artifacts_path
    return k8s.Container(
        name="unpack-examples",
        image=examples.image.reference,
        image_pull_policy=examples.image.pull_policy,
        command=["python3", "-c", UNPACK_EXAMPLES],
        args=[examples.prepopulate_zip_files, target],
        volume_mounts=[k8s.VolumeMount(name=volume.name, mount_path=target)],
    )
