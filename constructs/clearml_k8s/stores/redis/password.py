"""The password of Redis."""

from constructs import Construct

from clearml_k8s.parts.naming import SecretRef
from clearml_k8s.parts.secret import secret
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import PasswordRef
from config.redis import Redis

STORE = "redis"
PASSWORD_KEY = "redis-password"


def password(scope: Construct, site: Site, values: Redis) -> PasswordRef | None:
    """Make the Secret `<release>-redis`, or refer to the existing one; None without password."""
    if not values.use_password:
        return None
    if values.password is None or values.existing_secret:
        return PasswordRef(SecretRef(values.existing_secret), values.existing_secret_password_key)
    content = {PASSWORD_KEY: values.password.get_secret_value()}
    metadata = site.naming.component(STORE).metadata(f"{site.naming.release}-{STORE}")
    return PasswordRef(secret(scope, metadata, content), PASSWORD_KEY)
