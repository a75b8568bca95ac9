"""Takes a snapshot of Elasticsearch's indices and removes the oldest, or restores one.

    snapshots backup REPOSITORY DEFINITION INDICES RETENTION
    snapshots restore REPOSITORY DEFINITION SNAPSHOT

DEFINITION is what to register the repository as, in JSON; empty for one that is registered. The
environment says where Elasticsearch is and who logs in.
"""

import base64
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from typing import Any, Dict, List, Optional, Set
from urllib.parse import quote

PREFIX = "clearml-"
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "10"))
TRIES = 6
# Deleting a snapshot may take as long as making one.
TIMEOUT_SECONDS = 3600


class SnapshotError(Exception):
    """What went wrong, in one line."""


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
            raise SnapshotError(f"{method} {error.code}: {reason}") from None


def _reason(text: str) -> str:
    """The innermost reason of an error that Elasticsearch words in JSON."""
    try:
        error = json.loads(text)["error"]
        while error.get("caused_by"):
            error = error["caused_by"]
        return str(error["reason"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text[:300]


class Repository:
    """A snapshot repository."""

    def __init__(self, server: Elasticsearch, name: str) -> None:
        self.server = server
        self.path = "/_snapshot/" + quote(name)

    def register(self, definition: str) -> None:
        """Register it, if its definition is not empty, and see that all nodes can write to it."""
        if definition:
            self.server.ask("PUT", self.path, json.loads(definition))
        self.server.ask("POST", self.path + "/_verify")

    def snapshots(self, prefix: str = "") -> List[Dict[str, Any]]:
        """The snapshots whose names begin so, the oldest first."""
        found = self.server.ask("GET", self.path + "/_all")["snapshots"]
        fitting = (each for each in found if each["snapshot"].startswith(prefix))
        return sorted(fitting, key=lambda each: str(each["snapshot"]))

    def snapshot(self, name: str) -> Dict[str, Any]:
        """One snapshot."""
        answer = self.server.ask("GET", f"{self.path}/{quote(name)}")
        found: Dict[str, Any] = answer["snapshots"][0]
        return found

    def take(self, name: str, indices: str) -> None:
        """Take a snapshot, and raise SnapshotError unless it is complete."""
        body = {"indices": indices, "include_global_state": False}
        self.server.ask("PUT", f"{self.path}/{quote(name)}", body)
        while True:
            taken = self.snapshot(name)
            if taken["state"] != "IN_PROGRESS":
                break
            time.sleep(POLL_SECONDS)
        if taken["state"] != "SUCCESS":
            failures = taken.get("failures", "")
            raise SnapshotError("snapshot {}: {} {}".format(name, taken["state"], failures))
        if not taken["indices"]:
            raise SnapshotError(f"snapshot {name} has no index: none fits {indices}")
        print("snapshot {} has {} indices".format(name, len(taken["indices"])), flush=True)

    def retain(self, number: int) -> None:
        """Delete all complete snapshots but the newest, and those that failed."""
        ours = self.snapshots(PREFIX)
        complete = [each for each in ours if each["state"] == "SUCCESS"]
        failed = [each for each in ours if each["state"] in ("FAILED", "PARTIAL")]
        for each in [*failed, *complete[:-number]]:
            name = each["snapshot"]
            self.server.ask("DELETE", f"{self.path}/{quote(name)}")
            print(f"deleted snapshot {name}", flush=True)

    def restore(self, name: str) -> None:
        """Replace the indices of a complete snapshot by what it holds."""
        complete = {s["snapshot"]: s for s in self.snapshots() if s["state"] == "SUCCESS"}
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


def main(action: str, repository_name: str, definition: str, *rest: str) -> None:
    """Back up or restore, as the arguments say."""
    repository = Repository(Elasticsearch(dict(os.environ)), repository_name)
    repository.register(definition)
    if action == "backup":
        indices, retention = rest
        repository.take(PREFIX + time.strftime("%Y%m%d-%H%M%S", time.gmtime()), indices)
        repository.retain(int(retention))
    else:
        (snapshot,) = rest
        repository.restore(snapshot)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except SnapshotError as failure:
        sys.exit(str(failure))
