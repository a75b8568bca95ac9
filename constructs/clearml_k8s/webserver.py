"""The web server."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.credentials import CredentialRefs
from clearml_k8s.parts.configuration import config_sources
from clearml_k8s.parts.container import Container
from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.need import Endpoint, ServerAddress
from clearml_k8s.parts.probe import http_probe
from clearml_k8s.parts.service import HTTP, server_service
from clearml_k8s.parts.workload import Workload, deployment
from config.configuration import WEB_PAGE_FILE
from config.generation import Generation, web_page_file
from config.webserver import Webserver as WebserverValues

COMPONENT = "webserver"
PORT = 80


class Webserver(Construct):
    """Deployment and Service of the web server, and a Secret with the page's configuration, if any.

    `address` is where it answers.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: WebserverValues,
        company: str,
        credentials: CredentialRefs,
        apiserver: ServerAddress,
        fileserver: ServerAddress,
    ) -> None:
        super().__init__(scope, COMPONENT)
        component = naming.component(COMPONENT)
        server_service(self, component, values.service)
        self.address = ServerAddress(
            component.name,
            values.service.port,
            pods=Endpoint(component.selector, PORT),
        )
        additional = config_sources(self, component, values)
        probe = generation.webserver_probe
        workload = Workload(
            component=component,
            needs={"apiserver": apiserver, "fileserver": fileserver},
            checksums={
                "credentials": credentials.checksum,
                "additional-configs": additional.checksum,
            },
            volumes=[additional.volume] if additional.volume else [],
            public=[HTTP],
            main=Container(
                name=COMPONENT,
                image=values.pulled_image,
                args=[COMPONENT],
                ports={HTTP: PORT},
                env={
                    "NGINX_APISERVER_ADDRESS": apiserver.url,
                    "NGINX_FILESERVER_ADDRESS": fileserver.url,
                    "COMPANY_ID": company,
                    "USER_KEY": credentials.key("webserver_key"),
                    "USER_SECRET": credentials.key("webserver_secret"),
                },
                startup=http_probe(probe, HTTP, period_seconds=5, failure_threshold=60),
                liveness=http_probe(probe, HTTP, timeout_seconds=5),
                readiness=http_probe(probe, HTTP, timeout_seconds=5),
                mounts=[
                    k8s.VolumeMount(
                        name=additional.volume.name,
                        mount_path=web_page_file(values.image.tag),
                        sub_path=WEB_PAGE_FILE,
                        read_only=True,
                    )
                ]
                if additional.volume
                else [],
            ),
        )
        self.workload = deployment(self, workload, values, replicas=values.replica_count)
