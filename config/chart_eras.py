"""Values of the ClearML charts 4 to 7: what tells them from others, and what goes with them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from config.types.words import Path
from config.upgrade_steps import SERVERS

VERSIONS: Mapping[int, str] = {4: "1.8.0", 5: "1.9.2", 6: "1.10.0", 7: "2.0.0"}
"""The servers that the last release of each of these charts brought, as its preset has them."""

# Keys that values of no other chart have and that are none of ours, with the charts that have
# them: the history of the charts' own values files, and 7.15 as others have published it.
KEYS: Mapping[str, range] = {
    "apiserver.configuration": range(4, 5),
    "secret.existingSecret": range(4, 5),
    "externalServices.mongodbConnectionString": range(5, 6),
    "apiserver.securityContext": range(5, 6),
    "fileserver.securityContext": range(5, 6),
    "enterpriseFeatures": range(5, 7),
    **{
        f"clearml.{key}": range(5, 8)
        for key in (
            *("apiserverKey", "apiserverSecret", "fileserverKey", "fileserverSecret"),
            *("readinessprobeKey", "readinessprobeSecret", "secureAuthTokenSecret"),
            *("testUserKey", "testUserSecret"),
        )
    },
    "apiserver.indexReplicas": range(5, 8),
    "apiserver.indexShards": range(5, 8),
    "externalServices.elasticsearchConnectionString": range(5, 8),
    "externalServices.mongodbConnectionStringAuth": range(5, 8),
    "externalServices.mongodbConnectionStringBackend": range(5, 8),
    "fileserver.storage.data.accessMode": range(5, 8),
    "fileserver.storage.data.existingPVC": range(5, 8),
    "redis.architecture": range(6, 8),
    "redis.auth": range(6, 8),
    "redis.replica": range(6, 8),
    **{
        f"{server}.serviceAccount{part}": range(7, 8)
        for server in SERVERS
        for part in ("Name", "Annotations")
    },
    "elasticsearch.rbac": range(7, 8),
    "dragonfly": range(7, 8),
    "externalServices.dragonflyHost": range(7, 8),
    "externalServices.dragonflyPort": range(7, 8),
    "mckMongodb": range(7, 8),
}


class Finding(NamedTuple):
    """The key that tells most of which chart the values are, and what there is to say of it."""

    path: Path
    message: str


def finding(values: Mapping[str, Any]) -> Finding | None:
    """What tells that values are of a chart 4 to 7, and are read as those of an older one.

    None where nothing tells it, or where they say the version of the servers.
    """
    if _has(values, "clearml.version"):
        return None
    found = [key for key in KEYS if _has(values, key) and not _is_imported(values, key)]
    if not found:
        return None
    # The key that most charts lack.
    key = max(found, key=lambda key: (KEYS[key].start, -len(KEYS[key])))
    *others, newest = KEYS[key]
    presets = [f"chart-{chart} (server {VERSIONS[chart]})" for chart in reversed(others)]
    return Finding(
        tuple(key.split(".")),
        f"only values of the chart {' or '.join(map(str, KEYS[key]))} have this key, and without "
        "clearml.version what they leave out is as in the chart 2.0.0-alpha2, with server 1.0.2, "
        f"agents and storage class standard: put config/presets/chart-{newest}.yaml (server "
        f"{VERSIONS[newest]}) in front of them"
        + (f"; of an older chart {' or '.join(presets)}" if presets else ""),
    )


def _is_imported(values: Mapping[str, Any], key: str) -> bool:
    """Whether the key is one of a store that its own Helm chart makes, which has it too."""
    section = values[key.split(".")[0]]
    return isinstance(section, dict) and section.get("provider") == "helm"


def _has(values: Any, key: str) -> bool:
    """Whether anything but null stands there."""
    for step in key.split("."):
        if not isinstance(values, dict) or step not in values:
            return False
        values = values[step]
    return _says_something(values)


def _says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    return value is not None
