"""What people write from memory of other Helm charts, and what to write here instead.

Only the message about an unknown key reads this: nothing of it is accepted.
"""

import fnmatch
from collections.abc import Callable, Iterator, Sequence

from config.translation import ENTERPRISE
from config.types.model import plain

Path = tuple[str | int, ...]

GLUE = "agents of clearml-agent are not installed from here; describe agents in agentGroups"
NO_PASSWORD = (
    "the Elasticsearch that is made here asks for no password; write that of another one into "
    "elasticsearch.external.username and elasticsearch.external.password"
)
FIXED_COMMAND = "what a container runs is fixed here; write extraContainers for more of them"
ELSEWHERE = {
    "clearmlapplications*": ENTERPRISE,
    "*license*": ENTERPRISE,
    "*.sso": ENTERPRISE,
    "*.ldap": ENTERPRISE,
    "*.saml": ENTERPRISE,
    "*agentk8sglue*": GLUE,
    "elasticsearch.secret": NO_PASSWORD,
    "elasticsearch.auth": NO_PASSWORD,
    "elasticsearch.security": NO_PASSWORD,
    "elasticsearch.password": NO_PASSWORD,
    "elasticsearch.username": NO_PASSWORD,
    "webserver.persistence": "the web server keeps nothing, and has no volume",
    "webserver.storage": "the web server keeps nothing, and has no volume",
    "*.command": FIXED_COMMAND,
    "*.args": FIXED_COMMAND,
    "*.extraargs": FIXED_COMMAND,
    **{
        f"{store}.ingress": "the stores are reached from inside the cluster alone"
        for store in ("mongodb", "redis", "elasticsearch")
    },
    **{
        f"elasticsearch.{node}": "all nodes are alike; write elasticsearch.replicas"
        for node in ("master", "data", "ingest", "coordinating")
    },
    "mongodb.auth.user*": "clients log in as root; write mongodb.auth.rootPassword",
    "mongodb.*database*": "the databases are called backend and auth",
    "*.clusterip": "the cluster chooses the address of a Service",
    "*.hostnetwork": "pods have a network of their own here",
}
"""Patterns of paths, in small letters without '-' and '_': what to say of them."""

DATA = ("storage.data", "storage.config", "master.persistence", "volumeClaimTemplate")
CLASS = (
    *("storage.data.class", "storage.config.class", "master.persistence.storageClass"),
    *("persistence.storageClass", "volumeClaimTemplate.storageClassName", "global.storageClass"),
)
SIZE = (
    *("storage.data.size", "storage.config.size", "master.persistence.size", "persistence.size"),
    "volumeClaimTemplate.resources.requests.storage",
)
CLAIM = (
    *("storage.data.existingClaim", "storage.config.existingClaim"),
    *("master.persistence.existingClaim", "persistence.existingClaim"),
)
HOST = ("ingress.hostName", "ingress.host")
INGRESS_CLASS = ("ingress.ingressClassName", "ingress.className")
TLS = ("ingress.tlsSecretName", "ingress.tls.secretName")
ENV = ("extraEnvs", "master.extraEnvs")
ENV_FROM = ("envFrom", "master.envFrom")
VOLUMES = ("additionalVolumes", "master.additionalVolumes")
MOUNTS = ("additionalVolumeMounts", "master.additionalVolumeMounts")
SECURITY = (
    *("podSecurityContext", "containerSecurityContext"),
    *("master.podSecurityContext", "master.containerSecurityContext"),
)
REPLICAS = ("replicaCount", "cluster.slaveCount", "replicas")
ADDRESS = ("master.name", "external.backend", "external.auth", "external.hosts")
URLS = (
    *("clearml.clientConfigurationWebUrl", "clearml.clientConfigurationApiUrl"),
    "clearml.clientConfigurationFilesUrl",
)
REPOSITORY = ("image.repository",)
TAG = ("image.tag", "imageTag", "version", "clearml.version")
BACKED_UP = ("mongodb", "elasticsearch", "fileserver")

GUESSES: dict[str, Sequence[str]] = {
    # Components
    **dict.fromkeys(("web", "app", "frontend", "ui"), ("webserver",)),
    **dict.fromkeys(("api", "backend"), ("apiserver",)),
    **dict.fromkeys(("files", "file"), ("fileserver",)),
    **dict.fromkeys(("mongo", "database", "externalMongodb"), ("mongodb",)),
    **dict.fromkeys(("elastic", "es", "opensearch", "externalElasticsearch"), ("elasticsearch",)),
    **dict.fromkeys(("cache", "valkey", "externalRedis"), ("redis",)),
    **dict.fromkeys(("agents", "workers", "agentGroup"), ("agentGroups",)),
    "externalDatabase": ("mongodb.external",),
    # Pods
    **dict.fromkeys(
        ("env", "envs", "extraEnv", "envVars", "extraEnvVars", "environment"),
        ENV,
    ),
    **dict.fromkeys(("environmentVariables", "extraEnvironment"), ENV),
    **dict.fromkeys(("extraEnvFrom", "envFromSecret", "envFromSecrets"), ENV_FROM),
    **dict.fromkeys(("extraEnvVarsSecret", "extraEnvVarsCM", "envFromConfigMap"), ENV_FROM),
    **dict.fromkeys(("volumes", "extraVolumes"), VOLUMES),
    **dict.fromkeys(("volumeMounts", "extraVolumeMounts", "mounts", "extraMounts"), MOUNTS),
    **dict.fromkeys(("securityContext", "podSecurity"), SECURITY),
    "containerSecurity": ("containerSecurityContext", "master.containerSecurityContext"),
    "annotations": ("podAnnotations", "master.podAnnotations", "commonAnnotations"),
    **dict.fromkeys(("labels", "extraLabels"), ("podLabels", "master.podLabels", "commonLabels")),
    **dict.fromkeys(("serviceAccountName", "account"), ("serviceAccount.name",)),
    **dict.fromkeys(("rbac", "createServiceAccount"), ("serviceAccount.create",)),
    "serviceAccountAnnotations": ("serviceAccount.annotations",),
    "automountServiceAccountToken": ("serviceAccount.automount",),
    "serviceAccount.automountServiceAccountToken": ("serviceAccount.automount",),
    **dict.fromkeys(
        ("sidecars", "containers", "extraSidecars", "sidecarContainers"), ("extraContainers",)
    ),
    "priorityClass": ("priorityClassName",),
    "runtimeClass": ("runtimeClassName",),
    **dict.fromkeys(
        ("nodeAffinity", "podAffinity", "podAntiAffinity", "antiAffinity"),
        ("affinity", "master.affinity"),
    ),
    **dict.fromkeys(("topologySpread", "spreadConstraints"), ("topologySpreadConstraints",)),
    **dict.fromkeys(("replicas", "replica", "replicaCount", "count", "instances"), REPLICAS),
    **dict.fromkeys(("hpa", "horizontalPodAutoscaler", "autoscaler"), ("autoscaling",)),
    **dict.fromkeys(
        ("autoscaling.targetCPU", "autoscaling.targetCPUUtilization", "autoscaling.cpu"),
        ("autoscaling.targetCPUUtilizationPercentage",),
    ),
    **dict.fromkeys(
        ("autoscaling.targetMemory", "autoscaling.targetMemoryUtilization"),
        ("autoscaling.targetMemoryUtilizationPercentage",),
    ),
    "autoscaling.min": ("autoscaling.minReplicas",),
    "autoscaling.max": ("autoscaling.maxReplicas",),
    **dict.fromkeys(("pdb", "disruptionBudget"), ("podDisruptionBudget",)),
    **dict.fromkeys(("strategy", "deploymentStrategy", "rollingUpdate"), ("updateStrategy",)),
    "probes": ("livenessProbe", "readinessProbe", "startupProbe"),
    **{
        guess: (f"{probe}Probe",)
        for probe in ("liveness", "readiness", "startup")
        for guess in (f"custom{probe.title()}Probe", f"probes.{probe}", probe)
    },
    **dict.fromkeys(
        ("config", "extraConfig", "configFiles", "configMap", "extraConfigs"),
        ("additionalConfigs", "esConfig"),
    ),
    **dict.fromkeys(
        ("existingConfigMap", "configMapName"), ("existingAdditionalConfigsConfigMap",)
    ),
    "existingConfigSecret": ("existingAdditionalConfigsSecret",),
    # Images
    **dict.fromkeys(("image.name", "image.repo", "image.image"), ("image.repository",)),
    **dict.fromkeys(("image.version", "image.imageTag"), ("image.tag",)),
    **dict.fromkeys(("image.imagePullPolicy", "image.policy"), ("image.pullPolicy",)),
    **dict.fromkeys(
        ("image.pullSecrets", "image.imagePullSecrets", "image.pullSecret"),
        ("imagePullSecrets", "global.imagePullSecrets"),
    ),
    **dict.fromkeys(("repository", "imageName", "imageRepository"), REPOSITORY),
    **dict.fromkeys(("tag", "imageTag", "version", "appVersion", "serverVersion"), TAG),
    **dict.fromkeys(("imagePullPolicy", "pullPolicy"), ("image.pullPolicy", "imagePullPolicy")),
    **dict.fromkeys(
        ("imagePullSecret", "imagePullSecrets", "pullSecret", "pullSecrets"),
        ("imagePullSecrets", "master.imagePullSecrets", "global.imagePullSecrets"),
    ),
    **dict.fromkeys(
        ("registry", "imageRegistry", "dockerRegistry"),
        ("imageRegistry", "image.registry", "global.imageRegistry"),
    ),
    **dict.fromkeys(
        (
            *("imageCredentials.extraImagePullSecrets", "imageCredentials.imagePullSecrets"),
            "imageCredentials.pullSecrets",
        ),
        ("global.imagePullSecrets",),
    ),
    **dict.fromkeys(
        ("imageCredentials.secretName", "imageCredentials.name", "imageCredentials.secret"),
        ("imageCredentials.existingSecret",),
    ),
    "imageCredentials.user": ("imageCredentials.username",),
    # Services
    **dict.fromkeys(
        ("service.ports", "service.servicePort", "service.targetPort", "service.httpPort"),
        ("service.port",),
    ),
    **dict.fromkeys(
        ("port", "ports", "servicePort", "containerPort"), ("service.port", "httpPort")
    ),
    "serviceType": ("service.type",),
    **dict.fromkeys(("service.nodePorts", "nodePort", "nodePorts"), ("service.nodePort",)),
    "service.sourceRanges": ("service.loadBalancerSourceRanges",),
    "serviceAnnotations": ("service.annotations",),
    # Addresses
    **dict.fromkeys(
        (
            *("ingress.tls", "ingress.tlsSecret", "ingress.secretName", "ingress.extraTls"),
            *("ingress.existingSecret", "ingress.certificate", "ingress.tlsSecretName", "tls"),
            "tlsSecretName",
        ),
        (*TLS, "external.tls"),
    ),
    **dict.fromkeys(
        (
            *("ingress.hosts", "ingress.host", "ingress.hostName", "ingress.hostNames"),
            *("ingress.domain", "ingress.fqdn", "ingress.extraHosts", "hosts", "hostNames"),
            *("host", "hostName", "domain", "fqdn"),
        ),
        ("hostName", "host", *HOST, *ADDRESS),
    ),
    **dict.fromkeys(("tls.enabled", "tls.secret", "tls.name"), ("tls.secretName",)),
    **dict.fromkeys(("route", "httpRoute", "gatewayApi"), ("gateway",)),
    "networkPolicies": ("networkPolicy",),
    **dict.fromkeys(("certManager.clusterIssuer", "certManager.name"), ("certManager.issuer",)),
    **dict.fromkeys(
        (
            *("ingress.className", "ingress.class", "ingress.ingressClass", "ingressClass"),
            *("ingress.ingressClassName", "ingressClassName"),
        ),
        INGRESS_CLASS,
    ),
    **dict.fromkeys(("ingress.paths", "ingress.pathPrefix"), ("ingress.path",)),
    "ingressAnnotations": ("ingress.annotations",),
    **dict.fromkeys(
        ("url", "urls", "externalUrl", "publicUrl"),
        (*ADDRESS, *URLS, "clientConfigurationWebUrl"),
    ),
    **{
        f"{server}.{guess}": (url,)
        for server, url in zip(("webserver", "apiserver", "fileserver"), URLS, strict=True)
        for guess in ("url", "externalUrl", "publicUrl")
    },
    **dict.fromkeys(("uri", "connectionString", "externalHost"), ADDRESS),
    **dict.fromkeys(("external.host", "external.url", "external.uri", "external.hosts"), ADDRESS),
    "external.user": ("external.username",),
    **dict.fromkeys(("webserver.displayedServerUrls", "displayedServerUrls"), URLS),
    **{
        f"{guess}{end}": (f"clientConfiguration{part}Url",)
        for guess, part in (("web", "Web"), ("app", "Web"), ("api", "Api"), ("files", "Files"))
        for end in ("Url", "Host", "ServerUrl")
    },
    # Volumes
    **dict.fromkeys(("persistence", "persistentVolume", "pvc", "volume"), DATA),
    "storage.data": ("storage.config",),
    "storage": ("storage.data", "persistence", "master.persistence", "volumeClaimTemplate"),
    "storage.enabled": ("storage.enableConfigVolume",),
    **dict.fromkeys(
        (
            *("storage.class", "storage.storageClass", "storage.storageClassName"),
            *("storageClass", "storageClassName", "persistence.storageClassName"),
        ),
        CLASS,
    ),
    "persistence.storageClass": CLASS,
    "global.storageClassName": ("global.storageClass",),
    "global.registry": ("global.imageRegistry",),
    "global.pullSecrets": ("global.imagePullSecrets",),
    **{
        f"{volume}.{guess}": (f"{volume}.{ours}",)
        for volume in ("data", "config", "storage")
        for guess, ours in (
            ("storageClass", "class"),
            ("storageClassName", "class"),
            ("capacity", "size"),
            ("storage", "size"),
            ("existingClaimName", "existingClaim"),
            ("claimName", "existingClaim"),
        )
    },
    **dict.fromkeys(
        ("size", "capacity", "diskSize", "storageSize", "storage.size", "persistence.size"), SIZE
    ),
    **dict.fromkeys(
        (
            *("existingClaim", "existingClaimName", "existingPVC", "claimName"),
            *("storage.existingClaim", "persistence.existingPVC", "persistence.claimName"),
        ),
        CLAIM,
    ),
    "persistence.accessMode": ("persistence.accessModes", "volumeClaimTemplate.accessModes"),
    # Stores
    **dict.fromkeys(
        ("auth.password", "auth.passwords", "rootPassword"),
        ("auth.rootPassword",),
    ),
    "password": ("auth.rootPassword",),
    "secret": ("auth.rootPassword", "credentials", "password", "existingSecret"),
    **dict.fromkeys(("secrets", "credentials"), ("clearml.credentials", "clearml.existingSecret")),
    "existingSecret": ("auth.existingSecret", "clearml.existingSecret"),
    "auth": ("usePassword", "password", "existingSecret"),
    **dict.fromkeys(("heapSize", "javaOpts", "javaOptions", "esJavaOptions"), ("esJavaOpts",)),
    **dict.fromkeys(("slave", "slaveCount", "replicas.replicaCount"), ("cluster.slaveCount",)),
    "image.tag": ("imageTag",),
    # Of the whole installation
    "namespace": ("release.namespace",),
    **dict.fromkeys(
        ("extraManifests", "extraDeploy", "extraResources", "rawResources", "manifests"),
        ("extraObjects",),
    ),
    **dict.fromkeys(
        ("users", "adminUser", "adminPassword", "fixedUser"),
        ("fixedUsers.users", "clearml.fixedUsers.users"),
    ),
    # Agents
    **dict.fromkeys(("gpu", "gpus", "gpuCount", "numGpus", "nvidiaGpus"), ("nvidiaGpusPerAgent",)),
    **{
        guess: (f"clearml{guess[0].upper()}{guess[1:]}",)
        for guess in ("gitUser", "gitPassword", "accessKey", "secretKey", "workerId")
    },
    "gitToken": ("clearmlGitPassword",),
    **dict.fromkeys(("clearml.accessKey", "clearml.secretKey"), ("clearml.credentials",)),
    **dict.fromkeys(("dockerImage", "baseImage", "containerImage"), REPOSITORY),
    # Backups
    "backup.enabled": [f"backup.{part}.enabled" for part in BACKED_UP],
    "backup.schedule": [f"backup.{part}.schedule" for part in BACKED_UP],
    "backup.retention": [f"backup.{part}.retention" for part in BACKED_UP],
    **{f"{part}.backup": (f"backup.{part}",) for part in BACKED_UP},
    **dict.fromkeys(
        ("s3.accessKey", "s3.secretKey", "s3.credentials", "s3.secretName"),
        ("s3.existingSecret",),
    ),
    **dict.fromkeys(("s3.bucketName", "s3.name"), ("s3.bucket",)),
    **dict.fromkeys(("s3.url", "s3.host", "s3.endpointUrl"), ("s3.endpoint",)),
    "cron": ("schedule",),
}
"""The end of a path as people write it: what may stand in the same place, where we have that."""

_BY_PLAIN = {plain(guess): targets for guess, targets in GUESSES.items()}


def elsewhere(path: Path) -> str:
    """What to say of a path that leads to nothing that is here; empty where that is unknown."""
    spelled = plain(".".join(map(str, path)))
    return next((said for key, said in ELSEWHERE.items() if fnmatch.fnmatch(spelled, key)), "")


def meant(path: Path, is_ours: Callable[[Path], bool]) -> list[Path]:
    """The paths of ours that the unknown path probably means, by the longest end that is known."""
    return next((found for found in _found(path, is_ours) if found), [])


def _found(path: Path, is_ours: Callable[[Path], bool]) -> Iterator[list[Path]]:
    for length in range(len(path), 0, -1):
        around, end = path[:-length], path[-length:]
        targets = _BY_PLAIN.get(plain(".".join(map(str, end))), ())
        ours: list[Path] = [(*around, *target.split(".")) for target in targets]
        yield [target for target in ours if is_ours(target)]
