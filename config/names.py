"""Names that are put together from several values, and what Kubernetes would not take of them."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from config.addresses import PARTS
from config.agent_groups import DEFAULT_GROUP
from config.backup import asked_for
from config.error import shortened
from config.types.kubernetes import SERVICE_LABEL
from config.types.model import Mistake

if TYPE_CHECKING:
    from config.values import Values

Path = tuple[str, ...]

# The controller adds a hash of 11 characters to the name, and the result becomes a label value.
LONGEST_WORKLOAD_NAME = 52
# As the label `app.kubernetes.io/instance`.
LONGEST_INSTANCE = 63


def mistakes(values: "Values") -> Iterator[Mistake]:
    """Too long names of workloads, those that no Service may have, and those used twice."""
    general = [*_too_long(_names(values)), *_services(values), *_secrets(values)]
    yield from general or _too_long(_group_names(values))


def _too_long(names: Iterator[tuple[Path, str, str, int]]) -> Iterator[Mistake]:
    """One mistake for each value that is to blame for a name beyond its limit."""
    blamed: set[Path] = set()
    for path, given, name, limit in names:
        if len(name) > limit and path not in blamed:
            blamed.add(path)
            yield Mistake(
                path, f"is too long: {shortened(name)} has more than {limit} characters", given
            )


def _names(values: "Values") -> Iterator[tuple[Path, str, str, int]]:
    """Value to blame, what it says, the name that comes of it, and how long that may be."""
    origin, release = _origins(values)
    yield *origin, f"{values.fullname}-agentservices", LONGEST_WORKLOAD_NAME
    yield *release, f"{values.release.name}-agentservices", LONGEST_INSTANCE
    if values.async_delete:
        yield *origin, f"{values.fullname}-apiserver-asyncdelete", LONGEST_WORKLOAD_NAME
        yield *release, f"{values.release.name}-apiserver-asyncdelete", LONGEST_INSTANCE
    for kind, name in asked_for(values):
        # Of a Job too, whose name a digest is added to.
        yield *origin, f"{values.fullname}-{kind}-{name}", LONGEST_WORKLOAD_NAME
        yield *release, f"{values.release.name}-{kind}-{name}", LONGEST_INSTANCE
    if values.mongodb.source == "embedded":
        yield *release, f"{values.release.name}-mongodb", LONGEST_WORKLOAD_NAME
    if values.redis.source == "embedded":
        yield *release, f"{values.release.name}-redis-master", LONGEST_WORKLOAD_NAME
    search = values.elasticsearch
    if search.source == "embedded":
        if "cluster_name" in search.model_fields_set:
            origin = ("elasticsearch", "clusterName"), search.cluster_name
        else:
            origin = release
        name = values.release.expand(search.cluster_name)
        yield *origin, f"{name}-master", LONGEST_WORKLOAD_NAME


def _group_names(values: "Values") -> Iterator[tuple[Path, str, str, int]]:
    for key, group in values.agent_groups.items():
        if group.enabled:
            origin: tuple[Path, str] = ("agentGroups", key, "name"), group.name
            release = origin
            if key == group.name == DEFAULT_GROUP:  # a name that nobody wrote
                origin, release = _origins(values)
            yield *origin, f"{values.fullname}-{group.name}-agent", LONGEST_WORKLOAD_NAME
            yield *release, f"{values.release.name}-{group.name}-agent", LONGEST_INSTANCE


def _origins(values: "Values") -> tuple[tuple[Path, str], tuple[Path, str]]:
    """What the names of most objects start from, and the release: the values and what they say."""
    release: tuple[Path, str] = ("release", "name"), values.release.name
    overrides = {
        "fullnameOverride": values.fullname_override,
        "nameOverride": values.name_override,
    }
    return next((((key,), given) for key, given in overrides.items() if given), release), release


def _services(values: "Values") -> Iterator[Mistake]:
    """Names of the stores' Services that cannot be one, or are that of another Service."""
    release = values.release
    given = {
        ("mongodb", "service", "name"): values.mongodb.service.name,
        ("redis", "master", "name"): values.redis.master.name,
        ("elasticsearch", "clusterName"): f"{values.elasticsearch.cluster_name}-master",
    }
    taken = {f"{values.fullname}-{server}" for server in PARTS if values.has(server)}
    taken |= {f"{release.name}-{pods}-headless" for pods in ("mongodb", "redis-master")}
    taken.add(f"{release.name}-redis-slave")
    for path, template in given.items():
        name = release.expand(template)
        if values.stores[path[0]].source != "embedded":
            continue
        if not re.fullmatch(SERVICE_LABEL, name):
            yield Mistake(path, f"{shortened(name)} cannot be the name of a Service", template)
        elif name in taken:
            yield Mistake(path, f"{shortened(name)} is the name of another Service too", template)
        taken |= {name, f"{name}-headless"} if path[0] == "elasticsearch" else {name}


def _secrets(values: "Values") -> Iterator[Mistake]:
    """The existing Secret with credentials, where it has the name of ours with the others."""
    clearml = values.clearml
    name = clearml.existing_secret
    if name == f"{values.fullname}-conf" and (clearml.given or values.lacking_credentials):
        message = "is the name of the Secret with what it lacks too; copy it under another name"
        yield Mistake(("clearml", "existingSecret"), message, name)
