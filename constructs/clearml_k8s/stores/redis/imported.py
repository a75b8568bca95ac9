"""Redis from its Helm chart."""

from constructs import Construct

from clearml_k8s.parts.need import Endpoint
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import PasswordRef, RedisAddress
from clearml_k8s.stores.chart import adapted, secret_ref
from clearml_k8s.stores.redis.password import password
from config.redis import PASSWORD_KEY, Redis
from imports import redis
from imports.chart_values import patched


def provide(scope: Construct, site: Site, values: Redis) -> RedisAddress:
    """Make the objects of the chart; no Secret of its own if the password is to be made."""
    pod = patched(values.master)
    rendered = adapted("redis", site.charts["redis"], site.naming, pod, values.image)
    chart = redis.Redis(scope, rendered)
    secret: PasswordRef | None = None
    if values.lacking:
        secret = password(scope, site, values)
    elif values.use_password:
        found = secret_ref(chart.secret, values.existing_secret)
        existing = values.existing_secret_password_key
        secret = PasswordRef(found, existing if values.existing_secret else PASSWORD_KEY)
    pods = Endpoint(chart.selector)
    return RedisAddress(chart.host, chart.port, values.database_number, secret, pods=pods)
