"""MongoDB from Bitnami's chart."""

from typing import Any

from constructs import Construct

from config.mongodb import PASSWORD_KEY
from config.mongodb import Mongodb as MongodbValues
from config.release import Release
from config.types.merging import merge
from imports.chart_values import helm_values, unknown_settings
from imports.helm_chart import HelmChart
from imports.patches import Object, drop_dangling_secrets, recreate_deployments
from imports.release import HelmRelease, ReleaseManifests

PORT_NAME = "mongodb"
REPLICA_SET_VARIABLE = "MONGODB_REPLICA_SET_NAME"
# Their defaults are the embedded provider's: other images and programs.
EMBEDDED = {"image", "metrics", "resources"}
OURS = {
    "enabled",
    "provider",
    "chart",
    "external",
    *EMBEDDED,
    "auth.existingSecretKey",
    "service.name",
    *unknown_settings(),
}
# Of the chart: from here on the ports of a Service have names.
NAMED_PORTS = 12


def helm_release(values: MongodbValues, release: Release) -> HelmRelease:
    """The release of the chart, with the values that it gets."""
    return HelmRelease(
        source=values.chart,
        name=release.name,
        namespace=release.namespace,
        values=chart_values(_with_secret(values, release)),
        patches=[recreate_deployments, drop_dangling_secrets],
    )


def _with_secret(values: MongodbValues, release: Release) -> MongodbValues:
    """The values with our own Secret for what is to be made, or the chart would make it up."""
    if not values.lacking:
        return values
    own = {"existing_secret": release.expand(values.own_secret)}
    return values.model_copy(update={"auth": values.auth.model_copy(update=own)})


def chart_values(values: MongodbValues) -> dict[str, Any]:
    """The values for the chart; defaults of the embedded provider stay behind."""
    chart = helm_values(values, without=OURS)
    chosen = helm_values(values, without={"image.digest"}, defaults=False)
    chart |= {key: chosen[key] for key in EMBEDDED & chosen.keys()}
    if values.chart.major >= NAMED_PORTS:
        service = chart.pop("service")
        ports = {"mongodb": service.pop("port")}
        chart = merge({"service": {"ports": ports}}, chart | {"service": service}, keep_nulls=True)
    return chart


class Mongodb(HelmChart):
    """The objects of the chart.

    A replica set has `replica_set`, its name, and `members`, their host names; its host is the
    headless Service, as there is no other. `secret` holds the password, if the chart makes one.
    """

    def __init__(self, scope: Construct, manifests: ReleaseManifests) -> None:
        super().__init__(scope, "chart", manifests)
        self.secret = self.secret_with(PASSWORD_KEY)
        self.replica_set = ""
        self.members: list[str] = []
        for stateful_set in self.of("StatefulSet"):
            name, port = _replica_set(stateful_set)
            if name and port:
                spec, pod = stateful_set["spec"], stateful_set["metadata"]["name"]
                self.replica_set, self.host, self.port = name, spec["serviceName"], port
                self.selector = spec["selector"]["matchLabels"]
                self.members = [
                    f"{pod}-{ordinal}.{self.host}" for ordinal in range(spec.get("replicas", 1))
                ]
                return
        self.answer_at("mongodb", PORT_NAME)


def _replica_set(stateful_set: Object) -> tuple[str, int]:
    """Name of the replica set and port of its members; empty where these are not its members."""
    name, port = "", 0
    if stateful_set["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "mongodb":
        for container in stateful_set["spec"]["template"]["spec"]["containers"]:
            for variable in container.get("env", []):
                if variable["name"] == REPLICA_SET_VARIABLE:
                    name = variable.get("value", "")
            for exposed in container.get("ports", []):
                if exposed.get("name") == PORT_NAME:
                    port = exposed["containerPort"]
    return name, port
