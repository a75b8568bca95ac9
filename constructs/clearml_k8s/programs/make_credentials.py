"""Put random texts under the keys that Secrets lack, through the Kubernetes API.

Runs in a pod, on any Python from 3.6 on, with one argument, a mapping in JSON: `account` is the
folder with token, CA and namespace, `patience` how many seconds to try, `secrets` has the Secrets
by name: `lengths` of the texts by key, `labels`, `annotations`, and whether it is `whole`.

What a key holds is never changed; one that holds nothing counts as lacking. A Secret that is made
`whole` here, and is not, gets our labels and annotations where it has none, so that nothing that
removes objects by itself takes it for one that was left behind. Ends with 1 if a Secret still
lacks a key.
"""

import base64
import http.client
import json
import os
import secrets
import ssl
import string
import sys
import time
from typing import Any, Dict, List, Optional, Tuple

SLOWEST = 15
WRITER = "clearml-credentials"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
# With it kubectl apply --prune takes an object for one that it made.
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "app.kubernetes.io/managed-by"
# Of manifests that held the Secret before.
FORMER_MANAGER = "cdk8s"
# What may go by itself: rights that arrive later, other writers, a server that is busy.
FOR_NOW = (401, 403, 404, 408, 409, 429)

Object = Dict[str, Any]


class LastingError(Exception):
    """What no other attempt will change."""


class PassingError(Exception):
    """What another attempt may change."""


class Api:
    """The Secrets of this namespace."""

    def __init__(self, account: str) -> None:
        self._account = account

    def get(self, name: str) -> Optional[Object]:
        """The Secret, None if there is none."""
        return self._ask("get", "GET", name)

    def create(self, name: str, labels: Object, annotations: Object) -> None:
        """Make an empty Secret.

        By an apply, as no right to create can be for one name alone otherwise.
        """
        metadata = {"name": name, "labels": labels, "annotations": annotations}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
        self._ask("create", "PATCH", name, body, APPLY)

    def patch(self, name: str, changes: Object) -> None:
        """Change a Secret."""
        self._ask("patch", "PATCH", name, changes, MERGE)

    def _ask(
        self,
        verb: str,
        method: str,
        name: str,
        body: Optional[Object] = None,
        media: str = "application/json",
    ) -> Optional[Object]:
        try:
            status, text = self._send(method, name, body, media)
        except (OSError, http.client.HTTPException) as error:
            raise PassingError("cannot {}: {!r}".format(verb, error)) from None
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        if status == 404 and method == "GET":
            return None
        if status < 300:
            return dict(answer)
        message = "cannot {}: HTTP {}: {}".format(verb, status, answer.get("message", ""))
        if status in FOR_NOW or status >= 500:
            raise PassingError(message)
        raise LastingError(message)

    def _send(self, method: str, name: str, body: Optional[Object], media: str) -> Tuple[int, str]:
        context = ssl.create_default_context(cafile=self._file("ca.crt"))
        # Newer Pythons ask more of certificates than Kubernetes does.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        connection = http.client.HTTPSConnection(
            os.environ["KUBERNETES_SERVICE_HOST"],
            int(os.environ["KUBERNETES_SERVICE_PORT"]),
            timeout=30,
            context=context,
        )
        path = "/api/v1/namespaces/{}/secrets/{}?fieldManager={}"
        try:
            connection.request(
                method,
                path.format(self._read("namespace"), name, WRITER),
                body=None if body is None else json.dumps(body),
                # The token is another one after an hour.
                headers={"Authorization": "Bearer " + self._read("token"), "Content-Type": media},
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def _file(self, name: str) -> str:
        return os.path.join(self._account, name)

    def _read(self, name: str) -> str:
        with open(self._file(name), encoding="utf-8") as file:
            return file.read().strip()


def random_text(length: int) -> str:
    """Letters and digits, a letter first: no parser takes it for anything else."""
    letters, more = string.ascii_letters, string.ascii_letters + string.digits
    return secrets.choice(letters) + "".join(secrets.choice(more) for _ in range(length - 1))


def new_metadata(metadata: Object, wanted: Object) -> Object:
    """What to change about labels and annotations of a Secret that no manifest holds any more."""
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    changes: Dict[str, Object] = {
        "labels": {key: text for key, text in wanted["labels"].items() if key not in labels},
        "annotations": {
            key: text for key, text in wanted["annotations"].items() if key not in annotations
        },
    }
    if labels.get(MANAGER) == FORMER_MANAGER:
        changes["labels"][MANAGER] = wanted["labels"][MANAGER]
        if APPLIED in annotations:
            changes["annotations"][APPLIED] = None
    return {part: entries for part, entries in changes.items() if entries}


def complete(api: Api, name: str, wanted: Object) -> str:
    """Make what the Secret lacks, and say what that was.

    Each change is refused if somebody else was faster.
    """
    secret = api.get(name)
    if secret is None:
        api.create(name, wanted["labels"], wanted["annotations"])
        secret = api.get(name)
    if secret is None:
        raise PassingError("is gone again")
    data, metadata = secret.get("data") or {}, secret["metadata"]
    missing: List[str] = [key for key in wanted["lengths"] if not data.get(key)]
    if missing and secret.get("immutable"):
        raise LastingError("is immutable and lacks {}".format(", ".join(missing)))
    changes = new_metadata(metadata, wanted) if wanted["whole"] else {}
    if not missing and not changes:
        return "has all its keys, nothing to do"
    texts = {key: random_text(wanted["lengths"][key]) for key in missing}
    api.patch(
        name,
        {
            "metadata": {**changes, "resourceVersion": metadata["resourceVersion"]},
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()},
        },
    )
    return "made {}".format(", ".join(missing)) if missing else "has all its keys, is kept from now"


def say(name: str, what: str) -> None:
    """A line of the log; no text of a Secret is ever in it."""
    print("Secret {}: {}".format(name, what), flush=True)


def complete_in_time(api: Api, name: str, wanted: Object, end: float) -> bool:
    """Try until the Secret lacks nothing; False if that cannot be, or not until the end."""
    pause = 1
    while True:
        try:
            say(name, complete(api, name, wanted))
            return True
        except PassingError as reason:
            if time.monotonic() + pause > end:
                say(name, "failed, {}".format(reason))
                return False
            say(name, "{}; trying again in {} s".format(reason, pause))
        except LastingError as reason:
            say(name, "failed, {}".format(reason))
            return False
        time.sleep(pause)
        pause = min(2 * pause, SLOWEST)


def main(settings: Object) -> int:
    """Complete all Secrets; the exit status."""
    api, end = Api(settings["account"]), time.monotonic() + settings["patience"]
    items = settings["secrets"].items()
    done = [complete_in_time(api, name, wanted, end) for name, wanted in items]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
