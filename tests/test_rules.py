"""Each rule finds its planted mistake in a bundle that is valid without it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from clearml_k8s.programs import text_of
from clearml_k8s.rules import CONVENTIONS, RULES, breaches, findings, too_large_to_apply
from clearml_k8s.rules.manifests import Bundle, Rule

Objects = list[dict[str, Any]]
Mistake = Callable[[Objects], None]

BASELINE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {app: api}, annotations: {example.org/Note: some text}}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: api, tier: back}}
    spec:
      enableServiceLinks: false
      restartPolicy: Always
      serviceAccountName: api
      terminationGracePeriodSeconds: 30
      imagePullSecrets: [{name: keys}]
      tolerations: [{key: dedicated, operator: Exists}]
      securityContext: {runAsNonRoot: true, runAsUser: 1000}
      initContainers:
        - {name: wait, image: example.org/wait:1, env: [{name: LEVEL, value: info}]}
      containers:
        - name: api
          image: example.org/api:1
          imagePullPolicy: IfNotPresent
          ports: [{name: http, containerPort: 8008}, {name: metrics, containerPort: 9000}]
          env:
            - {name: MODE, value: prod}
            - {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: key}}}
            - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
          envFrom: [{configMapRef: {name: settings}}]
          resources:
            requests: {cpu: 500m, memory: 256Mi}
            limits: {cpu: 1, memory: 1Gi}
          securityContext: {allowPrivilegeEscalation: false}
          livenessProbe: {httpGet: {path: /ping, port: http}, successThreshold: 1}
          readinessProbe: {tcpSocket: {port: 8008}, successThreshold: 2}
          volumeMounts:
            - {name: files, mountPath: /files}
            - {name: settings, mountPath: /etc/app.conf, subPath: app.conf}
            - {name: secrets, mountPath: /secrets}
      volumes:
        - {name: files, persistentVolumeClaim: {claimName: files}}
        - {name: settings, configMap: {name: settings, items: [{key: app.conf, path: app.conf}]}}
        - {name: secrets, projected: {sources: [{secret: {name: keys}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      enableServiceLinks: false
      containers:
        - name: web
          image: example.org/web:1
          ports: [{containerPort: 80}]
          securityContext: {privileged: true}
          volumeMounts: [{name: scratch, mountPath: /tmp}]
      volumes: [{name: scratch, emptyDir: {sizeLimit: 1Gi}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db-headless
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      enableServiceLinks: false
      containers:
        - name: db
          image: example.org/db:1
          ports: [{name: db, containerPort: 27017}]
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: clean}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: clean, image: example.org/clean:1}]}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  type: NodePort
  selector: {app: api}
  ports:
    - {name: http, port: 8008, targetPort: http, nodePort: 30008}
    - {name: metrics, port: 9000, targetPort: 9000, nodePort: 30009}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 27017, targetPort: db}]}
---
apiVersion: v1
kind: Service
metadata: {name: db-headless}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 27017, targetPort: db}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere}
spec: {type: ExternalName, externalName: db.example.org}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: standard
  resources: {requests: {storage: 10Gi}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {app.conf: "debug = false", LEVEL: info}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {key: c2VjcmV0}
stringData: {user: admin}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: api}
imagePullSecrets: [{name: keys}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: "example:api"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: api}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec:
  tls: [{hosts: [app.example.org], secretName: keys}]
  rules:
    - host: app.example.org
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /api, pathType: Prefix, backend: {service: {name: api, port: {name: http}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec:
  parentRefs: [{name: gateway}]
  hostnames: [app.example.org]
  rules: [{backendRefs: [{name: web, port: 80}]}]
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: certificate}
spec: {secretName: keys, dnsNames: [app.example.org], issuerRef: {name: issuer}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: egress}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}, namespaceSelector: {}}]
      ports: [{port: http}, {port: 9000, endPort: 9010, protocol: TCP}]
  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
      selectPolicy: Min
      policies: [{type: Pods, value: 1, periodSeconds: 60}]
"""

API, WEB, DB, JOB = "Deployment/api", "Deployment/web", "StatefulSet/db", "CronJob/clean"
SVC, PLAIN, CLAIM = "Service/api", "Service/web", "PersistentVolumeClaim/files"
MAP, SECRET, FRONT = "ConfigMap/settings", "Secret/keys", "Ingress/front"
ROUTE, CERTIFICATE = "HTTPRoute/route", "Certificate/certificate"
BACKEND = "spec.rules[0].backendRefs[0]"
POLICY, SCALER = "NetworkPolicy/egress", "HorizontalPodAutoscaler/web"
POD = "spec.template.spec"
BOX = f"{POD}.containers[0]"
LABELS = "spec.template.metadata.labels"
PATHS = "spec.rules[0].http.paths"
BLOCK = "spec.egress[0].to[0].ipBlock"
TARGET, DOWN = "spec.metrics[0].resource.target", "spec.behavior.scaleDown"
BESIDE = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {"matchLabels": {"app": "api"}},
            }
        ]
    }
}
PAGES = "hugepages-2Mi"
APPARMOR = "container.apparmor.security.beta.kubernetes.io"
SECCOMP = "container.seccomp.security.alpha.kubernetes.io"
FILES = {"name": "files", "persistentVolumeClaim": {"claimName": "files"}}


PARSED: Objects = list(yaml.safe_load_all(BASELINE))


def baseline() -> Objects:
    return deepcopy(PARSED)


def pick(objects: Objects, owner: str) -> dict[str, Any]:
    """The object of a name like Deployment/api."""
    return next(o for o in objects if f"{o['kind']}/{o['metadata']['name']}" == owner)


def place(objects: Objects, owner: str, path: str) -> tuple[Any, Any]:
    """The container of a path and the last key of it; absent mappings are made."""
    keys: list[Any] = [int(i) if i else k for k, i in re.findall(r"([\w-]+)|\[(\d+)\]", path)]
    node: Any = pick(objects, owner)
    for key in keys[:-1]:
        node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]
    return node, keys[-1]


def put(owner: str, path: str, value: Any) -> Mistake:
    """Sets a field."""

    def apply(objects: Objects) -> None:
        node, key = place(objects, owner, path)
        node[key] = deepcopy(value)

    return apply


def drop(owner: str, path: str) -> Mistake:
    """Removes a field or item."""

    def apply(objects: Objects) -> None:
        node, key = place(objects, owner, path)
        del node[key]

    return apply


def add(owner: str, path: str, item: Any) -> Mistake:
    """Appends an item to a list."""

    def apply(objects: Objects) -> None:
        node, key = place(objects, owner, path)
        node.setdefault(key, []).append(deepcopy(item))

    return apply


def add_object(manifest: dict[str, Any]) -> Mistake:
    """Adds an object."""
    return lambda objects: objects.append(deepcopy(manifest))


def monitor(**endpoint: Any) -> dict[str, Any]:
    """What has Prometheus scrape a port."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "web"},
        "spec": {"selector": {}, "endpoints": [{"port": "metrics", **endpoint}]},
    }


def lose(owner: str) -> Mistake:
    """Removes an object."""
    return lambda objects: objects.remove(pick(objects, owner))


def twin(owner: str, name: str | None = None, namespace: str | None = None) -> Mistake:
    """Adds a copy of an object, under another name or in another namespace if one is given."""

    def apply(objects: Objects) -> None:
        copy = deepcopy(pick(objects, owner))
        changes = {"name": name, "namespace": namespace}
        copy["metadata"] |= {key: value for key, value in changes.items() if value}
        objects.append(copy)

    return apply


def both(*mistakes: Mistake) -> Mistake:
    """Applies several changes."""

    def apply(objects: Objects) -> None:
        for mistake in mistakes:
            mistake(objects)

    return apply


def login(field: str, text: str) -> Mistake:
    """Makes the Secret one for an image registry."""

    def apply(objects: Objects) -> None:
        secret = pick(objects, SECRET)
        secret["type"] = "kubernetes.io/dockerconfigjson"
        secret[field][".dockerconfigjson"] = text

    return apply


def making(*keys: str) -> Mistake:
    """Has the Job make keys of the Secret `made`, of which the API server reads the key `key`."""
    box = f"spec.jobTemplate.{POD}.containers[0]"
    secrets = {"made": {"lengths": dict.fromkeys(keys, 20)}}
    source = {"secretKeyRef": {"name": "made", "key": "key"}}
    return both(
        put(JOB, f"{box}.command", ["python3", "-c", text_of("make_credentials.py")]),
        put(JOB, f"{box}.args", [json.dumps({"secrets": secrets})]),
        add(API, f"{BOX}.env", {"name": "MADE", "valueFrom": source}),
    )


def broken(mistake: Mistake) -> Objects:
    objects = baseline()
    mistake(objects)
    return objects


# The change, the place of the finding, a part of its message.
MISTAKES: list[tuple[Mistake, str, str]] = [
    (twin(PLAIN), f"{PLAIN} metadata.name", "another object"),
    (put(MAP, "metadata.name", "Settings"), "ConfigMap/Settings metadata.name", "not a name"),
    (put(PLAIN, "metadata.name", "9web"), "Service/9web metadata.name", "not a name"),
    (put(WEB, "metadata.name", "w" * 53), f"Deployment/{'w' * 53} metadata.name", "most 52"),
    (put(DB, "metadata.name", "d" * 53), f"StatefulSet/{'d' * 53} metadata.name", "most 52"),
    (drop(MAP, "metadata.name"), "ConfigMap/None metadata.name", "not a name"),
    (put(MAP, "metadata.namespace", "a.b"), f"{MAP} metadata.namespace", "not a namespace"),
    (put(WEB, f"{LABELS}.tier", "-front"), f"{WEB} {LABELS}.tier", "not a label value"),
    (
        put(WEB, "metadata.labels", {"a" * 64: "b"}),
        f"{WEB} metadata.labels.{'a' * 64}",
        "label key",
    ),
    (put(WEB, "metadata.labels", {"a/b/c": "d"}), f"{WEB} metadata.labels['a/b/c']", "label key"),
    (put(WEB, f"{POD}.nodeSelector.gpu", "a b"), f"{WEB} {POD}.nodeSelector.gpu", "label value"),
    (put(PLAIN, "spec.selector.app", "w" * 64), f"{PLAIN} spec.selector.app", "label value"),
    (put(WEB, "metadata.annotations", {"a b": ""}), f"{WEB} metadata.annotations['a b']", "key"),
    (
        put(WEB, "metadata.annotations.a", "x" * 2**18),
        f"{WEB} metadata.annotations",
        "more than 256 KiB",
    ),
    (put(MAP, "data", "text"), f"{MAP} data", "not a mapping"),
    (put(SECRET, "stringData", ["text"]), f"{SECRET} stringData", "not a mapping"),
    (put(WEB, "spec.template.spec.volumes", {}), f"{WEB} spec.template.spec.volumes", "not a list"),
    (put(MAP, "data", {"a/b": ""}), f"{MAP} data['a/b']", "not a data key"),
    (put(MAP, "binaryData.blob", "???"), f"{MAP} binaryData.blob", "not base64"),
    (put(SECRET, "data.key", "secret"), f"{SECRET} data.key", "not base64"),
    (put(MAP, "data.LEVEL", "x" * 2**20), f"{MAP} data", "1 MiB"),
    (put(SECRET, "type", "kubernetes.io/tls"), f"{SECRET} data['tls.key']", "needs the key"),
    (login("stringData", "{"), f"{SECRET} data['.dockerconfigjson']", "not JSON"),
    (login("data", "e30"), f"{SECRET} data['.dockerconfigjson']", "not JSON"),
    (login("data", "ew=="), f"{SECRET} data['.dockerconfigjson']", "not JSON"),
    (put(PLAIN, "spec.ports", []), f"{PLAIN} spec.ports", "no ports"),
    (put(PLAIN, "spec.ports[0].port", 0), f"{PLAIN} spec.ports[0].port", "not a port"),
    (drop(SVC, "spec.ports[1].name"), f"{SVC} spec.ports[1].name", "required"),
    (put(SVC, "spec.ports[1].name", "http"), f"{SVC} spec.ports[1].name", "has this name"),
    (put(SVC, "spec.ports[1].name", "Me"), f"{SVC} spec.ports[1].name", "not a port name"),
    (put(SVC, "spec.ports[1].port", 8008), f"{SVC} spec.ports[1].port", "has this number"),
    (put(SVC, "spec.type", "ClusterIP"), f"{SVC} spec.ports[0].nodePort", "neither"),
    *(
        (put(SVC, "spec.ports[0].nodePort", port), f"{SVC} spec.ports[0].nodePort", "30000-32767")
        for port in (80, 29999, 32768)
    ),
    (
        both(
            put(PLAIN, "spec.type", "NodePort"),
            put(PLAIN, "spec.ports[0].nodePort", 30008),
        ),
        f"{PLAIN} spec.ports[0].nodePort",
        "another port",
    ),
    (put(WEB, f"{BOX}.ports[0].name", "HTTP"), f"{WEB} {BOX}.ports[0].name", "not a port name"),
    (put(WEB, f"{BOX}.ports[0].name", "80"), f"{WEB} {BOX}.ports[0].name", "not a port name"),
    (put(WEB, f"{BOX}.ports[0].name", "a" * 16), f"{WEB} {BOX}.ports[0].name", "not a port name"),
    (put(API, f"{BOX}.ports[1].name", "http"), f"{API} {BOX}.ports[1].name", "has this name"),
    (
        put(WEB, f"{BOX}.ports[0].containerPort", 65536),
        f"{WEB} {BOX}.ports[0].containerPort",
        "not a port",
    ),
    (put(WEB, f"{LABELS}.app", "ui"), f"{WEB} spec.selector.matchLabels.app", "not a label of"),
    (put(WEB, "spec.selector", {}), f"{WEB} spec.selector.matchLabels", "selects nothing"),
    (put(WEB, f"{POD}.containers", []), f"{WEB} {POD}.containers", "no containers"),
    (put(API, f"{BOX}.name", "wait"), f"{API} {BOX}.name", "has this name"),
    (put(WEB, f"{BOX}.name", "my_web"), f"{WEB} {BOX}.name", "not a container name"),
    (put(WEB, f"{BOX}.image", ""), f"{WEB} {BOX}.image", "no image"),
    (
        put(JOB, "spec.jobTemplate.spec.template.spec.containers[0].image", ""),
        f"{JOB} spec.jobTemplate.spec.template.spec.containers[0].image",
        "no image",
    ),
    (put(API, f"{POD}.volumes[1].name", "files"), f"{API} {POD}.volumes[1].name", "has this name"),
    (put(API, f"{POD}.volumes[0].name", "a.b"), f"{API} {POD}.volumes[0].name", "not a volume"),
    (put(API, f"{POD}.volumes[0].emptyDir", {}), f"{API} {POD}.volumes[0]", "2 sources"),
    (drop(WEB, f"{POD}.volumes[0].emptyDir"), f"{WEB} {POD}.volumes[0]", "0 sources"),
    (put(DB, f"{BOX}.volumeMounts[0].name", "x"), f"{DB} {BOX}.volumeMounts[0].name", "no volume"),
    (
        put(API, f"{BOX}.volumeMounts[2].mountPath", "/files/"),
        f"{API} {BOX}.volumeMounts[2].mountPath",
        "has this path",
    ),
    (
        put(API, f"{BOX}.volumeMounts[0].mountPath", ""),
        f"{API} {BOX}.volumeMounts[0].mountPath",
        "not a mount path",
    ),
    *(
        (
            put(API, f"{BOX}.volumeMounts[0].subPath", path),
            f"{API} {BOX}.volumeMounts[0].subPath",
            "leaves the volume",
        )
        for path in ("/etc", "..", "a/../../b")
    ),
    (put(API, f"{BOX}.env[0].name", "1 X"), f"{API} {BOX}.env[0].name", "not a variable name"),
    (put(API, f"{BOX}.env[0].name", "KEY"), f"{API} {BOX}.env[1].name", "has this name"),
    (put(API, f"{BOX}.env[1].value", "x"), f"{API} {BOX}.env[1]", "both value and valueFrom"),
    (put(API, f"{BOX}.env[1].valueFrom", {}), f"{API} {BOX}.env[1].valueFrom", "one source"),
    (
        put(API, f"{BOX}.env[2].valueFrom.fieldRef.fieldPath", "spec.replicas"),
        f"{API} {BOX}.env[2].valueFrom.fieldRef.fieldPath",
        "not available",
    ),
    (
        put(API, f"{BOX}.resources.limits.memory", "1GB"),
        f"{API} {BOX}.resources.limits.memory",
        "not a quantity",
    ),
    (
        put(API, f"{BOX}.resources.requests.memory", "1025Mi"),
        f"{API} {BOX}.resources.requests.memory",
        "above the limit",
    ),
    (
        put(API, f"{BOX}.resources.requests.cpu", "1001m"),
        f"{API} {BOX}.resources.requests.cpu",
        "above the limit",
    ),
    (
        put(WEB, f"{POD}.volumes[0].emptyDir.sizeLimit", "big"),
        f"{WEB} {POD}.volumes[0].emptyDir.sizeLimit",
        "not a quantity",
    ),
    (
        put(API, f"{BOX}.livenessProbe.exec", {"command": ["true"]}),
        f"{API} {BOX}.livenessProbe",
        "2 handlers",
    ),
    (put(WEB, f"{BOX}.startupProbe", {}), f"{WEB} {BOX}.startupProbe", "0 handlers"),
    (
        put(API, f"{BOX}.livenessProbe.successThreshold", 2),
        f"{API} {BOX}.livenessProbe.successThreshold",
        "must be 1",
    ),
    (put(WEB, f"{BOX}.imagePullPolicy", "Maybe"), f"{WEB} {BOX}.imagePullPolicy", "not among"),
    (put(PLAIN, "spec.type", "Public"), f"{PLAIN} spec.type", "not among"),
    (put(WEB, f"{POD}.restartPolicy", "Never"), f"{WEB} {POD}.restartPolicy", "not among"),
    (
        drop(JOB, "spec.jobTemplate.spec.template.spec.restartPolicy"),
        f"{JOB} spec.jobTemplate.spec.template.spec.restartPolicy",
        "not among",
    ),
    (
        put(API, "spec.strategy.rollingUpdate", {"maxSurge": 1}),
        f"{API} spec.strategy.rollingUpdate",
        "only with",
    ),
    (put(WEB, "spec.replicas", -1), f"{WEB} spec.replicas", "not 0 or more"),
    (
        put(WEB, f"{POD}.terminationGracePeriodSeconds", -1),
        f"{WEB} {POD}.terminationGracePeriodSeconds",
        "not 0 or more",
    ),
    (put(CLAIM, "spec.accessModes", []), f"{CLAIM} spec.accessModes", "access modes"),
    (put(CLAIM, "spec.accessModes", ["RWO"]), f"{CLAIM} spec.accessModes", "access modes"),
    (
        put(CLAIM, "spec.accessModes", ["ReadWriteOncePod", "ReadWriteMany"]),
        f"{CLAIM} spec.accessModes",
        "excludes",
    ),
    (put(CLAIM, "spec.storageClassName", "My"), f"{CLAIM} spec.storageClassName", "class name"),
    (
        put(DB, "spec.volumeClaimTemplates[0].spec.resources.requests.storage", "0Gi"),
        f"{DB} spec.volumeClaimTemplates[0].spec.resources.requests.storage",
        "not a positive quantity",
    ),
    (put(FRONT, f"{PATHS}[0].pathType", "Any"), f"{FRONT} {PATHS}[0].pathType", "not among"),
    (put(FRONT, f"{PATHS}[1].path", "api"), f"{FRONT} {PATHS}[1].path", "does not start"),
    (put(FRONT, "spec.rules[0].host", "App.org"), f"{FRONT} spec.rules[0].host", "host name"),
    (put(FRONT, "spec.tls[0].hosts[0]", "a.org:443"), f"{FRONT} spec.tls[0].hosts[0]", "host name"),
    (
        put(FRONT, f"{PATHS}[1].backend.service.port.number", 8008),
        f"{FRONT} {PATHS}[1].backend.service.port",
        "either name or number",
    ),
    (put(POLICY, f"{BLOCK}.cidr", "10.0.0.0"), f"{POLICY} {BLOCK}.cidr", "not a CIDR"),
    (put(POLICY, f"{BLOCK}.except[0]", "10.1.0/33"), f"{POLICY} {BLOCK}.except[0]", "not a CIDR"),
    *(
        (put(POLICY, f"{BLOCK}.except[0]", cidr), f"{POLICY} {BLOCK}.except[0]", "inside")
        for cidr in ("11.0.0.0/16", "10.0.0.0/8")
    ),
    (put(SCALER, "spec.minReplicas", 4), f"{SCALER} spec.maxReplicas", "below the minimum"),
    (put(SCALER, "spec.minReplicas", -1), f"{SCALER} spec.minReplicas", "not 0 or more"),
    (
        put(API, f"{POD}.tolerations[0].value", "yes"),
        f"{API} {POD}.tolerations[0].value",
        "not with operator Exists",
    ),
    (
        put(API, f"{BOX}.securityContext.privileged", True),
        f"{API} {BOX}.securityContext.allowPrivilegeEscalation",
        "privileged",
    ),
    (put(PLAIN, "spec.selector.tier", "x"), f"{PLAIN} spec.selector", "selects no workload"),
    (
        both(put(WEB, f"{LABELS}.tier", "back"), put(SVC, "spec.selector", {"tier": "back"})),
        f"{SVC} spec.selector",
        "selects Deployment/api, Deployment/web",
    ),
    (put(PLAIN, "metadata.namespace", "other"), f"{PLAIN} spec.selector", "selects no workload"),
    (put(POLICY, "metadata.namespace", "other"), f"{POLICY} spec.podSelector", "no workload"),
    (put(SVC, "spec.ports[0].targetPort", "web"), f"{SVC} spec.ports[0].targetPort", "no port"),
    (put(SVC, "spec.ports[0].protocol", "UDP"), f"{SVC} spec.ports[0].targetPort", "no port"),
    (
        put(API, f"{BOX}.livenessProbe.httpGet.port", "ping"),
        f"{API} {BOX}.livenessProbe.httpGet.port",
        "no port",
    ),
    (lose(PLAIN), f"{FRONT} {PATHS}[0].backend.service.name", "no Service 'web'"),
    (
        put(FRONT, f"{PATHS}[0].backend.service.port.number", 81),
        f"{FRONT} {PATHS}[0].backend.service.port.number",
        "no port 81",
    ),
    (
        put(FRONT, f"{PATHS}[1].backend.service.port.name", "web"),
        f"{FRONT} {PATHS}[1].backend.service.port.name",
        "no port 'web'",
    ),
    (
        put(FRONT, "spec.defaultBackend.service", {"name": "gone", "port": {"number": 80}}),
        f"{FRONT} spec.defaultBackend.service.name",
        "no Service 'gone'",
    ),
    (lose(SECRET), f"{API} {BOX}.env[1].valueFrom.secretKeyRef.name", "no Secret 'keys'"),
    (lose(SECRET), f"{API} {POD}.imagePullSecrets[0].name", "no Secret 'keys'"),
    (lose(SECRET), f"{API} {POD}.volumes[2].projected.sources[0].secret.name", "no Secret"),
    (lose(SECRET), f"{FRONT} spec.tls[0].secretName", "no Secret 'keys'"),
    (put(ROUTE, "spec.hostnames[0]", "App.org"), f"{ROUTE} spec.hostnames[0]", "host name"),
    (put(ROUTE, "spec.hostnames[0]", "10.0.0.1"), f"{ROUTE} spec.hostnames[0]", "host name"),
    (put(ROUTE, "spec.parentRefs", []), f"{ROUTE} spec.parentRefs", "no Gateway"),
    (drop(ROUTE, "spec.parentRefs[0].name"), f"{ROUTE} spec.parentRefs[0].name", "of a Gateway"),
    (put(ROUTE, f"{BACKEND}.port", 81), f"{ROUTE} {BACKEND}.port", "has no port 81"),
    (put(ROUTE, f"{BACKEND}.port", "http"), f"{ROUTE} {BACKEND}.port", "not a port"),
    (put(ROUTE, f"{BACKEND}.name", "gone"), f"{ROUTE} {BACKEND}.name", "no Service 'gone'"),
    (put(ROUTE, f"{BACKEND}.namespace", "far"), f"{ROUTE} {BACKEND}.name", "no Service 'web'"),
    (put(CERTIFICATE, "spec.dnsNames[0]", "a b"), f"{CERTIFICATE} spec.dnsNames[0]", "host name"),
    (put(CERTIFICATE, "spec.dnsNames", []), f"{CERTIFICATE} spec.dnsNames", "no host"),
    (put(CERTIFICATE, "spec.secretName", ""), f"{CERTIFICATE} spec.secretName", "not a name"),
    (drop(CERTIFICATE, "spec.issuerRef"), f"{CERTIFICATE} spec.issuerRef.name", "not a name"),
    (lose(SECRET), "ServiceAccount/api imagePullSecrets[0].name", "no Secret 'keys'"),
    (lose(MAP), f"{API} {BOX}.envFrom[0].configMapRef.name", "no ConfigMap 'settings'"),
    (lose(MAP), f"{API} {POD}.volumes[1].configMap.name", "no ConfigMap 'settings'"),
    (lose(CLAIM), f"{API} {POD}.volumes[0].persistentVolumeClaim.claimName", "no Persistent"),
    (lose("ServiceAccount/api"), f"{API} {POD}.serviceAccountName", "no ServiceAccount 'api'"),
    (lose("ServiceAccount/api"), "RoleBinding/example:api subjects[0].name", "no ServiceAccount"),
    (put(MAP, "metadata.namespace", "other"), f"{API} {BOX}.envFrom[0].configMapRef.name", "no"),
    (
        put(API, f"{BOX}.env[1].valueFrom.secretKeyRef.key", "Key"),
        f"{API} {BOX}.env[1].valueFrom.secretKeyRef.key",
        "no key 'Key'",
    ),
    (
        put(API, f"{POD}.volumes[1].configMap.items[0].key", "conf"),
        f"{API} {POD}.volumes[1].configMap.items[0].key",
        "no key 'conf'",
    ),
    (
        put(API, f"{BOX}.volumeMounts[1].subPath", "conf"),
        f"{API} {BOX}.volumeMounts[1].subPath",
        "no file 'conf'",
    ),
    (put(DB, "spec.serviceName", "db"), f"{DB} spec.serviceName", "no headless Service 'db'"),
    (put(DB, "spec.serviceName", "gone"), f"{DB} spec.serviceName", "no headless Service 'gone'"),
    (
        put(API, f"{BOX}.securityContext.runAsUser", 0),
        f"{API} {BOX}.securityContext",
        "runAsNonRoot with runAsUser 0",
    ),
    (
        put(API, f"{POD}.securityContext.runAsUser", 0),
        f"{API} {POD}.initContainers[0].securityContext",
        "runAsNonRoot with runAsUser 0",
    ),
    (put(WEB, f"{POD}.volumes[0].emptyDir", None), f"{WEB} {POD}.volumes[0].emptyDir", "null"),
    (put(JOB, "spec.suspend", None), f"{JOB} spec.suspend", "null"),
    (
        put(MAP, "data.text", "0o17"),
        f"{MAP} data.text",
        "kubectl would read this text as something else",
    ),
    (
        put(MAP, "data.-_1", "text"),
        f"{MAP} data.-_1",
        "kubectl would read this text as something else",
    ),
    (put(API, f"{BOX}.env[0].value", True), f"{API} {BOX}.env[0].value", "not a string"),
    (put(MAP, "data.LEVEL", 5), f"{MAP} data.LEVEL", "not a string"),
    (put(SECRET, "stringData.user", 5), f"{SECRET} stringData.user", "not a string"),
    (put(WEB, "metadata.labels.a", 1), f"{WEB} metadata.labels.a", "not a string"),
    (put(WEB, "metadata.annotations.a", True), f"{WEB} metadata.annotations.a", "not a string"),
    (drop(WEB, f"{POD}.enableServiceLinks"), f"{WEB} {POD}.enableServiceLinks", "false"),
    (put(DB, f"{POD}.enableServiceLinks", True), f"{DB} {POD}.enableServiceLinks", "false"),
    (drop(API, "spec.strategy"), f"{API} spec.strategy.type", "must be Recreate"),
    (
        put(API, "spec.strategy.type", "RollingUpdate"),
        f"{API} spec.strategy.type",
        "must be Recreate",
    ),
    (
        add(DB, f"{POD}.volumes", FILES),
        f"{CLAIM} spec.accessModes",
        "mounted by Deployment/api, StatefulSet/db",
    ),
    (
        put(JOB, f"spec.jobTemplate.{POD}.volumes", [FILES]),
        f"{CLAIM} spec.accessModes",
        "mounted by Deployment/api, CronJob/clean",
    ),
    (
        making("other"),
        f"{API} {BOX}.env[3].valueFrom.secretKeyRef.key",
        "Secret/made has no key 'key'",
    ),
]

TOLERATION = f"{POD}.tolerations[0]"
AFFINITY = f"{POD}.affinity"
NODES = f"{AFFINITY}.nodeAffinity"
ANTI = f"{AFFINITY}.podAntiAffinity"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TERMS = f"{REQUIRED}.nodeSelectorTerms"
SPREAD = f"{POD}.topologySpreadConstraints"
HOSTS = f"{POD}.hostAliases"
GPU = "nvidia.com/gpu"


def wanted(operator: str, *values: str, key: str = "gpu") -> dict[str, Any]:
    """Required node terms of one expression."""
    expression = {"key": key, "operator": operator} | ({"values": [*values]} if values else {})
    return {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


def spread(**changes: Any) -> dict[str, Any]:
    """A topology spread constraint; None leaves a field out."""
    sound = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    return {key: value for key, value in (sound | changes).items() if value is not None}


def budget(**bounds: Any) -> Mistake:
    """Adds a PodDisruptionBudget."""
    return lambda objects: objects.append(
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "api"}}
        | {"spec": bounds}
    )


# The object, a path, the bad value there, where below the path the finding is (^: in its parent),
# a part of its message.
BAD_VALUES: list[tuple[str, str, Any, str, str]] = [
    (API, f"{POD}.priorityClassName", "High", "", "not a name"),
    (API, f"{POD}.hostname", "a.b", "", "not a name"),
    (API, f"{POD}.subdomain", "a.b", "", "not a name"),
    (SVC, "spec.ports[0].protocol", "HTTP", "", "not among"),
    (SVC, "spec.ports[1].targetPort", 0, "", "not a port"),
    (SVC, "spec.ports[1].targetPort", "a_b", "", "not a port"),
    (SVC, "spec.sessionAffinity", "Cookie", "", "not among"),
    (SVC, "spec.externalTrafficPolicy", "Any", "", "not among"),
    (SVC, "spec.ipFamilyPolicy", "DualStack", "", "not among"),
    (SVC, "spec.ipFamilies", ["IPv5"], "[0]", "not among"),
    (SVC, "spec.ipFamilies", ["IPv4", "IPv4"], "[1]", "named twice"),
    (SVC, "spec.trafficDistribution", "Near", "", "not among"),
    (SVC, "spec.allocateLoadBalancerNodePorts", False, "", "no LoadBalancer"),
    (PLAIN, "spec.externalTrafficPolicy", "Local", "", "not for outside"),
    (SVC, "spec.loadBalancerSourceRanges", ["10.0.0.1"], "[0]", "not a CIDR"),
    (SVC, "spec.loadBalancerSourceRanges", ["10.0.0.0/8"], "", "no LoadBalancer"),
    (SVC, "spec.loadBalancerClass", "example.org/inside", "", "no LoadBalancer"),
    (SVC, "spec.loadBalancerClass", "a b", "", "not a class"),
    (SVC, "spec.sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 9}}, "", "only with"),
    (
        SVC,
        "spec.sessionAffinityConfig",
        {"clientIP": {"timeoutSeconds": 86401}},
        ".clientIP.timeoutSeconds",
        "not in",
    ),
    (POLICY, "spec.ingress[0].ports[0].port", 0, "", "not a port"),
    (POLICY, "spec.ingress[0].ports[0].port", "a_b", "", "not a port"),
    (POLICY, "spec.ingress[0].ports[0].protocol", "tcp", "", "not among"),
    (POLICY, "spec.ingress[0].ports[0].endPort", 9000, "", "not the end"),
    (POLICY, "spec.ingress[0].ports[1].endPort", 8999, "", "not the end"),
    (POLICY, "spec.ingress[0].ports[1].endPort", 65536, "", "not the end"),
    (POLICY, "spec.policyTypes", ["Both"], "[0]", "not among"),
    (POLICY, "spec.ingress[0].from[0]", {}, "", "either"),
    (POLICY, "spec.egress[0].to[0].podSelector", {}, "^", "either"),
    (POLICY, "spec.podSelector", {"matchLabels": {"app": "gone"}}, "", "no workload"),
    (SCALER, "spec.scaleTargetRef", {"kind": "Deployment"}, ".name", "no name"),
    (SCALER, "spec.scaleTargetRef.name", "gone", "^", "no 'Deployment' 'gone'"),
    (SCALER, "spec.metrics[0].type", "", "", "not among"),
    (SCALER, f"{TARGET}.averageUtilization", 0, "", "not 1 or more"),
    (SCALER, f"{DOWN}.selectPolicy", "Most", "", "not among"),
    (SCALER, f"{DOWN}.stabilizationWindowSeconds", 3601, "", "not in"),
    (SCALER, f"{DOWN}.policies", [], "", "one policy"),
    (SCALER, f"{DOWN}.policies[0].type", "Share", "", "not among"),
    (SCALER, f"{DOWN}.policies[0].value", 0, "", "not 1 or more"),
    (SCALER, f"{DOWN}.policies[0].periodSeconds", 1801, "", "not in"),
    (WEB, f"{BOX}.ports[0].protocol", "tcp", "", "not among"),
    (WEB, f"{BOX}.ports[0].hostPort", 65536, "", "not a port"),
    (
        API,
        f"{BOX}.ports",
        [{"containerPort": p, "hostPort": 80} for p in (1, 2)],
        "[1].hostPort",
        "another port",
    ),
    (API, TOLERATION, {"key": "a", "operator": "Equals"}, ".operator", "not among"),
    (API, TOLERATION, {"operator": "Equal"}, ".operator", "must be Exists"),
    (API, TOLERATION, {"key": "a b", "value": "c"}, ".key", "not the key"),
    (API, TOLERATION, {"key": "a", "value": "b c"}, ".value", "not the value"),
    (API, f"{TOLERATION}.effect", "Never", "", "not among"),
    (API, f"{TOLERATION}.tolerationSeconds", 5, "", "NoExecute"),
    (API, NODES, {REQUIRED: {"nodeSelectorTerms": []}}, f".{TERMS}", "no terms"),
    (API, NODES, {REQUIRED: {}}, f".{TERMS}", "no terms"),
    *(
        (API, NODES, wanted(*expression), f".{TERMS}[0].matchExpressions[0].{field}", what)
        for expression, field, what in [
            (("Has",), "operator", "not among"),
            (("In",), "values", "needed"),
            (("NotIn",), "values", "needed"),
            (("Exists", "a"), "values", "not with"),
            (("DoesNotExist", "a"), "values", "not with"),
            (("Gt",), "values", "one integer"),
            (("Gt", "1", "2"), "values", "one integer"),
            (("Lt", "many"), "values", "one integer"),
            (("In", "a b"), "values[0]", "not a label value"),
        ]
    ),
    (API, NODES, wanted("Exists", key="a b"), f".{TERMS}[0].matchExpressions[0].key", "label key"),
    *(
        (
            API,
            f"{AFFINITY}.{field}",
            {PREFERRED: [{"weight": weight}]},
            f".{PREFERRED}[0].weight",
            "not in 1-100",
        )
        for field in ("nodeAffinity", "podAffinity", "podAntiAffinity")
        for weight in (0, 101, None)
    ),
    (API, ANTI, {REQUIRED: [{"topologyKey": ""}]}, f".{REQUIRED}[0].topologyKey", "label key"),
    (
        API,
        ANTI,
        {PREFERRED: [{"weight": 1, "podAffinityTerm": {}}]},
        f".{PREFERRED}[0].podAffinityTerm.topologyKey",
        "label key",
    ),
    (
        WEB,
        "spec.selector.matchExpressions",
        [{"key": "a", "operator": "Gt", "values": ["1"]}],
        "[0].operator",
        "not among",
    ),
    (API, SPREAD, [spread(maxSkew=0)], "[0].maxSkew", "not 1 or more"),
    (API, SPREAD, [spread(maxSkew=None)], "[0].maxSkew", "not 1 or more"),
    (API, SPREAD, [spread(whenUnsatisfiable="Wait")], "[0].whenUnsatisfiable", "not among"),
    (API, SPREAD, [spread(whenUnsatisfiable=None)], "[0].whenUnsatisfiable", "not among"),
    (API, SPREAD, [spread(topologyKey="")], "[0].topologyKey", "label key"),
    (API, SPREAD, [spread(minDomains=0)], "[0].minDomains", "1 or more"),
    (
        API,
        SPREAD,
        [spread(minDomains=2, whenUnsatisfiable="ScheduleAnyway")],
        "[0].minDomains",
        "only with",
    ),
    (API, SPREAD, [spread(nodeTaintsPolicy="Maybe")], "[0].nodeTaintsPolicy", "not among"),
    (API, SPREAD, [spread(), spread(maxSkew=2)], "[1]", "is the same"),
    (API, f"{POD}.volumes[0].hostPath", {}, ".path", "no path"),
    (API, f"{POD}.volumes[2].projected.sources[0].configMap", {"name": "settings"}, "^", "2 so"),
    (API, f"{POD}.volumes[1].configMap.items[0].path", "../app.conf", "", "leaves the volume"),
    (API, f"{POD}.volumes[1].configMap.items[0].path", "", "", "leaves the volume"),
    (API, f"{POD}.volumes[1].configMap.defaultMode", 512, "", "not in 0-0777"),
    (API, f"{BOX}.volumeMounts[0].subPathExpr", "/$(POD)", "", "leaves the volume"),
    (API, f"{BOX}.volumeMounts[1].subPathExpr", "$(POD)", "^", "both subPath"),
    (API, f"{BOX}.volumeMounts[0].mountPropagation", "Both", "", "not among"),
    (
        API,
        f"{BOX}.env[1].valueFrom",
        {
            "fieldRef": {"fieldPath": "spec.nodeName"},
            "secretKeyRef": {"name": "keys", "key": "key"},
        },
        "",
        "one source",
    ),
    (
        API,
        f"{BOX}.env[1].valueFrom",
        {"resourceFieldRef": {"resource": "limits.disk"}},
        ".resourceFieldRef.resource",
        "not available",
    ),
    (API, f"{BOX}.envFrom[0]", {}, "", "one source"),
    (API, f"{BOX}.envFrom[0]", {"prefix": "A_"}, "", "one source"),
    (API, f"{BOX}.envFrom[0].secretRef", {"name": "keys"}, "^", "one source"),
    (API, f"{BOX}.envFrom[0].prefix", "1_", "", "not the start"),
    (API, f"{BOX}.resources.limits", {"gpu": 1}, ".gpu", "have a domain"),
    (API, f"{BOX}.resources.requests", {"storage": "1Gi"}, ".storage", "have a domain"),
    (API, f"{BOX}.resources.limits", {"a/b/c": 1}, "['a/b/c']", "have a domain"),
    (API, f"{BOX}.resources", {"requests": {GPU: 1}}, f".requests['{GPU}']", "same limit"),
    (
        API,
        f"{BOX}.resources",
        {"requests": {GPU: 1}, "limits": {GPU: 2}},
        f".requests['{GPU}']",
        "same limit",
    ),
    (API, f"{BOX}.resources", {"limits": {GPU: "500m"}}, f".limits['{GPU}']", "whole number"),
    (API, f"{BOX}.resources.requests", {"hugepages-2Mi": "4Mi"}, ".hugepages-2Mi", "same limit"),
    (
        API,
        f"{BOX}.securityContext.capabilities",
        {"add": ["CAP_SYS_ADMIN"]},
        "^.allowPrivilegeEscalation",
        "false with CAP_SYS_ADMIN",
    ),
    (API, f"{BOX}.securityContext.runAsGroup", -1, "", "not in 0-"),
    (API, f"{POD}.securityContext.fsGroup", 2**31, "", "not in 0-"),
    (API, f"{POD}.securityContext.fsGroupChangePolicy", "Never", "", "not among"),
    (API, f"{BOX}.securityContext.seccompProfile", {"type": "Default"}, ".type", "not among"),
    (
        API,
        f"{BOX}.securityContext.seccompProfile",
        {"type": "Localhost"},
        ".localhostProfile",
        "only with it",
    ),
    (CLAIM, "spec.volumeMode", "Files", "", "not among"),
    (CLAIM, "spec.resources.requests.cpu", 1, "", "only storage"),
    (CLAIM, "spec.accessModes", ["ReadWriteOncePod", "ReadWriteOnce"], "", "excludes"),
    *(
        (FRONT, "spec.rules[0].host", host, "", "host name")
        for host in ("*", "a.*.org", "*a.org", "10.0.0.1", ".".join(["a" * 50] * 5), "a_b.org")
    ),
    (FRONT, f"{PATHS}[0].path", "/a//b", "", "plain path"),
    (FRONT, f"{PATHS}[0].path", "/a/..", "", "plain path"),
    (FRONT, "spec", {}, "", "neither rules"),
    (API, HOSTS, [{"ip": "10.0.0", "hostnames": ["a"]}], "[0].ip", "not an IP address"),
    (API, HOSTS, [{"ip": "::1", "hostnames": ["A"]}], "[0].hostnames[0]", "not a host"),
    (API, f"{POD}.dnsPolicy", "None", "^.dnsConfig.nameservers", "needed"),
    (API, f"{POD}.dnsPolicy", "Cluster", "", "not among"),
    (API, f"{POD}.dnsConfig", {"nameservers": ["dns"]}, ".nameservers[0]", "not an IP address"),
    (API, f"{POD}.dnsConfig", {"nameservers": ["::1"] * 4}, ".nameservers", "more than 3"),
    (
        WEB,
        f"{BOX}.startupProbe",
        {"exec": {"command": ["a"]}, "successThreshold": 2},
        ".successThreshold",
        "must be 1",
    ),
    (WEB, f"{BOX}.livenessProbe", {"exec": {}}, ".exec.command", "no command"),
    (
        WEB,
        f"{BOX}.livenessProbe",
        {"httpGet": {"port": 80, "scheme": "http"}},
        ".httpGet.scheme",
        "not among",
    ),
    (API, f"{BOX}.readinessProbe.periodSeconds", -1, "", "not 0 or more"),
    (API, f"{BOX}.readinessProbe.terminationGracePeriodSeconds", 5, "", "not in a readiness"),
    (API, f"{BOX}.livenessProbe.terminationGracePeriodSeconds", 0, "", "1 or more"),
    (API, f"{BOX}.lifecycle.preStop", {}, "", "0 handlers"),
    (API, f"{POD}.initContainers[0].readinessProbe", {"tcpSocket": {"port": 1}}, "", "that ends"),
    (API, f"{POD}.initContainers[0].restartPolicy", "Never", "", "not among"),
    (WEB, "spec.strategy.type", "OnDelete", "", "not among"),
    (DB, "spec.updateStrategy.type", "Recreate", "", "not among"),
    (
        DB,
        "spec.updateStrategy",
        {"type": "OnDelete", "rollingUpdate": {"partition": 1}},
        ".rollingUpdate",
        "only with",
    ),
    (DB, "spec.updateStrategy.rollingUpdate", {"partition": -1}, ".partition", "not a share"),
    (WEB, "spec.strategy.rollingUpdate", {"maxSurge": "some"}, ".maxSurge", "not a share"),
    (WEB, "spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": "0%"}, "", "both 0"),
    (WEB, "spec.minReadySeconds", 600, "", "not below"),
    (DB, "spec.podManagementPolicy", "Fast", "", "not among"),
]

# Of a volume: its source, and below it the place and the finding.
BAD_VOLUMES: list[tuple[dict[str, Any], str, str]] = [
    ({"hostPath": {"path": "/data/../etc"}}, ".hostPath.path", "must not contain"),
    ({"hostPath": {"path": "/data", "type": "Folder"}}, ".hostPath.type", "not among"),
    ({"nfs": {"server": "", "path": "/data"}}, ".nfs.server", "no server"),
    ({"nfs": {"server": "nas", "path": "data"}}, ".nfs.path", "not an absolute path"),
    ({"storageos": {"volumeName": "data"}}, ".storageos", "no longer in Kubernetes"),
    ({"iscsi": {"targetPortal": "a", "iqn": "a", "lun": 0}}, ".iscsi.iqn", "none of iqn"),
    ({"iscsi": {"targetPortal": "a", "iqn": "iqn.a", "lun": 256}}, ".iscsi.lun", "not in 0-255"),
    ({"fc": {"lun": 1}}, ".fc", "either targetWWNs"),
    ({"fc": {"targetWWNs": ["a"], "wwids": ["b"], "lun": 1}}, ".fc", "either targetWWNs"),
    ({"fc": {"targetWWNs": ["a"]}}, ".fc.lun", "needed with"),
    ({"csi": {"driver": "A_b"}}, ".csi.driver", "not a driver"),
    (
        {"csi": {"driver": "a.b", "nodePublishSecretRef": {}}},
        ".csi.nodePublishSecretRef.name",
        "not the name of a Secret",
    ),
    ({"secret": {}}, ".secret.secretName", "not the name of a Secret"),
    ({"configMap": {"name": "Settings"}}, ".configMap.name", "not the name of a ConfigMap"),
    ({"ephemeral": {}}, ".ephemeral.volumeClaimTemplate", "no volumeClaimTemplate"),
    (
        {"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}},
        ".ephemeral.volumeClaimTemplate.spec.resources.requests.storage",
        "not a positive quantity",
    ),
    (
        {"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "a"}}}},
        ".ephemeral.volumeClaimTemplate.metadata.name",
        "cannot have it",
    ),
    ({"downwardAPI": {"items": [{"path": "a"}]}}, ".downwardAPI.items[0]", "either fieldRef"),
    (
        {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "spec.nodeName"}}]}},
        ".downwardAPI.items[0].fieldRef.fieldPath",
        "not available",
    ),
    (
        {"downwardAPI": {"items": [{"path": "a", "resourceFieldRef": {"resource": "limits.cpu"}}]}},
        ".downwardAPI.items[0].resourceFieldRef.containerName",
        "no containerName",
    ),
    *(
        (
            {"projected": {"sources": [{"serviceAccountToken": {"path": "token", **token}}]}},
            f".projected.sources[0].serviceAccountToken.{field}",
            what,
        )
        for token, field, what in (
            ({"expirationSeconds": 599}, "expirationSeconds", "below 600"),
            ({"path": ""}, "path", "leaves the volume"),
            ({"path": "../token"}, "path", "leaves the volume"),
        )
    ),
]

BAD_VALUES += [
    (API, f"{POD}.volumes[0]", {"name": "files", **source}, below, what)
    for source, below, what in BAD_VOLUMES
]
BAD_VALUES += [
    (
        API,
        f"{BOX}.volumeDevices",
        [{"name": "settings", "devicePath": "/d"}],
        "[0].name",
        "no claim",
    ),
    (API, f"{BOX}.volumeDevices", [{"name": "files"}], "[0].devicePath", "no path"),
    (API, f"{BOX}.volumeMounts[0].mountPropagation", "", "", "not among"),
    (API, f"{BOX}.env[1].valueFrom.secretKeyRef.key", "", "", "not a data key"),
    (API, f"{BOX}.env[1].valueFrom.secretKeyRef.name", "A_", "", "not the name of a Secret"),
    (API, f"{BOX}.envFrom[0].configMapRef", {}, ".name", "not the name of a ConfigMap"),
    (API, f"{BOX}.env[2].valueFrom.fieldRef.apiVersion", "v2", "", "not among"),
    *(
        (
            API,
            f"{BOX}.env[2].valueFrom",
            {"resourceFieldRef": {"resource": f"limits.{name}", "divisor": divisor}},
            ".resourceFieldRef.divisor",
            "not among",
        )
        for name, divisor in (("cpu", "1Mi"), ("memory", "1m"), ("memory", "2Mi"))
    ),
    (API, f"{BOX}.terminationMessagePolicy", "Log", "", "not among"),
    (
        API,
        f"{BOX}.livenessProbe.httpGet.httpHeaders",
        [{"name": "a b", "value": "c"}],
        "[0].name",
        "not a header",
    ),
    (API, f"{POD}.initContainers[0].lifecycle", {}, "", "that ends"),
    (API, f"{BOX}.securityContext.procMount", "", "", "not among"),
    (API, f"{BOX}.securityContext.windowsOptions", {}, "", "Linux"),
    (API, f"{POD}.securityContext.supplementalGroups", [1, -1], "[1]", "not in 0-"),
    (API, f"{POD}.securityContext.fsGroupChangePolicy", "", "", "not among"),
    (API, f"{POD}.securityContext.sysctls", [{"name": "A B", "value": "1"}], "[0].name", "sysctl"),
    (API, f"{POD}.securityContext.sysctls", [{"name": "a"}, {"name": "a"}], "[1].name", "twice"),
    (API, f"{POD}.dnsConfig", {"searches": ["a b"]}, ".searches[0]", "not a domain"),
    (API, f"{POD}.dnsConfig", {"searches": ["a"] * 33}, ".searches", "more than 32"),
    (API, f"{POD}.dnsConfig", {"options": [{"value": "1"}]}, ".options[0].name", "no name"),
    (API, SPREAD, [spread(nodeTaintsPolicy="")], "[0].nodeTaintsPolicy", "not among"),
    (API, SPREAD, [spread(matchLabelKeys=["a"])], "[0].matchLabelKeys", "only with"),
    (
        API,
        ANTI,
        {REQUIRED: [{"topologyKey": "zone", "namespaces": ["A_"]}]},
        f".{REQUIRED}[0].namespaces[0]",
        "not a namespace",
    ),
    *(
        (
            API,
            f"{NODES}.{TERMS}",
            [
                {
                    "matchFields": [
                        {"key": "metadata.name", "operator": "In", "values": ["a"], **field}
                    ]
                }
            ],
            f"[0].matchFields[0].{where}",
            what,
        )
        for field, where, what in (
            ({"key": "spec.name"}, "key", "not metadata.name"),
            ({"operator": "Exists"}, "operator", "not among"),
            ({"values": ["a", "b"]}, "values", "one value"),
        )
    ),
    (WEB, "spec.strategy.rollingUpdate", {"maxUnavailable": "101%"}, ".maxUnavailable", "100%"),
    (DB, "spec.updateStrategy.rollingUpdate", {"maxUnavailable": 0}, ".maxUnavailable", "than 0"),
    (SCALER, f"{DOWN}.selectPolicy", "", "", "not among"),
    (SCALER, f"{DOWN}.policies[0].type", "", "", "not among"),
    (POLICY, "spec.ingress[0].ports[1].protocol", "", "", "not among"),
    *(
        (API, f"{POD}.{box}.resources", resources, where, what)
        for box in ("containers[0]", "initContainers[0]")
        for resources, where, what in (
            ({"limits": {PAGES: "2Mi"}}, "", "cpu or memory"),
            ({"limits": {PAGES: "2Mi", "ephemeral-storage": "1Gi"}}, "", "cpu or memory"),
            ({"limits": {PAGES: "3Mi", "cpu": 1}}, f".limits.{PAGES}", "not a multiple"),
            (
                {"limits": {"hugepages-some": "2Mi", "cpu": 1}},
                ".limits.hugepages-some",
                "not a multiple",
            ),
        )
    ),
    (API, f"{BOX}.volumeMounts[0].mountPropagation", "Bidirectional", "", "privileged"),
    (
        API,
        f"{POD}.initContainers[0].volumeMounts",
        [{"name": "files", "mountPath": "/a", "mountPropagation": "Bidirectional"}],
        "[0].mountPropagation",
        "privileged",
    ),
    *(
        (API, f"{BOX}.volumeDevices", [{"name": "files", **device}], f"[0].{where}", what)
        for device, where, what in (
            ({"devicePath": "/d"}, "name", "has it twice"),
            ({"devicePath": "/files"}, "devicePath", "has it twice"),
            ({"devicePath": "/d/../e"}, "devicePath", "'..'"),
        )
    ),
    *(
        (API, "spec.template.metadata.annotations", {key: profile}, f"['{key}']", what)
        for key, profile, what in (
            (f"{APPARMOR}/nobody", "runtime/default", "no container"),
            (f"{APPARMOR}/api", "default", "not a profile"),
            (f"{SECCOMP}/nobody", "runtime/default", "no container"),
            (f"{SECCOMP}/wait", "localhost/../a", "not a profile"),
            ("seccomp.security.alpha.kubernetes.io/pod", "", "not a profile"),
        )
    ),
    (API, f"{BOX}.securityContext.procMount", "Unmasked", "", "hostUsers"),
    *(
        (API, f"{BOX}.securityContext.seccompProfile", profile, ".localhostProfile", what)
        for profile, what in (
            ({"type": "Localhost", "localhostProfile": "/a"}, "leaves the folder"),
            ({"type": "Localhost", "localhostProfile": "a/../b"}, "leaves the folder"),
            ({"type": "RuntimeDefault", "localhostProfile": ""}, "with type Localhost"),
        )
    ),
    (MAP, "metadata.finalizers", ["keep"], "[0]", "not a finalizer"),
    (FRONT, "spec.ingressClassName", "My", "", "not a class name"),
    (FRONT, f"{PATHS}[0].path", "//a", "", "not a plain path"),
    (FRONT, f"{PATHS}[0].path", "/../a", "", "not a plain path"),
    (
        API,
        f"{NODES}.{TERMS}",
        [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["A"]}]}],
        "[0].matchFields[0].values[0]",
        "not the name of a node",
    ),
    *(
        (API, SPREAD, [spread(labelSelector=selector, matchLabelKeys=[key])], where, what)
        for selector, key in (
            ({"matchLabels": {"a": "b"}}, "a b"),
            ({"matchLabels": {"a": "b"}}, "a"),
            ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        )
        for where, what in [("[0].matchLabelKeys[0]", "key")]
    ),
    (ROUTE, "spec.parentRefs", [{"name": f"g{i}"} for i in range(33)], "", "more than 32"),
    (ROUTE, "spec.hostnames", [f"a{i}.example.org" for i in range(17)], "", "more than 16"),
    (ROUTE, f"{BACKEND.rpartition('[')[0]}", [{"name": "web", "port": 80}] * 17, "", "than 16"),
    *(
        (ROUTE, f"spec.parentRefs[0].{field}", value, "", f"not a {field}")
        for field, value in (
            ("kind", "K" * 64),
            ("kind", "Gate way"),
            ("group", "A"),
            ("namespace", "a.b"),
            ("sectionName", "A"),
        )
    ),
    *(
        (API, f"{POD}.volumes[0]", {"name": "files", **volume}, where, what)
        for volume, where, what in (
            (
                {"configMap": {"name": "a", "items": [{"key": "a", "path": "b", "mode": 512}]}},
                ".configMap.items[0].mode",
                "0-0777",
            ),
            (
                {"secret": {"secretName": "a", "items": [{"key": "", "path": "b"}]}},
                ".secret.items[0].key",
                "no key",
            ),
            (
                {"projected": {"sources": [{"secret": {"items": [{"key": "a", "path": "/b"}]}}]}},
                ".projected.sources[0].secret.items[0].path",
                "leaves the volume",
            ),
            (
                {
                    "projected": {
                        "sources": [
                            {"serviceAccountToken": {"path": "a"}},
                            {"configMap": {"name": "a", "items": [{"key": "a", "path": "a"}]}},
                        ]
                    }
                },
                ".projected.sources[1].configMap.items[0].path",
                "another source",
            ),
            (
                {"iscsi": {"targetPortal": "a", "iqn": "iqn.a", "initiatorName": "b"}},
                ".iscsi.initiatorName",
                "iqn, eui, naa",
            ),
            (
                {"iscsi": {"targetPortal": "a" * 60, "iqn": "iqn.a", "initiatorName": "iqn.b"}},
                ".iscsi.targetPortal",
                "more than 64",
            ),
            ({"azureDisk": {"diskURI": "disk"}}, ".azureDisk.diskURI", "begin with https"),
            (
                {"azureDisk": {"diskURI": "https://a", "kind": "Managed"}},
                ".azureDisk.diskURI",
                "begin with /subscriptions/",
            ),
            ({"azureDisk": {"kind": "disk"}}, ".azureDisk.kind", "not among"),
            ({"azureDisk": {"cachingMode": ""}}, ".azureDisk.cachingMode", "not among"),
            (
                {"gcePersistentDisk": {"pdName": "a", "partition": 256}},
                ".gcePersistentDisk.partition",
                "0-255",
            ),
        )
    ),
    *(
        (CLAIM, f"spec.{field}", source, where, what)
        for field in ("dataSource", "dataSourceRef")
        for source, where, what in (
            ({"kind": "PersistentVolumeClaim"}, ".name", "no name"),
            ({"name": "a"}, ".kind", "no kind"),
            ({"kind": "VolumeSnapshot", "name": "a"}, ".kind", "must be a PersistentVolumeClaim"),
        )
    ),
    (ROUTE, "spec.parentRefs[0].port", 0, "", "not a port"),
    (ROUTE, "spec.parentRefs", [{"name": "a"}, {"name": "a"}], "[1]", "the same"),
]

MISTAKES += [
    (
        both(
            put(FRONT, "spec.ingressClassName", "nginx"),
            put(FRONT, "metadata.annotations", {"kubernetes.io/ingress.class": "traefik"}),
        ),
        f"{FRONT} metadata.annotations['kubernetes.io/ingress.class']",
        "not the ingressClassName",
    ),
    (
        both(
            put(API, f"{POD}.securityContext.seccompProfile", {"type": "Unconfined"}),
            put(API, "spec.template.metadata.annotations", {f"{SECCOMP}/api": "runtime/default"}),
        ),
        f"{API} spec.template.metadata.annotations['{SECCOMP}/api']",
        "not the seccompProfile",
    ),
    *(
        (
            add_object(monitor(**{field: time})),
            f"ServiceMonitor/web spec.endpoints[0].{field}",
            "not a duration",
        )
        for field, time in (("interval", "0"), ("interval", "30"), ("scrapeTimeout", ""))
    ),
    (put(PLAIN, "metadata.name", "web.a"), "Service/web.a metadata.name", "not a name"),
    (put(PLAIN, "metadata.name", "w" * 64), f"Service/{'w' * 64} metadata.name", "not a name"),
    (put(MAP, "data.LEVEL", "<" * 50_000), f"{MAP} metadata.annotations", "--server-side"),
    (put(MAP, "data.LEVEL", "x" * 2**18), f"{MAP} metadata.annotations", "--server-side"),
    (budget(minAvailable=1, maxUnavailable=1), "PodDisruptionBudget/api spec", "both"),
    (budget(minAvailable="half"), "PodDisruptionBudget/api spec.minAvailable", "not a share"),
    (budget(minAvailable="101%"), "PodDisruptionBudget/api spec.minAvailable", "more than 100%"),
    (put(WEB, "spec.replicas", 2), f"{WEB} spec.replicas", f"{SCALER} sets it too"),
    *(
        (
            put(owner, path, value),
            f"{owner} {path.rpartition('.')[0] if below[:1] == '^' else path}{below.lstrip('^')}",
            what,
        )
        for owner, path, value, below, what in BAD_VALUES
    ),
]

SOUND: dict[str, Mistake] = {
    "node affinity": put(API, NODES, wanted("Gt", "4")),
    "a toleration for some time": put(
        API, TOLERATION, {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    ),
    "a toleration of empty fields": put(
        API, TOLERATION, {"key": "a", "operator": "", "value": "b", "effect": ""}
    ),
    "a topology spread": put(API, SPREAD, [spread(minDomains=2)]),
    "pod anti-affinity": put(
        API, ANTI, {PREFERRED: [{"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}}]}
    ),
    "a node by its name": put(
        API,
        f"{NODES}.{TERMS}",
        [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}],
    ),
    "search domains": put(API, f"{POD}.dnsConfig", {"searches": ["_a.example.org.", "."]}),
    "a setting of the kernel": put(
        API, f"{POD}.securityContext.sysctls", [{"name": "net.ipv4.ip_local_port_range"}]
    ),
    "files of the pod's own fields": put(
        API,
        f"{POD}.volumes[2].projected.sources",
        [
            {
                "downwardAPI": {
                    "items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.labels"}}]
                }
            },
            {"serviceAccountToken": {"path": "a/token", "expirationSeconds": 600}},
        ],
    ),
    "a claim of the pod's own": put(
        API,
        f"{POD}.volumes[0]",
        {
            "name": "files",
            "ephemeral": {
                "volumeClaimTemplate": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }
            },
        },
    ),
    "a disk of an iSCSI network": put(
        API,
        f"{POD}.volumes[0]",
        {"name": "files", "iscsi": {"targetPortal": "a:3260", "iqn": "iqn.2001-04.a:b", "lun": 0}},
    ),
    "a disk of a Fibre Channel network": put(
        API, f"{POD}.volumes[0]", {"name": "files", "fc": {"wwids": ["3600508b4"]}}
    ),
    "a block device": both(
        drop(API, f"{BOX}.volumeMounts[0]"),
        put(API, f"{BOX}.volumeDevices", [{"name": "files", "devicePath": "/d"}]),
    ),
    "a class that the annotation repeats": both(
        put(FRONT, "spec.ingressClassName", "nginx"),
        put(FRONT, "metadata.annotations", {"kubernetes.io/ingress.class": "nginx"}),
    ),
    "a mount for the node to see": put(
        WEB, f"{BOX}.volumeMounts[0].mountPropagation", "Bidirectional"
    ),
    "profiles in annotations": both(
        put(API, f"{BOX}.securityContext.seccompProfile", {"type": "RuntimeDefault"}),
        put(
            API,
            "spec.template.metadata.annotations",
            {
                f"{APPARMOR}/api": "localhost/api",
                f"{APPARMOR}/wait": "unconfined",
                f"{SECCOMP}/api": "runtime/default",
                "seccomp.security.alpha.kubernetes.io/pod": "localhost/a.json",
            },
        ),
    ),
    "all of /proc": both(
        put(API, f"{POD}.hostUsers", False),
        put(API, f"{BOX}.securityContext.procMount", "Unmasked"),
    ),
    "finalizers": put(MAP, "metadata.finalizers", ["example.com/keep", "orphan"]),
    "many Gateways": put(ROUTE, "spec.parentRefs", [{"name": f"g{i}"} for i in range(32)]),
    "a listener": put(
        ROUTE,
        "spec.parentRefs",
        [{"name": "a", "sectionName": name, "port": 443, "kind": "K" * 63} for name in "bc"],
    ),
    "a claim from a snapshot": put(
        CLAIM,
        "spec.dataSource",
        {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "a"},
    ),
    "a monitor": add_object(monitor(interval="1m30s", scrapeTimeout="500ms")),
    "whole devices": put(API, f"{BOX}.resources", {"limits": {GPU: 2}}),
    "huge pages": put(
        API,
        f"{BOX}.resources",
        {key: {"hugepages-2Mi": "4Mi", "cpu": 1} for key in ("requests", "limits")},
    ),
    "name servers": both(
        put(API, f"{POD}.dnsPolicy", "None"),
        put(API, f"{POD}.dnsConfig", {"nameservers": ["10.0.0.1"]}),
    ),
    "a sidecar with a probe": both(
        put(API, f"{POD}.initContainers[0].restartPolicy", "Always"),
        put(API, f"{POD}.initContainers[0].readinessProbe", {"tcpSocket": {"port": 1}}),
    ),
    "fields that are empty": both(
        put(WEB, "spec.strategy.type", ""), put(API, f"{BOX}.imagePullPolicy", "")
    ),
    "a custom resource definition": lambda objects: objects.append(
        {"kind": "CustomResourceDefinition", "metadata": {"name": "a.b"}}
        | {"spec": {"properties": {"nodeSelector": {"additionalProperties": {}}}}}
    ),
    "a login for a registry": login("data", "e30="),
    "a login in clear": login("stringData", "{}"),
    "a surge of more than all": put(WEB, "spec.strategy.rollingUpdate", {"maxSurge": "200%"}),
    "a rolling update": put(WEB, "spec.strategy.rollingUpdate", {"maxSurge": 0}),
    "a disruption budget": budget(minAvailable="50%"),
    "an object that still fits an annotation": put(MAP, "data.LEVEL", "x" * 261_500),
    "the baseline": both(),
    "a Service without selector": drop(PLAIN, "spec.selector"),
    "the same object in another namespace": twin(MAP, namespace="other"),
    "a second Service for a workload": twin("Service/db", name="db-too"),
    "a shared claim for many nodes": both(
        put(CLAIM, "spec.accessModes", ["ReadWriteMany"]),
        drop(API, "spec.strategy"),
        add(WEB, f"{POD}.volumes", FILES),
    ),
    "a claim for one node or for many": both(
        put(CLAIM, "spec.accessModes", ["ReadWriteOnce", "ReadWriteMany"]),
        drop(API, "spec.strategy"),
    ),
    "a traffic policy for addresses outside": both(
        put(PLAIN, "spec.externalIPs", ["192.0.2.1"]),
        put(PLAIN, "spec.externalTrafficPolicy", "Local"),
    ),
    "all that only a load balancer has": both(
        put(PLAIN, "spec.type", "LoadBalancer"),
        put(PLAIN, "spec.loadBalancerClass", "example.org/inside"),
        put(PLAIN, "spec.loadBalancerSourceRanges", ["10.0.0.0/8"]),
        put(PLAIN, "spec.sessionAffinity", "ClientIP"),
        put(PLAIN, "spec.sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 86400}}),
    ),
    "node ports at both ends": both(
        put(SVC, "spec.ports[0].nodePort", 30000), put(SVC, "spec.ports[1].nodePort", 32767)
    ),
    "a label of 63 characters": put(WEB, "metadata.labels", {"a" * 63: "b" * 63}),
    "an optional Secret that is absent": put(
        API,
        f"{BOX}.env[1].valueFrom.secretKeyRef",
        {"name": "gone", "key": "key", "optional": True},
    ),
    "the ServiceAccount of every namespace": put(WEB, f"{POD}.serviceAccountName", "default"),
    "a request without limit": drop(API, f"{BOX}.resources.limits"),
    "a request equal to its limit": put(API, f"{BOX}.resources.requests.memory", "1024Mi"),
    "a quantity that ends in a point": put(API, f"{BOX}.resources.requests.memory", "5."),
    "one port number for two protocols": add(
        SVC, "spec.ports", {"name": "udp", "port": 8008, "protocol": "UDP"}
    ),
    "a root user where root is allowed": put(WEB, f"{BOX}.securityContext.runAsUser", 0),
    "a route to something else than a Service": both(
        put(ROUTE, f"{BACKEND}.kind", "Bucket"), put(ROUTE, f"{BACKEND}.name", "gone")
    ),
    "a certificate that cert-manager makes": both(
        put(FRONT, "spec.tls[0].secretName", "made"),
        put(FRONT, "metadata.annotations", {"cert-manager.io/issuer": "issuer"}),
    ),
    "a host with a wildcard": put(FRONT, "spec.rules[0].host", "*.example.org"),
    "no minimum for a scaler": drop(SCALER, "spec.minReplicas"),
    "a key that a Job makes": making("key"),
    "a pod that ends on the node of the volume": both(
        put(JOB, f"spec.jobTemplate.{POD}.volumes", [FILES]),
        put(JOB, f"spec.jobTemplate.{POD}.affinity", BESIDE),
    ),
    "pods that end and take turns": both(
        drop(API, f"{POD}.volumes[0]"),
        drop(API, f"{BOX}.volumeMounts[0]"),
        put(JOB, f"spec.jobTemplate.{POD}.volumes", [FILES]),
        twin(JOB, "again"),
    ),
    "a pod outside any workload": lambda objects: objects.append(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "once"},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b:1"}]},
        }
    ),
}


def told(objects: Objects, outside: Collection[tuple[str, str]] = ()) -> list[str]:
    """All that the rules and conventions say."""
    bundle = Bundle(objects, outside)
    found = (*findings(bundle), *breaches(bundle), *too_large_to_apply(bundle))
    return [str(finding) for finding in found]


@pytest.mark.parametrize("change", SOUND.values(), ids=SOUND)
def test_sound_bundle_has_no_findings(change: Mistake) -> None:
    assert told(broken(change)) == []


@pytest.mark.parametrize(
    ("mistake", "where", "what"), MISTAKES, ids=[f"{where}: {what}" for _, where, what in MISTAKES]
)
def test_mistake_is_found(mistake: Mistake, where: str, what: str) -> None:
    lines = told(broken(mistake))
    assert any(line.startswith(f"{where}: ") and what in line for line in lines), lines


@pytest.mark.parametrize("rule", RULES + CONVENTIONS, ids=lambda rule: rule.__name__)
def test_rule_finds_a_planted_mistake(rule: Rule) -> None:
    assert any(list(rule(Bundle(broken(mistake)))) for mistake, _, _ in MISTAKES)


@pytest.mark.parametrize(
    ("owner", "pair"),
    [
        (SECRET, ("Secret", "keys")),
        (MAP, ("ConfigMap", "settings")),
        (CLAIM, ("PersistentVolumeClaim", "files")),
        ("ServiceAccount/api", ("ServiceAccount", "api")),
        (PLAIN, ("Service", "web")),
    ],
)
def test_objects_outside_the_set_are_not_missed(owner: str, pair: tuple[str, str]) -> None:
    objects = broken(lose(owner))
    assert breaches(Bundle(objects))
    assert not findings(Bundle(objects))
    assert told(objects, outside={pair}) == []


def parts(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every mapping and list below a node, with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from parts(node[key])


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, [1], {"a": 1}, [[1]], [{}]], ids=repr)
def test_junk_is_no_reason_to_fail(junk: Any) -> None:
    objects = baseline()
    for part, key in parts(objects):
        if part is not objects:
            sound, part[key] = part[key], junk
            told(objects)
            part[key] = sound


def test_findings_leave_the_bundle_unchanged() -> None:
    objects = baseline()
    told(objects)
    assert objects == baseline()
