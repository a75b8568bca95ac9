"""Stores that their Helm charts make, behind the same addresses as all others."""

from constructs import Construct

from clearml_k8s.naming import Address, SecretRef, checksum
from clearml_k8s.stores.address import (
    ElasticsearchAddress,
    ImportedStore,
    MongodbAddress,
    PasswordRef,
    RedisAddress,
    StoreAddress,
)
from config import Values
from config.mongodb import MongodbAuth
from config.redis import Redis as RedisValues
from imports.elasticsearch import Elasticsearch
from imports.mongodb import PASSWORD_KEY as MONGODB_PASSWORD_KEY
from imports.mongodb import Mongodb
from imports.patches import Object
from imports.pool import ReleasePool
from imports.redis import PASSWORD_KEY as REDIS_PASSWORD_KEY
from imports.redis import Redis
from imports.release import ReleaseManifests


class ImportedStores:
    """The stores whose provider is helm; helm renders their charts from the construction on."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._pool = ReleasePool(values)

    def wait(self) -> tuple[dict[str, ImportedStore[StoreAddress]], list[str]]:
        """What adds each of the stores, by name, and what the user should know of them.

        Raises ValuesError for charts that cannot be had or rendered.
        """
        values, manifests = self._values, self._pool.wait()
        stores: dict[str, ImportedStore[StoreAddress]] = {
            "mongodb": lambda scope: _mongodb(scope, manifests["mongodb"], values.mongodb.auth),
            "redis": lambda scope: _redis(scope, manifests["redis"], values.redis),
            "elasticsearch": lambda scope: _elasticsearch(scope, manifests["elasticsearch"]),
        }
        warnings = [warning for made in manifests.values() for warning in made.warnings]
        return {name: stores[name] for name in manifests}, warnings


def _mongodb(scope: Construct, manifests: ReleaseManifests, auth: MongodbAuth) -> MongodbAddress:
    chart = Mongodb(scope, manifests)
    password: PasswordRef | None = None
    if auth.enabled:
        secret = _secret(chart.secret, auth.existing_secret)
        password = PasswordRef(secret, MONGODB_PASSWORD_KEY)
    members = [Address(host, chart.port) for host in chart.members or [chart.host]]
    return MongodbAddress(members, password, chart.replica_set or None)


def _redis(scope: Construct, manifests: ReleaseManifests, values: RedisValues) -> RedisAddress:
    chart = Redis(scope, manifests)
    password: PasswordRef | None = None
    if values.use_password:
        secret = _secret(chart.secret, values.existing_secret)
        existing = values.existing_secret_password_key
        key = existing if values.existing_secret else REDIS_PASSWORD_KEY
        password = PasswordRef(secret, key)
    return RedisAddress(chart.host, chart.port, values.database_number, password)


def _elasticsearch(scope: Construct, manifests: ReleaseManifests) -> ElasticsearchAddress:
    chart = Elasticsearch(scope, manifests)
    return ElasticsearchAddress(chart.host, chart.port)


def _secret(made: Object | None, existing: str) -> SecretRef:
    """The user's Secret, or the one that the chart made."""
    if existing or made is None:
        return SecretRef(existing)
    return SecretRef(made["metadata"]["name"], checksum(made["data"]))
