"""The password of Redis."""

from constructs import Construct

from clearml_k8s.parts.naming import SecretRef
from clearml_k8s.parts.secret import clear, own_secret
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import PasswordRef
from config.redis import PASSWORD_KEY, Redis

STORE = "redis"


def password(scope: Construct, site: Site, values: Redis) -> PasswordRef | None:
    """Make the Secret `<release>-redis`, or refer to the existing one; None without password.

    A password that the values do not give is left to be made in the cluster.
    """
    if not values.use_password:
        return None
    if values.existing_secret:
        return PasswordRef(SecretRef(values.existing_secret), values.existing_secret_password_key)
    content = {PASSWORD_KEY: clear(values.password)}
    component, name = site.naming.component(STORE), site.release.expand(values.own_secret)
    return PasswordRef(own_secret(scope, component, name, content, site.lacking), PASSWORD_KEY)
