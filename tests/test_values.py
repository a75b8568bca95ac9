"""The limits of the values, each with the message that a mistake gets, and what is accepted."""

from __future__ import annotations

import re
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cdk8s_plus_25 import k8s
from pydantic import SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from config import Values, ValuesError, load
from config.apiserver import Apiserver
from config.clearml import FixedUsers
from config.types.kubernetes import amount
from config.types.model import Model
from config.types.structs import to_plain

Load = Callable[[str], Values]

# Values, and below them what is wrong: `> path: message`, continued with `>>`.
BAD_VALUES = r"""
apisever: {}
> apisever: unknown key; did you mean "apiserver"? (given: 'apisever')

somethingElse: 1
> somethingElse: unknown key (given: 'somethingElse')

agents: {}
> agents: unknown key; did you mean "agentGroups"? (given: 'agents')

apiserver: {replicaCont: 2}
> apiserver.replicaCont: unknown key; did you mean "replicaCount"? (given: 'replicaCont')

apiserver: {replica_count: 2}
> apiserver.replica_count: unknown key; did you mean "replicaCount"? (given: 'replica_count')

apiserver: {image: {tagg: "1.0"}}
> apiserver.image.tagg: unknown key; did you mean "tag"? (given: 'tagg')

agentGroups: {gpu: {queue: gpu}}
> agentGroups.gpu.queue: unknown key; did you mean "queues"? (given: 'queue')

apiserver: {affinity: {nodeAffinty: {}}}
> apiserver.affinity.nodeAffinty: unknown key; did you mean "nodeAffinity"? (given: 'nodeAffinty')

webserver:
  affinity:
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - topologyKey: kubernetes.io/hostname
          labelSelector: {matchExpresions: []}
> webserver.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]
>>.labelSelector.matchExpresions: unknown key; did you mean "matchExpressions"?
>> (given: 'matchExpresions')

webserver: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}}}
> webserver.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
>>.nodeSelectorTerms: is required

elasticsearch: {nodeAffinity: {required: []}}
> elasticsearch.nodeAffinity.required: unknown key (given: 'required')

fileserver: {tolerations: [{key: gpu}, {kee: gpu}]}
> fileserver.tolerations[1].kee: unknown key; did you mean "key"? (given: 'kee')

fileserver: {tolerations: [{key: gpu, tolerationSeconds: "5"}]}
> fileserver.tolerations[0].tolerationSeconds: must be a whole number (given: '5')

fileserver: {tolerations: {key: gpu}}
> fileserver.tolerations: must be a list (given: a mapping)

fileserver: {podSecurityContext: {runAsUsr: 1000}}
> fileserver.podSecurityContext.runAsUsr: unknown key; did you mean "runAsUser"?
>> (given: 'runAsUsr')

fileserver: {containerSecurityContext: {capabilities: {drop: ALL}}}
> fileserver.containerSecurityContext.capabilities.drop: must be a list (given: 'ALL')

fileserver: {additionalVolumes: [{emptyDir: {}}]}
> fileserver.additionalVolumes[0].name: is required

fileserver: {additionalVolumeMounts: [{name: scratch, mountPath: 1}]}
> fileserver.additionalVolumeMounts[0].mountPath: must be a string; write it in quotes (given: 1)

apiserver: text
> apiserver: must be a mapping

apiserver: []
> apiserver: must be a mapping (given: an empty list)

agentGroups: [{name: gpu}, {queues: one}, {name: gpu}]
> agentGroups[1]: needs a name
> agentGroups[2].name: is listed twice

agentGroups: gpu
> agentGroups: must be a mapping

agentGroups: {gpu: [1]}
> agentGroups.gpu: must be a mapping (given: a list)

ingress: {enabled: perhaps, host: example.com}
> ingress.enabled: must be true or false (given: 'perhaps')

argocd: {syncWaves: 500}
> argocd.syncWaves: must be true or false (given: 500)

elasticsearch: {roles: {data: 2}}
> elasticsearch.roles.data: must be true or false (given: 2)

apiserver: {image: {tag: 1.0}}
> apiserver.image.tag: must be a string; write it in quotes (given: 1.0)

apiserver: {image: {pullPolicy: Sometimes}}
> apiserver.image.pullPolicy: must be 'Always', 'IfNotPresent' or 'Never' (given: 'Sometimes')

redis: {image: {pullPolicy: always}}
> redis.image.pullPolicy: must be 'Always', 'IfNotPresent' or 'Never' (given: 'always')

apiserver: {service: {port: http}}
> apiserver.service.port: must be a whole number (given: 'http')

apiserver: {service: {port: 0}}
> apiserver.service.port: must be greater than or equal to 1 (given: 0)

mongodb: {service: {port: 65536}}
> mongodb.service.port: must be less than or equal to 65535 (given: 65536)

redis: {master: {port: 63.79}}
> redis.master.port: must be a whole number (given: 63.79)

elasticsearch: {httpPort: true}
> elasticsearch.httpPort: must be a whole number (given: true)

elasticsearch: {httpPort: .inf}
> elasticsearch.httpPort: must be a whole number (given: inf)

apiserver: {service: {nodePort: 8008}}
> apiserver.service.nodePort: must be 30000 to 32767, or 0 to let the cluster choose (given: 8008)

fileserver: {service: {nodePort: 29999}}
webserver: {service: {nodePort: 32768}}
> fileserver.service.nodePort: must be 30000 to 32767, or 0 to let the cluster choose (given: 29999)
> webserver.service.nodePort: must be 30000 to 32767, or 0 to let the cluster choose (given: 32768)

apiserver: {service: {nodePort: 30100}}
webserver: {service: {nodePort: 30100}}
> webserver.service.nodePort: is the node port of apiserver too (given: 30100)

apiserver: {service: {nodePort: 30080}}
> apiserver.service.nodePort: is the node port of webserver too (given: 30080)

apiserver: {service: {type: ExternalName}}
> apiserver.service.type: must be 'ClusterIP', 'NodePort' or 'LoadBalancer' (given: 'ExternalName')

mongodb: {service: {type: nodeport}}
> mongodb.service.type: must be 'ClusterIP', 'NodePort' or 'LoadBalancer' (given: 'nodeport')

mongodb: {service: {portName: Mongo Service}}
> mongodb.service.portName: must be a port name: lower-case letters, digits and '-'
>> (given: 'Mongo Service')

apiserver: {replicaCount: -1}
> apiserver.replicaCount: must be greater than or equal to 0 (given: -1)

agentservices: {replicaCount: 1001}
> agentservices.replicaCount: must be less than or equal to 1000 (given: 1001)

webserver: {replicaCount: many}
> webserver.replicaCount: must be a whole number (given: 'many')

elasticsearch: {replicas: 0}
> elasticsearch.replicas: must be greater than or equal to 1 (given: 0)

agentGroups: {gpu: {nvidiaGpusPerAgent: -1}}
> agentGroups.gpu.nvidiaGpusPerAgent: must be greater than or equal to 0 (given: -1)

apiserver: {livenessDelay: -5, readinessDelay: soon}
> apiserver.livenessDelay: must be greater than or equal to 0 (given: -5)
> apiserver.readinessDelay: must be a whole number (given: 'soon')

apiserver: {readiness: mongodb}
> apiserver.readiness: must be 'ping' or 'stores' (given: 'mongodb')

clearml: {watchdog: {thresholdSec: 0}}
> clearml.watchdog.thresholdSec: must be greater than or equal to 1 (given: 0)

redis: {databaseNumber: -1}
> redis.databaseNumber: must be greater than or equal to 0 (given: -1)

apiserver: {updateStrategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}
> apiserver.updateStrategy.rollingUpdate: does not go with type Recreate

mongodb: {updateStrategy: Replace}
> mongodb.updateStrategy.type: must be RollingUpdate or OnDelete (given: 'Replace')

apiserver: {podSecurityContext: {enabled: "no"}}
> apiserver.podSecurityContext.enabled: must be true or false (given: 'no')

apiserver: {dnsPolicy: None, dnsConfig: {searches: [example.com]}}
> apiserver.dnsConfig.nameservers: must not be empty with dnsPolicy None

apiserver: {resources: {limits: {memory: 4GB}}}
> apiserver.resources.limits.memory: must be a Kubernetes quantity such as 500m or 50Gi
>> (given: '4GB')

agentGroups: {gpu: {resources: {requests: {cpu: [1]}}}}
> agentGroups.gpu.resources.requests.cpu: must be a Kubernetes quantity such as 500m or 50Gi
>> (given: a list)

apiserver: {resources: {limit: {memory: 4Gi}}}
> apiserver.resources.limit: unknown key; did you mean "limits"? (given: 'limit')

apiserver: {resources: []}
> apiserver.resources: must be a mapping (given: an empty list)

apiserver: {resources: {limits: {cpu: -1}}}
> apiserver.resources.limits.cpu: must not be negative (given: '-1')

apiserver: {resources: {limits: {cpu: 1500m, memory: 1G}, requests: {cpu: 2, memory: 1Gi}}}
> apiserver.resources.requests.cpu: must not be more than the limit, 1500m (given: '2')
> apiserver.resources.requests.memory: must not be more than the limit, 1G (given: '1Gi')

elasticsearch: {resources: {limits: {memory: 2Gi}}}
> elasticsearch.resources.requests.memory: must not be more than the limit, 2Gi (given: '4Gi')

fileserver: {storage: {data: {size: 50 GB}}}
> fileserver.storage.data.size: must be a Kubernetes quantity such as 500m or 50Gi (given: '50 GB')

fileserver: {storage: {data: {size: 0Gi}}}
> fileserver.storage.data.size: must be more than 0 (given: '0Gi')

elasticsearch: {volumeClaimTemplate: {resources: {requests: {storage: 0}}}}
> elasticsearch.volumeClaimTemplate.resources.requests.storage: must be more than 0 (given: 0)

mongodb: {persistence: {size: -5Gi}}
> mongodb.persistence.size: must be more than 0 (given: '-5Gi')

fileserver: {storage: {data: {class: Fast_SSD}}}
> fileserver.storage.data.class: must be empty or a DNS name: lower-case letters, digits, '-', '.'
>> (given: 'Fast_SSD')

redis: {master: {persistence: {storageClass: "fast ssd"}}}
> redis.master.persistence.storageClass: must be empty or a DNS name: lower-case letters, digits,
>> '-', '.' (given: 'fast ssd')

fileserver: {storage: {data: {accessModes: [ReadWriteMost]}}}
> fileserver.storage.data.accessModes[0]: must be 'ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'
>> or 'ReadWriteOncePod' (given: 'ReadWriteMost')

mongodb: {persistence: {accessModes: []}}
> mongodb.persistence.accessModes: must not be empty (given: an empty list)

mongodb: {persistence: {accessModes: ReadWriteOnce}}
> mongodb.persistence.accessModes: must be a list (given: 'ReadWriteOnce')

fileserver: {replicaCount: 2}
> fileserver.replicaCount: several pods cannot share a ReadWriteOnce volume; set
>> fileserver.storage.data.accessModes to [ReadWriteMany] (given: 2)

fileserver: {replicaCount: 2, storage: {data: {accessModes: [ReadWriteOncePod]}}}
> fileserver.replicaCount: several pods cannot share a ReadWriteOnce volume; set
>> fileserver.storage.data.accessModes to [ReadWriteMany] (given: 2)

release: {name: My_Release}
> release.name: must be a DNS label that begins with a letter: lower-case letters, digits and '-'
>> (given: 'My_Release')

release: {name: 1st}
> release.name: must be a DNS label that begins with a letter: lower-case letters, digits and '-'
>> (given: '1st')

release: {namespace: ""}
> release.namespace: must be a DNS label: up to 63 lower-case letters, digits and '-' (given: '')

release: {namespace: n234567890123456789012345678901234567890123456789012345678901234}
> release.namespace: must be a DNS label: up to 63 lower-case letters, digits and '-'
>> (given: 'n234567890123456789012345678901234567890123456789012345678901234')

nameOverride: Big
> nameOverride: must be empty or a DNS label: lower-case letters, digits, '-' (given: 'Big')

release: {name: r23456789012345678901234567890123456789012345678901234}
> release.name: must have at most 53 characters
>> (given: 'r23456789012345678901234567890123456789012345678901234')

release: {name: r234567890123456789012345678901}
> release.name: is too long: r234567890123456789012345678901-clearml-agentservices has more than 52
>> characters (given: 'r234567890123456789012345678901')

nameOverride: n234567890123456789012345678901
> nameOverride: is too long: clearml-n234567890123456789012345678901-agentservices has more than 52
>> characters (given: 'n234567890123456789012345678901')

fullnameOverride: f23456789012345678901234567890123456789
> fullnameOverride: is too long: f23456789012345678901234567890123456789-agentservices has more than
>> 52 characters (given: 'f23456789012345678901234567890123456789')

agentservices: {enabled: false}
release: {name: clearml-234567890123456789012345678}
> release.name: is too long: clearml-234567890123456789012345678-agent-group0-agent has more than 52
>> characters (given: 'clearml-234567890123456789012345678')

fullnameOverride: clearml-234567890123456789012345678
agentGroups: {agent-group0: {replicaCount: 2}}
> fullnameOverride: is too long: clearml-234567890123456789012345678-agent-group0-agent has more
>> than 52 characters (given: 'clearml-234567890123456789012345678')

agentGroups: {g23456789012345678901234567890123456789: {}}
> agentGroups.g23456789012345678901234567890123456789.name: is too long:
>> clearml-g23456789012345678901234567890123456789-agent has more than 52 characters
>> (given: 'g23456789012345678901234567890123456789')

fullnameOverride: short
release: {name: r234567890123456789012345678901234567890}
> release.name: is too long: r234567890123456789012345678901234567890-redis-master has more than 52
>> characters (given: 'r234567890123456789012345678901234567890')

elasticsearch: {clusterName: c234567890123456789012345678901234567890123456}
> elasticsearch.clusterName: is too long: c234567890123456789012345678901234567890123456-master has
>> more than 52 characters (given: 'c234567890123456789012345678901234567890123456')

fullnameOverride: short
release: {name: r2345678901234567890123456789}
agentGroups: {g234567890123456789012345678: {}}
> agentGroups.g234567890123456789012345678.name: is too long:
>> r2345678901234567890123456789-g234567890123456789012345678-agent has more than 63 characters
>> (given: 'g234567890123456789012345678')

mongodb: {service: {name: db.example.com}}
> mongodb.service.name: db.example.com cannot be the name of a Service (given: 'db.example.com')

elasticsearch: {enabled: false, clusterName: -a}
> elasticsearch.clusterName: must be a DNS name; of Helm's templates only {{ .Release.Name }} and
>> {{ .Release.Namespace }} are known (given: '-a')

redis: {master: {name: clearml-apiserver}}
> redis.master.name: clearml-apiserver is the name of another Service too
>> (given: 'clearml-apiserver')

apiserver: {podAnnotations: {a: 0o17, b: "\x7f"}}
> apiserver.podAnnotations.a: cannot be used: kubectl would not read it back as a string
> apiserver.podAnnotations.b: must have no control characters

apiserver: {tolerations: [{key: 0X1F}], livenessDelay: 2147483648}
> apiserver.tolerations[0].key: cannot be used: kubectl would not read it back as a string
> apiserver.livenessDelay: must be less than or equal to 2147483647 (given: 2147483648)

apiserver: {tolerations: [{key: a, operator: Exists, tolerationSeconds: 2147483648}]}
> apiserver.tolerations[0].tolerationSeconds: must be less than or equal to 2147483647
>> (given: 2147483648)

agentservices: {agentVersion: "==1.9,\n!=1.8"}
> agentservices.agentVersion: must be a version with its comparison, such as "==1.9.2" or ">=0.16.1"
>> (given: '==1.9,\n!=1.8')

elasticsearch: {provider: external, external: {hosts: ["https://a:65535", "https://a:65536"]}}
> elasticsearch.external.hosts[1]: must be a host with scheme and port, such as
>> https://search.example.com:9200 (given: 'https://a:65536')

apiserver: {image: {repository: "/", tag: " 1"}}
> apiserver.image.repository: must be an image repository such as
>> registry.example.com/clearml/server (given: '/')
> apiserver.image.tag: must be an image tag, or a digest: sha256: and 64 hexadecimal digits
>> (given: ' 1')

elasticsearch: {image: "docker.elastic.co/elasticsearch/", imageTag: "sha256:12"}
> elasticsearch.image: must be an image repository such as
>> registry.example.com/clearml/server; write it without a slash at the end
>> (given: 'docker.elastic.co/elasticsearch/')
> elasticsearch.imageTag: must be an image tag, or a digest: sha256: and 64 hexadecimal digits
>> (given: 'sha256:12')

agentGroups: {a: {queues: first 0o17}}
> agentGroups.a.queues: cannot be used: kubectl would not read it back as a string

fileserver: {storage: {data: {accessModes: [ReadWriteOnce, ReadWriteOncePod]}}}
> fileserver.storage.data.accessModes: ReadWriteOncePod excludes other access modes (given: a list)

agentservices: {googleCredentials: "/test\x7fsecret"}
> agentservices.googleCredentials: must have no control characters

redis: {password: "test-secret\t"}
> redis.password: must be ASCII characters other than quotes and backslashes

mongodb: {auth: {rootPassword: "test-secret\0"}}
> mongodb.auth.rootPassword: must have no null bytes

agentGroups: {a: {clearmlConfig: "test-secret-value\x7f"}}
> agentGroups.a.clearmlConfig: must have no control characters

agentGroups: {my.group: {}}
> agentGroups."my.group".name: must be a DNS label: up to 63 lower-case letters, digits and '-'
>> (given: 'my.group')

ingress: {name: My Ingress}
> ingress.name: must be a DNS name: lower-case letters, digits, '-' and '.' (given: 'My Ingress')

ingress: {enabled: true, host: "https://example.com"}
> ingress.host: must be empty or a DNS name: lower-case letters, digits, '-', '.'; write it without
>> a scheme (given: 'https://example.com')

ingress: {enabled: true, host: "example.com\n"}
> ingress.host: must be empty or a DNS name: lower-case letters, digits, '-', '.'
>> (given: 'example.com\n')

apiserver: {nodeSelector: {"bad key": ssd}}
> apiserver.nodeSelector."bad key": is not a label key (given: 'bad key')

apiserver: {nodeSelector: {disk: "solid state"}}
> apiserver.nodeSelector.disk: must be a label value: up to 63 letters, digits, '-', '_', '.'
>> (given: 'solid state')

commonLabels: {team: l234567890123456789012345678901234567890123456789012345678901234}
> commonLabels.team: must be a label value: up to 63 letters, digits, '-', '_', '.'
>> (given: 'l234567890123456789012345678901234567890123456789012345678901234')

webserver: {podLabels: {k234567890123456789012345678901234567890123456789012345678901234: a}}
> webserver.podLabels.k234567890123456789012345678901234567890123456789012345678901234: is not a
>> label key (given: 'k234567890123456789012345678901234567890123456789012345678901234')

apiserver: {nodeSelector: {example.com/gpu: true}}
> apiserver.nodeSelector."example.com/gpu": must be a string; write it in quotes (given: true)

apiserver: {podAnnotations: {a/b/c: text}}
> apiserver.podAnnotations.a/b/c: is not an annotation key (given: 'a/b/c')

ingress: {annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 0}}
> ingress.annotations."nginx.ingress.kubernetes.io/proxy-body-size": must be a string; write it in
>> quotes (given: 0)

apiserver: {extraEnvs: [{name: MODE, value: a}, {name: MODE, value: b}]}
> apiserver.extraEnvs[1].name: is set twice (given: 'MODE')

webserver:
  extraEnvs: [{name: NODE, value: a, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
> webserver.extraEnvs[0]: has both value and valueFrom (given: 'NODE')

agentservices: {extraEnvs: [{name: WORKERS, value: 4}]}
> agentservices.extraEnvs[0].value: must be a string; write it in quotes (given: 4)

elasticsearch: {extraEnvs: [{name: "a b", value: c}]}
> elasticsearch.extraEnvs[0].name: is not a name for an environment variable (given: 'a b')

apiserver: {extraEnvs: [{value: a}]}
> apiserver.extraEnvs[0].name: is required

apiserver: {extraEnvs: [{name: KEY, valueFrom: {secretKeyRef: {nam: keys, key: key}}}]}
> apiserver.extraEnvs[0].valueFrom.secretKeyRef.nam: unknown key; did you mean "name"?
>> (given: 'nam')

apiserver: {imagePullSecrets: [{names: registry}]}
> apiserver.imagePullSecrets[0]: must be a string (given: a mapping)

apiserver: {configDir: etc}
> apiserver.configDir: must be an absolute path without ':' (given: 'etc')

clearml: {defaultCompany: my company}
> clearml.defaultCompany: must be letters, digits, '-' and '_': an id, no name (given: 'my company')

mongodb: {service: {name: "{{ .Values.name }}-mongodb"}}
> mongodb.service.name: must be a DNS name; of Helm's templates only {{ .Release.Name }} and
>> {{ .Release.Namespace }} are known (given: '{{ .Values.name }}-mongodb')

elasticsearch: {clusterName: '{{ template "name" . }}'}
> elasticsearch.clusterName: must be a DNS name; of Helm's templates only {{ .Release.Name }} and
>> {{ .Release.Namespace }} are known (given: '{{ template "name" . }}')

agentGroups: {a: {name: same}, b: {name: same}}
> agentGroups.b.name: is the name of agentGroups.a too (given: 'same')

agentGroups: {a: {name: agent-group0}}
> agentGroups.a.name: is the name of agentGroups.agent-group0 too (given: 'agent-group0')

agentGroups: {a: {queues: "high --help"}}
> agentGroups.a.queues: a queue's name must not start with '-' (given: 'high --help')

agentGroups: {a: {queues: " "}}
> agentGroups.a.queues: must name at least one queue (given: ' ')

agentservices: {queues: [high, --help]}
> agentservices.queues[1]: a queue's name must not start with '-' (given: '--help')

agentGroups: {a: {queues: [high, " low"]}}
> agentGroups.a.queues[1]: must be a single line, not empty, without spaces around it
>> (given: ' low')

agentGroups: {a: {queues: []}}
> agentGroups.a.queues: must not be empty (given: an empty list)

agentGroups: {a: {queues: {high: 1}}}
> agentGroups.a.queues: must be a list, or a string of names (given: a mapping)

agentGroups: {a: {gpuResource: node.kubernetes.io/gpu}}
> agentGroups.a.gpuResource: must be a resource of a device plugin, such as nvidia.com/gpu
>> (given: 'node.kubernetes.io/gpu')

agentGroups: {a: {gpuResource: gpu}}
> agentGroups.a.gpuResource: must be a resource of a device plugin, such as nvidia.com/gpu
>> (given: 'gpu')

agentservices: {clearmlApiHost: "https://user:test-secret@example.com"}
> agentservices.clearmlApiHost: must be a URL such as https://api.clearml.example.com
>> (given: 'https://***@example.com')

agentGroups: {a: {clearmlApiHost: "http://example.com:65536/api"}}
> agentGroups.a.clearmlApiHost: must have a port of 1 to 65535
>> (given: 'http://example.com:65536/api')

agentservices: {shmSize: 0}
> agentservices.shmSize: must be more than 0 (given: 0)

agentGroups: {a: {replicaCount: 2, storage: {enabled: true}}}
> agentGroups.a.replicaCount: several agents cannot share a ReadWriteOnce volume; set
>> storage.data.accessModes to [ReadWriteMany] (given: 2)

agentGroups: {a: {updateStrategy: RollingUpdate, storage: {enabled: true}}}
> agentGroups.a.updateStrategy.type: must be Recreate: the pods share a volume that one node alone
>> can mount (given: 'RollingUpdate')

agentGroups: {a: {storage: {data: {existingClaim: caches}}}}
> agentGroups.a.storage.enabled: must be true for storage.data to have an effect

agentGroups: {a: {storage: {enabled: true, sizeLimit: 1Gi}}}
> agentGroups.a.storage.sizeLimit: is for caches without a claim (given: '1Gi')

agentservices: {existingSecrets: {Git: {clearmlGitUser: user}}}
> agentservices.existingSecrets.Git: cannot be the name of a Secret

agentGroups: {a: {existingSecrets: {git: {clearmlGitUsr: user}}}}
> agentGroups.a.existingSecrets.git.clearmlGitUsr: is no secret value; did you mean
>> "clearmlGitUser"?

agentGroups: {a: {existingSecrets: {git: {token: key}}}}
> agentGroups.a.existingSecrets.git.token: is no secret value; those are clearmlAccessKey,
>> clearmlSecretKey, clearmlGitUser, clearmlGitPassword, awsAccessKeyId, awsSecretAccessKey,
>> azureStorageAccount, azureStorageKey, googleCredentials, clearmlConfig

agentservices: {existingSecrets: {git: {clearmlGitUser: "a b"}}}
> agentservices.existingSecrets.git.clearmlGitUser: must be a key of a Secret: letters, digits, '-',
>> '_', '.' (given: 'a b')

agentservices: {clearmlGitUser: jane, existingSecrets: {git: {clearmlGitUser: user}}}
> agentservices.existingSecrets.git.clearmlGitUser: excludes clearmlGitUser: keep one of the two
>> (given: 'user')

agentGroups: {a: {clearmlConfig: "sdk {}", existingSecrets: {conf: {clearmlConfig: clearml.conf}}}}
> agentGroups.a.existingSecrets.conf.clearmlConfig: excludes clearmlConfig: keep one of the two
>> (given: 'clearml.conf')

agentGroups: {a: {existingSecrets: {one: {clearmlGitUser: a}, two: {clearmlGitUser: b}}}}
> agentGroups.a.existingSecrets.one.clearmlGitUser: is taken from another Secret too (given: 'a')

agentGroups: {a: {existingSecrets: {keys: {clearmlAccessKey: a}}}}
> agentGroups.a.clearmlSecretKey: is needed by the other key of the pair

agentGroups: {a: {gitSsh: {existingSecret: deploy, privateKey: test-secret-key, knownHosts: a}}}
> agentGroups.a.gitSsh.existingSecret: excludes privateKey: keep one of the two (given: 'deploy')

agentservices: {gitSsh: {existingSecret: deploy}}
> agentservices.gitSsh.knownHosts: is needed, or knownHostsKey or acceptNewHosts: SSH trusts no host
>> unasked

agentservices: {gitSsh: {privateKey: test-secret-key, knownHostsKey: known_hosts}}
> agentservices.gitSsh.knownHostsKey: needs existingSecret (given: 'known_hosts')

agentservices: {gitSsh: {existingSecret: deploy, knownHostsKey: hosts, knownHosts: github.com}}
> agentservices.gitSsh.knownHostsKey: excludes knownHosts: keep one of the two (given: 'hosts')

agentservices: {gitSsh: {force: true}}
> agentservices.gitSsh.privateKey: is needed, or existingSecret: there is no key to use

agentservices: {podSecurityContext: {fsGroup: 7}, gitSsh: {existingSecret: a, acceptNewHosts: true}}
> agentservices.podSecurityContext.fsGroup: does not go with gitSsh: root's SSH refuses keys that a
>> group may read (given: 7)

agentGroups: {a: {agentVersion: 1.9.2}}
> agentGroups.a.agentVersion: must be a version with its comparison, such as "==1.9.2" or
>> ">=0.16.1" (given: '1.9.2')

agentservices: {agentVersion: "==1.0; reboot"}
> agentservices.agentVersion: must be a version with its comparison, such as "==1.9.2" or
>> ">=0.16.1" (given: '==1.0; reboot')

agentGroups: {a: {clearmlAccessKey: test-access-key}}
> agentGroups.a.clearmlSecretKey: is needed by the other key of the pair

agentGroups: {a: {clearmlSecretKey: test-secret-key}}
> agentGroups.a.clearmlAccessKey: is needed by the other key of the pair

agentservices: {clearmlWebHost: "http://a\nb"}
> agentservices.clearmlWebHost: must be a single line (given: 'http://a\nb')

ingress: {enabled: true}
> ingress.host: is needed by an enabled ingress (given: '')

webserver: {ingress: {enabled: true}}
> webserver.ingress.hostName: is needed by an enabled ingress (given: '')

apiserver: {ingress: {hostName: 10.0.0.1}}
> apiserver.ingress.hostName: must be a host name, not an IP address (given: '10.0.0.1')

apiserver: {ingress: {hostName: "a.*.org"}}
> apiserver.ingress.hostName: must be empty or a host name: lower-case letters, digits, '-', '.',
>> and maybe '*.' before (given: 'a.*.org')

apiserver: {ingress: {path: api}}
> apiserver.ingress.path: must be a path that begins with '/', without spaces (given: 'api')

apiserver: {ingress: {path: /a/../b}}
> apiserver.ingress.path: needs pathType ImplementationSpecific: it is no plain path
>> (given: '/a/../b')

apiserver: {ingress: {pathType: Regex}}
> apiserver.ingress.pathType: must be 'Prefix', 'Exact' or 'ImplementationSpecific' (given: 'Regex')

apiserver: {ingress: {className: A b}}
> apiserver.ingress.className: must be empty or a DNS name: lower-case letters, digits, '-', '.'
>> (given: 'A b')

ingress: {enabled: true, app: {hostName: a.org}, api: {hostName: b.org}}
> ingress.files.hostName: is needed without ingress.host (given: '')

ingress: {enabled: true, app: {hostName: a.org}, api: {hostName: a.org}, files: {hostName: b.org}}
> ingress.api.hostName: leads to the web server already, on the same path (given: 'a.org')

ingress: {enabled: true, host: a.org}
fileserver: {ingress: {enabled: true, hostName: app.a.org}}
> fileserver.ingress.hostName: leads to the web server already, on the same path
>> (given: 'app.a.org')

webserver: {ingress: {enabled: true, hostName: a.org, path: /ml}}
apiserver: {ingress: {enabled: true, hostName: a.org, path: /ml/}}
> apiserver.ingress.hostName: leads to the web server already, on the same path (given: 'a.org')

webserver: {ingress: {enabled: true, hostName: a.org, tlsSecretName: one}}
apiserver: {ingress: {enabled: true, hostName: a.org, path: /api, tlsSecretName: two}}
> apiserver.ingress.hostName: has another certificate elsewhere: one and two; name one Secret
>> (given: 'a.org')

gateway: {enabled: true}
> gateway.parentRefs: must name the Gateway of the routes (given: an empty list)
> gateway.host: is needed by an enabled gateway (given: '')

gateway: {enabled: true, host: a.org, parentRefs: [{name: front}]}
ingress: {enabled: true, host: a.org}
fileserver: {ingress: {enabled: true, hostName: b.org}}
> gateway.enabled: goes with ingress.enabled: false and fileserver.ingress.enabled:
>> false only (given: true)

gateway: {enabled: true, host: a.org, parentRefs: [{name: front}], tls: {secretName: mine}}
> gateway.tls.secretName: needs certManager.issuer, which fills the Secret; gateway.tls.enabled says
>> that the Gateway has a certificate (given: 'mine')

gateway: {enabled: true, host: a.org, parentRefs: [{name: a, kind: Gate way}, {name: a}, {name: a}]}
> gateway.parentRefs[0].kind: must be the kind of an object, up to 63 letters, digits and '-'
>> (given: 'Gate way')

gateway: {enabled: true, host: 10.0.0.1, parentRefs: [{name: a}]}
> gateway.host: must be a host name, not an IP address (given: '10.0.0.1')

gateway: {parentRefs: [{name: a, sectionName: b}, {name: a}, {name: a}]}
> gateway.parentRefs[2]: is listed twice

ingress: {enabled: true, host: 10.0.0.1, files: {hostName: files.10.0.0.1}}
> ingress.host: must be a host name, not an IP address (given: '10.0.0.1')
> ingress.files.hostName: must be a host name, not an IP address (given: 'files.10.0.0.1')

webserver: {ingress: {enabled: true, hostName: a.org, path: //a}}
apiserver: {ingress: {enabled: true, hostName: a.org, path: /../a}}
> apiserver.ingress.path: needs pathType ImplementationSpecific: it is no plain path
>> (given: '/../a')
> webserver.ingress.path: needs pathType ImplementationSpecific: it is no plain path (given: '//a')

backup: {s3: {bucket: abc, endpoint: "https://s3.example.com:65536"}}
> backup.s3.endpoint: has no valid host and port (given: 'https://s3.example.com:65536')

redis: {metrics: {serviceMonitor: {interval: "0"}}}
mongodb: {metrics: {serviceMonitor: {interval: 0s}}}
> mongodb.metrics.serviceMonitor.interval: must be a duration as Prometheus spells it, such as 30s
>> (given: '0s')
> redis.metrics.serviceMonitor.interval: must be a duration as Prometheus spells it, such as 30s
>> (given: '0')

backup: {mongodb: {timeZone: europe/berlin}, fileserver: {timeZone: Mars/Phobos}}
> backup.mongodb.timeZone: must be empty or the name of a time zone such as Europe/Berlin; did you
>> mean "Europe/Berlin"? (given: 'europe/berlin')
> backup.fileserver.timeZone: must be empty or the name of a time zone such as Europe/Berlin (given:
>> 'Mars/Phobos')

extraObjects: [{apiVersion: v1, kind: ConfigMapList, metadata: {name: a}}]
> extraObjects[0].kind: must be that of one object: write each in an entry of its own

extraObjects: [{apiVersion: v1, kind: A, metadata: {name: a, uid: b, resourceVersion: "1"}}]
> extraObjects[0].metadata.uid: is set by the cluster that the object is from: leave it out
> extraObjects[0].metadata.resourceVersion: is set by the cluster that the object is from: leave it
>> out

extraObjects: [{apiVersion: v1, kind: A, metadata: {generateName: a-}}]
> extraObjects[0].metadata.generateName: cannot be applied: write a name
> extraObjects[0].metadata.name: must be a string

gateway: {parentRefs: [{sectionName: https}]}
> gateway.parentRefs[0].name: is required

certManager: {kind: Anyone}
> certManager.kind: must be 'ClusterIssuer' or 'Issuer' (given: 'Anyone')

webserver: {service: {loadBalancerIP: 10.0.0.1}}
> webserver.service.loadBalancerIP: goes with type LoadBalancer only

webserver: {service: {type: LoadBalancer, loadBalancerIP: 10.0.0}}
> webserver.service.loadBalancerIP: must be empty or an IP address (given: '10.0.0')

clearml: {nodeAddress: "node:1"}
> clearml.nodeAddress: must be empty, a DNS name or an IP address; write it without a port
>> (given: 'node:1')

clearml: {nodeAddress: "http://[fd00::1]"}
> clearml.nodeAddress: must be empty, a DNS name or an IP address (given: 'http://[fd00::1]')

clearml: {cookieDomain: .example.com}
> clearml.cookieDomain: must be empty or a DNS name: lower-case letters, digits, '-', '.'; write it
>> without a dot in front (given: '.example.com')

clearml: {cookieDomain: "https://example.com:443/"}
> clearml.cookieDomain: must be empty or a DNS name: lower-case letters, digits, '-', '.'; write it
>> without a scheme and a slash at the end and a port (given: 'https://example.com:443/')

clearml: {cookieDomain: "https://"}
> clearml.cookieDomain: must be empty or a DNS name: lower-case letters, digits, '-', '.'
>> (given: 'https://')

apiserver: {ingress: {hostName: "api.example.com."}}
> apiserver.ingress.hostName: must be empty or a host name: lower-case letters, digits, '-', '.',
>> and maybe '*.' before; write it without a dot at the end (given: 'api.example.com.')

clearml: {clientConfigurationApiUrl: '"https://api.example.com"'}
> clearml.clientConfigurationApiUrl: must be empty or a plain URL such as https://api.example.com;
>> write it without quotes (given: '"https://api.example.com"')

mongodb: {enabled: false, external: {auth: '"mongodb://h/auth"', backend: "'mongodb://h/backend'"}}
> mongodb.external.auth: must be a URL that begins with mongodb:// or mongodb+srv://, other
>> characters as %XX; write it without quotes
> mongodb.external.backend: must be a URL that begins with mongodb:// or mongodb+srv://, other
>> characters as %XX; write it without quotes

mongodb: {enabled: false}
externalServices: {mongodbConnectionString: '"mongodb://h"'}
> externalServices.mongodbConnectionString: must be a URL that begins with mongodb:// or
>> mongodb+srv://; write it without quotes

clearml: {urlScheme: tls}
> clearml.urlScheme: must be 'http' or 'https' (given: 'tls')

clearml: {clientConfigurationApiUrl: api.example.com}
> clearml.clientConfigurationApiUrl: must be empty or a plain URL such as https://api.example.com
>> (given: 'api.example.com')

clearml: {clientConfigurationWebUrl: "https://a.org/?q"}
> clearml.clientConfigurationWebUrl: must be empty or a plain URL such as https://api.example.com
>> (given: 'https://a.org/?q')

clearml: {clientConfigurationWebUrl: "http://a.org:99999", clientConfigurationApiUrl: "http://[::::]"}
> clearml.clientConfigurationWebUrl: has no valid host and port (given: 'http://a.org:99999')
> clearml.clientConfigurationApiUrl: has no valid host and port (given: 'http://[::::]')

clearml: {clientConfigurationFilesUrl: bucket}
> clearml.clientConfigurationFilesUrl: must be empty or a plain URL such as
>> https://files.example.com or s3://bucket (given: 'bucket')

apiserver: {asyncdelete: {urlPrefixes: ["s3://bucket", "", "http://old.org/?q", "http://a:99999"]}}
> apiserver.asyncdelete.urlPrefixes[0]: must be a plain URL such as https://files.example.com
>> (given: 's3://bucket')
> apiserver.asyncdelete.urlPrefixes[1]: must be a plain URL such as https://files.example.com
>> (given: '')
> apiserver.asyncdelete.urlPrefixes[2]: must be a plain URL such as https://files.example.com
>> (given: 'http://old.org/?q')
> apiserver.asyncdelete.urlPrefixes[3]: has no valid host and port (given: 'http://a:99999')

clearml: {cookieName: "a;b"}
> clearml.cookieName: must be empty or letters, digits, '-', '_' and '.' (given: 'a;b')

apiserver: {authCookiesMaxAge: 0}
> apiserver.authCookiesMaxAge: must be greater than or equal to 1 (given: 0)

apiserver: {enabled: false}
> apiserver.enabled: needs clearml.clientConfigurationApiUrl: the other components must find it
>> (given: false)

fileserver: {enabled: false}
agentGroups: {gpu: {clearmlFilesHost: "s3://bucket"}}
> fileserver.enabled: needs clearml.clientConfigurationFilesUrl, such as s3://bucket, or
>> clearmlFilesHost of agentservices, agentGroups.agent-group0: agents upload there (given: false)

mongodb: {enabled: false, auth: {enabled: true}}
> mongodb.auth.enabled: needs mongodb.auth.rootPassword or mongodb.auth.existingSecret; write
>> false where it asks for no password (given: true)

mongodb: {enabled: false, auth: {enabled: true, rootPassword: ""}}
> mongodb.auth.enabled: needs mongodb.auth.rootPassword or mongodb.auth.existingSecret; write
>> false where it asks for no password (given: true)

mongodb: {auth: {enabled: true, rootPassword: "test@secret:1"}}
> mongodb.auth.rootPassword: must be letters, digits, '.', '_', '~' and '-': it becomes part of a
>> URL

redis: {enabled: false, usePassword: true}
> redis.usePassword: needs redis.password or redis.existingSecret; write false where it asks
>> for no password (given: true)

redis: {usePassword: true, password: 'test"secret'}
> redis.password: must be ASCII characters other than quotes and backslashes

redis: {usePassword: true, password: test-sécret}
> redis.password: must be ASCII characters other than quotes and backslashes

mongodb: {provider: external, external: {backend: "mongodb://jäne@a/b", auth: "mongodb://a/c"}}
> mongodb.external.backend: must be a URL that begins with mongodb:// or mongodb+srv://, other
>> characters as %XX

imageCredentials: {enabled: true, username: jane, password: "test-secret\n"}
> imageCredentials.password: must be a single line without control characters

agentservices: {clearmlAccessKey: "test:key", clearmlSecretKey: test-sécret}
agentGroups:
  a: {clearmlGitPassword: "test-secret\n", awsAccessKeyId: " test", azureStorageKey: "test\tkey"}
> agentservices.clearmlAccessKey: must have no ':', at which a login is split
> agentservices.clearmlSecretKey: must be ASCII characters without spaces: it is sent in headers of
>> HTTP
> agentGroups.a.clearmlGitPassword: must be a single line without control characters
> agentGroups.a.awsAccessKeyId: must be ASCII characters without spaces: it is sent in headers of
>> HTTP
> agentGroups.a.azureStorageKey: must be ASCII characters without spaces: it is sent in headers of
>> HTTP

clearml: {credentials: {httpSession: test secret value}}
> clearml.credentials.httpSession: must be 8 or more of letters, digits, '-' and '_', and not a
>> number: the server would read something else

clearml: {credentials: {authToken: 1234567890, apiserverKey: 12345e6789, apiserverSecret: test-7c}}
> clearml.credentials.authToken: must be 8 or more of letters, digits, '-' and '_', and not a
>> number: the server would read something else
> clearml.credentials.apiserverKey: must be 8 or more of letters, digits, '-' and '_', and not a
>> number: the server would read something else
> clearml.credentials.apiserverSecret: must be 8 or more of letters, digits, '-' and '_', and not a
>> number: the server would read something else

clearml: {credentials: {webserverKey: "test-secret-value\n"}}
> clearml.credentials.webserverKey: must be 8 or more of letters, digits, '-' and '_', and not a
>> number: the server would read something else

clearml: {credentials: {webserverKey: "-1234567", testsUserKey: "TRUE-test-secret"}}
> clearml.credentials.webserverKey: must be 8 or more of letters, digits, '-' and '_', and not a
>> number: the server would read something else
> clearml.credentials.testsUserKey: must be 8 or more of letters, digits, '-' and '_', and not a
>> number: the server would read something else

clearml: {existingSecret: mine, credentials: {webserverKey: test-secret-value}}
> clearml.credentials.webserverKey: is taken from clearml.existingSecret: keep one of the two

clearml: {existingSecret: mine, existingSecretKeys: {webserverKey: a}, credentials: {webserverKey:
  test-secret-value, webserverSecret: test-secret-value}}
> clearml.credentials.webserverKey: is taken from clearml.existingSecret: keep one of the two

clearml: {existingSecret: clearml-conf, existingSecretKeys: chart-5}
> clearml.existingSecret: is the name of the Secret with what it lacks too; copy it under another
>> name (given: 'clearml-conf')

clearml: {existingSecretKeys: chart-2}
> clearml.existingSecretKeys: needs clearml.existingSecret

clearml: {existingSecret: mine, existingSecretKeys: chart2}
> clearml.existingSecretKeys: must be clearml-conf, chart-2, chart-5, or a mapping of credentials to
>> keys; did you mean "chart-2"? (given: 'chart2')

clearml: {existingSecret: mine, existingSecretKeys: {apiServerKey: a, authToken: a b}}
> clearml.existingSecretKeys.apiServerKey: is none of clearml.credentials;
>> did you mean "apiserverKey"?

clearml: {existingSecret: mine, existingSecretKeys: {authToken: a b}}
> clearml.existingSecretKeys.authToken: must be a key of a Secret: letters, digits, '-', '_', '.'
>> (given: 'a b')

clearml: {fixedUsers: {existingSecret: mine, users: [{username: a, name: A, password: test-1}]}}
> clearml.fixedUsers.users: are taken from clearml.fixedUsers.existingSecret: keep one of the two

apiserver: {configDir: /opt/clearml/additional-configs/mine}
> apiserver.configDir: is where the generated files lie; choose another
>> (given: '/opt/clearml/additional-configs/mine')

apiserver: {additionalConfigs: {services: "", apiserver.json: "", ../a.conf: "", ".conf": ""}}
> apiserver.additionalConfigs.services: must be a file name that ends in .conf: the server reads no
>> others
> apiserver.additionalConfigs."apiserver.json": must be a file name that ends in .conf: the server
>> reads no others
> apiserver.additionalConfigs."../a.conf": must have no '/': write dots, which the server takes for
>> folders too
> apiserver.additionalConfigs.".conf": must be a file name that ends in .conf: the server reads no
>> others

fileserver: {additionalConfigs: {services/tasks.conf: ""}}
> fileserver.additionalConfigs."services/tasks.conf": must have no '/': write dots, which the server
>> takes for folders too

apiserver: {additionalConfigs: {secure.conf: "a: test-secret\nb {\n c: 1\n"}}
> apiserver.additionalConfigs."secure.conf": is not HOCON: see its line 4, column 1

apiserver: {additionalConfigs: {a.conf: "[1, 2]", b.conf: "a: {} test-secret {}"}}
> apiserver.additionalConfigs."a.conf": must hold keys and values, not a list
> apiserver.additionalConfigs."b.conf": is not HOCON

webserver: {additionalConfigs: {config.json: "{}", configuration.json: "{\"a\": 1,\n test-secret}"}}
> webserver.additionalConfigs."config.json": must be called configuration.json: the web server reads
>> no other file
> webserver.additionalConfigs."configuration.json": is not JSON: see its line 2, column 2

webserver: {additionalConfigs: {configuration.json: "[]"}}
> webserver.additionalConfigs."configuration.json": must be a JSON object

clearml: {fixedUsers: {enabled: true}}
> clearml.fixedUsers.users: must list at least one user while fixed users are on, or name an
>> existingSecret (given: an empty list)

clearml:
  fixedUsers:
    enabled: true
    users:
      - {username: jane, password: test-secret-value, name: Jane}
      - {username: jane, password: "", name: Jane}
> clearml.fixedUsers.users[1].username: is listed twice (given: 'jane')
> clearml.fixedUsers.users[1].password: must not be empty

clearml:
  fixedUsers:
    passHashed: true
    users: [{username: jane, password: test-secret-value, name: Jane}]
> clearml.fixedUsers.users[0].password: must be the base64 form of a bcrypt hash while passHashed
>> is on

clearml: {fixedUsers: {users: [{username: "jane:doe", password: test:secret, name: "Jane: D"}]}}
> clearml.fixedUsers.users[0].username: must have no ':', at which a login is split
>> (given: 'jane:doe')

clearml: {fixedUsers: {users: [{username: "\0", password: test-secret, name: "\e"}]}}
> clearml.fixedUsers.users[0].username: must have no control characters
> clearml.fixedUsers.users[0].name: must have no control characters

clearml: {fixedUsers: {users: [{username: jane, password: "test-secret\b", name: Jane}]}}
> clearml.fixedUsers.users[0].password: must be a single line without control characters

clearml:
  fixedUsers:
    users:
      - {username: Łucja, password: "test-secret €", name: Łucja}
      - {username: Zoë, password: test-secret ÿ, name: 日本}
      - {username: "Zoe\u0308", password: "test-secret\n", name: Zoë}
> clearml.fixedUsers.users[0].username: must have no characters above U+00FF: the server takes
>> logins for Latin-1 (given: 'Łucja')
> clearml.fixedUsers.users[0].password: must have no characters above U+00FF: the server takes
>> logins for Latin-1
> clearml.fixedUsers.users[2].username: must have no characters above U+00FF: the server takes
>> logins for Latin-1 (given: 'Zoë')
> clearml.fixedUsers.users[2].password: must be a single line without control characters

clearml: {fixedUsers: {users: [{username: jane, pasword: test-secret-value}]}}
> clearml.fixedUsers.users[0].password: is required
> clearml.fixedUsers.users[0].name: is required
> clearml.fixedUsers.users[0].pasword: unknown key; did you mean "password"? (given: 'pasword')

redis: {usePassword: true, password: 0123}
mongodb: {image: {tag: 1_000}}
> redis.password: must be a string; write it in quotes
> mongodb.image.tag: must be a string; write it in quotes (given: 1000)

redis: {image: {repository: example.org/redis, tag: 6.0.8-debian-10-r0}}
> redis.image.repository: is an image of Bitnami, whose paths, variables and user are not those of
>> the official image that provider embedded runs; leave it out, or take provider helm
>> (given: 'example.org/redis:6.0.8-debian-10-r0')

redis: {metrics: {serviceMonitor: {interval: 30}}}
> redis.metrics.serviceMonitor.interval: must be a duration as Prometheus spells it, such as 30s
>> (given: 30)

mongodb: {provider: bitnami}
> mongodb.provider: must be 'embedded', 'helm' or 'external' (given: 'bitnami')

mongodb: {architecture: cluster}
> mongodb.architecture: must be 'standalone' or 'replicaset' (given: 'cluster')

mongodb: {replicaCount: 3}
> mongodb.replicaCount: a standalone MongoDB is one pod; set mongodb.architecture to replicaset
>> (given: 3)

redis: {sentinel: {enabled: true}}
> redis.sentinel: Sentinel is not made here: write redis.cluster for replicas

mongodb: {podLables: {a: b}, auth: {rootPasswort: test-secret-value}}
> mongodb.podLables: unknown key, which only the mongodb Helm chart may read (provider: helm);
>> did you mean "podLabels"? (given: 'podLables')
> mongodb.auth.rootPasswort: unknown key, which only the mongodb Helm chart may read
>> (provider: helm); did you mean "rootPassword"? (given: 'rootPasswort')

mongodb: {auth: {password: test-secret-value}}
> mongodb.auth.password: the servers log in as root: write mongodb.auth.rootPassword or
>> mongodb.auth.existingSecret

elasticsearch: {enabled: false, roles: {dat: true}}
> elasticsearch.roles.dat: unknown key, which only the elasticsearch Helm chart may read
>> (provider: helm); did you mean "data"? (given: 'dat')

elasticsearch: {minimumMasterNodes: 3, replicas: 2}
> elasticsearch.minimumMasterNodes: must not be more than elasticsearch.replicas (2) (given: 3)

mongodb: {enabled: false, external: {existingSecret: mine, authKey: backend}}
> mongodb.external.authKey: is the key of the backend database's URL too (given: 'backend')

mongodb:
  provider: helm
  auth: {enabled: true, rootPassword: test-secret, username: jane, database: a}
> mongodb.auth.password: is needed with a username and a database

mongodb: {provider: helm, auth: {existingSecretKey: mine}}
> mongodb.auth.existingSecretKey: cannot be chosen with provider helm (given: 'mine')

redis: {provider: external, auth: {enabled: true}}
> redis.auth.enabled: needs redis.password or redis.existingSecret; write false where it asks
>> for no password (given: true)

redis: {provider: helm, tls: {enabled: true}}
> redis.tls.enabled: is not supported: the servers would not use it

redis: {chart: {archive: "ftp://example.com/redis.tgz"}}
> redis.chart.archive: must be a path, or an http(s) URL (given: 'ftp://example.com/redis.tgz')

redis: {chart: {version: "10.9"}}
> redis.chart.version: must be one exact version of the chart such as 1.2.3 (given: '10.9')

elasticsearch: {provider: helm, createCert: true, secret: {enabled: true}}
> elasticsearch.createCert: is not supported: the servers would not use it (given: true)
> elasticsearch.secret.enabled: is not supported: the servers would not use it

elasticsearch:
  nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}
  affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}
> elasticsearch.nodeAffinity: is in affinity too: keep one of the two

elasticsearch: {esConfig: {"a b.yml": text, log4j2.properties: {level: info}}}
> elasticsearch.esConfig."log4j2.properties": must be a string (given: a mapping)

elasticsearch: {esConfig: {"a b.yml": text}}
> elasticsearch.esConfig."a b.yml": must be named by letters, digits, '-', '_' and '.' as a file is
>> (given: 'a b.yml')

apiserver: {image: {registry: "https://registry.example.com"}}
fileserver: {image: {registry: "registry.example.com:5000/"}}
global: {imageRegistry: clearml}
> apiserver.image.registry: must be empty or a registry such as registry.example.com, or
>> docker.io/clearml for an organisation of Docker Hub; :port and /folder if need be; write it
>> without a scheme (given: 'https://registry.example.com')
> fileserver.image.registry: must be empty or a registry such as registry.example.com, or
>> docker.io/clearml for an organisation of Docker Hub; :port and /folder if need be; write it
>> without a slash at the end (given: 'registry.example.com:5000/')
> global.imageRegistry: must be empty or a registry such as registry.example.com, or
>> docker.io/clearml for an organisation of Docker Hub; :port and /folder if need be
>> (given: 'clearml')

apiserver: {image: {digest: latest}}
elasticsearch: {imageDigest: "sha256:abc"}
> apiserver.image.digest: must be empty or a digest: sha256: and 64 hexadecimal digits
>> (given: 'latest')
> elasticsearch.imageDigest: must be empty or a digest: sha256: and 64 hexadecimal digits
>> (given: 'sha256:abc')

redis:
  image:
    digest: &digest "sha256:0000000000000000000000000000000000000000000000000000000000000000"
    tag: "7@sha256:0000000000000000000000000000000000000000000000000000000000000000"
elasticsearch: {imageTag: *digest, imageDigest: *digest}
> redis.image.digest: is in the tag too: keep one of the two
> elasticsearch.imageDigest: is in the tag too: keep one of the two

imageCredentials: {enabled: true}
> imageCredentials.username: is needed, or imageCredentials.existingSecret
> imageCredentials.password: is needed, or imageCredentials.existingSecret

imageCredentials: {enabled: true, username: "a:b", password: "", registry: "a b"}
> imageCredentials.registry: must be empty or a registry such as registry.example.com:5000
>> (given: 'a b')

imageCredentials: {enabled: true, username: "a:b", password: ""}
> imageCredentials.username: must have no ':', which its password would begin at
> imageCredentials.password: is needed, or imageCredentials.existingSecret

global: {imagePullSecrets: [Mine], storageClass: fast, defaultStorageClass: slow}
> global.imagePullSecrets[0]: must be a DNS name: lower-case letters, digits, '-' and '.'
>> (given: 'Mine')

global: {storageClass: fast, defaultStorageClass: slow}
> global.defaultStorageClass: is not the same as storageClass (given: 'slow')

fileserver: {storage: {data: {existingClaim: mine, existingPVC: yours}}}
agentservices: {storage: {data: {accessMode: ReadWriteMany, accessModes: [ReadWriteOnce]}}}
> fileserver.storage.data.existingPVC: is not the same as existingClaim (given: 'yours')
> agentservices.storage.data.accessMode: is not the same as accessModes (given: 'ReadWriteMany')

fileserver: {replicaCount: 2, storage: {enabled: false}}
> fileserver.replicaCount: several pods need a volume that they share; set
>> fileserver.storage.enabled (given: 2)

mongodb: {architecture: replicaset, replicaCount: 3, persistence: {existingClaim: mine}}
redis: {cluster: {enabled: true}, master: {persistence: {existingClaim: mine}}}
> mongodb.persistence.existingClaim: is for a store of one pod: each of several needs a volume of
>> its own (given: 'mine')
> redis.master.persistence.existingClaim: is for a store of one pod: each of several needs a volume
>> of its own (given: 'mine')

apisever: {}
ingress: {enabled: true}
fileserver: {replicaCont: 1, replicaCount: 2}
webserver: {service: {port: 0, nodePort: 30008}}
agentGroups: {a: {name: same, foo: 1}, b: {name: same}}
redis: {usePassword: true, password: [test-secret-value]}
> webserver.service.port: must be greater than or equal to 1 (given: 0)
> agentGroups.a.foo: unknown key (given: 'foo')
> ingress.host: is needed by an enabled ingress (given: '')
> redis.password: must be a string (given: a list)
> apisever: unknown key; did you mean "apiserver"? (given: 'apisever')
> fileserver.replicaCont: unknown key; did you mean "replicaCount"? (given: 'replicaCont')
> fileserver.replicaCount: several pods cannot share a ReadWriteOnce volume; set
>> fileserver.storage.data.accessModes to [ReadWriteMany] (given: 2)
> agentGroups.b.name: is the name of agentGroups.a too (given: 'same')

apiserver: {podDisruptionBudget: {minAvailable: 1, maxUnavailable: 1}}
> apiserver.podDisruptionBudget.maxUnavailable: excludes minAvailable: keep one of the two

apiserver: {podDisruptionBudget: {minAvailable: 101%}}
fileserver: {podDisruptionBudget: {maxUnavailable: -1}}
mongodb: {podDisruptionBudget: {maxUnavailable: half}}
> apiserver.podDisruptionBudget.minAvailable: must be a number of pods, or a percentage of them up
>> to 100% (given: '101%')
> fileserver.podDisruptionBudget.maxUnavailable: must be a number of pods, or a percentage of them
>> up to 100% (given: -1)
> mongodb.podDisruptionBudget.maxUnavailable: must be a number of pods, or a percentage of them up
>> to 100% (given: 'half')

mongodb: {podDisruptionBudget: {minAvailble: 1}}
> mongodb.podDisruptionBudget.minAvailble: unknown key, which only the mongodb Helm chart may read
>> (provider: helm); did you mean "minAvailable"? (given: 'minAvailble')

webserver: {autoscaling: {enabled: true}}
> webserver.autoscaling.maxReplicas: is needed by an enabled autoscaler
> webserver.autoscaling.enabled: needs targetCPUUtilizationPercentage or
>> targetMemoryUtilizationPercentage (given: true)

webserver: {autoscaling: {enabled: true, minReplicas: 3, maxReplicas: 2,
  targetCPUUtilizationPercentage: 80}}
> webserver.autoscaling.maxReplicas: must not be less than minReplicas (3) (given: 2)

webserver:
  autoscaling: {enabled: true, maxReplicas: 2, targetCPUUtilizationPercentage: 80,
    targetMemoryUtilizationPercentage: 90}
  resources: {requests: {cpu: 1}, limits: {nvidia.com/gpu: 1}}
  extraContainers: [{name: proxy, image: proxy, resources: {limits: {cpu: 1, memory: 1Gi}}}]
> webserver.resources.requests.memory: is needed by autoscaling, whose target is a share of it

webserver:
  autoscaling: {enabled: true, maxReplicas: 2, targetCPUUtilizationPercentage: 80}
  resources: {requests: {cpu: 1}}
  extraContainers: [{name: proxy, image: proxy, resources: {requests: {memory: 1Gi}}}]
> webserver.extraContainers[0].resources.requests.cpu: is needed by autoscaling, whose target is a
>> share of it

fileserver:
  autoscaling: {enabled: true, maxReplicas: 2, targetCPUUtilizationPercentage: 80}
  resources: {requests: {cpu: 1}}
> fileserver.autoscaling.enabled: several pods cannot share a volume that one node alone can mount
>> (given: true)

apiserver: {serviceAccount: {name: theirs, annotations: {role: reader}}}
> apiserver.serviceAccount.annotations: need create: true

apiserver: {serviceAccount: {create: true, name: shared}}
agentGroups: {gpu: {serviceAccount: {create: true, name: shared}}}
> agentGroups.gpu.serviceAccount.create: must be false: apiserver.serviceAccount makes shared
>> already (given: true)

webserver: {networkPolicy: {extraIngress: [{form: []}]}}
> webserver.networkPolicy.extraIngress[0].form: unknown key; did you mean "from"? (given: 'form')

webserver: {service: {type: ClusterIP, loadBalancerClass: a, externalTrafficPolicy: Local,
  loadBalancerSourceRanges: [10.0.0.0/8], sessionAffinityTimeoutSeconds: 60}}
> webserver.service.loadBalancerClass: goes with type LoadBalancer only
> webserver.service.loadBalancerSourceRanges: goes with type LoadBalancer only
> webserver.service.externalTrafficPolicy: goes with type NodePort or LoadBalancer only
> webserver.service.sessionAffinityTimeoutSeconds: goes with sessionAffinity ClientIP only
>> (given: 60)

webserver: {service: {ipFamilies: [IPv4, IPv4]}}
> webserver.service.ipFamilies: must name each family once (given: a list)

webserver: {service: {ipFamilies: [IPv6, IPv4]}}
> webserver.service.ipFamilies: needs ipFamilyPolicy PreferDualStack or RequireDualStack for two
>> families (given: a list)

apiserver: {service: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv6, IPv4]}}
> apiserver.service.ipFamilies: needs ipFamilyPolicy PreferDualStack or RequireDualStack for two
>> families (given: a list)

apiserver: {service: {ipFamilyPolicy: DualStack, ipFamilies: [ipv4]}}
> apiserver.service.ipFamilyPolicy: must be 'SingleStack', 'PreferDualStack' or 'RequireDualStack'
>> (given: 'DualStack')
> apiserver.service.ipFamilies[0]: must be 'IPv4' or 'IPv6' (given: 'ipv4')

webserver: {service: {externalIPs: [a.org, 127.0.0.1, "fe80::1", 224.0.0.1, 0.0.0.0]}}
> webserver.service.externalIPs[0]: must be an IP address (given: 'a.org')
> webserver.service.externalIPs[1]: must be the address of a node or load balancer, which others
>> can reach (given: '127.0.0.1')
> webserver.service.externalIPs[2]: must be the address of a node or load balancer, which others
>> can reach (given: 'fe80::1')
> webserver.service.externalIPs[3]: must be the address of a node or load balancer, which others
>> can reach (given: '224.0.0.1')
> webserver.service.externalIPs[4]: must be the address of a node or load balancer, which others
>> can reach (given: '0.0.0.0')

webserver: {service: {externalIPs: [192.0.2.1, 192.0.2.1]}}
> webserver.service.externalIPs[1]: is given twice (given: '192.0.2.1')

fileserver: {service: {allocateLoadBalancerNodePorts: false, trafficDistribution: PreferNear}}
> fileserver.service.trafficDistribution: must be 'PreferClose', 'PreferSameZone' or
>> 'PreferSameNode' (given: 'PreferNear')

fileserver: {service: {allocateLoadBalancerNodePorts: false}}
> fileserver.service.allocateLoadBalancerNodePorts: goes with type LoadBalancer only

mongodb: {podDisruptionBudget: {unhealthyPodEvictionPolicy: Always}}
> mongodb.podDisruptionBudget.unhealthyPodEvictionPolicy: must be 'IfHealthyBudget' or
>> 'AlwaysAllow' (given: 'Always')

webserver: {hostUsers: maybe, lifecycle: {preStop: {sleep: {seconds: 5}}}}
> webserver.hostUsers: must be true or false (given: 'maybe')
> webserver.lifecycle.preStop.sleep: unknown key (given: 'sleep')

webserver: {service: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0, 10.0.0.0/33]}}
> webserver.service.loadBalancerSourceRanges[0]: must be addresses such as 10.0.0.0/8
>> (given: '10.0.0.0')
> webserver.service.loadBalancerSourceRanges[1]: must be addresses such as 10.0.0.0/8
>> (given: '10.0.0.0/33')

webserver: {service: {type: LoadBalancer, loadBalancerClass: a b}}
> webserver.service.loadBalancerClass: must be a name such as example.com/internal: letters,
>> digits, '-', '_' (given: 'a b')

extraObjects: [5, {kind: Ingress}, {apiVersion: v 1, kind: A_B, metadata: {name: "", labels: [a]}}]
> extraObjects[0]: must be a mapping (given: 5)
> extraObjects[1].apiVersion: is required
> extraObjects[1].metadata: must be a mapping with a name
> extraObjects[2].apiVersion: is not the apiVersion of a Kubernetes object (given: 'v 1')
> extraObjects[2].kind: is not the kind of a Kubernetes object (given: 'A_B')
> extraObjects[2].metadata.name: must be a string
> extraObjects[2].metadata.labels: must be a mapping

extraObjects: [{apiVersion: v1, kind: List, metadata: {name: a}, items: []}]
> extraObjects[0].kind: must be that of one object: write each in an entry of its own

extraObjects: [{apiVersion: v1, kind: A, metadata: {name: a}, spec: [.nan, 1.0e+300, "0o17"]}]
> extraObjects[0].spec[0]: is not a number that a manifest can hold
> extraObjects[0].spec[1]: is not a number that a manifest can hold
> extraObjects[0].spec[2]: cannot be used: kubectl would not read it back as a string

apiserver: {extraEnvs: [{name: A, value: 1}, 5, {nam: B}], tolerations: [{key: 1}]}
> apiserver.tolerations[0].key: must be a string; write it in quotes (given: 1)
> apiserver.extraEnvs[0].value: must be a string; write it in quotes (given: 1)
> apiserver.extraEnvs[1]: must be a mapping (given: 5)
> apiserver.extraEnvs[2].name: is required
> apiserver.extraEnvs[2].nam: unknown key; did you mean "name"? (given: 'nam')
"""


def _cases(table: str) -> Iterator[Any]:
    for block in table.strip().split("\n\n"):
        lines = block.splitlines()
        values = "\n".join(line for line in lines if not line.startswith(">"))
        said = "\n".join(line for line in lines if line.startswith(">"))
        yield pytest.param(values, said.replace("\n>>", "")[2:].split("\n> "), id=values)


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """The values that a file named `values.yaml` with the given text stands for."""
    monkeypatch.chdir(tmp_path)

    def load_text(text: str) -> Values:
        Path("values.yaml").write_text(text, encoding="utf-8")
        return load([Path("values.yaml")])

    return load_text


def _mistakes(loaded: Load, values: dict[str, Any]) -> list[str]:
    try:
        loaded(yaml.safe_dump(values))
    except ValuesError as error:
        return error.lines
    return []


@pytest.mark.parametrize(("values", "said"), list(_cases(BAD_VALUES)))
def test_each_mistake_is_named_with_its_path_and_what_was_given(
    loaded: Load, values: str, said: list[str]
) -> None:
    with pytest.raises(ValuesError) as caught:
        loaded(values)
    lines = [
        re.fullmatch(r"values\.yaml:(\d+): (([^:]+): .+)", line) for line in caught.value.lines
    ]
    found = [line.groups() for line in lines if line]
    assert sorted(mistake for _, mistake, _ in found) == sorted(said)
    for number, _, path in found:
        keys = re.findall(r"[A-Za-z][\w/-]*", path)
        assert any(key in values.splitlines()[int(number) - 1] for key in keys)


@pytest.mark.parametrize(
    ("values", "required"),
    [
        ({"gateway": {"parentRefs": [{}]}}, {"gateway.parentRefs[0].name"}),
        (
            {"clearml": {"fixedUsers": {"enabled": True, "users": [{}]}}},
            {f"clearml.fixedUsers.users[0].{key}" for key in ("username", "password", "name")},
        ),
    ],
)
def test_an_empty_item_lacks_what_is_required(
    loaded: Load, values: dict[str, Any], required: set[str]
) -> None:
    said = [line.split(": ", 1)[1] for line in _mistakes(loaded, values)]
    assert {*said} == {f"{path}: is required" for path in required}


def test_mistakes_that_may_follow_from_another_one_are_not_reported(loaded: Load) -> None:
    said = _mistakes(
        loaded,
        {
            "ingress": {"enabled": True, "host": "No Host"},
            "mongodb": {"auth": {"enabled": True, "rootPassword": ["test-secret-value"]}},
            "clearml": {"fixedUsers": {"enabled": True, "users": ["jane"]}},
            "elasticsearch": {"minimumMasterNodes": 2, "replicas": "three"},
        },
    )
    assert {line.split(": ")[1] for line in said} == {
        "clearml.fixedUsers.users[0]",
        "ingress.host",
        "mongodb.auth.rootPassword",
        "elasticsearch.replicas",
    }


# Secrets


class Setting(typing.NamedTuple):
    """A field of the values, and where it stands in a file."""

    path: tuple[str | int, ...]
    model: type[Model]
    name: str

    @property
    def field(self) -> FieldInfo:
        return self.model.model_fields[self.name]

    @property
    def parts(self) -> list[type]:
        """The types that the field's type is made of."""
        return [part for part in _parts(self.field.annotation) if isinstance(part, type)]

    @property
    def is_section(self) -> bool:
        annotation = self.field.annotation
        return isinstance(annotation, type) and issubclass(annotation, Model)

    @property
    def is_secret(self) -> bool:
        return SecretStr in self.parts


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from _parts(argument)


def _settings(model: type[Model], path: tuple[str | int, ...] = ()) -> Iterator[Setting]:
    """All settings, those of an agent group called `gpu` and of the first fixed user included."""
    for name, field in model.model_fields.items():
        setting = Setting((*path, str(field.alias)), model, name)
        yield setting
        below = {list: (0,), dict: ("gpu",)}.get(typing.get_origin(field.annotation) or model, ())
        for part in setting.parts:
            if issubclass(part, Model):
                yield from _settings(part, (*setting.path, *below))


SETTINGS = list(_settings(Values))
# Of a mapping of secrets one of them: its keys are no secrets.
SECRETS = [
    setting._replace(path=(*setting.path, "a.conf"))
    if typing.get_origin(setting.field.annotation) is dict
    else setting
    for setting in SETTINGS
    if setting.is_secret
]
MARK = "test-secret-value"
WRONG_SECRETS = [
    [MARK],
    {MARK: MARK},
    f'{MARK} "with" @ all \\ sorts\nof characters',
    735197351.5,
]


def _nested(path: tuple[str | int, ...], value: object) -> Any:
    for step in reversed(path):
        value = [value] if step == 0 else {step: value}
    return value


def test_the_walk_over_the_settings_finds_them_all() -> None:
    paths = {".".join(map(str, setting.path)) for setting in SETTINGS}
    assert paths >= {
        "release.name",
        "clearml.fixedUsers.users.0.password",
        "agentGroups.gpu.clearmlSecretKey",
        "agentGroups.gpu.image.tag",
        "elasticsearch.volumeClaimTemplate.resources.requests.storage",
        "mongodb.nodeSelector",
    }
    assert {setting.path[-1] for setting in SECRETS} >= {
        *("httpSession", "servicesAgentSecret", "rootPassword", "password", "clearmlSecretKey"),
        *("clearmlGitPassword", "awsSecretAccessKey", "azureStorageKey", "googleCredentials"),
    }


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: ".".join(map(str, secret.path)))
def test_no_message_shows_a_secret(loaded: Load, secret: Setting) -> None:
    said: list[str] = []
    for wrong in WRONG_SECRETS:
        said += _mistakes(loaded, _nested(secret.path, wrong))
    for depth in range(1, len(secret.path)):  # in the place of a section
        said += _mistakes(loaded, _nested(secret.path[:depth], MARK))
    said += _mistakes(loaded, _nested((*secret.path[:-1], f"{secret.path[-1]}s"), MARK))
    assert len(said) >= 3 + len(secret.path)
    assert MARK not in "\n".join(said)
    assert "735197351" not in "\n".join(said)


def test_values_do_not_print_their_secrets(loaded: Load) -> None:
    values = loaded(
        """
        clearml: {credentials: {httpSession: test-secret-value}}
        redis: {password: test-secret-value}
        agentservices: {clearmlGitPassword: test-secret-value}
        """
    )
    assert MARK not in f"{values!r} {values} {values.model_dump()}"
    assert "9Tw20Rbh" not in repr(Values())


# What is accepted


def test_integers_are_taken_where_strings_are_wanted(loaded: Load) -> None:
    values = loaded(
        """
        agentservices: {clearmlGitUser: 123, clearmlHostIp: 10, queues: 7}
        fileserver: {storage: {data: {size: 53687091200}}}
        mongodb: {image: {tag: 5}}
        """
    )
    assert values.agentservices.clearml_git_user == SecretStr("123")
    assert values.agentservices.clearml_host_ip == "10"
    assert values.agentservices.queue_names == ["7"]
    assert values.fileserver.storage.data.size == "53687091200"
    assert values.mongodb.image.tag == "5"


def test_strings_are_taken_where_booleans_and_numbers_are_wanted(loaded: Load) -> None:
    values = loaded(
        """
        apiserver: {prepopulateEnabled: "false", replicaCount: "3", service: {port: "8009"}}
        elasticsearch: {roles: {ingest: "false", data: "true"}}
        """
    )
    assert values.apiserver.prepopulate_enabled is False
    assert values.apiserver.replica_count == 3
    assert values.apiserver.service.port == 8009
    assert values.elasticsearch.roles.ingest is False
    assert values.elasticsearch.roles.data is True


def test_a_new_agent_group_has_every_default_and_the_first_one_stays(loaded: Load) -> None:
    groups = loaded("agentGroups: {gpu: {replicaCount: 2}}").agent_groups
    first = Values().agent_groups["agent-group0"]
    assert groups == {
        "agent-group0": first,
        "gpu": first.model_copy(update={"name": "gpu", "replica_count": 2}),
    }


def test_an_agent_group_can_have_a_name_other_than_its_key(loaded: Load) -> None:
    groups = loaded("agentGroups: {agent-group0: {name: cpu}}").agent_groups
    assert {key: group.name for key, group in groups.items()} == {"agent-group0": "cpu"}


@pytest.mark.parametrize("given", ["{}", "null"])
@pytest.mark.parametrize(
    "text",
    [
        "apiserver: {resources: %s}",
        "webserver: {initContainers: {resources: %s}}",
        "redis: {master: {resources: %s}}",
        "elasticsearch: {resources: %s}",
    ],
)
def test_empty_resources_give_way_to_the_default(loaded: Load, text: str, given: str) -> None:
    assert to_plain(loaded(text % given)) == to_plain(Values())


def test_resources_of_elasticsearch_merge_over_the_default(loaded: Load) -> None:
    search = loaded("elasticsearch: {resources: {limits: {memory: 8Gi, cpu: 2}}}").elasticsearch
    assert to_plain(search.resources) == {
        "limits": {"memory": "8Gi", "cpu": "2"},
        "requests": {"memory": "4Gi"},
    }


def test_quantities_are_known_without_asking_the_engine(
    loaded: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    apiserver = loaded("apiserver: {resources: {limits: {memory: 3Gi}}}").apiserver
    asked = property(lambda _: pytest.fail("the engine is asked for what is known"))
    monkeypatch.setattr(k8s.Quantity, "value", asked)
    assert to_plain(apiserver.resources) == {"limits": {"memory": "3Gi"}}


def test_structs_that_others_made_are_taken_as_they_are() -> None:
    limits = {"memory": k8s.Quantity.from_string("3Gi")}
    apiserver = Apiserver(resources=k8s.ResourceRequirements(limits=limits))
    assert to_plain(apiserver.resources) == {"limits": {"memory": "3Gi"}}


def test_files_of_elasticsearch_merge_over_the_default(loaded: Load) -> None:
    files = loaded("elasticsearch: {esConfig: {log4j2.properties: 'a = b'}}").elasticsearch
    assert files.es_config == {
        "elasticsearch.yml": "xpack.security.enabled: false\n",
        "log4j2.properties": "a = b",
    }


@pytest.mark.parametrize(
    "text",
    [
        "apiserver:",
        "apiserver: {replicaCount: null, image: null}",
        "agentGroups: {agent-group0: null}",
        "elasticsearch: {resources: {limits: {memory: null}}, extraEnvs: null}",
        "clearml: {credentials: {httpSession: null}}",
        "ingress: {annotations: {a: null}}",
    ],
)
def test_null_means_the_default(loaded: Load, text: str) -> None:
    assert loaded(text) == Values()


@pytest.mark.parametrize(
    "text",
    [
        "fileserver: {replicaCount: 2, storage: {data: {accessModes: [ReadWriteMany]}}}",
        "apiserver: {service: {nodePort: 30080}}\nwebserver: {service: {type: ClusterIP}}",
        "apiserver: {service: {nodePort: 0}}\nwebserver: {service: {nodePort: 0}}",
        "apiserver: {service: {nodePort: 30080}}\nwebserver: {service: {nodePort: 30008}}",
        "apiserver: {service: {nodePort: 30000}}\nwebserver: {service: {nodePort: 32767}}",
        "apiserver: {nodeSelector: {example.com/Disk_1: '', a: b}}",
        f"commonLabels: {{{'a' * 63}: {'b' * 63}}}",
        f"release: {{namespace: {'a' * 63}}}",
        "apiserver: {podAnnotations: {Example.com/note: any text at all}}",
        "apiserver: {resources: {requests: {cpu: 900m, memory: 1G}, limits: {cpu: 1, memory: 2G}}}",
        "apiserver: {resources: {requests: {cpu: 0.5}, limits: {nvidia.com/gpu: 1}}}",
        "fileserver: {storage: {data: {class: '', size: 1e3}}}",
        "mongodb: {enabled: false, service: {name: 'db.{{ .Release.Namespace }}.svc'}}",
        "fileserver: {storage: {data: {existingClaim: mine, existingPVC: mine}}}",
        "fileserver: {storage: {data: {accessMode: ReadWriteMany, accessModes: [ReadWriteMany]}}}",
        "global: {imageRegistry: 'localhost:5000/a/b', storageClass: a, defaultStorageClass: a}",
        "imageCredentials: {enabled: true, existingSecret: mine}",
        "imageCredentials: {username: 'a:b', registry: 'https://index.docker.io/v1/'}",
        "mongodb: {provider: helm, replicaCount: 3, persistence: {existingClaim: mine}}",
        "mongodb: {auth: {enabled: true, existingSecret: mine}}",
        "mongodb: {auth: {rootPassword: ''}}",
        "redis: {usePassword: true, password: 'test secret @'}",
        "redis: {provider: external, master: {name: redis.example.com}}",
        "redis: {provider: helm, sentinel: {enabled: true}, master: {command: [redis-server]}}",
        "agentGroups: {a: {agentVersion: '>=1.5, !=1.6', queues: 'a  b'}}",
        "agentGroups: {a: {clearmlApiHost: '', setupScript: '', gitSsh: {existingSecret: ''}}}",
        "agentGroups: {a: {clearmlAccessKey: test-key, clearmlSecretKey: test-secret}}",
        "clearml: {existingSecret: mine}",
        "clearml: {existingSecret: clearml-conf, existingSecretKeys: ''}",
        "apiserver: {additionalConfigs: {services.tasks.conf: 'a: ${NO_VARIABLE}'}}",
        "apiserver: {additionalConfigs: {a.conf: 'include required(file(\"/no/file\"))'}}",
        f"fullnameOverride: {'a' * 34}\nagentGroups: {{agent-group0: {{enabled: false}}}}",
        "elasticsearch: {minimumMasterNodes: 2, replicas: 3}",
        "ingress: {host: example.com}",
        "ingress: {className: nginx}",
        "apiserver: {ingress: {path: /a//b, pathType: ImplementationSpecific}}",
        "gateway: {parentRefs: [{name: front}]}",
        "webserver: {autoscaling: {minReplicas: 2, maxReplicas: 2}}",
        "webserver: {autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 2, "
        "targetCPUUtilizationPercentage: 80}, resources: {requests: {cpu: 1}}}",
        "fileserver: {enabled: false}\nagentGroups: {agent-group0: {clearmlFilesHost: 's3://a'}}\n"
        "agentservices: {enabled: false}",
        "release: {name: r123, namespace: 1-b}",
        # bcrypt of a test password
        "clearml: {fixedUsers: {passHashed: true, users: [{username: a, name: A, password: "
        "JDJiJDEyJE5nVU5vN2kwdW5vL0tKUlN3LzhBeWVyV3ZkSWl6RTVGSURGaGQ4Q3Bqb0ptZ0dqSFV3VGtT}]}}",
    ],
)
def test_accepted(loaded: Load, text: str) -> None:
    assert loaded(text) != Values()


@pytest.mark.parametrize(
    ("quantity", "number"),
    [
        ("2", 2),
        ("500m", 0.5),
        ("1.5k", 1500),
        ("1Ki", 1024),
        ("2E", 2e18),
        ("2e3", 2000),
        ("3n", 3e-9),
    ],
)
def test_quantities_are_compared_by_the_number_that_they_stand_for(
    quantity: str, number: float
) -> None:
    assert float(amount(quantity)) == number


def test_the_check_of_many_fixed_users_takes_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        users = [
            {"username": f"u{n}", "password": "test-secret", "name": "A"} for n in range(count)
        ]
        parsed = FixedUsers.read({"users": users})
        start = time.process_time()
        assert not list(parsed.mistakes())
        return time.process_time() - start

    assert seconds(8000) < 30 * max(seconds(800), 0.001)


def test_configuration_of_the_page_that_is_nested_too_deep_is_a_mistake() -> None:
    files = {"configuration.json": "[" * 100_000}
    with pytest.raises(ValueError, match="is nested too deep"):
        Values.read({"webserver": {"additionalConfigs": files}})


# The models


def test_values_are_frozen() -> None:
    seen = 0
    values = Values()
    sections = [values, *values.agent_groups.values()]
    while sections:
        section = sections.pop()
        for name in type(section).model_fields:
            value = getattr(section, name)
            with pytest.raises(ValidationError, match="frozen"):
                setattr(section, name, value)
            seen += 1
            if isinstance(value, Model):
                sections.append(value)
    assert seen > 155


def test_each_setting_is_described_in_a_sentence() -> None:
    described = {
        setting.path: setting.field.description or ""
        for setting in SETTINGS
        if not setting.is_section
    }
    assert len(described) > 155
    assert {
        path: description
        for path, description in described.items()
        if not re.fullmatch(r"[A-Z]\S* .+\.", description)
    } == {}


def test_each_section_says_what_it_is() -> None:
    assert [
        s.model for s in SETTINGS if not (vars(s.model).get("__doc__") or "").endswith(".")
    ] == []


def test_each_setting_is_spelled_in_camel_case() -> None:
    # What Helm's users have: keywords of Python, abbreviations, and Elasticsearch's own name for a
    # role.
    exceptions = {
        "class_": "class",
        "global_": "global",
        "existing_pvc": "existingPVC",
        "remote_cluster_client": "remote_cluster_client",
        "load_balancer_ip": "loadBalancerIP",
        "external_ips": "externalIPs",
        "target_cpu_utilization_percentage": "targetCPUUtilizationPercentage",
    }
    assert {setting.path[-1]: setting.name for setting in SETTINGS} == {
        exceptions.get(setting.name, to_camel(setting.name)): setting.name for setting in SETTINGS
    }
    assert [s.name for s in SETTINGS if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*_?", s.name)] == []
