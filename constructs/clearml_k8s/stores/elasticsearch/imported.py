"""Elasticsearch from its Helm chart."""

from constructs import Construct

from clearml_k8s.parts.need import Endpoint
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import ElasticsearchAddress
from clearml_k8s.stores.chart import adapted
from config.elasticsearch import Elasticsearch
from imports import elasticsearch
from imports.chart_values import patched


def provide(scope: Construct, site: Site, values: Elasticsearch) -> ElasticsearchAddress:
    """Make the objects of the chart."""
    pod = patched(values, elasticsearch.KNOWN_SETTINGS)
    manifests, image = site.charts["elasticsearch"], values.image_section
    rendered = adapted("elasticsearch", manifests, site.naming, pod, image)
    chart = elasticsearch.Elasticsearch(scope, rendered)
    return ElasticsearchAddress(chart.host, chart.port, Endpoint(chart.selector))
