"""A Redis that somebody else runs."""

from constructs import Construct

from clearml_k8s.stores import Site
from clearml_k8s.stores.address import RedisAddress
from clearml_k8s.stores.redis.password import password
from config.redis import Redis


def provide(scope: Construct, site: Site, values: Redis) -> RedisAddress:
    """Make the Secret `<release>-redis` for a password of the values."""
    return RedisAddress(
        site.release.expand(values.master.name),
        values.master.port,
        values.database_number,
        password(scope, site, values),
        tls=values.external.tls,
    )
