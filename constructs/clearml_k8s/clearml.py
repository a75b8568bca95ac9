"""A whole installation: the charts and their order."""

from collections.abc import Mapping
from typing import Any

from cdk8s import App, Chart
from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agent import Servers
from clearml_k8s.agent_group import AgentGroup
from clearml_k8s.agent_services import AgentServices
from clearml_k8s.apiserver import Apiserver
from clearml_k8s.credentials import credentials
from clearml_k8s.fileserver import Fileserver
from clearml_k8s.ingress import Ingress
from clearml_k8s.naming import Address, Naming
from clearml_k8s.stores.address import ImportedStore, StoreAddresses
from clearml_k8s.stores.elasticsearch import Elasticsearch
from clearml_k8s.stores.mongodb import Mongodb
from clearml_k8s.stores.redis import Redis
from clearml_k8s.webserver import Webserver
from config import Values
from config.release import CHART_NAME


class _Charts:
    """Makes the charts; their ids number the files in the order in which to apply them.

    Numbers and not dependencies between the charts, each of which costs more calls into jsii.
    """

    def __init__(self, app: App, namespace: str) -> None:
        self._app = app
        self._namespace = namespace
        self._count = 0

    def chart(self, name: str, *, namespaced: bool = True) -> Chart:
        """The chart of the next file."""
        chart = Chart(
            self._app,
            f"{self._count:04}-{name}",
            namespace=self._namespace if namespaced else None,
        )
        self._count += 1
        return chart

    def chart_if(self, has_objects: bool, name: str) -> Construct:
        """The chart of the next file, or the app itself for a construct without objects."""
        return self.chart(name) if has_objects else self._app


def install(
    app: App, values: Values, imported: Mapping[str, ImportedStore[Any]] | None = None
) -> dict[str, Address]:
    """Add the charts of an installation to the app, a file for each component.

    `imported` adds the stores whose provider is helm, by store.
    Hands back where the servers answer, by the subdomain that belongs to each.
    """
    naming = Naming(
        release=values.release.name,
        application=values.name_override or CHART_NAME,
        fullname=values.fullname,
    )
    release = values.release
    imported = imported or {}
    charts = _Charts(app, release.namespace)
    if release.create_namespace:
        k8s.KubeNamespace(
            charts.chart("namespace", namespaced=False),
            "namespace",
            metadata=k8s.ObjectMeta(name=release.namespace),
        )
    secret = credentials(
        charts.chart_if(not values.clearml.existing_secret, "credentials"), naming, values.clearml
    )
    mongodb = Mongodb(
        charts.chart_if(values.mongodb.makes_objects, "mongodb"),
        naming=naming,
        release=release,
        values=values.mongodb,
        imported=imported.get("mongodb"),
    )
    redis = Redis(
        charts.chart_if(values.redis.makes_objects, "redis"),
        naming=naming,
        release=release,
        values=values.redis,
        imported=imported.get("redis"),
    )
    elasticsearch = Elasticsearch(
        charts.chart_if(values.elasticsearch.makes_objects, "elasticsearch"),
        naming=naming,
        release=release,
        values=values.elasticsearch,
        imported=imported.get("elasticsearch"),
    )
    apiserver = Apiserver(
        charts.chart("apiserver"),
        naming=naming,
        values=values.apiserver,
        clearml=values.clearml,
        credentials=secret,
        stores=StoreAddresses(
            mongodb=mongodb.address, redis=redis.address, elasticsearch=elasticsearch.address
        ),
    )
    fileserver = Fileserver(
        charts.chart("fileserver"),
        naming=naming,
        values=values.fileserver,
        examples=values.apiserver,
    )
    webserver = Webserver(
        charts.chart("webserver"),
        naming=naming,
        values=values.webserver,
        company=values.clearml.default_company,
        credentials=secret,
        apiserver=apiserver.address,
        fileserver=fileserver.address,
    )
    addresses = {
        "app": webserver.address,
        "api": apiserver.address,
        "files": fileserver.address,
    }
    if values.ingress.enabled:
        Ingress(charts.chart("ingress"), naming=naming, values=values.ingress, servers=addresses)
    servers = Servers.of(
        apiserver=apiserver.address,
        webserver=webserver.address,
        fileserver=fileserver.address,
        credentials=secret,
        image=values.apiserver.image,
        pull_secrets=values.apiserver.image_pull_secrets,
        ping_url=apiserver.ping_url,
    )
    if values.agentservices.enabled:
        AgentServices(
            charts.chart("agentservices"),
            naming=naming,
            values=values.agentservices,
            servers=servers,
        )
    # All groups in one chart: synthesizing takes time quadratic in the number of charts.
    groups = [group for group in values.agent_groups.values() if group.enabled]
    scope = charts.chart_if(bool(groups), "agent-groups")
    for group in groups:
        AgentGroup(scope, naming=naming, values=group, servers=servers)
    return addresses
