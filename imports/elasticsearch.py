"""Elasticsearch from Elastic's chart."""

from typing import Any

from constructs import Construct

from config.elasticsearch import Elasticsearch as ElasticsearchValues
from config.release import Release
from config.types.merging import merge
from imports import chart_values as settings
from imports.chart_values import helm_values, unknown_settings
from imports.helm_chart import HelmChart
from imports.patches import drop_obsolete_annotation
from imports.release import HelmRelease, ReleaseManifests

DEFAULT_PORT = 9200
# Of the chart: from here on roles are a list, and security is on unless it is switched off.
ROLE_LIST = 8
NO_SECURITY: dict[str, Any] = {
    "createCert": False,
    "secret": {"enabled": False},
    "protocol": "http",
}
KNOWN_SETTINGS = (settings.KNOWN_SETTINGS | {"extraEnvs"}) - {"affinity"}
OURS = {
    "enabled",
    "provider",
    "chart",
    "external",
    "metrics",
    "imageRegistry",
    "imageDigest",
    *unknown_settings(KNOWN_SETTINGS),
}
# Their defaults are the embedded provider's: other images, and no privileged container.
EMBEDDED = {"image", "imageTag", "imagePullPolicy", "sysctlInitContainer"}


def helm_release(values: ElasticsearchValues, release: Release) -> HelmRelease:
    """The release of the chart, with the values that it gets."""
    return HelmRelease(
        source=values.chart,
        name=release.name,
        namespace=release.namespace,
        values=chart_values(values, release),
        patches=[drop_obsolete_annotation],
    )


def chart_values(values: ElasticsearchValues, release: Release) -> dict[str, Any]:
    """The values for the chart; defaults of the embedded provider stay behind."""
    chart = helm_values(values, without=OURS | EMBEDDED)
    chosen = helm_values(values, defaults=False)
    chart |= {key: chosen[key] for key in EMBEDDED if key in chosen}
    chart["clusterName"] = release.expand(values.cluster_name)
    roles: dict[str, Any] = chart["roles"]
    if values.chart.major >= ROLE_LIST:
        chart["roles"] = [role for role, enabled in roles.items() if enabled]
        chart = merge(NO_SECURITY, chart, keep_nulls=True)
    else:
        # The chart takes texts only.
        chart["roles"] = {role: _text(enabled) for role, enabled in roles.items()}
    environment = chart.get("extraEnvs", [])
    if values.http_port != DEFAULT_PORT and "http.port" not in _names(environment):
        # The chart puts the port everywhere but into the settings of Elasticsearch.
        chart["extraEnvs"] = [*environment, {"name": "http.port", "value": str(values.http_port)}]
    return chart


class Elasticsearch(HelmChart):
    """The objects of the chart."""

    def __init__(self, scope: Construct, manifests: ReleaseManifests) -> None:
        super().__init__(scope, "chart", manifests)
        self.answer_at("elasticsearch")


def _names(environment: list[dict[str, Any]]) -> list[str]:
    return [variable["name"] for variable in environment]


def _text(enabled: object) -> object:
    return str(enabled).lower() if isinstance(enabled, bool) else enabled
