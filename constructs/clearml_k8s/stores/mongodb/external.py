"""A MongoDB that somebody else runs."""

from constructs import Construct

from clearml_k8s.parts.naming import Address, Component, SecretRef
from clearml_k8s.parts.secret import secret
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import MongodbAddress, MongodbConnection, StoreAddress
from clearml_k8s.stores.mongodb.password import component_of, password
from config.mongodb import Mongodb, MongodbExternal


def provide(scope: Construct, site: Site, values: Mongodb) -> StoreAddress:
    """Make the Secret `<release>-mongodb` for a password or connection strings of the values."""
    component = component_of(site)
    if values.external.has_urls:
        return _connection(scope, component, values.external)
    address = Address(site.release.expand(values.service.name), values.service.port)
    return MongodbAddress([address], password(scope, site, values))


def _connection(
    scope: Construct, component: Component, external: MongodbExternal
) -> MongodbConnection:
    if external.backend is None or external.auth is None:
        urls = SecretRef(external.existing_secret)
    else:
        content = {
            external.backend_key: external.backend.get_secret_value(),
            external.auth_key: external.auth.get_secret_value(),
        }
        urls = secret(scope, component, content)
    return MongodbConnection(urls, external.backend_key, external.auth_key)
