"""Steps of an upgrade that lose data, or the way back: by versions, wherever they were read.

Values say them (server_version.py), manifests of two syntheses, or a cluster (check_cluster.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from config.generation import Generation, Number, generation_of, number
from config.release import MANAGED_BY

Object = Mapping[str, Any]

SERVERS = ("apiserver", "fileserver", "webserver")
STORES = ("mongodb", "redis", "elasticsearch")
WORKLOADS = ("Deployment", "StatefulSet")
GUIDE = "(docs/upgrading.md)"

# Versions through which data must go; the next one reads no older data.
STOPS: Mapping[str, tuple[Number, ...]] = {
    "mongodb": ((3, 6), (4, 0), (4, 2), (4, 4), (5, 0), (6, 0), (7, 0), (8, 0)),
    "elasticsearch": ((6, 8), (7, 17), (8, 18)),
}
# How many numbers of a version name its line: MongoDB 4.2 and 4.4 differ as 4.4 and 5.0 do.
NUMBERS_OF_LINE = {"elasticsearch": 1}
# It does not start on data of a later patch level either.
GOES_BACK_BY_NO_PATCH = "elasticsearch"
EXACT = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")

# The init container of an Elasticsearch that converts no data unasked.
GUARD = "refuse-older-data"
# On all objects while clearml.allowUnsafeUpgrade is on.
UNSAFE_ALLOWED = "clearml.cdk8s/allow-unsafe-upgrade"
ALLOW = "clearml.allowUnsafeUpgrade"


class Versions(NamedTuple):
    """What tags say of servers and stores; empty where there is none."""

    server: str = ""
    mongodb: str = ""
    redis: str = ""
    elasticsearch: str = ""
    converts_data: bool = False
    """Whether Elasticsearch is asked to convert what a former major version has written."""


def versions_of(
    servers: Generation, version: str = "", stores: Generation | None = None
) -> Versions:
    """The versions of a generation, or of its servers over the stores of another one."""
    stores = stores or servers
    tags = {name: getattr(stores, name).tag for name in STORES}
    return Versions(version or servers.version, **tags)


_1_16, _1_17, _2_0 = (generation_of(since) for since in ((1, 16), (1, 17), (2, 0)))
# Where each preset in config/presets/upgrade/ leads.
PRESETS: Mapping[str, Versions] = {
    "1-server-1.17": versions_of(_1_17, stores=_1_16),
    "2-stores-of-1.17": versions_of(_1_17),
    "3-server-2.0": versions_of(_2_0),
    "4-server-2.3": versions_of(generation_of((2, 3))),
}


def losses(before: Versions, after: Versions) -> Iterator[str]:
    """What an upgrade loses, one line for the servers and for each store, and what to do instead.

    Stores and servers that are not on both sides, or tell no version, are none of its business.
    """
    preset = next_preset(before)
    first = f" (preset {preset} comes first)" if preset else ""
    for name, old, new in _changed(before, after):
        if not number(old) or not number(new):
            continue
        if name == "server":
            yield from _servers(old, new, first)
        else:
            yield from _store(name, old, new, first, converts=after.converts_data)


def untold(before: Versions, after: Versions) -> Iterator[str]:
    """Servers and stores that become others without a word on one version or both."""
    for name, old, new in _changed(before, after):
        if not number(old) or not number(new):
            what = "clearml.version" if name == "server" else name
            yield (
                f"{what}: {old} becomes {new}, and which version that is cannot be told: look "
                f"yourself whether it takes over the data {GUIDE}"
            )


def next_preset(before: Versions) -> str | None:
    """The first step of docs/upgrading.md that leads on from there, and back in nothing."""
    for preset, there in PRESETS.items():
        steps = [
            (line(name, new), line(name, old))
            for name, old, new in _changed(before, there)
            if number(old) and name != "redis"
        ]
        if all(new >= old for new, old in steps) and any(new > old for new, old in steps):
            return f"upgrade/{preset}"
    return None


def _changed(before: Versions, after: Versions) -> Iterator[tuple[str, str, str]]:
    for name in ("server", *STORES):
        old, new = getattr(before, name), getattr(after, name)
        if old and new and old != new:
            yield name, old, new


def _servers(old: str, new: str, first: str) -> Iterator[str]:
    former, now = _number(old), _number(new)
    if now < former:
        yield (
            f"clearml.version: {new} is older than the servers that the data comes from ({old}), "
            f"and may not read it: restore the backup of that time {GUIDE}"
        )
    between: list[str] = []
    step = generation_of(now)
    while step.upgrades_from > former:
        step = generation_of(step.upgrades_from)
        between.insert(0, step.version)
    if between:
        yield (
            f"clearml.version: {new} takes over no data of servers {old}, and may damage "
            f"it{first}: install {' and then '.join(between)} before {GUIDE}"
        )


def _store(name: str, old: str, new: str, first: str, *, converts: bool) -> Iterator[str]:
    its_line = line(name, new)
    reads = f"{name}: {new} reads no data of {old}, and does not start on it"
    if _is_older(name, new, old):
        yield f"{reads}: keep {old}, or restore a backup of {new} {GUIDE}"
    elif any(_number(old) < stop < its_line for stop in STOPS.get(name, ())):
        yield f"{reads}{first}: go one major version at a time {GUIDE}"
    elif name == "elasticsearch" and line(name, old) < its_line and not converts:
        yield (
            f"{name}: {new} converts the data of {old}, which has no way back{first}; it starts on "
            "it only where clearml.upgradingFrom names servers from which this step is right, or "
            f"{ALLOW} is on {GUIDE}"
        )


def _number(version: str) -> Number:
    return number(version) or (0, 0)


def line(name: str, version: str) -> tuple[int, ...]:
    """Return the numbers that tell versions of a store apart: of the others all go together."""
    return _number(version)[: NUMBERS_OF_LINE.get(name, 2)]


def _is_older(name: str, new: str, old: str) -> bool:
    exact = [EXACT.match(version) for version in (new, old)]
    if name == GOES_BACK_BY_NO_PATCH and all(exact):
        this, that = ([*map(int, found.groups())] for found in exact if found)
        return this < that
    return _number(new) < _number(old)


# What manifests and clusters say.


def said_by(workloads: Iterable[Object]) -> Versions:
    """What the images of an installation say: of each kind of container the first counts.

    Takes Deployments and StatefulSets, or pods. Containers are called as their section of the
    values is, here as in the Helm charts of stores; later charts of ClearML put `clearml-` before.
    """
    tags: dict[str, str] = {}
    converts = False
    for workload in workloads:
        pod = pod_of(workload)
        for container in pod.get("containers", ()):
            name = container["name"]
            if name.rpartition("-")[2] in SERVERS:
                name = "server"
            if name in Versions._fields:
                tags.setdefault(name, tag_of(container["image"]))
            if name == "elasticsearch" and _made_here(workload):
                guards = [each["name"] for each in pod.get("initContainers") or ()]
                converts = GUARD not in guards
    return Versions(**tags, converts_data=converts)


def alike(workloads: Iterable[Object], others: Iterable[Object]) -> list[Object]:
    """Those of the workloads whose name one of the others has, whatever its kind."""
    names = {place(other) for other in others if other["kind"] in WORKLOADS}
    return [each for each in workloads if each["kind"] in WORKLOADS and place(each) in names]


def moves(before: Collection[Object], after: Collection[Object]) -> Iterator[str]:
    """Stores that their Helm chart made and now this program, or the other way round."""
    made_here = {(place(each), name): _made_here(each) for each in before for name in _stores(each)}
    for each in after:
        for name in _stores(each):
            here = _made_here(each)
            if made_here.get((place(each), name), here) != here:
                old, new = ("a Helm chart", "this program")[:: 1 if here else -1]
                yield (
                    f"{name}: was made by {old} and is to be made by {new}, which may not find or "
                    "read the data that is there: dump and restore it (docs/migration.md)"
                )


def is_allowed(objects: Iterable[Object]) -> bool:
    """Whether the values of these manifests let steps pass that lose data."""
    return any(UNSAFE_ALLOWED in (each["metadata"].get("annotations") or {}) for each in objects)


def pod_of(workload: Object) -> dict[str, Any]:
    """The spec of the pods of a workload, or of a pod."""
    spec: dict[str, Any] = workload["spec"]
    return dict(spec["template"]["spec"]) if "template" in spec else spec


def place(manifest: Object) -> tuple[str, str]:
    """Namespace and name of an object."""
    metadata = manifest["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def tag_of(image: str) -> str:
    """The tag of an image, or its digest; `latest` where neither is said."""
    reference, _, digest = image.partition("@")
    *_, last = reference.split("/")
    return last.partition(":")[2] or digest or "latest"


def _stores(workload: Object) -> list[str]:
    names = [container["name"] for container in pod_of(workload).get("containers", ())]
    return [name for name in names if name in STORES]


def _made_here(workload: Object) -> bool:
    labels = workload["metadata"].get("labels") or {}
    return bool(labels.get("app.kubernetes.io/managed-by") == MANAGED_BY)
