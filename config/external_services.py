"""The `externalServices` of later ClearML charts, which name stores outside the installation."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from config.types.kubernetes import Port
from config.types.merging import merge
from config.types.model import Model
from config.types.scalars import OneLine, Secret, Text


def _host_list(text: str) -> str:
    try:
        hosts = json.loads(text)
    except ValueError:
        hosts = None
    if not isinstance(hosts, list) or not all(
        isinstance(host, dict) and isinstance(host.get("host"), str) for host in hosts
    ):
        raise ValueError('must be a JSON list such as [{"host": "es", "port": 9200}]')
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
    elasticsearch_connection_string: Annotated[Text, AfterValidator(_host_list)] | None = Field(
        default=None, description="The same as `elasticsearch.external.hosts`, as a JSON list."
    )


def translated(values: dict[str, Any]) -> dict[str, Any]:
    """The values with `externalServices` spelled as the sections of the stores spell it."""
    given = values.get("externalServices")
    if not isinstance(given, dict):
        return values
    sections = {
        "redis": {"master": {"name": given.get("redisHost"), "port": given.get("redisPort")}},
        "mongodb": {
            "service": {"name": given.get("mongodbHost"), "port": given.get("mongodbPort")},
            "external": {
                "backend": given.get("mongodbConnectionStringBackend"),
                "auth": given.get("mongodbConnectionStringAuth"),
            },
        },
        "elasticsearch": {"external": {"hosts": _urls(given)}},
    }
    for store, section in sections.items():
        theirs = values.get(store, {})
        if isinstance(theirs, dict) and _is_external(theirs):
            values = values | {store: merge(merge({}, section), theirs)}
    return values


def _is_external(store: dict[str, Any]) -> bool:
    disabled = str(store.get("enabled", True)).lower() == "false"
    return disabled or store.get("provider") == "external"


def _urls(given: dict[str, Any]) -> list[str] | None:
    if "elasticsearchHost" in given:
        return [f"{given['elasticsearchHost']}:{given.get('elasticsearchPort', 9200)}"]
    try:
        hosts = json.loads(given.get("elasticsearchConnectionString") or "null")
        return hosts and [
            f"{host.get('scheme') or 'http'}://{host['host']}:{host.get('port', 9200)}"
            for host in hosts
        ]
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
