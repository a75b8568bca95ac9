"""An Elasticsearch that somebody else runs."""

from constructs import Construct

from clearml_k8s.parts.naming import SecretRef
from clearml_k8s.parts.secret import secret
from clearml_k8s.stores import Site
from clearml_k8s.stores.address import (
    CaFile,
    ElasticsearchAddress,
    ElasticsearchHosts,
    PasswordRef,
    StoreAddress,
)
from config.elasticsearch import Elasticsearch, ElasticsearchExternal

STORE = "elasticsearch"


def provide(scope: Construct, site: Site, values: Elasticsearch) -> StoreAddress:
    """Make the Secret `<release>-elasticsearch` for a password or certificate of the values."""
    external = values.external
    if not external.hosts:
        cluster = site.release.expand(values.cluster_name)
        return ElasticsearchAddress(f"{cluster}-master", values.http_port)
    made = _secret(scope, site, external)
    user, ca = external.username, external.ca
    return ElasticsearchHosts(
        external.urls,
        user,
        PasswordRef(_source(external.existing_secret, made), external.password_key)
        if user
        else None,
        CaFile(_source(ca.existing_secret, made), ca.key) if ca.is_given else None,
        external.verify_certs,
        site.generation.elasticsearch_args,
    )


def _secret(scope: Construct, site: Site, external: ElasticsearchExternal) -> SecretRef | None:
    content = {}
    if external.password:
        content[external.password_key] = external.password.get_secret_value()
    if external.ca.certificate:
        content[external.ca.key] = external.ca.certificate
    if not content:
        return None
    name = f"{site.naming.release}-{STORE}"
    return secret(scope, site.naming.component(STORE), content, name=name)


def _source(existing: str, made: SecretRef | None) -> SecretRef:
    """The user's Secret, or the one that is made."""
    return SecretRef(existing) if existing or made is None else made
