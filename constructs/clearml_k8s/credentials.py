"""The Secret that all ClearML servers and agents take their credentials from."""

from constructs import Construct

from clearml_k8s.parts.naming import Naming, SecretRef
from clearml_k8s.parts.secret import secret
from config.clearml import Clearml, Credentials


def credentials(scope: Construct, naming: Naming, values: Clearml) -> SecretRef:
    """Make the Secret `<fullname>-conf`, or refer to the existing one.

    Its keys are those of the Helm chart, `http_session` and so on, and two pairs more: the web
    server's (the chart leaves the published one valid) and the agents'.
    """
    if values.existing_secret:
        return SecretRef(values.existing_secret)
    content = {
        name: getattr(values.credentials, name).get_secret_value()
        for name in Credentials.model_fields
    }
    metadata = naming.component("credentials").metadata(f"{naming.fullname}-conf")
    return secret(scope, metadata, content)
