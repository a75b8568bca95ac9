"""How later ClearML charts name an Elasticsearch outside the installation."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from config.elasticsearch import ElasticsearchExternal
from config.error import shape
from config.types.merging import merge
from config.types.model import did_you_mean

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


def host_list(text: str) -> list[dict[str, Any]]:
    """The hosts of a JSON list; raises ValueError for what is none."""
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
    hosts = host_list(text)
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
