"""The `externalServices` of later ClearML charts, which name stores outside the installation."""

import json
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError

from config.elasticsearch import ElasticsearchExternal
from config.error import shape
from config.types.kubernetes import Port
from config.types.merging import merge
from config.types.model import Mistake, Model, did_you_mean, refuse
from config.types.scalars import OneLine, Secret

# What elasticsearch-py, 7 or 8, takes of a host and `elasticsearch.external` has a place for.
HOST_KEYS = {
    "host",
    "port",
    "scheme",
    "use_ssl",
    "url_prefix",
    "path_prefix",
    "http_auth",
    "verify_certs",
}


def _host_list(text: str) -> list[dict[str, Any]]:
    try:
        hosts = json.loads(text)
    except (ValueError, RecursionError):
        hosts = None
    fitting = isinstance(hosts, list) and all(
        isinstance(host, dict) and isinstance(host.get("host"), str) for host in hosts
    )
    if not hosts or not fitting:
        raise ValueError('must be a JSON list such as [{"host": "es", "port": 9200}]')
    return list(hosts)


def elasticsearch_external(text: str) -> dict[str, Any]:
    """The section `elasticsearch.external` that says the same as a JSON list of hosts.

    Raises ValueError, in words that follow on the value's name and show no secret.
    """
    hosts = _host_list(text)
    if any("ca_certs" in host for host in hosts):
        raise ValueError("has ca_certs, a file in the pod: use elasticsearch.external.ca instead")
    for host in hosts:
        for key in host.keys() - HOST_KEYS:
            raise ValueError(f"has an unknown key, {shape(key)}{did_you_mean(key, HOST_KEYS)}")
    username, password = _same("http_auth", map(_login, hosts))
    said = {
        "hosts": [_url(host) for host in hosts],
        "username": username,
        "password": password,
        "verifyCerts": _same("verify_certs", (host.get("verify_certs") for host in hosts)),
    }
    section = merge({}, said)
    try:
        ElasticsearchExternal.read(section)
    except ValidationError as error:
        mistake = error.errors(include_input=False, include_context=False)[0]
        part = ".".join(map(str, mistake["loc"]))
        raise ValueError(f"has a {part} that {mistake['msg'].removeprefix('Input ')}") from None
    return section


def _same(key: str, values: Iterable[Any]) -> Any:
    """What all hosts say."""
    first, *others = values
    if any(other != first for other in others):
        raise ValueError(f"must have the same {key} for each host")
    return first


def _login(host: dict[str, Any]) -> tuple[str | None, str | None]:
    given = host.get("http_auth")
    parts = given.split(":", 1) if isinstance(given, str) else given
    if not parts:
        return None, None
    if not isinstance(parts, list) or [type(part) for part in parts] != [str, str]:
        raise ValueError('must have an http_auth such as "user:password"')
    return parts[0], parts[1]


def _url(host: dict[str, Any]) -> str:
    scheme = host.get("scheme") or ("https" if host.get("use_ssl") else "http")
    if host.get("use_ssl", scheme == "https") is not (scheme == "https"):
        raise ValueError("has a host whose scheme and use_ssl say different things")
    prefix = str(host.get("url_prefix") or host.get("path_prefix") or "").strip("/")
    return f"{scheme}://{host['host']}:{host.get('port', 9200)}{'/' if prefix else ''}{prefix}"


def _checked(text: SecretStr) -> SecretStr:
    # No more than that: what stands there while the store is not external is an example.
    if text.get_secret_value():
        _host_list(text.get_secret_value())
    return text


class ExternalServices(Model):
    """Stores of your own in the words of later charts; each counts if its store is external."""

    redis_host: OneLine | None = Field(
        default=None, description="The same as `redis.master.name` with `redis.enabled: false`."
    )
    redis_port: Port | None = Field(default=None, description="The same as `redis.master.port`.")
    mongodb_host: OneLine | None = Field(
        default=None,
        description="The same as `mongodb.service.name` with `mongodb.enabled: false`.",
    )
    mongodb_port: Port | None = Field(
        default=None, description="The same as `mongodb.service.port`."
    )
    mongodb_connection_string_backend: Secret | None = Field(
        default=None, description="The same as `mongodb.external.backend`."
    )
    mongodb_connection_string_auth: Secret | None = Field(
        default=None, description="The same as `mongodb.external.auth`."
    )
    elasticsearch_host: OneLine | None = Field(
        default=None, description="Host of an Elasticsearch with `elasticsearch.enabled: false`."
    )
    elasticsearch_port: Port | None = Field(
        default=None, description="Port of that Elasticsearch, 9200 if it is left out."
    )
    elasticsearch_connection_string: Annotated[Secret, AfterValidator(_checked)] | None = Field(
        default=None,
        description="The same as `elasticsearch.external`: a JSON list of hosts, with their user "
        "and password in `http_auth`.",
    )


def translated(values: dict[str, Any]) -> dict[str, Any]:
    """The values with `externalServices` spelled as the sections of the stores spell it.

    Raises ValidationError for a list of hosts that cannot be spelled so.
    """
    given = values.get("externalServices")
    if not isinstance(given, dict):
        return values
    for store, section in (("redis", _redis), ("mongodb", _mongodb), ("elasticsearch", _search)):
        theirs = values.get(store, {})
        if isinstance(theirs, dict) and _is_external(theirs):
            values = values | {store: merge(merge({}, section(given)), theirs)}
    return values


def _is_external(store: dict[str, Any]) -> bool:
    disabled = str(store.get("enabled", True)).lower() == "false"
    return disabled or store.get("provider") == "external"


def _redis(given: dict[str, Any]) -> dict[str, Any]:
    return {"master": {"name": given.get("redisHost"), "port": given.get("redisPort")}}


def _mongodb(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "service": {"name": given.get("mongodbHost"), "port": given.get("mongodbPort")},
        "external": {
            "backend": given.get("mongodbConnectionStringBackend"),
            "auth": given.get("mongodbConnectionStringAuth"),
        },
    }


def _search(given: dict[str, Any]) -> dict[str, Any]:
    if "elasticsearchHost" in given:
        host, port = given["elasticsearchHost"], given.get("elasticsearchPort", 9200)
        return {"external": {"hosts": [f"{host}:{port}"]}}
    key = "elasticsearchConnectionString"
    text = given.get(key)
    if not text or not isinstance(text, str):
        return {}
    try:
        return {"external": elasticsearch_external(text)}
    except ValueError as error:
        refuse([Mistake(("externalServices", key), str(error))])
    return {}
