"""The Ingress in front of the three servers."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Address, Naming
from clearml_k8s.parts.need import ServerAddresses
from clearml_k8s.parts.service import HTTP
from config.ingress import Ingress as IngressValues

# The web page looks for the other servers under these names.
SUBDOMAINS = {"app": "webserver", "api": "apiserver", "files": "fileserver"}


class Ingress(Construct):
    """An Ingress with one host per server, `<subdomain>.<host>`, and TLS if a Secret is named."""

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        values: IngressValues,
        servers: ServerAddresses,
    ) -> None:
        super().__init__(scope, "ingress")
        hosts = {
            f"{subdomain}.{values.host}": getattr(servers, server)
            for subdomain, server in SUBDOMAINS.items()
        }
        k8s.KubeIngress(
            self,
            "ingress",
            metadata=naming.component("ingress").metadata(values.name, values.annotations),
            spec=k8s.IngressSpec(
                ingress_class_name=values.class_name or None,
                tls=[k8s.IngressTls(hosts=list(hosts), secret_name=values.tls.secret_name)]
                if values.tls.secret_name
                else None,
                rules=[_rule(host, address) for host, address in hosts.items()],
            ),
        )


def _rule(host: str, address: Address) -> k8s.IngressRule:
    backend = k8s.IngressServiceBackend(name=address.host, port=k8s.ServiceBackendPort(name=HTTP))
    path = k8s.HttpIngressPath(
        path="/", path_type="Prefix", backend=k8s.IngressBackend(service=backend)
    )
    return k8s.IngressRule(host=host, http=k8s.HttpIngressRuleValue(paths=[path]))
