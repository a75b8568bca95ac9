"""What the rules say of values that are right by themselves, and which value they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from clearml_k8s.rules import Bundle, findings
from clearml_k8s.rules.blame import lines
from config import Values
from config.loading.reading import Source
from rendering import synthesize

API, WEB = "Deployment/clearml-apiserver", "Deployment/clearml-webserver"

# Values, and below them what is told, but for the names of files: `> line: path: finding`.
REFUSED = r"""
apiserver: {tolerations: [{key: a, operator: Maybe}]}
webserver: {tolerations: [{key: a, operator: Maybe}]}
> 1: apiserver.tolerations[0].operator: Deployment/clearml-apiserver
>> spec.template.spec.tolerations[0].operator: 'Maybe' is not among Exists, Equal
> 2: webserver.tolerations[0].operator: Deployment/clearml-webserver
>> spec.template.spec.tolerations[0].operator: 'Maybe' is not among Exists, Equal

fileserver:
  additionalVolumes:
    - {name: fine, emptyDir: {}}
    - {name: nothing}
> 4: fileserver.additionalVolumes[1]: Deployment/clearml-fileserver
>> spec.template.spec.volumes[2]: 0 sources, one is needed

agentGroups:
  gpu: {extraEnvs: [{name: TOKEN, valueFrom: {}}]}
> 2: agentGroups.gpu.extraEnvs[0].valueFrom: Deployment/clearml-gpu-agent
>> spec.template.spec.containers[0].env[6].valueFrom: one source is needed

webserver: {resources: {limits: {nonsense: 1}}}
> 1: webserver.resources.limits.nonsense: Deployment/clearml-webserver
>> spec.template.spec.containers[0].resources.limits.nonsense: not a resource, those of plugins
>> have a domain

elasticsearch:
  nodeAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 101, preference: {matchExpressions: [{key: a, operator: Exists}]}}
> 4: elasticsearch.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight:
>> StatefulSet/clearml-elastic-master spec.template.spec.affinity.nodeAffinity
>>.preferredDuringSchedulingIgnoredDuringExecution[0].weight: 101 is not in 1-100

redis: {master: {extraEnvs: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.nonsense}}}]}}
> 1: redis.master.extraEnvs[0].valueFrom.fieldRef.fieldPath: StatefulSet/clearml-redis-master
>> spec.template.spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: 'spec.nonsense' is not
>> available here

extraObjects:
  - {apiVersion: v1, kind: Service, metadata: {name: fine}, spec: {ports: [{port: 80}]}}
  - apiVersion: v1
    kind: Service
    metadata: {name: other}
    spec: {ports: [{port: 99999}]}
webserver: {extraContainers: [{name: a, image: b, ports: [{containerPort: 99999}]}]}
> 7: webserver.extraContainers[0].ports[0].containerPort: Deployment/clearml-webserver
>> spec.template.spec.containers[1].ports[0].containerPort: 99999 is not a port
> 6: extraObjects[1].spec.ports[0].port: Service/other spec.ports[0].port: 99999 is not a port

extraObjects:
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: clearml-mongodb}
> 4: extraObjects[0].metadata.name: NetworkPolicy/clearml-mongodb metadata.name: another object of
>> the set is the same

apiserver: {tolerations: [{key: a, operator: Maybe}]}
extraObjects:
  - apiVersion: example.org/v1
    kind: Any
    metadata: {name: any}
    spec: {clearml-apiserver: {apiserver: {tolerations: [{key: a, operator: Maybe}]}}}
> 1: apiserver.tolerations[0].operator: Deployment/clearml-apiserver
>> spec.template.spec.tolerations[0].operator: 'Maybe' is not among Exists, Equal

networkPolicy: {enabled: true}
webserver:
  networkPolicy:
    extraIngress: [{ports: [{port: 9000, endPort: 80}]}]
> 4: webserver.networkPolicy.extraIngress[0].ports[0].endPort: NetworkPolicy/clearml-webserver
>> spec.ingress[1].ports[0].endPort: 80 is not the end of a range of ports

webserver:
  resources: {requests: {cpu: 1}}
  autoscaling:
    enabled: true
    maxReplicas: 3
    targetCPUUtilizationPercentage: 80
    behavior: {scaleUp: {stabilizationWindowSeconds: 3601}}
> 7: webserver.autoscaling.behavior.scaleUp.stabilizationWindowSeconds:
>> HorizontalPodAutoscaler/clearml-webserver
>> spec.behavior.scaleUp.stabilizationWindowSeconds: 3601 is not in 0-3600

redis: {usePassword: true, existingSecret: mine}
mongodb: {auth: {enabled: true, existingSecret: mine}}
release: {name: mine}
extraObjects:
  - {apiVersion: v1, kind: Secret, metadata: {name: mine}, stringData: {mongodb-root-password: a}}
> 1: redis.existingSecret: Deployment/mine-clearml-apiserver
>> spec.template.spec.containers[0].env[7].valueFrom.secretKeyRef.key:
>> Secret/mine has no key 'redis-password'

agentservices:
  gitSsh: {existingSecret: mine, acceptNewHosts: true}
extraObjects: [{apiVersion: v1, kind: Secret, metadata: {name: mine}, stringData: {key: a}}]
> 2: agentservices.gitSsh.existingSecret: Deployment/clearml-agentservices
>> spec.template.spec.volumes[1].projected.sources[0].secret.items[0].key:
>> Secret/mine has no key 'ssh-privatekey'
"""


def cases() -> list[tuple[str, list[str]]]:
    """The values and the lines that they get."""
    joined = re.sub(r"\n>>", "", REFUSED)
    pairs = []
    for case in joined.strip().split("\n\n"):
        values = [line for line in case.splitlines() if not line.startswith("> ")]
        told = [line.removeprefix("> ") for line in case.splitlines() if line.startswith("> ")]
        pairs.append(("\n".join(values), told))
    return pairs


def refused(*files: str) -> list[str]:
    """What is told of values files, of which the last counts most."""
    sources = [
        Source(Path(f"values-{number}.yaml"), text, yaml.safe_load(text))
        for number, text in enumerate(files)
    ]
    merged = {key: part for source in sources for key, part in source.content.items()}
    return [*lines(findings(Bundle(synthesize(Values.read(merged)).objects)), sources)]


@pytest.mark.parametrize(("values", "told"), cases(), ids=[told[0] for _, told in cases()])
def test_a_finding_names_the_value_to_blame(values: str, told: list[str]) -> None:
    assert refused(values) == [f"values-0.yaml:{line}" for line in told]


@pytest.mark.parametrize(
    ("mistake", "path"),
    [
        (
            "apiserver: {tolerations: [{key: a, operator: Maybe}]}",
            "apiserver.tolerations[0].operator",
        ),
        (
            "extraObjects: [{apiVersion: v1, kind: Service, metadata: {name: other}, "
            "spec: {ports: [{port: 99999}]}}]",
            "extraObjects[0].spec.ports[0].port",
        ),
    ],
)
def test_a_finding_names_the_file_that_counts(mistake: str, path: str) -> None:
    (line,) = refused(mistake, f"\n{mistake}", "{}")
    assert line.startswith(f"values-1.yaml:2: {path}: ")


def test_a_finding_without_a_value_names_the_object_alone() -> None:
    objects = synthesize(Values()).objects
    (service,) = [
        o for o in objects if (o["kind"], o["metadata"]["name"]) == ("Service", "clearml-webserver")
    ]
    service["spec"]["ports"][0]["port"] = 0
    (line,) = lines(findings(Bundle(objects)), [Source(Path("values.yaml"), "", {})])
    assert line == "Service/clearml-webserver spec.ports[0].port: 0 is not a port"


def test_what_is_told_is_short_and_has_no_password() -> None:
    for text in ("https://user:test-secret@example.com", "x" * 100_000):
        (line,) = refused(
            yaml.dump({"apiserver": {"tolerations": [{"key": text, "operator": "Exists"}]}})
        )
        assert "test-secret" not in line
        assert len(line) < 400
