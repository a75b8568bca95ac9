"""The file server."""

import json
from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.credentials import CredentialRefs
from clearml_k8s.parts.configuration import ConfigDirectory, config_sources
from clearml_k8s.parts.container import Container
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.hocon import hocon
from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.need import Endpoint, Need, ServerAddress
from clearml_k8s.parts.probe import http_probe
from clearml_k8s.parts.service import HTTP, PAUSE, server_service
from clearml_k8s.parts.volume import volume
from clearml_k8s.parts.workload import Workload, deployment
from clearml_k8s.programs import python, served_by_image
from clearml_k8s.stores.address import RedisAddress
from config.apiserver import Apiserver as ApiserverValues
from config.configuration import CONFIG_DIR, mounts_below
from config.fileserver import Fileserver as FileserverValues
from config.generation import Generation

COMPONENT = "fileserver"
PORT = 8081
UPLOAD_DIR = "/mnt/fileserver"

UNPACK_EXAMPLES = """\
import os, pathlib, shutil, sys, zipfile

source, target = (pathlib.Path(path) for path in sys.argv[1:])
marker, whole = target / ".examples-unpacked", target / ".examples-unpacking"
if marker.exists():
    sys.exit()
shutil.rmtree(str(whole), ignore_errors=True)
archives = source.glob("*.artifacts") if source.is_dir() else [source.with_suffix(".artifacts")]
for archive in archives:
    if archive.is_file():
        print("unpacking %s into %s" % (archive, target), flush=True)
        zipfile.ZipFile(str(archive)).extractall(str(whole))
# Whatever is there already stays, and of the examples there is never half a file.
for path in sorted(whole.rglob("*")):
    place = target / path.relative_to(whole)
    if path.is_file() and not os.path.lexists(str(place)):
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
shutil.rmtree(str(whole), ignore_errors=True)
marker.touch()
"""


class Login(NamedTuple):
    """What a file server needs that asks for a login: who checks it, and where it is remembered."""

    apiserver: Need
    apiserver_url: str
    redis: RedisAddress
    credentials: CredentialRefs
    cookie_name: str

    @property
    def needs(self) -> dict[str, Need]:
        """What it waits for: it logs in itself when it starts."""
        return {"redis": self.redis, "apiserver": self.apiserver}

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the file server."""
        user = "CLEARML__SECURE__CREDENTIALS__FILESERVER__"
        return {
            **self.redis.environment_of(COMPONENT),
            "CLEARML__HOSTS__API_SERVER": hocon(self.apiserver_url),
            user + "USER_KEY": self.credentials.key("fileserver_key"),
            user + "USER_SECRET": self.credentials.key("fileserver_secret"),
            "CLEARML__FILESERVER__AUTH__COOKIE_NAMES": json.dumps([self.cookie_name])
            if self.cookie_name
            else None,
        }


class Fileserver(Construct):
    """Deployment, Service and claim of the file server, and a Secret with files of its own, if any.

    With `login` it asks for one, and needs the API server and Redis for that. `files` is the volume
    with what was uploaded.

    The artifacts of the example projects are unpacked here, by an init container from the API
    server's image, and not by the API server: their volume belongs to this pod alone.
    """

    @staticmethod
    def address(naming: Naming, generation: Generation, values: FileserverValues) -> ServerAddress:
        """Where the file server answers."""
        component = naming.component(COMPONENT)
        pods = Endpoint(component.selector, PORT)
        return ServerAddress(component.name, values.service.port, generation.fileserver_probe, pods)

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: FileserverValues,
        examples: ApiserverValues | None,
        login: Login | None,
    ) -> None:
        super().__init__(scope, COMPONENT)
        component = naming.component(COMPONENT)
        server_service(self, component, values.service)
        files = volume(self, component, "data", values.storage.claim, name="fileserver-data")
        self.files = files
        additional = config_sources(self, component, values)
        directories = additional.directories
        if directories and mounts_below(values, CONFIG_DIR):
            directories.append(ConfigDirectory(CONFIG_DIR))
        probe = generation.fileserver_probe
        workload = Workload(
            component=component,
            needs=login.needs if login else {},
            wait_image=values.pulled_image(generation),
            volumes=[files, *(directory.volume for directory in directories if directory.volume)],
            init_containers=[_unpack_examples(examples, generation, files)]
            if examples and examples.prepopulate_enabled
            else [],
            public=[HTTP],
            main=Container(
                name=COMPONENT,
                image=values.pulled_image(generation),
                command=served_by_image(),
                args=[COMPONENT],
                pause=PAUSE,
                ports={HTTP: PORT},
                env={
                    "CLEARML_UPLOAD_FOLDER": UPLOAD_DIR,
                    "CLEARML_CONFIG_DIR": ":".join(directory.path for directory in directories)
                    or None,
                    "CLEARML__FILESERVER__DELETE__ALLOW_BATCH": hocon(True)
                    if generation.batch_delete_off
                    else None,
                    "CLEARML__FILESERVER__AUTH__ENABLED": hocon(False)
                    if generation.file_authentication and not login
                    else None,
                    **(login.environment if login else {}),
                },
                startup=http_probe(probe, HTTP, period_seconds=2, failure_threshold=150),
                liveness=http_probe(probe, HTTP, timeout_seconds=5),
                readiness=http_probe(probe, HTTP, timeout_seconds=5),
                mounts=[
                    k8s.VolumeMount(name=files.name, mount_path=UPLOAD_DIR),
                    *(directory.mount for directory in directories if directory.mount),
                ],
            ),
        )
        self.workload = deployment(
            self,
            workload,
            values,
            replicas=values.replica_count,
        )


def _unpack_examples(
    examples: ApiserverValues, generation: Generation, files: k8s.Volume
) -> Container:
    target = examples.prepopulate_artifacts_path
    return Container(
        name="unpack-examples",
        image=examples.pulled_image(generation),
        command=["python3", "-c", python(UNPACK_EXAMPLES)],
        args=[examples.prepopulate_zip_files, target],
        mounts=[k8s.VolumeMount(name=files.name, mount_path=target)],
    )
