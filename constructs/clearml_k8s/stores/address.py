"""Addresses of the data stores, and how the ClearML servers are told about them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol
from urllib.parse import urlsplit

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.environment import EnvValue, Template, literal
from clearml_k8s.parts.hocon import hocon
from clearml_k8s.parts.naming import Address, SecretRef
from clearml_k8s.parts.need import ANYWHERE, Endpoint, Need, Target
from clearml_k8s.parts.volume import secret_volume

# Where the configuration takes the passwords from. Servers from 1.2 on read that of Redis
# themselves too. That of MongoDB they must not: from 1.8 on they would write it into the URLs once
# more, and stop at a URL of several members (apiserver/database/__init__.py).
MONGODB_PASSWORD = "MONGODB_PASSWORD"
REDIS_PASSWORD = "CLEARML_REDIS_SERVICE_PASSWORD"
ELASTICSEARCH_PASSWORD = "CLEARML_ELASTIC_SERVICE_PASSWORD"
ELASTICSEARCH_CLUSTERS = ("EVENTS", "WORKERS")
ELASTICSEARCH_CA_DIR = "/run/elasticsearch-ca"
# Who keeps what where, counted from the first database (hosts.conf of API and file server).
REDIS_DATABASES = {"apiserver": 0, "workers": 4, "fileserver": 8}
OF_THE_APISERVER = ("apiserver", "workers")


class StoreAddress(Need, Protocol):
    """What a server must know of a store, whoever provides it."""

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the server."""

    @property
    def volumes(self) -> Sequence[k8s.Volume]:
        """Volumes with the files that the server needs for it."""

    @property
    def mounts(self) -> Sequence[k8s.VolumeMount]:
        """Where the server finds those files."""


class WithoutFiles:
    """A store that the server needs no files for."""

    volumes: ClassVar[Sequence[k8s.Volume]] = ()
    mounts: ClassVar[Sequence[k8s.VolumeMount]] = ()


def _endpoints(pods: Endpoint | None, *ports: int) -> list[Endpoint]:
    """The pods; of those outside the ports."""
    return [pods] if pods else [Endpoint(port=port) for port in dict.fromkeys(ports)]


class PasswordRef(NamedTuple):
    """A password: a key of a Secret."""

    secret: SecretRef
    key: str

    @property
    def value(self) -> EnvValue:
        """The password as the value of a variable."""
        return self.secret.key(self.key)


class CaFile(NamedTuple):
    """The certificate of an authority: a key of a Secret, which the server reads as a file."""

    secret: SecretRef
    key: str

    @property
    def path(self) -> str:
        """Where the server finds it."""
        return f"{ELASTICSEARCH_CA_DIR}/{self.key}"

    @property
    def volume(self) -> k8s.Volume:
        """The volume that it is on."""
        return secret_volume("elasticsearch-ca", self.secret.name, self.key)

    @property
    def mount(self) -> k8s.VolumeMount:
        """That volume in its place."""
        return k8s.VolumeMount(
            name="elasticsearch-ca", mount_path=ELASTICSEARCH_CA_DIR, read_only=True
        )


@dataclass(frozen=True)
class MongodbAddress(WithoutFiles):
    """The members of a MongoDB, one or a replica set, and the password of the user `root`."""

    members: Sequence[Address]
    password: PasswordRef | None = None
    replica_set: str | None = None
    pods: Endpoint | None = None

    @property
    def endpoints(self) -> list[Endpoint]:
        """Its pods, or the ports of members outside."""
        return _endpoints(self.pods, *(member.port for member in self.members))

    @property
    def target(self) -> Target:
        """Any of the members."""
        return Target(literal(f"tcp://{self._hosts}"))

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the server, which every version takes: URLs for all but one plain host."""
        if self.password is None and self.replica_set is None:
            return {
                "CLEARML_MONGODB_SERVICE_HOST": self.members[0].host,
                "CLEARML_MONGODB_SERVICE_PORT": str(self.members[0].port),
            }
        variables: dict[str, EnvValue] = {}
        if self.password is not None:
            variables[MONGODB_PASSWORD] = self.password.value
        return variables | mongodb_urls(
            **{database: self.url(database) for database in ("backend", "auth")}
        )

    @property
    def client_environment(self) -> dict[str, EnvValue]:
        """Variables of a program that talks to MongoDB itself: the URLs of the two databases."""
        variables: dict[str, EnvValue] = {}
        if self.password is not None:
            variables[MONGODB_PASSWORD] = self.password.value
        return variables | {"BACKEND_URL": self.url("backend"), "AUTH_URL": self.url("auth")}

    @property
    def _hosts(self) -> str:
        return ",".join(f"{member.host}:{member.port}" for member in self.members)

    def url(self, database: str, password_variable: str = MONGODB_PASSWORD) -> Template:
        """The URL of a database, with the password taken from a variable."""
        user = f"root:$({password_variable})@" if self.password else ""
        options = [
            *(["authSource=admin"] if self.password else []),
            *([f"replicaSet={literal(self.replica_set)}"] if self.replica_set else []),
        ]
        hosts = literal(self._hosts)
        return Template(f"mongodb://{user}{hosts}/{database}?{'&'.join(options)}")


def mongodb_urls(*, backend: Template, auth: Template) -> dict[str, EnvValue]:
    """Variables that give the server its two databases, as URLs."""
    return {
        "CLEARML__HOSTS__MONGO__BACKEND__HOST": hocon(backend),
        "CLEARML__HOSTS__MONGO__AUTH__HOST": hocon(auth),
    }


@dataclass(frozen=True)
class MongodbConnection(WithoutFiles):
    """A MongoDB that is known by its connection strings, which a Secret holds."""

    secret: SecretRef
    backend_key: str
    auth_key: str

    @property
    def endpoints(self) -> list[Endpoint]:
        """Anywhere, as nobody here reads the connection strings."""
        return [ANYWHERE]

    @property
    def target(self) -> Target:
        """Any of the hosts in the connection string."""
        return Target(
            Template("$(MONGODB_BACKEND)"), {"MONGODB_BACKEND": self.secret.key(self.backend_key)}
        )

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the server."""
        return {
            "MONGODB_BACKEND": self.secret.key(self.backend_key),
            "MONGODB_AUTH": self.secret.key(self.auth_key),
            **mongodb_urls(
                backend=Template("$(MONGODB_BACKEND)"), auth=Template("$(MONGODB_AUTH)")
            ),
        }

    @property
    def client_environment(self) -> dict[str, EnvValue]:
        """Variables of a program that talks to MongoDB itself: the URLs of the two databases."""
        return {
            "BACKEND_URL": self.secret.key(self.backend_key),
            "AUTH_URL": self.secret.key(self.auth_key),
        }


@dataclass(frozen=True)
class RedisAddress(WithoutFiles, Address):
    """Where Redis answers, its first database and password, and whether it speaks TLS."""

    database: int = 0
    password: PasswordRef | None = None
    tls: bool = False
    pods: Endpoint | None = None

    @property
    def endpoints(self) -> list[Endpoint]:
        """Its pods, or the port of a Redis outside."""
        return _endpoints(self.pods, self.port)

    @property
    def target(self) -> Target:
        """The server."""
        return Target(literal(f"tcp://{self.host}:{self.port}"))

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the server, which keeps sessions and workers in databases of their own."""
        return self.environment_of(*OF_THE_APISERVER)

    def environment_of(self, *users: str) -> dict[str, EnvValue]:
        """Variables of a server that has these databases."""
        variables: dict[str, EnvValue] = {
            "CLEARML_REDIS_SERVICE_HOST": self.host,
            "CLEARML_REDIS_SERVICE_PORT": str(self.port),
        }
        if self.password is not None:
            variables[REDIS_PASSWORD] = self.password.value
        for user in users:
            prefix = f"CLEARML__HOSTS__REDIS__{user.upper()}__"
            variables[prefix + "DB"] = str(self.database + REDIS_DATABASES[user])
            if self.password is not None:
                variables[prefix + "PASSWORD"] = hocon(Template(f"$({REDIS_PASSWORD})"))
            if self.tls:
                variables[prefix + "SSL"] = hocon(True)
        return variables


@dataclass(frozen=True)
class ElasticsearchAddress(WithoutFiles, Address):
    """Where the Service of an Elasticsearch answers, without a password."""

    pods: Endpoint | None = None

    @property
    def endpoints(self) -> list[Endpoint]:
        """Its pods, or the port of an Elasticsearch outside."""
        return _endpoints(self.pods, self.port)

    @property
    def target(self) -> Target:
        """The Service."""
        return Target(literal(f"tcp://{self.host}:{self.port}"))

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the server."""
        return {
            "CLEARML_ELASTIC_SERVICE_HOST": self.host,
            "CLEARML_ELASTIC_SERVICE_PORT": str(self.port),
        }

    @property
    def client_environment(self) -> dict[str, EnvValue]:
        """Variables of a program that talks to Elasticsearch itself."""
        return {"ELASTICSEARCH_URLS": self.url}


class ElasticsearchHosts(NamedTuple):
    """An Elasticsearch that is known by its nodes' URLs, and the user that logs in to it.

    `ca` is who its certificates are from, unless they are not to be verified. `args` says that
    the server heeds the arguments of each cluster from the first request on.
    """

    urls: Sequence[str]
    username: str | None = None
    password: PasswordRef | None = None
    ca: CaFile | None = None
    verify_certs: bool = True
    args: bool = True

    @property
    def endpoints(self) -> list[Endpoint]:
        """The ports of the nodes."""
        return _endpoints(None, *(urlsplit(url).port or 9200 for url in self.urls))

    @property
    def target(self) -> Target:
        """Any of the nodes."""
        hosts = ",".join(urlsplit(url).netloc for url in self.urls)
        return Target(literal(f"tcp://{hosts}"))

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables of the server; a user and password in each URL work with all versions."""
        variables: dict[str, EnvValue] = {}
        if self.password is not None:
            variables[ELASTICSEARCH_PASSWORD] = self.password.value
        hosts = json.dumps([self._host(url) for url in self.urls])
        for cluster in ELASTICSEARCH_CLUSTERS:
            prefix = f"CLEARML__HOSTS__ELASTIC__{cluster}__"
            variables[prefix + "HOSTS"] = Template(hosts)
            if self.args:
                for option, value in self._tls.items():
                    variables[f"{prefix}ARGS__{option.upper()}"] = hocon(value)
        return variables

    @property
    def client_environment(self) -> dict[str, EnvValue]:
        """Variables of a program that talks to Elasticsearch itself."""
        return {
            "ELASTICSEARCH_URLS": ",".join(self.urls),
            "ELASTICSEARCH_USERNAME": self.username,
            "ELASTICSEARCH_PASSWORD": self.password.value if self.password else None,
            "ELASTICSEARCH_CA": self.ca.path if self.ca else None,
            "ELASTICSEARCH_VERIFY_CERTS": None if self.verify_certs else "false",
        }

    @property
    def volumes(self) -> list[k8s.Volume]:
        """The volume with the certificate."""
        return [self.ca.volume] if self.ca else []

    @property
    def mounts(self) -> list[k8s.VolumeMount]:
        """Where the certificate is."""
        return [self.ca.mount] if self.ca else []

    @property
    def _tls(self) -> dict[str, str | bool]:
        """Options of the Elasticsearch client, beyond what the URLs say."""
        options: dict[str, str | bool] = {}
        if self.ca is not None:
            options["ca_certs"] = self.ca.path
        if not self.verify_certs:
            options["verify_certs"] = False
        return options

    @property
    def _login(self) -> str:
        if self.password is None:
            return ""
        return f"{literal(self.username or '')}:$({ELASTICSEARCH_PASSWORD})"

    def _host(self, url: str) -> str | dict[str, str | int | bool]:
        """A node as its URL, or as a mapping where the TLS options must stand with it."""
        parts = urlsplit(url)
        if self.args or not self._tls or parts.scheme != "https":
            return literal(url).replace("://", f"://{self._login}@" if self._login else "://")
        host: dict[str, str | int | bool] = {
            "host": str(parts.hostname),
            "port": parts.port or 9200,
            "use_ssl": True,
            **self._tls,
        }
        if parts.path.strip("/"):
            host["url_prefix"] = parts.path
        if self._login:
            host["http_auth"] = self._login
        return host


class StoreAddresses(NamedTuple):
    """The three stores of an installation."""

    mongodb: MongodbAddress | MongodbConnection
    redis: RedisAddress
    elasticsearch: ElasticsearchAddress | ElasticsearchHosts

    @property
    def environment(self) -> dict[str, EnvValue]:
        """Variables that tell a server about all three."""
        return {
            **self.elasticsearch.environment,
            **self.mongodb.environment,
            **self.redis.environment,
        }

    @property
    def volumes(self) -> list[k8s.Volume]:
        """Volumes with the files that a server needs for all three."""
        return [volume for store in self._stores for volume in store.volumes]

    @property
    def mounts(self) -> list[k8s.VolumeMount]:
        """Where a server finds those files."""
        return [mount for store in self._stores for mount in store.mounts]

    @property
    def _stores(self) -> tuple[StoreAddress, ...]:
        return self.mongodb, self.redis, self.elasticsearch

    @property
    def needs(self) -> dict[str, Need]:
        """The stores by name, in the order in which a server asks for them."""
        return {
            "mongodb": self.mongodb,
            "redis": self.redis,
            "elasticsearch": self.elasticsearch,
        }
