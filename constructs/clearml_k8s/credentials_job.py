"""The Job that makes what Secrets lack, in the cluster, so that nobody knows it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.container import Container, unprivileged
from clearml_k8s.parts.naming import Component, Naming
from clearml_k8s.parts.need import ANYWHERE
from clearml_k8s.parts.secret import Lacking
from clearml_k8s.parts.traits import account_name, service_account
from clearml_k8s.parts.workload import Placed, Workload, job, run_as
from clearml_k8s.programs import text_of
from config.credentials_job import CredentialsJob
from config.image import PulledImage
from config.release import KEPT

COMPONENT = "credentials"
USER = 10001
ACCOUNT = "account"
ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"
PATIENCE = 300
RBAC = "rbac.authorization.k8s.io"
# What it makes is not for those who look for objects of the manifests.
MANAGED_BY = {"app.kubernetes.io/managed-by": "clearml-credentials"}
# Argo CD takes an object with the label of its Application for one of that Application.
UNASKED = {"argocd.argoproj.io/compare-options": "IgnoreExtraneous"}


def credentials_job(
    scope: Construct,
    naming: Naming,
    values: CredentialsJob,
    image: PulledImage,
    lacking: Sequence[Lacking],
) -> Placed:
    """Make the Job `<fullname>-credentials-<digest>`, and its ServiceAccount, Role and RoleBinding.

    It may read, make and change the Secrets that lack something, and nothing else. A key that is
    there it never changes, so it may run again at any time.
    """
    component = naming.component(COMPONENT)
    # Before the Job, whose first pod would find no account and no rights.
    service_account(scope, component, values.service_account)
    _rights(scope, component, values, [str(each.metadata.name) for each in lacking])
    settings = {
        "account": ACCOUNT_DIR,
        "patience": PATIENCE,
        "secrets": {str(each.metadata.name): _wanted(each) for each in lacking},
    }
    workload = Workload(
        component=component,
        main=Container(
            name=COMPONENT,
            image=image,
            command=["python3", "-c", text_of("make_credentials.py")],
            args=[json.dumps(settings, sort_keys=True)],
            security_context=unprivileged(read_only=True),
            mounts=[k8s.VolumeMount(name=ACCOUNT, mount_path=ACCOUNT_DIR, read_only=True)],
        ),
        volumes=[_account()],
        peers=[ANYWHERE],  # nobody here knows where the API server is
        security_context=run_as(USER),
    )
    return job(scope, workload, values)


def _account() -> k8s.Volume:
    """Token, CA and namespace, as all pods get them that are to have a token."""
    namespace = k8s.DownwardApiVolumeFile(
        path="namespace",
        field_ref=k8s.ObjectFieldSelector(api_version="v1", field_path="metadata.namespace"),
    )
    authority = k8s.ConfigMapProjection(
        name="kube-root-ca.crt", items=[k8s.KeyToPath(key="ca.crt", path="ca.crt")]
    )
    sources = [
        k8s.VolumeProjection(
            service_account_token=k8s.ServiceAccountTokenProjection(
                path="token", expiration_seconds=3600
            )
        ),
        k8s.VolumeProjection(config_map=authority),
        k8s.VolumeProjection(downward_api=k8s.DownwardApiProjection(items=[namespace])),
    ]
    return k8s.Volume(name=ACCOUNT, projected=k8s.ProjectedVolumeSource(sources=sources))


def _wanted(lacking: Lacking) -> Mapping[str, Any]:
    metadata = lacking.metadata
    return {
        "lengths": lacking.lengths,
        "labels": {**(metadata.labels or {}), **MANAGED_BY},
        "annotations": {**KEPT, **UNASKED, **(metadata.annotations or {})},
        "whole": lacking.whole,
    }


def _rights(
    scope: Construct, component: Component, values: CredentialsJob, secrets: Sequence[str]
) -> None:
    k8s.KubeRole(
        scope,
        f"{component.name}-role",
        metadata=component.metadata(),
        rules=[
            k8s.PolicyRule(
                api_groups=[""],
                resources=["secrets"],
                resource_names=list(secrets),
                verbs=["get", "create", "patch"],
            )
        ],
    )
    account = account_name(component, values.service_account)
    k8s.KubeRoleBinding(
        scope,
        f"{component.name}-role-binding",
        metadata=component.metadata(),
        role_ref=k8s.RoleRef(api_group=RBAC, kind="Role", name=component.name),
        subjects=[k8s.Subject(kind="ServiceAccount", name=str(account))],
    )
