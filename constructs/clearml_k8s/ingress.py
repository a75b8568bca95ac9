"""The Ingresses in front of the servers."""

from collections.abc import Mapping

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Component, Naming
from clearml_k8s.parts.need import ServerAddresses
from clearml_k8s.parts.service import HTTP
from config.addresses import Route
from config.cert_manager import CertManager
from config.ingress import Ingress as IngressValues
from config.ingress import ServerIngress

ISSUER_ANNOTATIONS = {
    "ClusterIssuer": "cert-manager.io/cluster-issuer",
    "Issuer": "cert-manager.io/issuer",
}


class Ingresses(Construct):
    """The common Ingress with a host per server, and `<fullname>-<server>` for those with an own.

    TLS where a Secret is named, one entry for each Secret.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        common: IngressValues,
        own: Mapping[str, ServerIngress],
        cert_manager: CertManager,
        routes: Mapping[str, Route],
        servers: ServerAddresses,
    ) -> None:
        super().__init__(scope, "ingress")
        issuer = cert_manager.issuer
        self._issued = {ISSUER_ANNOTATIONS[cert_manager.kind]: issuer} if issuer else {}
        self._servers = servers
        shared = {server: e for server, e in routes.items() if e.section == "ingress"}
        if shared:
            component = naming.component("ingress")
            self._add("ingress", component, common.name, common, shared)
        for server, route in routes.items():
            if route.section == server:
                component = naming.component(server)
                self._add(server, component, component.name, own[server], {server: route})

    def _add(
        self,
        id: str,
        component: Component,
        name: str,
        values: IngressValues | ServerIngress,
        routes: Mapping[str, Route],
    ) -> None:
        hosts_of: dict[str, list[str]] = {}
        for route in routes.values():
            if route.secret:
                hosts_of.setdefault(route.secret, []).append(route.host)
        tls = [k8s.IngressTls(hosts=h, secret_name=secret) for secret, h in hosts_of.items()]
        k8s.KubeIngress(
            self,
            id,
            metadata=component.metadata(name, {**self._issued, **values.annotations}),
            spec=k8s.IngressSpec(
                ingress_class_name=values.class_name or None,
                tls=tls or None,
                rules=[self._rule(server, route) for server, route in routes.items()],
            ),
        )

    def _rule(self, server: str, route: Route) -> k8s.IngressRule:
        backend = k8s.IngressServiceBackend(
            name=self._servers.installed[server].host, port=k8s.ServiceBackendPort(name=HTTP)
        )
        path = k8s.HttpIngressPath(
            path=route.path,
            path_type=route.path_type,
            backend=k8s.IngressBackend(service=backend),
        )
        return k8s.IngressRule(host=route.host, http=k8s.HttpIngressRuleValue(paths=[path]))
