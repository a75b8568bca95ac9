"""The words of other charts of ClearML, from 0.10 to 7.15, and what becomes of each here.

A key that is neither one of ours nor in this table was in the values of none of those charts.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from config.external_services import elasticsearch_external, host_list
from config.store_charts import STORE_CHARTS, is_idle, is_off
from config.types.scalars import without_hint
from config.types.words import (
    EMPTY,
    Converter,
    Listed,
    Obsolete,
    Path,
    Refused,
    Renamed,
    Translation,
    Word,
    translate,
)

SERVERS = {"app": "webserver", "api": "apiserver", "files": "fileserver"}
STORES = ("mongodb", "redis", "elasticsearch")


def translated(
    content: dict[str, Any],
    whole: Mapping[str, Any] | None = None,
    *,
    knows: Callable[[Path], bool],
    in_place: bool = False,
) -> Translation:
    """A mapping of values in our words.

    `whole` is what all values files say, for words whose meaning depends on others; `knows` tells
    the paths of ours. What a store's Helm chart reads itself is left to it. The mapping is copied
    unless changed `in_place`.
    """
    whole = content if whole is None else whole
    imported = {store for store in STORES if _section(whole, store).get("provider") == "helm"}
    words = {
        pattern: word
        for pattern, word in WORDS.items()
        if pattern in SAME_FOR_ALL_PROVIDERS or pattern.split(".")[0] not in imported
    }

    def is_ours(path: Path) -> bool:
        return path[0] in imported or knows(path)

    return translate(words, content, whole, is_ours, in_place=in_place)


def _section(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = mapping.get(key)
    return found if isinstance(found, dict) else {}


# Conditions on all values together, and on the value of one word.


def _external(store: str, *others: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether the store, or what other charts have in its place, is somebody else's."""

    def external(whole: Mapping[str, Any]) -> bool:
        return _section(whole, store).get("provider") == "external" or any(
            is_off(_section(whole, name).get("enabled")) for name in (store, *others)
        )

    return external


def _off(value: Any) -> bool:
    """Whether a switch, or the section that it stands in, is off unless it says otherwise."""
    switch = value.get("enabled") if isinstance(value, dict) else value
    return switch is None or is_off(switch)


def _switched_off(section: Any) -> bool:
    """Whether a section that is on unless it says otherwise is off."""
    return isinstance(section, dict) and is_off(section.get("enabled"))


# From their values to ours.


def _switch(positions: Mapping[str, bool]) -> Converter:
    def convert(value: Any, _: Any) -> bool | None:
        if value in EMPTY:
            return None
        if not isinstance(value, str) or value not in positions:
            raise ValueError(f"must be {' or '.join(positions)}")
        return positions[value]

    return convert


def _making(*keys: str) -> Callable[[Converter], Converter]:
    """For a converter that makes a section with these keys: null resets them, and no other."""

    def unless_empty(convert: Converter) -> Converter:
        def converted(value: Any, whole: Mapping[str, Any]) -> Any:
            if value is None:
                return dict.fromkeys(keys)
            return {} if value in EMPTY else convert(value, whole)

        return converted

    return unless_empty


def _account(server: str) -> Converter:
    # As the charts call it.
    return _making("create", "name")(lambda name, _: {"create": True, "name": f"{name}-{server}"})


@_making("existingSecret", "existingSecretKeys")
def _existing_secret(name: Any, _: Any) -> Any:
    """With the keys of the charts that have this word."""
    return {"existingSecret": name, "existingSecretKeys": "chart-2"}


@_making("create", "annotations")
def _annotated_account(annotations: Any, _: Any) -> Any:
    return {"create": True, "annotations": annotations}


@_making("backend", "auth")
def _urls_of_databases(url: Any, _: Any) -> dict[str, str]:
    """The URLs of the server's two databases, made from the one that was for both."""
    begins = re.compile(r"mongodb(\+srv)?://.*", re.DOTALL)
    if not begins.fullmatch(str(url)):
        hint = without_hint(str(url), begins.fullmatch)
        raise ValueError(f"must be a URL that begins with mongodb:// or mongodb+srv://{hint}")
    try:
        parts = urlsplit(str(url))
    except ValueError:
        raise ValueError("must be a URL") from None  # theirs shows the password
    return {name: parts._replace(path=f"/{name}").geturl() for name in ("backend", "auth")}


def _host_and_port(_: Any, whole: Mapping[str, Any]) -> list[str] | None:
    given = _section(whole, "externalServices")
    host = given.get("elasticsearchHost")
    return [f"{host}:{given.get('elasticsearchPort') or 9200}"] if host else None


@_making("hosts", "username", "password", "verifyCerts")
def _connection_string(text: Any, whole: Mapping[str, Any]) -> Any:
    if not _external("elasticsearch")(whole):
        return host_list(str(text))  # the charts' own is an example
    return elasticsearch_external(str(text))


@_making("annotations")
def _ingress_annotations(annotations: Any, whole: Mapping[str, Any]) -> Any:
    """An Ingress for one server, as the charts made it from their switch for all."""
    if _off(_section(whole, "ingress")):
        return {"annotations": annotations}
    return {"enabled": True, "annotations": annotations}


# Reasons that hold for several words.

NOTHING_READS_IT = "nothing reads it, in the charts neither"
LOGS = "the servers log to their standard output, no volume is needed"
FIXED_NAMES = "Services have fixed names here, and the components know each other's"

GLUE = (
    "the Kubernetes glue agent is not part of this; describe agents in agentGroups, or install "
    "the chart clearml-agent beside"
)
SERVING = (
    "is a key of the chart clearml-serving, which is not part of this: keep it in the values of "
    "that chart, which can be installed beside"
)
ENTERPRISE = "ClearML Enterprise is not installed from here"
OPERATOR = (
    "MongoDB operators are not used here; leave it out for a MongoDB that is made here, or set "
    "mongodb.enabled to false and mongodb.external to its connection strings"
)

# Of the charts clearml-agent 1.0 to 5.3 and clearml-serving 0.1 to 1.5.
AGENT_KEYS = (
    "sessions",
    *(
        f"clearml.{key}"
        for key in (
            *("agentk8sglueKey", "agentk8sglueSecret", "existingAgentk8sglueSecret"),
            *("clearmlConfig", "existingClearmlConfigSecret"),
        )
    ),
)
SERVING_KEYS = (
    *("kafka", "zookeeper", "prometheus", "grafana", "alertmanager"),
    *(f"clearml_serving_{part}" for part in ("inference", "statistics", "triton")),
    *(
        f"clearml.{key}"
        for key in (
            *("apiAccessKey", "apiSecretKey", "apiHost", "filesHost", "webHost"),
            *("servingTaskId", "defaultBaseServeUrl", "kafkaServeUrl", "extraPythonPackages"),
        )
    ),
)

SERVER_WORDS: dict[str, Callable[[str], Word]] = {
    "serviceAccountName": lambda server: Renamed(f"{server}.serviceAccount", _account(server)),
    "serviceAccountAnnotations": lambda server: Renamed(
        f"{server}.serviceAccount", _annotated_account
    ),
    "securityContext": lambda server: Renamed(f"{server}.podSecurityContext"),
    "storage.logs": lambda server: Obsolete(LOGS),
    "annotations": lambda server: Refused(
        f"write {server}.podAnnotations, {server}.deploymentAnnotations or "
        f"{server}.service.annotations: whichever you mean"
    ),
}

# Of the charts clearml-server-chart and trains-server-chart, which had no subcharts.
STATIC_CHARTS: dict[str, Word] = {
    "trains": Renamed("clearml"),
    "clearml.namespace": Renamed("release.namespace"),
    "clearml.nodeSelector": Refused("write nodeSelector in the section of each component"),
    "clearml.image": Refused("write apiserver.image, fileserver.image and webserver.image"),
    "apiserver.mongoPrepopulateEnabled": Renamed("apiserver.prepopulateEnabled"),
    "apiserver.mongoPrepopulateZipFile": Renamed("apiserver.prepopulateZipFiles"),
    "apiserver.deploymentType": Obsolete(NOTHING_READS_IT),
    "apiserver.volumes": Refused(
        "write apiserver.additionalVolumes, or apiserver.storage.enableConfigVolume"
    ),
    "apiserver.volumeMounts": Refused(
        "write apiserver.additionalVolumeMounts, or apiserver.storage.enableConfigVolume"
    ),
    **{
        f"apiserver.{store}Service{part}": Obsolete(FIXED_NAMES)
        for store in ("elastic", "mongo", "redis")
        for part in ("Name", "Port")
    },
    "elasticsearch.esMemoryRequest": Renamed("elasticsearch.resources.requests.memory"),
    "elasticsearch.esMemoryLimit": Renamed("elasticsearch.resources.limits.memory"),
    **{
        f"{agents}.trains{setting}": Renamed(f"{agents}.clearml{setting}")
        for agents, more in (
            ("agent", ()),
            ("agentservices", ("HostIp", "WorkerId", "DockerHostMount")),
        )
        for setting in (
            *("ApiHost", "WebHost", "FilesHost", "GitUser", "GitPassword"),
            *("AccessKey", "SecretKey"),
            *more,
        )
    },
    "agent.numberOfTrainsAgents": Renamed("agentGroups.agent-group0.replicaCount"),
    "agent.numberOfClearmlAgents": Renamed("agentGroups.agent-group0.replicaCount"),
    "agent.defaultBaseDocker": Refused(
        "agents run tasks in their own container: write agentGroups.agent-group0.image"
    ),
    "agent.dockerMode": Obsolete("agents run tasks in their own container"),
    "agent": Renamed("agentGroups.agent-group0"),
    "agentservices.clearmlDockerHostMount": Obsolete("agents run tasks in their own container"),
    **{
        f"services.{server}.nodePort": Renamed(f"{server}.service.nodePort")
        for server in SERVERS.values()
    },
    "services": Obsolete(FIXED_NAMES),
    "storage.capacities.elasticsearch": Renamed(
        "elasticsearch.volumeClaimTemplate.resources.requests.storage"
    ),
    "storage.capacities.mongo0": Renamed("mongodb.persistence.size"),
    "storage.capacities.redis": Renamed("redis.master.persistence.size"),
    "storage.capacities.fileserver1": Renamed("fileserver.storage.data.size"),
    "storage.capacities.apiserver1": Renamed("apiserver.storage.config.size"),
    "storage.capacities": Obsolete("it was the size of a volume for logs, or of a second one"),
    "storage.use_nfs": Refused(
        "write the storage class of your NFS provisioner: fileserver.storage.data.class and so on",
        _off,
    ),
    "storage.nfs": Obsolete("a storage class says where volumes are"),
    "use_secrets_flexvolume": Refused(
        "write a Secret of your own into clearml.existingSecret", _off
    ),
}

INGRESS_WORDS: dict[str, Word] = {
    f"ingress.{part}.{word}": meaning
    for part, server in SERVERS.items()
    for word, meaning in {
        "enabled": Renamed(f"{server}.ingress.enabled"),
        "path": Renamed(f"{server}.ingress.path"),
        "annotations": Renamed(f"{server}.ingress", _ingress_annotations),
    }.items()
}

CLEARML_WORDS: dict[str, Word] = {
    "secret.httpSession": Renamed("clearml.credentials.httpSession"),
    "secret.authToken": Renamed("clearml.credentials.authToken"),
    "secret.credentials.apiserver.accessKey": Renamed("clearml.credentials.apiserverKey"),
    "secret.credentials.apiserver.secretKey": Renamed("clearml.credentials.apiserverSecret"),
    "secret.credentials.tests.accessKey": Renamed("clearml.credentials.testsUserKey"),
    "secret.credentials.tests.secretKey": Renamed("clearml.credentials.testsUserSecret"),
    "secret.existingSecret": Renamed("clearml", _existing_secret),
    "clearml.secureAuthTokenSecret": Renamed("clearml.credentials.authToken"),
    "clearml.apiserverKey": Renamed("clearml.credentials.apiserverKey"),
    "clearml.apiserverSecret": Renamed("clearml.credentials.apiserverSecret"),
    "clearml.testUserKey": Renamed("clearml.credentials.testsUserKey"),
    "clearml.testUserSecret": Renamed("clearml.credentials.testsUserSecret"),
    "clearml.fileserverKey": Renamed("clearml.credentials.fileserverKey"),
    "clearml.fileserverSecret": Renamed("clearml.credentials.fileserverSecret"),
    "clearml.readinessprobeKey": Obsolete("probes need no credential"),
    "clearml.readinessprobeSecret": Obsolete("probes need no credential"),
    "apiserver.authCoockiesMaxAge": Renamed("apiserver.authCookiesMaxAge"),
    "apiserver.configuration.configRefName": Renamed(
        "apiserver.existingAdditionalConfigsConfigMap"
    ),
    "apiserver.configuration.secretRefName": Renamed("apiserver.existingAdditionalConfigsSecret"),
    "apiserver.configuration.additionalConfigs": Renamed("apiserver.additionalConfigs"),
    "apiserver.indexReplicas": Obsolete(NOTHING_READS_IT),
    "apiserver.indexShards": Obsolete(NOTHING_READS_IT),
    "agentk8sglue": Refused(GLUE, _switched_off),
    **{key: Refused(GLUE, is_idle) for key in AGENT_KEYS},
    **{key: Refused(SERVING, is_idle) for key in SERVING_KEYS},
    "enterpriseFeatures": Refused(ENTERPRISE, _off),
}


# What the charts' own values say of Services, beside stores that are not their own.
CHARTS_OWN = ("{{ .Release.Name }}-redis-master", "{{ .Release.Name }}-mongodb", 6379, 27017)


def _service(to: str, *switches: str, convert: Converter | None = None) -> Renamed:
    """A word for a store outside the installation, which counts only if the store is that."""
    return Renamed(to, convert, _external(to.split(".")[0], *switches), stopgap=CHARTS_OWN)


STORE_WORDS: dict[str, Word] = {
    "mckMongodb": Refused(OPERATOR, _off),
    "dragonfly.enabled": Renamed("redis.enabled"),
    "dragonfly.replicaCount": Refused(
        "Redis takes the place of Dragonfly: write redis.cluster.enabled and "
        "redis.cluster.slaveCount",
        lambda replicas: replicas == 1,
    ),
    "dragonfly.storage.enabled": Renamed("redis.master.persistence.enabled"),
    "dragonfly.storage.requests": Renamed("redis.master.persistence.size"),
    "dragonfly.storage.storageClassName": Renamed("redis.master.persistence.storageClass"),
    "dragonfly": Refused("Redis takes the place of Dragonfly: write it in redis.master"),
    "externalServices.redisHost": _service("redis.master.name", "dragonfly"),
    "externalServices.redisPort": _service("redis.master.port", "dragonfly"),
    "externalServices.dragonflyHost": _service("redis.master.name", "dragonfly"),
    "externalServices.dragonflyPort": _service("redis.master.port", "dragonfly"),
    "externalServices.mongodbHost": _service("mongodb.service.name"),
    "externalServices.mongodbPort": _service("mongodb.service.port"),
    "externalServices.mongodbConnectionStringBackend": _service("mongodb.external.backend"),
    "externalServices.mongodbConnectionStringAuth": _service("mongodb.external.auth"),
    "externalServices.mongodbConnectionString": _service(
        "mongodb.external", convert=_urls_of_databases
    ),
    "externalServices.elasticsearchConnectionString": _service(
        "elasticsearch.external", convert=_connection_string
    ),
    "externalServices.elasticsearchHost": _service(
        "elasticsearch.external.hosts", convert=_host_and_port
    ),
    "externalServices.elasticsearchPort": _service(
        "elasticsearch.external.hosts", convert=_host_and_port
    ),
    "redis.auth.enabled": Renamed("redis.usePassword"),
    "redis.auth.password": Renamed("redis.password"),
    "redis.auth.existingSecret": Renamed("redis.existingSecret"),
    "redis.auth.existingSecretPasswordKey": Renamed("redis.existingSecretPasswordKey"),
    "redis.architecture": Renamed(
        "redis.cluster.enabled", _switch({"standalone": False, "replication": True})
    ),
    "redis.replica.replicaCount": Renamed("redis.cluster.slaveCount"),
    "redis.replica": Obsolete("replicas have the settings of redis.master"),
    "redis.slave": Obsolete("replicas have the settings of redis.master"),
    "mongodb.persistence.mountPath": Obsolete("the data lies where the image has it"),
    "mongodb.useStatefulSet": Obsolete("MongoDB is a StatefulSet in any case"),
    "elasticsearch.name": Obsolete("the Services are called after elasticsearch.clusterName"),
    "redis.persistence.existingClaim": Renamed("redis.master.persistence.existingClaim"),
    "elasticsearch.rbac": Obsolete("Elasticsearch needs no rights in the cluster"),
    "elasticsearch.persistence.storageClass": Renamed(
        "elasticsearch.volumeClaimTemplate.storageClassName"
    ),
    "elasticsearch.persistence.storageClassName": Renamed(
        "elasticsearch.volumeClaimTemplate.storageClassName"
    ),
    "elasticsearch.persistence.size": Renamed(
        "elasticsearch.volumeClaimTemplate.resources.requests.storage"
    ),
    "elasticsearch.persistence.accessModes": Renamed(
        "elasticsearch.volumeClaimTemplate.accessModes"
    ),
}
# What is the same whoever makes the store, so that no provider needs words of its own.
SAME_FOR_ALL_PROVIDERS = {
    *(f"redis.auth.{key}" for key in ("enabled", "password", "existingSecret")),
    "redis.auth.existingSecretPasswordKey",
    "redis.architecture",
    "redis.replica.replicaCount",
}

WORDS: dict[str, Word] = {
    **STATIC_CHARTS,
    "agentGroups": Listed(without={"agent-group0": {"enabled": False}}),
    **CLEARML_WORDS,
    "global.security": Obsolete("images are taken from wherever you say"),
    **{
        f"{server}.{word}": meaning(server)
        for server in SERVERS.values()
        for word, meaning in SERVER_WORDS.items()
    },
    **INGRESS_WORDS,
    **STORE_WORDS,
    **STORE_CHARTS,
    "backup.s3.image": Refused("restic has taken the place of rclone: write backup.restic.image"),
}
"""What becomes of each word, by its path; a section after the words in it."""
