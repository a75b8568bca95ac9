"""The password of MongoDB's user `root`."""

from constructs import Construct

from clearml_k8s.parts.naming import Component, SecretRef
from clearml_k8s.parts.secret import clear, own_secret
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import PasswordRef
from config.mongodb import PASSWORD_KEY, SET_KEY, Mongodb

STORE = "mongodb"


def component_of(site: Site) -> Component:
    """`<release>-mongodb`."""
    return site.naming.store(STORE, STORE, f"{site.naming.release}-{STORE}")


def password(scope: Construct, site: Site, values: Mongodb) -> PasswordRef | None:
    """Make the Secret `<release>-mongodb`, or refer to the existing one; None without password.

    The key that the members of a replica set know each other by is in it too. What the values do
    not give of the two is left to be made in the cluster.
    """
    auth = values.auth
    if not auth.enabled:
        return None
    if auth.existing_secret:
        return PasswordRef(SecretRef(auth.existing_secret), auth.existing_secret_key)
    content = {PASSWORD_KEY: clear(auth.root_password)}
    if "auth.replicaSetKey" in values.lacking or auth.replica_set_key:
        content[SET_KEY] = clear(auth.replica_set_key)
    name = site.release.expand(values.own_secret)
    own = own_secret(scope, component_of(site), name, content, site.lacking)
    return PasswordRef(own, PASSWORD_KEY)
