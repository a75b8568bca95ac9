"""Secrets."""

import base64
from collections.abc import Mapping

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import SecretRef, checksum


def secret(
    scope: Construct,
    metadata: k8s.ObjectMeta,
    content: Mapping[str, str],
    *,
    id: str = "secret",
    type: str = "Opaque",
) -> SecretRef:
    """Make a Secret with the content, and hand back the reference to it."""
    k8s.KubeSecret(
        scope,
        id,
        metadata=metadata,
        type=type,
        data={key: base64.b64encode(text.encode()).decode() for key, text in content.items()},
    )
    return SecretRef(str(metadata.name), checksum(content))
