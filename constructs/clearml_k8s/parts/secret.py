"""Secrets."""

import base64
from collections.abc import Mapping
from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct
from pydantic import SecretStr

from clearml_k8s.parts.naming import SecretRef, checksum

LENGTH = 50


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


def clear(given: SecretStr | None) -> str | None:
    """What the values give, in clear text."""
    return given.get_secret_value() if given else None


class Lacking(NamedTuple):
    """What a Secret lacks, and is to be made in the cluster: keys, and lengths of the texts.

    The Secret is `whole` if all that it holds is made there: no manifest has it then.
    """

    metadata: k8s.ObjectMeta
    lengths: Mapping[str, int]
    whole: bool


def own_secret(
    scope: Construct,
    metadata: k8s.ObjectMeta,
    content: Mapping[str, str | None],
    lacking: list[Lacking],
    *,
    lengths: Mapping[str, int] | None = None,
) -> SecretRef:
    """Make a Secret with what is given of the content, and hand back the reference to it.

    What is None is added to `lacking`; it has 50 characters unless `lengths` say.
    """
    given = {key: text for key, text in content.items() if text is not None}
    missing = {key: (lengths or {}).get(key, LENGTH) for key in content if key not in given}
    if missing:
        lacking.append(Lacking(metadata, missing, whole=not given))
    return secret(scope, metadata, given) if given else SecretRef(str(metadata.name))
