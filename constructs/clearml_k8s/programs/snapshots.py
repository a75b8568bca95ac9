"""Take a snapshot of Elasticsearch's indices and delete the oldest, or restore one.

    snapshots backup REPOSITORY DEFINITION OWNER FORMER_OWNERS INDICES RETENTION
    snapshots restore REPOSITORY DEFINITION SNAPSHOT

DEFINITION is what to register the repository as, in JSON; empty for one that is registered. The
environment says where Elasticsearch is and who logs in.

OWNER is NAMESPACE/RELEASE of the installation. With the UUID of its Elasticsearch cluster it is the
mark that each snapshot carries in its metadata: only what carries this mark, or one of
FORMER_OWNERS, and has a name of ours is ever deleted. Two clusters that write to one repository
damage it, so a foreign mark ends a backup before anything is written. Looking and restoring go
through a registration that is read-only.
"""

import base64
import json
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any, Collection, Dict, List, Optional, Set
from urllib.parse import quote

PREFIX = "clearml-"
NAME = re.compile(re.escape(PREFIX) + r"\d{8}-\d{6}")
MARK = "clearml"  # key of a snapshot's metadata
NO_CLUSTER = "_na_"  # the UUID until the nodes have found each other
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "10"))
TRIES = 6
# Deleting a snapshot may take as long as making one.
TIMEOUT_SECONDS = 3600


Snapshot = Dict[str, Any]


class SnapshotError(Exception):
    """What went wrong, in one line."""


class MissingError(SnapshotError):
    """What was asked for is not there."""


class Elasticsearch:
    """The nodes, any of which answers; requests that reach none are tried again."""

    def __init__(self, environment: Dict[str, str]) -> None:
        self.urls = environment["ELASTICSEARCH_URLS"].split(",")
        self.headers = {"Content-Type": "application/json"}
        user = environment.get("ELASTICSEARCH_USERNAME", "")
        if user:
            login = "{}:{}".format(user, environment["ELASTICSEARCH_PASSWORD"])
            encoded = base64.b64encode(login.encode("utf-8")).decode("ascii")
            self.headers["Authorization"] = "Basic " + encoded
        self.context = ssl.create_default_context(
            cafile=environment.get("ELASTICSEARCH_CA") or None
        )
        if environment.get("ELASTICSEARCH_VERIFY_CERTS") == "false":
            self.context.check_hostname = False
            self.context.verify_mode = ssl.CERT_NONE

    def ask(self, method: str, path: str, body: Optional[Dict[str, Any]] = None) -> Any:
        """What a node answers; raises SnapshotError with its reason if it refuses."""
        for attempt in range(TRIES):
            url = self.urls[attempt % len(self.urls)].rstrip("/") + path
            try:
                return self._ask_once(method, url, body)
            except OSError as error:
                print(f"no answer to {method} {path}: {error}", flush=True)
                if attempt < TRIES - 1:
                    time.sleep(POLL_SECONDS)
        raise SnapshotError(f"gave up on {method} {path}")

    def _ask_once(self, method: str, url: str, body: Optional[Dict[str, Any]]) -> Any:
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(url, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(
                request, timeout=TIMEOUT_SECONDS, context=self.context
            ) as answer:
                return json.loads(answer.read().decode("utf-8"))
        except urllib.error.HTTPError as error:
            reason = _reason(error.read().decode("utf-8", "replace"))
            if error.code in (429, 502, 503, 504):  # busy, or a proxy without a node
                raise OSError(f"{error.code} {reason}") from None
            kind = MissingError if error.code == 404 else SnapshotError
            raise kind(f"{method} {error.code}: {reason}") from None

    def cluster(self) -> str:
        """Return the UUID of the cluster, which stays the same for as long as its data."""
        for _ in range(TRIES):
            found = str(self.ask("GET", "/")["cluster_uuid"])
            if found != NO_CLUSTER:
                return found
            time.sleep(POLL_SECONDS)
        raise SnapshotError("the nodes of Elasticsearch have not formed a cluster")

    def matching(self, indices: str) -> Set[str]:
        """Return the names of the indices that fit the patterns."""
        path = f"/_cat/indices/{quote(indices)}?format=json&h=index&expand_wildcards=all"
        return {str(each["index"]) for each in self.ask("GET", path)}


def _reason(text: str) -> str:
    """The innermost reason of an error that Elasticsearch words in JSON."""
    try:
        error = json.loads(text)["error"]
        while error.get("caused_by"):
            error = error["caused_by"]
        return str(error["reason"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text[:300]


def owner_of(snapshot: Snapshot) -> str:
    """Return who made the snapshot, NAMESPACE/RELEASE/CLUSTER; empty without a mark of ours."""
    mark = (snapshot.get("metadata") or {}).get(MARK)
    return str(mark.get("owner", "")) if isinstance(mark, dict) else ""


def is_complete(snapshot: Snapshot) -> bool:
    """Whether all shards of all its indices were written."""
    return snapshot["state"] == "SUCCESS" and not snapshot.get("shards", {}).get("failed")


def named(snapshots: Collection[Snapshot]) -> str:
    """Return the names of the snapshots, for a message."""
    return ", ".join(str(each["snapshot"]) for each in snapshots)


class Repository:
    """A snapshot repository; without a definition it is one that somebody else has registered."""

    def __init__(
        self, server: Elasticsearch, name: str, definition: Optional[Dict[str, Any]] = None
    ) -> None:
        self.server = server
        self.name = name
        self.definition = definition
        self.path = "/_snapshot/" + quote(name)

    def read_only(self) -> "Repository":
        """Return the same repository under a name through which nothing is ever written to it."""
        if self.definition is None:
            return self
        settings = {**self.definition["settings"], "readonly": True}
        definition = {**self.definition, "settings": settings}
        return Repository(self.server, self.name + "-readonly", definition)

    def register(self) -> None:
        """Register it, unless it is registered just so: a snapshot may be running."""
        if self.definition is None:
            return
        try:
            registered = self.server.ask("GET", self.path)[self.name]
        except MissingError:
            registered = None
        if registered is None or _comparable(registered) != _comparable(self.definition):
            self.server.ask("PUT", self.path + "?verify=false", self.definition)

    def verify(self) -> None:
        """Check that all nodes can write to it, which leaves nothing in it."""
        self.server.ask("POST", self.path + "/_verify")

    def snapshots(self) -> List[Snapshot]:
        """Return the snapshots, the oldest first by the time at which they began."""
        found = self.server.ask("GET", self.path + "/_all")["snapshots"]
        return sorted(
            found, key=lambda each: (each.get("start_time_in_millis", 0), str(each["snapshot"]))
        )

    def snapshot(self, name: str) -> Snapshot:
        """Return one snapshot."""
        answer = self.server.ask("GET", f"{self.path}/{quote(name)}")
        found: Snapshot = answer["snapshots"][0]
        return found

    def check_owners(self, snapshots: Collection[Snapshot], owners: Collection[str]) -> None:
        """Raise SnapshotError if an installation wrote to it that must not share it.

        Within one cluster Elasticsearch lets several users of a registered repository take turns.
        """
        foreign: Dict[str, List[Snapshot]] = {}
        for each in snapshots:
            owner = owner_of(each)
            shared = self.definition is None and _cluster_of(owner) in map(_cluster_of, owners)
            if owner and owner not in owners and not shared:
                foreign.setdefault(owner, []).append(each)
        for owner, theirs in foreign.items():
            raise SnapshotError(
                f"the repository has snapshots of another installation, {owner}: {named(theirs)}; "
                "two clusters that write to one repository damage it. Choose another "
                "backup.s3.prefix, claim or existingRepository; or, if that one is gone for good, "
                f'take its snapshots over with backup.elasticsearch.formerOwners: ["{owner}"]'
            )

    def take(self, indices: str, owner: str) -> str:
        """Take a snapshot and return its name; raise SnapshotError unless it is complete."""
        wanted = self.server.matching(indices)
        mark = {MARK: {"owner": owner, "run": uuid.uuid4().hex}}
        name = self._start(
            {"indices": indices, "include_global_state": False, "metadata": mark},
        )
        while True:
            taken = self.snapshot(name)
            if taken["state"] != "IN_PROGRESS":
                break
            time.sleep(POLL_SECONDS)
        if not is_complete(taken):
            failures = taken.get("failures", "")
            raise SnapshotError("snapshot {}: {} {}".format(name, taken["state"], failures))
        if not taken["indices"]:
            raise SnapshotError(f"snapshot {name} has no index: none fits {indices}")
        missing = wanted.difference(taken["indices"])
        if missing:
            missing &= self.server.matching(indices)  # others were deleted meanwhile
        if missing:
            raise SnapshotError("snapshot {} lacks {}".format(name, ", ".join(sorted(missing))))
        print("snapshot {} has {} indices".format(name, len(taken["indices"])), flush=True)
        return name

    def _start(self, body: Dict[str, Any]) -> str:
        """Start a snapshot, and return its name, which is that of the first free second."""
        for _ in range(TRIES):
            name = PREFIX + time.strftime("%Y%m%d-%H%M%S", time.gmtime())
            try:
                self.server.ask("PUT", f"{self.path}/{quote(name)}", body)
                return name
            except SnapshotError as refusal:
                try:
                    there = self.snapshot(name)
                except MissingError:
                    raise refusal from None
            # A request whose answer was lost is sent again, and meets its own snapshot.
            if there.get("metadata") == body["metadata"]:
                return name
            print(f"there is a snapshot {name} of another run", flush=True)
            time.sleep(POLL_SECONDS)
        raise SnapshotError("gave up: each name that fits the time is taken")

    def retain(self, number: int, newest: str, owners: Collection[str]) -> None:
        """Delete our complete snapshots but that many, the newest one included, and our failed.

        What carries no mark, or that of somebody else, stays whatever it is called.
        """
        found = self.snapshots()
        self.check_owners(found, owners)
        there = [each for each in found if NAME.fullmatch(each["snapshot"])]
        ours = [each for each in there if owner_of(each) in owners and each["snapshot"] != newest]
        complete = [each for each in ours if is_complete(each)]
        failed = [each for each in ours if each["state"] in ("FAILED", "PARTIAL")]
        for each in [*failed, *complete[: max(0, len(complete) + 1 - number)]]:
            self._delete(each["snapshot"])
        unmarked = [each for each in there if not owner_of(each)]
        if unmarked:
            print(
                f"left alone, as nothing tells whose they are: {named(unmarked)}; "
                "delete by hand what an earlier release has left",
                flush=True,
            )

    def _delete(self, name: str) -> None:
        try:
            self.server.ask("DELETE", f"{self.path}/{quote(name)}")
            print(f"deleted snapshot {name}", flush=True)
        except MissingError:
            print(f"snapshot {name} is gone already", flush=True)

    def restore(self, name: str) -> None:
        """Replace the indices of a complete snapshot by what it holds."""
        complete = {each["snapshot"]: each for each in self.snapshots() if is_complete(each)}
        if name not in complete:
            there = ", ".join(complete)
            raise SnapshotError(f"there is no complete snapshot {name}, but {there}")
        indices = complete[name]["indices"]
        present = self.server.ask("GET", "/_cat/indices?format=json&h=index&expand_wildcards=all")
        for index in sorted({each["index"] for each in present} & set(indices)):
            self.server.ask("DELETE", "/" + quote(index))
            print(f"deleted index {index}", flush=True)
        body = {"indices": ",".join(indices), "include_global_state": False}
        self.server.ask("POST", f"{self.path}/{quote(name)}/_restore", body)
        self._wait_for(set(indices))
        print(f"restored {len(indices)} indices", flush=True)

    def _wait_for(self, indices: Set[str]) -> None:
        """Wait for all primary shards; raise SnapshotError if no more of them come."""
        idle = 0
        while idle < TRIES:
            health = self.server.ask("GET", "/_cluster/health?level=indices")["indices"]
            missing = sorted(name for name in indices if not _is_there(health.get(name)))
            if not missing:
                return
            time.sleep(POLL_SECONDS)
            busy = any(health.get(name, {}).get("initializing_shards") for name in missing)
            idle = 0 if busy else idle + 1
        raise SnapshotError("shards of these indices were not restored: " + ", ".join(missing))


def _is_there(index: Optional[Dict[str, Any]]) -> bool:
    """Whether all primary shards are active; the status is yellow while they are restored."""
    return index is not None and index["active_primary_shards"] == index["number_of_shards"]


def _cluster_of(owner: str) -> str:
    return owner.rpartition("/")[2]


def _comparable(definition: Dict[str, Any]) -> Any:
    """Return type and settings as Elasticsearch answers them, which makes all of them text."""
    texts = {
        key: json.dumps(each) if isinstance(each, bool) else str(each)
        for key, each in definition.get("settings", {}).items()
    }
    return definition["type"], texts


def back_up(
    repository: Repository, owner: str, former: Collection[str], indices: str, retention: int
) -> None:
    """Take a snapshot, and delete the oldest, in a repository that nobody else writes to."""
    own = f"{owner}/{repository.server.cluster()}"
    owners = [own, *former]
    to_read = repository.read_only()
    to_read.register()
    to_read.check_owners(to_read.snapshots(), owners)
    repository.register()
    repository.verify()
    newest = repository.take(indices, own)
    repository.retain(retention, newest, owners)


def main(action: str, name: str, definition: str, *rest: str) -> None:
    """Back up or restore, as the arguments say."""
    parsed = json.loads(definition) if definition else None
    repository = Repository(Elasticsearch(dict(os.environ)), name, parsed)
    if action == "backup":
        owner, former, indices, retention = rest
        back_up(repository, owner, former.split(), indices, int(retention))
    else:
        (snapshot,) = rest
        to_read = repository.read_only()
        to_read.register()
        to_read.restore(snapshot)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except SnapshotError as failure:
        sys.exit(str(failure))
