"""MongoDB from its Helm chart."""

from constructs import Construct

from clearml_k8s.parts.naming import Address
from clearml_k8s.parts.need import Endpoint
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import MongodbAddress, PasswordRef
from clearml_k8s.stores.chart import adapted, secret_ref
from clearml_k8s.stores.mongodb.password import password
from config.mongodb import PASSWORD_KEY, Mongodb
from imports import mongodb
from imports.chart_values import patched


def provide(scope: Construct, site: Site, values: Mongodb) -> MongodbAddress:
    """Make the objects of the chart; no Secret of its own if a password is to be made."""
    pod = patched(values)
    rendered = adapted("mongodb", site.charts["mongodb"], site.naming, pod, values.image)
    chart = mongodb.Mongodb(scope, rendered)
    secret: PasswordRef | None = None
    if values.lacking:
        secret = password(scope, site, values)
    elif values.auth.enabled:
        found = secret_ref(chart.secret, values.auth.existing_secret)
        secret = PasswordRef(found, PASSWORD_KEY)
    members = [Address(host, chart.port) for host in chart.members or [chart.host]]
    pods = Endpoint(chart.selector)
    return MongodbAddress(members, secret, chart.replica_set or None, pods)
