"""The web server."""

import json

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.credentials import CredentialRefs
from clearml_k8s.parts.configuration import config_sources
from clearml_k8s.parts.container import Container, confined
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.need import Endpoint, ServerAddress, ServerAddresses
from clearml_k8s.parts.probe import http_probe
from clearml_k8s.parts.service import HTTP, PAUSE, server_service
from clearml_k8s.parts.workload import Workload, deployment
from clearml_k8s.programs import served_by_image
from config.addresses import PublicUrls
from config.configuration import WEB_PAGE_FILE
from config.generation import Generation
from config.webserver import Webserver as WebserverValues

COMPONENT = "webserver"
PORT = 80
GRACEFUL = "QUIT"  # nginx answers what it has begun, and breaks it off on SIGTERM
# It listens below 1024 as root, owns its caches, and answers as another user.
OF_NGINX = ("CHOWN", "DAC_OVERRIDE", "NET_BIND_SERVICE", "SETGID", "SETUID")
# The proxy only starts if the names of its targets are known; without a target it answers 502.
NOTHING = "http://127.0.0.1:8081"


class Webserver(Construct):
    """Deployment and Service of the web server, and a Secret with the page's files, if any."""

    @staticmethod
    def address(naming: Naming, generation: Generation, values: WebserverValues) -> ServerAddress:
        """Where the web server answers."""
        component = naming.component(COMPONENT)
        return ServerAddress(
            component.name, values.service.port, pods=Endpoint(component.selector, PORT)
        )

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: WebserverValues,
        company: str,
        credentials: CredentialRefs,
        servers: ServerAddresses,
        told: PublicUrls,
    ) -> None:
        super().__init__(scope, COMPONENT)
        component = naming.component(COMPONENT)
        server_service(self, component, values.service)
        additional = config_sources(self, component, values)
        probe = generation.webserver_probe
        sub_path = values.ingress.prefix.removeprefix("/") if generation.web_page_path else ""
        workload = Workload(
            component=component,
            needs={name: need for name, need in servers.needs.items() if name != COMPONENT},
            peers=servers.files_elsewhere,
            volumes=[additional.volume] if additional.volume else [],
            public=[HTTP],
            main=Container(
                name=COMPONENT,
                image=values.pulled_image(generation),
                command=served_by_image(signal=GRACEFUL),
                args=[COMPONENT],
                pause=PAUSE,
                ports={HTTP: PORT},
                env={
                    "NGINX_APISERVER_ADDRESS": servers.inside("apiserver"),
                    "NGINX_FILESERVER_ADDRESS": servers.installed["fileserver"].url
                    if "fileserver" in servers.installed
                    else NOTHING,
                    "COMPANY_ID": company,
                    "USER_KEY": credentials.key("webserver_key"),
                    "USER_SECRET": credentials.key("webserver_secret"),
                    **(
                        _page_settings(told, servers.public) if generation.web_page_settings else {}
                    ),
                    "CLEARML_SERVER_SUB_PATH": sub_path or None,
                },
                security_context=confined(*OF_NGINX),
                startup=http_probe(probe, HTTP, period_seconds=2, failure_threshold=150),
                liveness=http_probe(probe, HTTP, timeout_seconds=5),
                readiness=http_probe(probe, HTTP, timeout_seconds=5),
                mounts=[
                    k8s.VolumeMount(
                        name=additional.volume.name,
                        mount_path=generation.web_page_file,
                        sub_path=WEB_PAGE_FILE,
                        read_only=True,
                    )
                ]
                if additional.volume
                else [],
            ),
        )
        self.workload = deployment(self, workload, values, replicas=values.replica_count)


def _page_settings(told: PublicUrls, public: PublicUrls) -> dict[str, EnvValue]:
    """Where the page finds the other servers, and what it shows for a clearml.conf, in JSON."""
    settings: dict[str, EnvValue] = {}
    shown = {}
    for server, base, name in (
        ("apiserver", "apiBaseUrl", "apiServer"),
        ("fileserver", "fileBaseUrl", "filesServer"),
    ):
        if url := told.of(server):
            settings[f"WEBSERVER__{base}"] = json.dumps(url)
        url = public.of(server)
        if url and url.startswith("http"):
            shown[name] = url
    if shown:
        settings["WEBSERVER__displayedServerUrls"] = json.dumps(shown)
    return settings
