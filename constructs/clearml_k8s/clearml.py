"""A whole installation: the charts and their order."""

from cdk8s import ApiObject, App, Chart
from cdk8s_plus_25 import k8s
from config import Values
from config.release import CHART_NAME

from clearml_k8s.agent import Servers
from clearml_k8s.agent_group import AgentGroup
from clearml_k8s.agent_services import AgentServices
from clearml_k8s.apiserver import Apiserver
from clearml_k8s.credentials import credentials
from clearml_k8s.fileserver import Fileserver
from clearml_k8s.ingress import Ingress
from clearml_k8s.naming import Naming
from clearml_k8s.stores.address import StoreAddresses
from clearml_k8s.stores.elasticsearch import Elasticsearch
from clearml_k8s.stores.mongodb import Mongodb
from clearml_k8s.stores.redis import Redis
from clearml_k8s.webserver import Webserver


def install(app: App, values: Values) -> None:
    """Add the charts of an installation to the app, in the order to apply them in.

    Each chart becomes one file; a chart without objects is left out.
    """
    naming = Naming(
        release=values.release.name,
        application=values.name_override or CHART_NAME,
        fullname=values.fullname,
    )
    charts: list[Chart] = []

    def chart(id: str, namespace: str | None = values.release.namespace) -> Chart:
        charts.append(Chart(app, id, namespace=namespace, disable_resource_name_hashes=True))
        return charts[-1]

    if values.release.create_namespace:
        _namespace(chart("namespace", namespace=None), values.release.namespace)
    secret = credentials(chart("credentials"), naming, values.clearml)
    stores = StoreAddresses(
        mongodb=Mongodb(
            chart("mongodb"), naming=naming, release=values.release, values=values.mongodb
        ).address,
        redis=Redis(
            chart("redis"), naming=naming, release=values.release, values=values.redis
        ).address,
        elasticsearch=Elasticsearch(
            chart("elasticsearch"),
            naming=naming,
            release=values.release,
            values=values.elasticsearch,
        ).address,
    )
    apiserver = Apiserver(
        chart("apiserver"),
        naming=naming,
        values=values.apiserver,
        clearml=values.clearml,
        credentials=secret,
        stores=stores,
    )
    fileserver = Fileserver(
        chart("fileserver"), naming=naming, values=values.fileserver, examples=values.apiserver
    )
    webserver = Webserver(
        chart("webserver"),
        naming=naming,
        values=values.webserver,
        company=values.clearml.default_company,
        credentials=secret,
        apiserver=apiserver.address,
        fileserver=fileserver.address,
    )
    if values.ingress.enabled:
        Ingress(
            chart("ingress"),
            naming=naming,
            values=values.ingress,
            servers={
                "app": webserver.address,
                "api": apiserver.address,
                "files": fileserver.address,
            },
        )
    servers = Servers.of(
        apiserver=apiserver.address,
        webserver=webserver.address,
        fileserver=fileserver.address,
        credentials=secret,
        image=values.apiserver.image,
        ping_url=apiserver.ping_url,
    )
    if values.agentservices.enabled:
        AgentServices(
            chart("agentservices"), naming=naming, values=values.agentservices, servers=servers
        )
    # All groups in one chart: synthesizing takes time quadratic in the number of charts.
    groups = chart("agent-groups")
    for group in values.agent_groups.values():
        if group.enabled:
            AgentGroup(groups, naming=naming, values=group, servers=servers)
    _in_order(app, charts)


def _namespace(chart: Chart, name: str) -> None:
    k8s.KubeNamespace(chart, "namespace", metadata=k8s.ObjectMeta(name=name))


def _in_order(app: App, charts: list[Chart]) -> None:
    """Leave out the charts without objects, and number the files of the others."""
    before: Chart | None = None
    for chart in charts:
        if not any(isinstance(member, ApiObject) for member in chart.node.find_all()):
            app.node.try_remove_child(chart.node.id)
            continue
        if before is not None:
            chart.add_dependency(before)
        before = chart
