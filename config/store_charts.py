"""Keys that only the stores' Helm charts have, and what becomes of each for an embedded store.

Of Bitnami's charts of MongoDB (10 to 13) and Redis (10 to 17) and of Elastic's of Elasticsearch
(7), which the ClearML charts brought. A value that is empty, is switched off, or asks for what is
done here anyway is left out; the same thing under another key is renamed; the rest is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from config.types.words import Converter, Obsolete, Refused, Renamed, Word

SWITCHES = ("enabled", "create")
SOFT = "soft"
# What the exporters' own port and path say to a Prometheus without operator.
ASK_PROMETHEUS = {
    "prometheus.io/scrape": True,
    "prometheus.io/path": "/metrics",
    "prometheus.io/port": (
        *(9121, 9216),
        "{{ .Values.metrics.service.port }}",
        "{{ .Values.metrics.service.ports.metrics }}",
    ),
}
APPEND_ONLY = {"appendonly yes", 'save ""'}


def is_off(value: object) -> bool:
    """Whether a switch says no, in any spelling that Helm takes for one."""
    return str(value).lower() == "false"


def is_idle(value: Any, done: Any = None) -> bool:
    """Whether a value of a chart is empty, switched off, or part of what is `done` here anyway.

    `done` is a value, a tuple of several, or a mapping of them by key.
    """
    if value in (None, "", [], {}):
        return True
    if isinstance(value, dict):
        parts = done if isinstance(done, dict) else {}
        return any(is_off(value.get(switch)) for switch in SWITCHES) or all(
            is_idle(part, parts.get(key)) for key, part in value.items()
        )
    allowed = done if isinstance(done, tuple) else (done,)
    return str(value).lower() in (str(each).lower() for each in allowed if each is not None)


def _idle(done: Any) -> Callable[[Any], bool]:
    return lambda value: is_idle(value, done)


def _refused(instead: str, *done: Any) -> Refused:
    """A key whose value may be one of those, which ask for what is done here anyway."""
    return Refused(instead, _idle(done[0] if len(done) == 1 else done))


def _only_of_chart(store: str, done: Mapping[str, Any]) -> dict[str, Word]:
    """Keys of the store's chart that have nothing like them here, with what is done anyway."""
    return {f"{store}.{key}": Refused(_no_such(store), _idle(value)) for key, value in done.items()}


def _no_such(store: str) -> str:
    return (
        f"an embedded store has no such setting, only the {store} Helm chart: leave it out, or "
        f"take {store}.provider: helm"
    )


def _nothing(keys: str) -> dict[str, Any]:
    """Keys of which nothing is done here, whatever they say."""
    return dict.fromkeys(keys.split())


def _budget(budget: Any, _: Any) -> Any:
    """A PodDisruptionBudget, which Bitnami's charts switch by `create` or `enabled`."""
    if is_idle(budget):
        return {}
    if not isinstance(budget, dict):
        raise ValueError("must be a mapping")
    given = {key: part for key, part in budget.items() if part not in (None, "")}
    return {"enabled" if key in SWITCHES else key: part for key, part in given.items()}


def _account(account: Any, _: Any) -> Any:
    """A ServiceAccount, made or not; whether pods get its token is said by another key here."""
    if account in (None, "", [], {}):
        return {}
    if not isinstance(account, dict):
        raise ValueError("must be a mapping")
    return {key: part for key, part in account.items() if key != "automountServiceAccountToken"}


def _group(group: Any, _: Any) -> Any:
    """The part of a pod's security context that a key of its own is for."""
    return {} if group in ("", [], {}) else {"fsGroup": group}


def _append_only(text: Any) -> bool:
    """Whether lines of a redis.conf say only what Redis is told here anyway."""
    if is_idle(text):
        return True
    lines = (line.strip() for line in str(text).splitlines())
    return {line for line in lines if line and not line.startswith("#")} <= APPEND_ONLY


def _port(key: str) -> Converter:
    """The one port of those that a chart has by name."""

    def convert(ports: Any, _: Any) -> Any:
        if is_idle(ports):
            return None
        if not isinstance(ports, dict) or ports.keys() - {key}:
            raise ValueError(f"must be a mapping with the key {key} alone")
        return ports.get(key)

    return convert


def _bitnami(store: str, pod: str) -> dict[str, Word]:
    """What Bitnami's charts have for every store; `pod` is our section of the store's pods."""
    account = f"{pod}.serviceAccount"
    return {
        f"{pod}.podAntiAffinityPreset": _refused(f"write {pod}.affinity", SOFT),
        f"{pod}.podAffinityPreset": _refused(f"write {pod}.affinity"),
        f"{pod}.nodeAffinityPreset": _refused(f"write {pod}.affinity"),
        f"{pod}.lifecycleHooks": _refused("an embedded store has hooks of its own"),
        f"{account}.automountServiceAccountToken": Obsolete(f"{account}.automount says it here"),
        f"{store}.commonLabels": _refused("write commonLabels, which all objects get"),
        f"{store}.commonAnnotations": _refused("write commonAnnotations, which all objects get"),
        f"{store}.extraDeploy": _refused("write extraObjects"),
        f"{store}.global": _refused("write global beside the stores, which holds for them too"),
        f"{store}.tls": _refused(
            "an embedded store speaks no TLS, its network policy keeps others away; of a store of "
            f"your own {store}.external says it"
        ),
        f"{store}.metrics.serviceMonitor.additionalLabels": Renamed(
            f"{store}.metrics.serviceMonitor.labels"
        ),
        f"{store}.metrics.serviceMonitor.selector": Renamed(
            f"{store}.metrics.serviceMonitor.labels"
        ),
        **{
            f"{store}.metrics.{probe}Probe": Obsolete("the exporter has no probes")
            for probe in ("liveness", "readiness", "startup")
        },
        **_only_of_chart(
            store,
            _nothing(
                "clusterDomain diagnosticMode existingConfigmap extraFlags fullnameOverride "
                "kubeVersion nameOverride namespaceOverride podSecurityPolicy rbac "
                "serviceBindings volumePermissions metrics.args metrics.command "
                "metrics.customLivenessProbe metrics.customReadinessProbe "
                "metrics.customStartupProbe metrics.extraFlags metrics.extraVolumeMounts "
                "metrics.extraVolumes metrics.extraEnvVars metrics.extraArgs metrics.podLabels "
                "metrics.prometheusRule "
                "metrics.serviceMonitor.jobLabel metrics.serviceMonitor.metricRelabelings "
                "metrics.serviceMonitor.namespace metrics.serviceMonitor.podTargetLabels "
                "metrics.serviceMonitor.relabelings metrics.serviceMonitor.relabellings "
                "metrics.serviceMonitor.scrapeTimeout"
            )
            | {
                "clusterDomain": "cluster.local",
                "image.debug": False,
                "metrics.serviceMonitor.honorLabels": False,
            },
        ),
    }


def _bitnami_pod(section: str) -> dict[str, Any]:
    """Keys of a pod, its claim and its Service in Bitnami's charts, with what is done here."""
    pod = _nothing(
        "args command customLivenessProbe customReadinessProbe customStartupProbe "
        "extraEnvVarsCM extraEnvVarsSecret persistence.dataSource persistence.labels "
        "persistence.matchExpressions persistence.matchLabels persistence.medium "
        "persistence.resourcePolicy persistence.selector persistence.sizeLimit "
        "persistence.subPath persistence.subPathExpr persistence.volumeClaimTemplates "
        "service.clusterIP service.externalIPs service.extraPorts service.headless service.labels "
        "service.loadBalancerClass service.loadBalancerIP service.loadBalancerSourceRanges "
        "service.nameOverride service.nodePort service.nodePorts service.sessionAffinityConfig"
    ) | {
        "minReadySeconds": 0,
        "podManagementPolicy": "OrderedReady",
        "service.allocateLoadBalancerNodePorts": True,
        "service.externalTrafficPolicy": ("Local", "Cluster"),  # says nothing of a ClusterIP
        "service.internalTrafficPolicy": "Cluster",
        "service.sessionAffinity": "None",
        "shareProcessNamespace": False,
    }
    return {f"{section}{key}": done for key, done in pod.items()}


ROOT = "the servers log in as root: write mongodb.auth.rootPassword or mongodb.auth.existingSecret"
MONGODB: dict[str, Word] = {
    "mongodb.strategyType": Renamed("mongodb.updateStrategy.type"),
    "mongodb.pdb": Renamed("mongodb.podDisruptionBudget", _budget),
    "mongodb.service.ports": Renamed("mongodb.service.port", _port("mongodb")),
    "mongodb.arbiter": _refused(
        "an arbiter is not made here: write an odd mongodb.replicaCount, and arbiter.enabled: false"
    ),
    "mongodb.hidden": _refused("hidden members are not made here: write mongodb.replicaCount"),
    "mongodb.backup": _refused("write backup.mongodb"),
    "mongodb.externalAccess": _refused(
        "nobody outside reaches the members: write extraObjects with Services of yours"
    ),
    "mongodb.annotations": _refused("write mongodb.podAnnotations, or commonAnnotations"),
    "mongodb.labels": _refused("write mongodb.podLabels, or commonLabels"),
    "mongodb.auth.rootUser": _refused(ROOT, "root"),
    **{
        f"mongodb.auth.{key}": _refused(ROOT)
        for key in ("username", "usernames", "password", "passwords", "database", "databases")
    },
    **_bitnami("mongodb", "mongodb"),
    **_only_of_chart(
        "mongodb",
        _bitnami_pod("")
        | _nothing(
            "configuration initdbScripts initdbScriptsConfigMap replicaSetConfigurationSettings "
            "topologyKey metrics.extraUri metrics.password metrics.username"
        )
        | {
            "containerPorts": {"mongodb": 27017, "metrics": 9216},
            "directoryPerDB": False,
            "disableJavascript": False,
            "disableSystemLog": False,
            "enableIPv6": (True, False),  # the official image listens on both
            "enableJournal": True,
            "metrics.collector": {
                **dict.fromkeys(("all", "dbstats", "topmetrics", "indexstats", "collstats"), False),
                **dict.fromkeys(("diagnosticdata", "replicasetstatus"), True),
                "collstatsLimit": 0,
            },
            "metrics.compatibleMode": True,
            "metrics.containerPort": 9216,
            "metrics.service": {
                "type": "ClusterIP",
                "port": 9216,
                "ports": {"metrics": 9216},
                "annotations": ASK_PROMETHEUS,
            },
            "replicaSetHostnames": True,
            "systemLogVerbosity": 0,
        },
    ),
}

REDIS: dict[str, Word] = {
    "redis.redisPort": Renamed("redis.master.port"),
    "redis.master.service.port": Renamed("redis.master.port"),
    "redis.master.service.ports": Renamed("redis.master.port", _port("redis")),
    "redis.pdb": Renamed("redis.master.podDisruptionBudget", _budget),
    "redis.podDisruptionBudget": Renamed("redis.master.podDisruptionBudget", _budget),
    "redis.serviceAccount": Renamed("redis.master.serviceAccount", _account),
    "redis.securityContext": Renamed("redis.master.podSecurityContext"),
    "redis.master.statefulset": Obsolete("redis.master.updateStrategy says it here"),
    "redis.sentinel": _refused("Sentinel is not made here: write redis.cluster for replicas"),
    "redis.networkPolicy": _refused(
        "write redis.master.networkPolicy", {"enabled": True, "allowExternal": False}
    ),
    "redis.auth.sentinel": Obsolete("there is no Sentinel here"),
    "redis.auth.usePasswordFiles": Obsolete("how the password gets into the pod is fixed here"),
    "redis.usePasswordFile": Obsolete("how the password gets into the pod is fixed here"),
    **{
        f"redis.{key}": Refused(_no_such("redis"), _append_only)
        for key in ("commonConfiguration", "configmap", "master.configuration")
    },
    "redis.master.disableCommands": _refused("commands of Redis are not renamed here"),
    **_bitnami("redis", "redis.master"),
    **_only_of_chart(
        "redis",
        _bitnami_pod("master.")
        | _nothing(
            "secretAnnotations sysctl sysctlImage useExternalDNS master.extraFlags "
            "master.preExecCmds"
        )
        | {
            "useHostnames": True,
            "master.command": "/run.sh",
            "master.containerPorts": {"redis": 6379},
            "master.count": 1,
            "master.kind": "StatefulSet",
            "master.persistence.path": "/data",
            "master.service.type": "ClusterIP",
            "metrics.containerSecurityContext": {"enabled": True, "runAsUser": 1001},
            "metrics.podAnnotations": ASK_PROMETHEUS,
            "metrics.redisTargetHost": "localhost",
            "metrics.service": {
                "type": "ClusterIP",
                "port": 9121,
                "externalTrafficPolicy": "Cluster",
            },
        },
    ),
}

ELASTICSEARCH: dict[str, Word] = {
    "elasticsearch.fsGroup": Renamed("elasticsearch.podSecurityContext", _group),
    "elasticsearch.labels": Renamed("elasticsearch.podLabels"),
    "elasticsearch.antiAffinity": _refused(
        "nodes go to different machines where possible: to insist, write "
        "elasticsearch.topologySpreadConstraints with whenUnsatisfiable: DoNotSchedule",
        *(SOFT, "custom"),
    ),
    "elasticsearch.maxUnavailable": _refused("write elasticsearch.podDisruptionBudget", 1),
    "elasticsearch.ingress": _refused("write extraObjects with an Ingress of yours"),
    "elasticsearch.keystore": _refused(
        "an embedded store has no keystore: write elasticsearch.provider: helm"
    ),
    "elasticsearch.secretMounts": _refused(
        "write elasticsearch.additionalVolumes and elasticsearch.additionalVolumeMounts"
    ),
    "elasticsearch.secret": _refused(
        "an embedded Elasticsearch asks for no password; its network policy keeps others away"
    ),
    **_only_of_chart(
        "elasticsearch",
        _nothing(
            "clusterDeprecationIndexing esJvmOptions fullnameOverride healthNameOverride "
            "initResources masterService nameOverride networkPolicy.http networkPolicy.transport "
            "persistence.labels podSecurityPolicy service.externalTrafficPolicy service.labels "
            "service.labelsHeadless service.loadBalancerIP service.loadBalancerSourceRanges "
            "service.nodePort sidecarResources"
        )
        | {
            "antiAffinityTopologyKey": "kubernetes.io/hostname",
            "clusterDeprecationIndexing": False,
            "createCert": False,
            "enableServiceLinks": (True, False),
            "esMajorVersion": (7, 8),
            "masterTerminationFix": False,
            "networkHost": "0.0.0.0",
            "nodeGroup": "master",
            "podManagementPolicy": "Parallel",
            "protocol": "http",
            "roles.ml": True,
            "service.enabled": True,
            "service.httpPortName": "http",
            "service.publishNotReadyAddresses": False,
            "service.transportPortName": "transport",
            "service.type": "ClusterIP",
            "sysctlVmMaxMapCount": 262144,
            "tests": {"enabled": (True, False)},
            "transportPort": 9300,
        },
    ),
}

STORE_CHARTS: dict[str, Word] = {**MONGODB, **REDIS, **ELASTICSEARCH}
