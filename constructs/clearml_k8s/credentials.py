"""Where all ClearML servers and agents take their credentials from: one Secret, or two."""

from collections.abc import Mapping
from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Naming, SecretRef
from clearml_k8s.parts.secret import Lacking, own_secret
from config.clearml import Clearml, Credentials

KEY_LENGTH = 20


class CredentialRefs(NamedTuple):
    """The Secret and the key that each credential has its place in."""

    places: Mapping[str, tuple[SecretRef, str]]

    def key(self, credential: str) -> k8s.EnvVarSource:
        """An environment variable's value: the credential of that name, such as `http_session`."""
        secret, key = self.places[credential]
        return secret.key(key)


def credentials(
    scope: Construct,
    naming: Naming,
    values: Clearml,
    to_make: list[str],
    lacking: list[Lacking],
) -> CredentialRefs:
    """Refer to the existing Secret, and for what it lacks to our own, `<fullname>-conf`.

    Our own holds what the values give; what is `to_make` in it is added to `lacking`. Its keys are
    those of the Helm chart, `http_session` and so on, and three pairs more: the web server's (the
    chart leaves the published one valid), the file server's and the agents'.
    """
    existing = SecretRef(values.existing_secret)
    own = own_secret(
        scope,
        naming.component("credentials"),
        f"{naming.fullname}-conf",
        {**values.given, **dict.fromkeys(to_make)},
        lacking,
        lengths={name: KEY_LENGTH for name in to_make if name.endswith("_key")},
    )
    places = {name: (own, name) for name in Credentials.model_fields}
    places |= {name: (existing, key) for name, key in values.existing_keys.items()}
    return CredentialRefs(places)
