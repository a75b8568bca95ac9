"""Redis from Bitnami's chart."""

from typing import Any

from constructs import Construct

from config.redis import PASSWORD_KEY
from config.redis import Redis as RedisValues
from config.release import Release
from config.types.merging import merge
from imports.chart_values import helm_values, unknown_settings
from imports.helm_chart import HelmChart
from imports.release import HelmRelease, ReleaseManifests

PORT_NAME = "redis"
# Their defaults are the embedded provider's: other images.
EMBEDDED = {"image", "metrics"}
OURS = {
    "enabled",
    "provider",
    "chart",
    "external",
    *EMBEDDED,
    "databaseNumber",
    "master.name",
    "master.port",
    *(f"master.{key}" for key in unknown_settings()),
}
# Of the chart: from here on there are `auth` and `architecture`, and later named ports.
AUTH_SECTION = 14
NAMED_PORTS = 16
AUTH_KEYS = {
    "usePassword": "enabled",
    "password": "password",
    "existingSecret": "existingSecret",
    "existingSecretPasswordKey": "existingSecretPasswordKey",
}


def helm_release(values: RedisValues, release: Release) -> HelmRelease:
    """The release of the chart, with the values that it gets."""
    return HelmRelease(
        source=values.chart,
        name=release.name,
        namespace=release.namespace,
        values=chart_values(_with_secret(values, release)),
    )


def _with_secret(values: RedisValues, release: Release) -> RedisValues:
    """The values with our own Secret for what is to be made, or the chart would make it up."""
    if not values.lacking:
        return values
    own = release.expand(values.own_secret)
    return values.model_copy(
        update={"existing_secret": own, "existing_secret_password_key": PASSWORD_KEY}
    )


def chart_values(values: RedisValues) -> dict[str, Any]:
    """The values for the chart; defaults of the embedded provider stay behind."""
    major, port = values.chart.major, values.master.port
    chart = helm_values(values, without=OURS)
    chosen = helm_values(values, without={"image.digest"}, defaults=False)
    chart |= {key: chosen[key] for key in EMBEDDED & chosen.keys()}
    if "resources" not in values.master.model_fields_set:
        chart["master"].pop("resources")
    if major < AUTH_SECTION:
        renamed: dict[str, Any] = {"master": {"service": {"port": port}}, "redisPort": port}
        return merge(renamed, chart, keep_nulls=True)
    if major < NAMED_PORTS:
        renamed = {"master": {"service": {"port": port}, "containerPort": port}}
    else:
        ports = {"redis": port}
        renamed = {"master": {"service": {"ports": ports}, "containerPorts": ports}}
    cluster = chart.pop("cluster")
    renamed["architecture"] = "replication" if cluster["enabled"] else "standalone"
    renamed["replica"] = {"replicaCount": cluster["slaveCount"]}
    renamed["auth"] = {new: chart.pop(old) for old, new in AUTH_KEYS.items() if old in chart}
    return merge(renamed, chart, keep_nulls=True)


class Redis(HelmChart):
    """The objects of the chart; `secret` holds the password, if the chart makes one."""

    def __init__(self, scope: Construct, manifests: ReleaseManifests) -> None:
        super().__init__(scope, "chart", manifests)
        self.secret = self.secret_with(PASSWORD_KEY)
        self.answer_at("redis", PORT_NAME, role="master")
