"""Secrets."""

import base64
from collections.abc import Mapping
from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct
from pydantic import SecretStr

from clearml_k8s.parts.contents import SECRET
from clearml_k8s.parts.naming import Component, SecretRef

LENGTH = 50


def secret(
    scope: Construct,
    component: Component,
    content: Mapping[str, str],
    *,
    name: str | None = None,
    id: str = "secret",
    type: str = "Opaque",
) -> SecretRef:
    """Make a Secret with the content, called like the component unless `name` says otherwise.

    Hand back the reference to it.
    """
    metadata = component.metadata(name)
    component.common.contents.add(SECRET, str(metadata.name), content)
    k8s.KubeSecret(
        scope,
        id,
        metadata=metadata,
        type=type,
        data={key: base64.b64encode(text.encode()).decode() for key, text in content.items()},
    )
    return SecretRef(str(metadata.name))


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
    component: Component,
    name: str,
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
        lacking.append(Lacking(component.metadata(name), missing, whole=not given))
    return secret(scope, component, given, name=name) if given else SecretRef(name)
