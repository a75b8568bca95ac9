"""The installations that snapshots pin and that whole-bundle tests look through."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from config.types.merging import merge

# Everything secret in the scenarios says that it is a secret of a test.
SECRET_MARK = "test-secret"

# Looks like one, and is none.
CERTIFICATE = "-----BEGIN CERTIFICATE-----\ndGVzdA==\n-----END CERTIFICATE-----\n"

STORES = ("mongodb", "redis", "elasticsearch")

OUTSIDE_STORES: dict[str, Any] = {
    "mongodb": {
        "enabled": False,
        "service": {"name": "mongo.db.svc.cluster.local", "port": 27018},
    },
    "redis": {"enabled": False, "master": {"name": "redis.example.com", "port": 6380}},
    "elasticsearch": {"enabled": False, "clusterName": "search", "httpPort": 9201},
}

AUTHENTICATION: dict[str, Any] = {
    "mongodb": {"auth": {"enabled": True, "rootPassword": "test-secret-mongodb"}},
    "redis": {"usePassword": True, "password": "test-secret-redis"},
    "clearml": {
        "credentials": {
            "httpSession": "test-secret-http-session",
            "authToken": "test-secret-auth-token",
            "apiserverKey": "test-secret-apiserver-key",
            "apiserverSecret": "test-secret-apiserver-secret",
            "webserverKey": "test-secret-webserver-key",
            "webserverSecret": "test-secret-webserver-secret",
            "testsUserKey": "test-secret-tests-user-key",
            "testsUserSecret": "test-secret-tests-user-secret",
            "servicesAgentKey": "test-secret-services-agent-key",
            "servicesAgentSecret": "test-secret-services-agent-secret",
        },
        "fixedUsers": {
            "enabled": True,
            "users": [
                {"username": "jane", "password": "test-secret-jane", "name": "Jane Doe"},
                {"username": "joe", "password": 'test-secret-"joe"', "name": "Joe\u2019s account"},
            ],
        },
    },
    "agentservices": {
        "clearmlGitUser": "test-secret-git-user",
        "clearmlGitPassword": "test-secret-git-password",
        "awsAccessKeyId": "test-secret-aws-key-id",
        "awsSecretAccessKey": "test-secret-aws-key",
        "azureStorageAccount": "test-secret-azure-account",
        "azureStorageKey": "test-secret-azure-key",
        "googleCredentials": '{"private_key": "test-secret-google"}',
    },
    "agentGroups": {
        "agent-group0": {
            "clearmlAccessKey": "test-secret-group-access-key",
            "clearmlSecretKey": "test-secret-group-secret-key",
            "clearmlGitUser": "test-secret-group-git-user",
            "clearmlGitPassword": "test-secret-group-git-password",
            "awsAccessKeyId": "test-secret-group-aws-key-id",
            "awsSecretAccessKey": "test-secret-group-aws-key",
            "azureStorageAccount": "test-secret-group-azure-account",
            "azureStorageKey": "test-secret-group-azure-key",
            "clearmlConfig": 'sdk.aws.s3.secret: "test-secret-group-config"',
        }
    },
}

EXTERNAL_SERVICES: dict[str, Any] = {
    "mongodb": {
        "provider": "external",
        "external": {
            "backend": "mongodb+srv://clearml:test-secret-1@cluster0.example.net/backend?w=majority",
            "auth": "mongodb+srv://clearml:test-secret-1@cluster0.example.net/auth?w=majority",
        },
    },
    "redis": {
        "provider": "external",
        "master": {"name": "redis.example.net", "port": 6380},
        "usePassword": True,
        "existingSecret": "managed-redis",
        "existingSecretPasswordKey": "access-key",
        "databaseNumber": 2,
        "external": {"tls": True},
    },
    "elasticsearch": {
        "provider": "external",
        "external": {
            "hosts": ["https://search-0.example.net", "https://search-1.example.net:9243"],
            "username": "clearml",
            "password": "test-secret-elasticsearch",
        },
    },
}

REPLICATED: dict[str, Any] = {
    "mongodb": {
        "architecture": "replicaset",
        "replicaCount": 3,
        "auth": {
            "enabled": True,
            "rootPassword": "test-secret-mongodb",
            # Base64 has no '-'.
            "replicaSetKey": "testsecretreplicasetkey",
        },
    },
    "redis": {
        "usePassword": True,
        "password": "test-secret-redis",
        "cluster": {"enabled": True},
    },
    "elasticsearch": {"replicas": 3},
}

# The scenario of metrics does without the operator.
MONITORED: dict[str, Any] = {
    store: {"metrics": {"enabled": True, "serviceMonitor": {"enabled": True}}} for store in STORES
}

SCENARIOS: Mapping[str, dict[str, Any]] = {
    "default": {},
    "ingress-tls": {
        "apiserver": {"service": {"type": "ClusterIP"}},
        "fileserver": {"service": {"type": "ClusterIP"}},
        "webserver": {"service": {"type": "ClusterIP"}},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "clearml.example.com",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "0"},
            "tls": {"secretName": "clearml-tls"},
        },
    },
    "gateway": {
        "gateway": {
            "enabled": True,
            "parentRefs": [{"name": "front", "sectionName": "https"}],
            "host": "clearml.example.com",
            "tls": {"secretName": "clearml-tls"},
        },
        "certManager": {"issuer": "letsencrypt"},
    },
    "agent-groups": {
        "agentGroups": {
            "agent-group0": {"replicaCount": 2, "nvidiaGpusPerAgent": 2, "queues": "gpu default"},
            "cpu": {
                "replicaCount": 3,
                "nvidiaGpusPerAgent": 0,
                "queues": "cpu",
                "agentVersion": ">=0.16.1,<2",
                "image": {"repository": "python", "tag": "3.11-slim"},
                "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "2Gi"}},
                "extraEnvs": [{"name": "PIP_NO_CACHE_DIR", "value": "1"}],
                "nodeSelector": {"pool": "cpu"},
            },
            "retired": {"enabled": False},
        }
    },
    "outside-stores": OUTSIDE_STORES,
    "no-persistence": {
        "mongodb": {"persistence": {"enabled": False}},
        "redis": {"master": {"persistence": {"enabled": False}}},
        "elasticsearch": {"persistence": {"enabled": False}},
    },
    "authentication": AUTHENTICATION,
    "three-elasticsearch-nodes": {
        "elasticsearch": {
            "replicas": 3,
            "minimumMasterNodes": 2,
            "sysctlInitContainer": {"enabled": True},
        }
    },
    "external-services": EXTERNAL_SERVICES,
    "metrics": {store: {"metrics": {"enabled": True}} for store in STORES},
    "replicated": REPLICATED,
    "backups": {
        "backup": {
            "mongodb": {"enabled": True},
            "elasticsearch": {"enabled": True},
            "fileserver": {"enabled": True, "schedule": "@weekly"},
        }
    },
    "server-of-today": {
        "clearml": {"version": "2.3.0"},
        "apiserver": {"processes": {"count": 4, "maxRequests": 1000}},
        "backup": {"s3": {"bucket": "clearml-backups", "existingSecret": "bucket"}},
        "restore": {"fileserver": {"backup": "4bba301e"}},
    },
    "surrounded": {
        "networkPolicy": {"enabled": True},
        "apiserver": {
            "resources": {"requests": {"cpu": "500m"}},
            "autoscaling": {
                "enabled": True,
                "minReplicas": 2,
                "maxReplicas": 4,
                "targetCPUUtilizationPercentage": 80,
            },
            "podDisruptionBudget": {"maxUnavailable": 1},
            "serviceAccount": {"create": True},
        },
        "webserver": {
            "service": {
                "type": "LoadBalancer",
                "loadBalancerClass": "example.com/internal",
                "loadBalancerSourceRanges": ["10.0.0.0/8"],
                "externalTrafficPolicy": "Local",
                "sessionAffinity": "ClientIP",
                "sessionAffinityTimeoutSeconds": 600,
            },
        },
        "extraObjects": [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "proxy"},
                "data": {"HTTPS_PROXY": "http://proxy.example.com:3128"},
            }
        ],
    },
}

FOLDER = Path(__file__).parents[1] / "config/presets"
# Each preset by the files that it is, one over the other.
PRESETS: Mapping[str, list[Path]] = {
    str(file.relative_to(FOLDER).with_suffix("")): [file] for file in sorted(FOLDER.rglob("*.yaml"))
} | {"high-availability": [FOLDER / "production.yaml", FOLDER / "high-availability.yaml"]}
NEED_HELM = {"helm-stores"}
WITHOUT_HELM = [name for name in PRESETS if name not in NEED_HELM]

# Secrets and claims that a scenario or preset expects to find in the cluster.
OUTSIDE: Mapping[str, set[tuple[str, str]]] = {
    "ingress-tls": {("Secret", "clearml-tls")},
    "external-services": {("Secret", "managed-redis")},
    "server-of-today": {("Secret", "bucket")},
    "production": {("Secret", "clearml-tls")},
    "high-availability": {("Secret", "clearml-tls")},
    "openshift": {("Secret", "clearml-tls")},
}


def preset(*names: str) -> dict[str, Any]:
    """The values of presets, one over the other."""
    files = [yaml.safe_load(file.read_text("utf-8")) for name in names for file in PRESETS[name]]
    return functools.reduce(merge, files, {})


def installation(name: str) -> dict[str, Any]:
    """The values of a scenario or preset."""
    return preset(name) if name in PRESETS else SCENARIOS[name]
