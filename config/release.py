"""The release: what all object names and labels start from."""

import re

from pydantic import Field

from config.types.kubernetes import TEMPLATE_EXPRESSION, DnsLabel, NamePrefix
from config.types.model import Model

CHART_NAME = "clearml"
MANAGED_BY = "cdk8s"
"""The label app.kubernetes.io/managed-by of all that is made here."""
KEPT = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "helm.sh/resource-policy": "keep",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""Annotations that tell those that remove objects by themselves to leave one alone."""
SYNC_WAVE = "argocd.argoproj.io/sync-wave"
"""The annotation that tells Argo CD when to apply an object."""


class Release(Model):
    """Name and namespace of the installation, as `helm install` would take them."""

    name: NamePrefix = Field(
        default="clearml",
        max_length=53,
        description="Name of the installation; names and labels of all objects derive from it.",
    )
    namespace: DnsLabel = Field(
        default="clearml", description="Namespace that all objects are put into."
    )
    create_namespace: bool = Field(
        default=True, description="Whether the Namespace itself is one of the manifests."
    )

    def expand(self, text: str) -> str:
        """Fill in `{{ .Release.Name }}` and `{{ .Release.Namespace }}`."""
        known = {"Name": self.name, "Namespace": self.namespace}
        return re.sub(TEMPLATE_EXPRESSION, lambda found: known[found[1]], text)


def fullname(release: str, name_override: str, fullname_override: str) -> str:
    """Helm's rule for the name that a release's objects start with, 63 characters at most."""
    if fullname_override:
        return _truncated(fullname_override)
    name = name_override or CHART_NAME
    return _truncated(release if name in release else f"{release}-{name}")


def _truncated(name: str) -> str:
    return name[:63].removesuffix("-")
