"""Secrets."""

import base64
from collections.abc import Mapping

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Naming, SecretRef, checksum


def secret(
    scope: Construct, naming: Naming, component: str, name: str, content: Mapping[str, str]
) -> SecretRef:
    """Make the Secret `name` with the content, and hand back the reference to it."""
    k8s.KubeSecret(
        scope,
        "secret",
        metadata=naming.metadata(component, name),
        type="Opaque",
        data={key: base64.b64encode(text.encode()).decode() for key, text in content.items()},
    )
    return SecretRef(name, checksum(content))
