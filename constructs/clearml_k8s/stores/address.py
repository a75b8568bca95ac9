"""Addresses of the data stores, and how the ClearML servers are told about them."""

from dataclasses import dataclass

from clearml_k8s.hocon import hocon
from clearml_k8s.naming import Address, SecretRef
from clearml_k8s.pod import EnvValue

MONGODB_USER = "root"
MONGODB_PASSWORD_KEY = "mongodb-root-password"
REDIS_PASSWORD_KEY = "redis-password"

# Servers from 1.2 (Redis) and 1.8 (MongoDB) on read these variables themselves; for older ones
# they are only where Kubernetes takes the passwords from that the configuration repeats.
MONGODB_PASSWORD = "CLEARML_MONGODB_SERVICE_PASSWORD"
REDIS_PASSWORD = "CLEARML_REDIS_SERVICE_PASSWORD"


@dataclass(frozen=True)
class MongodbAddress(Address):
    """Where MongoDB answers, and the Secret with its password if it wants one."""

    secret: SecretRef | None = None

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the servers; 1.0.2 takes a password only as part of the URL."""
        variables: dict[str, EnvValue] = {
            "CLEARML_MONGODB_SERVICE_HOST": self.host,
            "CLEARML_MONGODB_SERVICE_PORT": str(self.port),
        }
        if self.secret is not None:
            variables[MONGODB_PASSWORD] = self.secret.key(MONGODB_PASSWORD_KEY)
            for database in ("backend", "auth"):
                variables[f"CLEARML__HOSTS__MONGO__{database.upper()}__HOST"] = hocon(
                    f"mongodb://{MONGODB_USER}:$({MONGODB_PASSWORD})@{self.host}:{self.port}"
                    f"/{database}?authSource=admin"
                )
        return variables


@dataclass(frozen=True)
class RedisAddress(Address):
    """Where Redis answers, its first database, and the Secret with its password."""

    database: int = 0
    secret: SecretRef | None = None

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the servers, which keep sessions and workers in databases of their own."""
        variables: dict[str, EnvValue] = {
            "CLEARML_REDIS_SERVICE_HOST": self.host,
            "CLEARML_REDIS_SERVICE_PORT": str(self.port),
        }
        if self.secret is not None:
            variables[REDIS_PASSWORD] = self.secret.key(REDIS_PASSWORD_KEY)
        for user, offset in REDIS_DATABASES.items():
            prefix = f"CLEARML__HOSTS__REDIS__{user.upper()}__"
            variables[prefix + "DB"] = str(self.database + offset)
            if self.secret is not None:
                variables[prefix + "PASSWORD"] = hocon(f"$({REDIS_PASSWORD})")
        return variables


# What the server keeps where, counted from the first database (apiserver hosts.conf).
REDIS_DATABASES = {"apiserver": 0, "workers": 4}


@dataclass(frozen=True)
class ElasticsearchAddress(Address):
    """Where Elasticsearch answers."""

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the servers."""
        return {
            "CLEARML_ELASTIC_SERVICE_HOST": self.host,
            "CLEARML_ELASTIC_SERVICE_PORT": str(self.port),
        }


@dataclass(frozen=True, kw_only=True)
class StoreAddresses:
    """The three stores of an installation."""

    mongodb: MongodbAddress
    redis: RedisAddress
    elasticsearch: ElasticsearchAddress

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables that tell a server about all three."""
        return {
            **self.elasticsearch.environment,
            **self.mongodb.environment,
            **self.redis.environment,
        }

    @property
    def urls(self) -> dict[str, str]:
        """What to wait for before a server starts."""
        stores = {
            "mongodb": self.mongodb,
            "redis": self.redis,
            "elasticsearch": self.elasticsearch,
        }
        return {name: f"tcp://{store.host}:{store.port}" for name, store in stores.items()}
