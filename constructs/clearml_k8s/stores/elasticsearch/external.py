"""An Elasticsearch that somebody else runs."""

from constructs import Construct

from clearml_k8s.parts.naming import SecretRef
from clearml_k8s.parts.secret import secret
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import (
    ElasticsearchAddress,
    ElasticsearchHosts,
    PasswordRef,
    StoreAddress,
)
from config.elasticsearch import Elasticsearch, ElasticsearchExternal

STORE = "elasticsearch"


def provide(scope: Construct, site: Site, values: Elasticsearch) -> StoreAddress:
    """Make the Secret `<release>-elasticsearch` for a password of the values."""
    external = values.external
    if external.hosts:
        password = _password(scope, site, external)
        return ElasticsearchHosts(external.urls, external.username, password)
    cluster = site.release.expand(values.cluster_name)
    return ElasticsearchAddress(f"{cluster}-master", values.http_port)


def _password(scope: Construct, site: Site, external: ElasticsearchExternal) -> PasswordRef | None:
    if external.password:
        content = {external.password_key: external.password.get_secret_value()}
        metadata = site.naming.component(STORE).metadata(f"{site.naming.release}-{STORE}")
        return PasswordRef(secret(scope, metadata, content), external.password_key)
    if external.existing_secret:
        return PasswordRef(SecretRef(external.existing_secret), external.password_key)
    return None
