"""The web server."""

from constructs import Construct

from clearml_k8s.naming import Address, Naming, SecretRef
from clearml_k8s.pod import checksums, container, deployment, http_probe
from clearml_k8s.service import HTTP, service
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
        values: WebserverValues,
        company: str,
        credentials: SecretRef,
        apiserver: Address,
        fileserver: Address,
    ) -> None:
        super().__init__(scope, COMPONENT)
        self.address: Address = service(self, naming, COMPONENT, values.service)
        deployment(
            self,
            naming,
            COMPONENT,
            values,
            replicas=values.replica_count,
            annotations=checksums(credentials=credentials),
            container=container(
                COMPONENT,
                values,
                values.image,
                args=[COMPONENT],
                port=PORT,
                env={
                    "NGINX_APISERVER_ADDRESS": apiserver.url,
                    "NGINX_FILESERVER_ADDRESS": fileserver.url,
                    "COMPANY_ID": company,
                    "USER_KEY": credentials.key("webserver_key"),
                    "USER_SECRET": credentials.key("webserver_secret"),
                },
                startup=http_probe("/", HTTP, period_seconds=5, failure_threshold=60),
                liveness=http_probe("/", HTTP, timeout_seconds=5),
                readiness=http_probe("/", HTTP, timeout_seconds=5),
            ),
        )
