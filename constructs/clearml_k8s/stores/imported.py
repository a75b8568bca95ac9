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
from imports.redis import PASSWORD_KEY as REDIS_PASSWORD_KEY
from imports.redis import Redis
from imports.rendering import Rendered
from imports.renderings import Renderings


class ImportedStores:
    """The stores whose provider is helm; helm renders their charts from the construction on."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._renderings = Renderings(values)

    def wait(self) -> tuple[dict[str, ImportedStore[StoreAddress]], list[str]]:
        """What adds each of the stores, by name, and what the user should know of them.

        Raises ValuesError for charts that cannot be had or rendered.
        """
        values, rendered = self._values, self._renderings.wait()
        stores: dict[str, ImportedStore[StoreAddress]] = {
            "mongodb": lambda scope: _mongodb(scope, rendered["mongodb"], values.mongodb.auth),
            "redis": lambda scope: _redis(scope, rendered["redis"], values.redis),
            "elasticsearch": lambda scope: _elasticsearch(scope, rendered["elasticsearch"]),
        }
        warnings = [warning for chart in rendered.values() for warning in chart.warnings]
        return {name: stores[name] for name in rendered}, warnings


def _mongodb(scope: Construct, rendered: Rendered, auth: MongodbAuth) -> MongodbAddress:
    chart = Mongodb(scope, rendered)
    password: PasswordRef | None = None
    if auth.enabled:
        secret = _secret(chart.secret, auth.existing_secret)
        password = PasswordRef(secret, MONGODB_PASSWORD_KEY)
    members = [Address(host, chart.port) for host in chart.members or [chart.host]]
    return MongodbAddress(members, password, chart.replica_set or None)


def _redis(scope: Construct, rendered: Rendered, values: RedisValues) -> RedisAddress:
    chart = Redis(scope, rendered)
    password: PasswordRef | None = None
    if values.use_password:
        secret = _secret(chart.secret, values.existing_secret)
        existing = values.existing_secret_password_key
        key = existing if values.existing_secret else REDIS_PASSWORD_KEY
        password = PasswordRef(secret, key)
    return RedisAddress(chart.host, chart.port, values.database_number, password)


def _elasticsearch(scope: Construct, rendered: Rendered) -> ElasticsearchAddress:
    chart = Elasticsearch(scope, rendered)
    return ElasticsearchAddress(chart.host, chart.port)


def _secret(made: Object | None, existing: str) -> SecretRef:
    """The user's Secret, or the one that the chart made."""
    if existing or made is None:
        return SecretRef(existing)
    return SecretRef(made["metadata"]["name"], checksum(made["data"]))
