"""The Ingress in front of the three servers."""

from collections.abc import Mapping

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Address, Naming
from clearml_k8s.service import HTTP
from config.ingress import Ingress as IngressValues


class Ingress(Construct):
    """An Ingress with one host per server, `<subdomain>.<host>`, and TLS if a Secret is named."""

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        values: IngressValues,
        servers: Mapping[str, Address],
    ) -> None:
        super().__init__(scope, "ingress")
        hosts = {f"{subdomain}.{values.host}": address for subdomain, address in servers.items()}
        k8s.KubeIngress(
            self,
            "ingress",
            metadata=k8s.ObjectMeta(
                name=values.name,
                labels=naming.labels("ingress"),
                annotations=values.annotations or None,
            ),
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
