"""The web server."""

from constructs import Construct

from clearml_k8s.parts.container import Container
from clearml_k8s.parts.naming import Naming, SecretRef
from clearml_k8s.parts.need import Endpoint, ServerAddress
from clearml_k8s.parts.probe import http_probe
from clearml_k8s.parts.service import HTTP, server_service
from clearml_k8s.parts.workload import Workload, deployment
from config.generation import Generation
from config.webserver import Webserver as WebserverValues

COMPONENT = "webserver"
PORT = 80


class Webserver(Construct):
    """Deployment and Service of the web server; `address` is where it answers."""

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: WebserverValues,
        company: str,
        credentials: SecretRef,
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
        probe = generation.webserver_probe
        workload = Workload(
            component=component,
            needs={"apiserver": apiserver, "fileserver": fileserver},
            checksums={"credentials": credentials.checksum},
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
            ),
        )
        self.workload = deployment(self, workload, values, replicas=values.replica_count)
