"""The Secret that the kubelet logs in with to a private image registry."""

import base64
import json

from constructs import Construct

from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.secret import secret
from config.image import DOCKER_HUB
from config.image_credentials import ImageCredentials

KEY = ".dockerconfigjson"


def registry_key(scope: Construct, naming: Naming, values: ImageCredentials) -> list[str]:
    """Make the Secret `<fullname>-registry-key`, or refer to the existing one; its name, if any."""
    if not values.enabled:
        return []
    if values.existing_secret:
        return [values.existing_secret]
    password = values.password.get_secret_value() if values.password else ""
    login = {
        "username": values.username,
        "password": password,
        "email": values.email,
        "auth": base64.b64encode(f"{values.username}:{password}".encode()).decode(),
    }
    registry = values.registry or naming.common.image_registry or DOCKER_HUB
    made = secret(
        scope,
        naming.component("registry-key"),
        {KEY: json.dumps({"auths": {registry: login}})},
        id="registry-key",
        type="kubernetes.io/dockerconfigjson",
    )
    return [made.name]
