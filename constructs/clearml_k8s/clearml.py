"""A whole installation: the components, each in a chart and so in a file of its own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cdk8s import Chart
from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.agents.groups import AgentGroups
from clearml_k8s.agents.services import AgentServices
from clearml_k8s.apiserver import Apiserver
from clearml_k8s.async_delete import AsyncDelete
from clearml_k8s.backup.backups import Backups, repository
from clearml_k8s.credentials import credentials
from clearml_k8s.credentials_job import credentials_job
from clearml_k8s.extra import extra_objects
from clearml_k8s.fileserver import Fileserver, Login
from clearml_k8s.gateway import Routes
from clearml_k8s.ingress import Ingresses
from clearml_k8s.parts.argocd import in_sync_wave
from clearml_k8s.parts.naming import Common, Naming
from clearml_k8s.parts.need import ServerAddresses
from clearml_k8s.parts.network import network_policies
from clearml_k8s.parts.secret import Lacking
from clearml_k8s.parts.workload import Placed
from clearml_k8s.registry_key import registry_key
from clearml_k8s.stores import Site, render_charts, store
from clearml_k8s.stores.address import StoreAddresses
from clearml_k8s.webserver import Webserver
from config import Values
from config.addresses import url_prefixes
from config.backup import asked_for, restored_stores
from config.release import CHART_NAME
from config.server_version import converts_data

if TYPE_CHECKING:
    from imports.release import ReleaseManifests

# In the order in which to apply them. Numbers, as dependencies between charts cost more calls into
# jsii; fixed ones, so that no file changes its name when a component comes or goes.
NUMBERS = {
    "namespace": 0,
    "extra-objects": 50,
    "credentials": 100,
    "mongodb": 200,
    "redis": 300,
    "elasticsearch": 400,
    "apiserver": 500,
    "asyncdelete": 550,
    "fileserver": 600,
    "webserver": 700,
    "ingress": 800,
    "gateway": 850,
    "agentservices": 900,
    "agent-groups": 1000,
    "backup": 1100,
    "restore": 1200,
}

SERVERS: Mapping[str, Any] = {
    "apiserver": Apiserver,
    "webserver": Webserver,
    "fileserver": Fileserver,
}


class ClearML(Construct):
    """An installation of ClearML: charts `0000-namespace` to `1200-restore`.

    `values` is what to install, `servers` is where the servers answer. Several installations in
    one app need different releases or namespaces. Raises ValuesError for Helm charts that cannot
    be had or rendered.
    """

    def __init__(self, scope: Construct, id: str, values: Values) -> None:
        super().__init__(scope, id)
        self.servers: ServerAddresses = install(self, values)


def install(
    scope: Construct, values: Values, charts: "Mapping[str, ReleaseManifests] | None" = None
) -> ServerAddresses:
    """Add the charts of an installation to the scope, and hand back where the servers answer.

    `charts` is what helm rendered, by store, where that has been done already.
    """
    naming = Naming(
        release=values.release.name,
        application=values.name_override or CHART_NAME,
        fullname=values.fullname,
        common=Common(
            labels=values.common_labels,
            annotations=values.annotations_of_all,
            image_registry=values.global_.image_registry,
            storage_class=values.global_.class_of_claims,
            restored=restored_stores(values),
        ),
    )
    generation = values.generation
    namespace = values.release.namespace

    charts_made: dict[int, Chart] = {}

    def chart(name: str, namespace: str | None = namespace) -> Chart:
        number = NUMBERS[name]
        charts_made[number] = Chart(scope, f"{number:04}-{name}", namespace=namespace)
        return charts_made[number]

    def drop_if_empty(made: Chart) -> None:
        """The chart of a component is gone again if nothing came into it."""
        if not made.api_objects:
            scope.node.try_remove_child(made.node.id)

    if values.release.create_namespace:
        k8s.KubeNamespace(
            chart("namespace", namespace=None),
            "namespace",
            metadata=naming.namespace(namespace, keep=values.keeps_claims),
        )
    if values.extra_objects:
        extra_objects(
            chart("extra-objects", namespace=None), naming, namespace, values.extra_objects
        )
    of_credentials, lacking = chart("credentials"), list[Lacking]()
    secret = credentials(
        of_credentials, naming, values.clearml, values.lacking_credentials, lacking
    )
    key = registry_key(of_credentials, naming, values.image_credentials)
    naming = naming.pulling_with([*key, *values.global_.image_pull_secrets])
    workloads = list[Placed]()
    site = Site(
        naming=naming,
        release=values.release,
        generation=generation,
        charts=render_charts(values)() if charts is None else charts,
        converts_data=converts_data(values),
        snapshots=repository(naming, values),
        workloads=workloads,
        lacking=lacking,
    )
    made_stores: dict[str, Any] = {}  # each of its own type, which its room knows
    for name, section in values.stores.items():
        made = chart(name)
        made_stores[name] = store(made, name, site, section)
        if section.source == "external":
            drop_if_empty(made)
    stores = StoreAddresses(**made_stores)
    if lacking:
        image = values.apiserver.pulled_image(generation)
        workloads.append(
            credentials_job(
                of_credentials, naming, values.inheriting_credentials_job, image, lacking
            )
        )
    drop_if_empty(of_credentials)
    addresses = {
        name: server.address(naming, generation, values.server(name))
        for name, server in SERVERS.items()
        if values.has(name)
    }
    servers = ServerAddresses(public=values.public_urls, **addresses)
    deleted = (
        url_prefixes([*values.file_urls, *servers.fileserver.urls_from(namespace)])
        if values.async_delete and servers.fileserver
        else []
    )
    if values.apiserver.enabled:
        apiserver = Apiserver(
            chart("apiserver"),
            naming=naming,
            generation=generation,
            values=values.apiserver,
            clearml=values.clearml,
            cookie_domain=values.cookie_domain,
            credentials=secret,
            stores=stores,
            url_prefixes=deleted,
        )
        workloads.append(apiserver.workload)
        if values.async_delete and servers.fileserver:
            deletion = AsyncDelete(
                chart("asyncdelete"),
                naming=naming,
                values=values.inheriting_async_delete,
                program=apiserver.program,
                fileserver=servers.fileserver,
                # It gives up on files that nobody deletes for it.
                running=values.apiserver.fewest > 0 and values.fileserver.fewest > 0,
            )
            workloads.append(deletion.workload)
    fileserver: Fileserver | None = None
    if values.fileserver.enabled:
        login = (
            Login(
                apiserver=servers.needs["apiserver"],
                apiserver_url=str(servers.inside("apiserver")),
                redis=stores.redis,
                credentials=secret,
                cookie_name=values.clearml.cookie_name,
            )
            if values.file_authentication
            else None
        )
        fileserver = Fileserver(
            chart("fileserver"),
            naming=naming,
            generation=generation,
            values=values.fileserver,
            examples=values.apiserver if values.apiserver.enabled else None,
            login=login,
        )
        workloads.append(fileserver.workload)
    if values.webserver.enabled:
        webserver = Webserver(
            chart("webserver"),
            naming=naming,
            generation=generation,
            values=values.webserver,
            company=values.clearml.default_company,
            credentials=secret,
            servers=servers,
            told=values.told_page,
        )
        workloads.append(webserver.workload)
    routes = values.routes
    if routes and values.gateway.enabled:
        Routes(
            chart("gateway"),
            naming=naming,
            values=values.gateway,
            cert_manager=values.cert_manager,
            routes=routes,
            servers=servers,
        )
    elif routes:
        Ingresses(
            chart("ingress"),
            naming=naming,
            common=values.ingress,
            own={server: values.own_ingress(server) for server in routes},
            cert_manager=values.cert_manager,
            routes=routes,
            servers=servers,
        )
    if values.agentservices.enabled:
        services = AgentServices(
            chart("agentservices"),
            naming=naming,
            generation=generation,
            values=values.agentservices,
            servers=servers,
            credentials=secret,
            wait_image=values.apiserver.pulled_image(generation),
        )
        workloads.append(services.workload)
    groups = [group for group in values.agent_groups.values() if group.enabled]
    if groups:
        # All in one chart: synthesizing takes time quadratic in the number of charts.
        made_groups = AgentGroups(
            chart("agent-groups"),
            naming=naming,
            generation=generation,
            values=groups,
            servers=servers,
            credentials=secret,
            wait_image=values.apiserver.pulled_image(generation),
        )
        workloads += made_groups.workloads
    backups = Backups(naming=naming, values=values, stores=stores, fileserver=fileserver)
    asked = {kind for kind, _ in asked_for(values)}
    if "backup" in asked:
        workloads += backups.make(chart("backup"))
    if "restore" in asked:
        workloads += backups.restore(chart("restore"))
    network_policies(workloads, values.network_policy)
    if values.argocd.sync_waves:
        for number, made in charts_made.items():
            in_sync_wave(made, number)
    return servers
