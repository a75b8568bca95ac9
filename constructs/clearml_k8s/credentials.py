"""Where all ClearML servers and agents take their credentials from: one Secret, or two."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Naming, SecretRef
from clearml_k8s.parts.secret import secret
from config.clearml import Clearml, Credentials


@dataclass(frozen=True, kw_only=True)
class CredentialRefs:
    """The Secret and the key that each credential has its place in."""

    places: Mapping[str, tuple[SecretRef, str]]
    checksum: str | None
    """Digest of those credentials that this program knows."""

    def key(self, credential: str) -> k8s.EnvVarSource:
        """An environment variable's value: the credential of that name, such as `http_session`."""
        secret, key = self.places[credential]
        return secret.key(key)


def credentials(scope: Construct, naming: Naming, values: Clearml) -> CredentialRefs:
    """Refer to the existing Secret, and make `<fullname>-conf` with the credentials it lacks.

    The keys of our own are those of the Helm chart, `http_session` and so on, and two pairs more:
    the web server's (the chart leaves the published one valid) and the agents'.
    """
    existing = SecretRef(values.existing_secret)
    places: dict[str, tuple[SecretRef, str]] = {}
    content: dict[str, str] = {}
    for name, field in Credentials.model_fields.items():
        if key := values.existing_keys.get(str(field.alias)):
            places[name] = existing, key
        else:
            content[name] = getattr(values.credentials, name).get_secret_value()
    if not content:
        return CredentialRefs(places=places, checksum=None)
    metadata = naming.component("credentials").metadata(f"{naming.fullname}-conf")
    own = secret(scope, metadata, content)
    places |= {name: (own, name) for name in content}
    return CredentialRefs(places=places, checksum=own.checksum)
