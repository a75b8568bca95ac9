"""The password of MongoDB's user `root`."""

from constructs import Construct

from clearml_k8s.parts.naming import Component, SecretRef
from clearml_k8s.parts.secret import secret
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import PasswordRef
from config.mongodb import MongodbAuth

STORE = "mongodb"
PASSWORD_KEY = "mongodb-root-password"
KEY = "mongodb-replica-set-key"


def component_of(site: Site) -> Component:
    """`<release>-mongodb`."""
    return site.naming.store(STORE, STORE, f"{site.naming.release}-{STORE}")


def password(scope: Construct, component: Component, auth: MongodbAuth) -> PasswordRef | None:
    """Make the Secret `<release>-mongodb`, or refer to the existing one; None without password.

    The key that the members of a replica set know each other by is in it too.
    """
    if not auth.enabled:
        return None
    if auth.root_password is None or auth.existing_secret:
        return PasswordRef(SecretRef(auth.existing_secret), auth.existing_secret_key)
    content = {PASSWORD_KEY: auth.root_password.get_secret_value()}
    if auth.replica_set_key is not None:
        content[KEY] = auth.replica_set_key.get_secret_value()
    return PasswordRef(secret(scope, component.metadata(), content), PASSWORD_KEY)
