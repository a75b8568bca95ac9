"""Fragments of values at and over their limits, and what is said of each here and by an API server.

A fragment of `fragments.yaml` is sound. Its changes are all that has one value of it replaced, left
out or repeated, or one more field of the type.
"""

from __future__ import annotations

import functools
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml
from pydantic import TypeAdapter, ValidationError

from clearml_k8s.rules import Bundle, findings
from cluster.client import Cluster
from config.types import fragment
from config.types.structs import to_plain
from hostile import resolved

Object = dict[str, Any]
Step = str | int

FRAGMENTS: Mapping[str, Any] = yaml.safe_load(
    Path(__file__).with_name("fragments.yaml").read_text("utf-8")
)
# Objects that are sound without any fragment, which fragments go into.
HOLDERS: Mapping[str, Object] = yaml.safe_load("""
Deployment: &workload
  apiVersion: apps/v1
  kind: Deployment
  metadata: &metadata {name: web, namespace: default}
  spec:
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web, a: b}}
      spec:
        containers: [{name: web, image: "example.com/web:1"}]
        volumes:
          - {name: data, emptyDir: {}}
          - {name: block, persistentVolumeClaim: {claimName: block}}
StatefulSet: {<<: *workload, kind: StatefulSet}
NetworkPolicy:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: *metadata
  spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
HorizontalPodAutoscaler:
  apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: *metadata
  spec:
    maxReplicas: 2
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
""")
PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
OURS = {"enabled"}  # a switch, which no object has
NUMBERS = (-1, 0, 1, 2, 100, 101, 511, 512, 599, 600, 1801, 3601, 65535, 65536, 2**31 - 1)
TEXTS = (
    *("", " ", "a", "A", "a_b", "a.b", "a/b", "a:b", "/a", "/a/../b", "../a", "/a//b", ".."),
    *("1", "-1", "0", "1.5", "50%", "101%", "1Gi", "3Mi", "1m", "é", "*", "a-", "-a", "a.", "a..b"),
    *("10.0.0.1", "010.0.0.1", "::1", "10.0.0.0/8", "10.0.0.0/33", "None", "all", "a b", "$(A)"),
    *("a" * 15, "a" * 16, "a" * 63, "a" * 64, "a" * 253, "a" * 254, "a" * 4097),
    *("Always", "Exists", "Equal", "In", "Gt", "NoSchedule", "NoExecute", "ScheduleAnyway"),
    *("Recreate", "RollingUpdate", "OnDelete", "Bidirectional", "HostToContainer", "Localhost"),
    *("Unconfined", "RuntimeDefault", "Memory", "HugePages", "HugePages-2Mi", "Block", "Pods"),
    *("Percent", "Min", "Max", "Disabled", "TCP", "SCTP", "HTTP", "ReadWriteOncePod"),
    *("ReadWriteMany", "Unmasked", "hugepages-2Mi", "limits.cpu", "requests.hugepages-2Mi"),
    *("metadata.annotations", "status.podIP", "CAP_SYS_ADMIN", "SYS_ADMIN", "Shared", "Managed"),
)


class Change(NamedTuple):
    """A fragment that is sound but for one place, perhaps."""

    name: str
    path: tuple[Step, ...]
    what: str
    fragment: Any

    def __str__(self) -> str:
        return f"{self.name} {'.'.join(map(str, self.path))}: {self.what}"


def changes(name: str) -> Iterator[Change]:
    """The sound fragment of that name, and all changes of it."""
    sound = FRAGMENTS[name]["sound"]
    yield Change(name, (), "sound", sound)
    schema = {"$ref": FRAGMENTS[name]["struct"]}
    whole = {"type": "array", "items": schema} if isinstance(sound, list) else schema
    for path, what, changed in _changed(sound, whole):
        yield Change(name, path, what, changed)


@functools.cache
def _type_of(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(fragment, name.split()[0]))


def _changed(value: Any, schema: Mapping[str, Any]) -> Iterator[tuple[tuple[Step, ...], str, Any]]:
    schema = _resolved(schema)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for key, part in value.items():
            yield (key,), "left out", {k: v for k, v in value.items() if k != key}
            inner = known.get(key, schema.get("additionalProperties", {}))
            for path, what, changed in _changed(part, inner):
                yield (key, *path), what, {**value, key: changed}
        for key in sorted(known.keys() - value.keys() - OURS):
            for made in made_of(_resolved(known[key])):
                yield (key,), f"added as {_brief(made)}", {**value, key: made}
        if not known:
            last = next(iter(value.values()), "a")
            for text in TEXTS:
                yield (text[:20],), f"added as {_brief(last)}", {**value, text: last}
    elif isinstance(value, list):
        yield (), "empty", []
        for i, item in enumerate(value):
            yield (i,), "left out", [*value[:i], *value[i + 1 :]]
            yield (i,), "repeated", [item, item]
            for path, what, changed in _changed(item, schema.get("items", {})):
                yield (i, *path), what, [changed]
        yield (), "33 times", value[:1] * 33
    else:
        for other in made_of(schema):
            if other != value:
                yield (), f"is {_brief(other)}", other


def made_of(schema: Mapping[str, Any], depth: int = 0) -> Iterator[Any]:
    """Values of a type."""
    kinds = [schema, *map(resolved, schema.get("anyOf", ()))]
    types = {name for kind in kinds for name in _names(kind.get("type", ()))}
    if "boolean" in types:
        yield from (True, False)
    if "integer" in types:
        yield from NUMBERS
    if "string" in types:
        yield from TEXTS
    if "array" in types:
        yield []
        for item in made_of(_resolved(schema["items"]), depth + 1):
            yield [item]
    if "object" in types:
        yield {}
        required = {
            key: next(made_of(_resolved(part), 9), None)
            for key, part in schema.get("properties", {}).items()
            if key in schema.get("required", ())
        }
        for key, part in schema.get("properties", {}).items() if depth < 2 else ():
            for made in islice(made_of(_resolved(part), depth + 2), 3):
                yield {**required, key: made}


def _names(types: str | Sequence[str]) -> Sequence[str]:
    return (types,) if isinstance(types, str) else types


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = resolved(schema)
    arms = [arm for arm in schema.get("anyOf", ()) if arm.get("type") != "null"]
    return _resolved(arms[0]) if len(arms) == 1 else schema


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:50]}... of {len(text)}"


def manifest(change: Change) -> Object:
    """The object that the fragment is a part of, as it is spelled."""
    holder, *way, last = FRAGMENTS[change.name]["at"]
    made: Any = deepcopy(HOLDERS[holder])
    node = made
    for step in way:
        node = node[step]
    if isinstance(there := node.get(last), list):
        node[last] = [*there, *change.fragment]
    else:
        node[last] = change.fragment
    return dict(made)


def refused_here(change: Change) -> list[str]:
    """What a synthesis would say against the fragment; nothing if it is accepted."""
    try:
        return [str(finding) for finding in findings(Bundle([manifest(as_made(change))]))]
    except ValidationError as error:
        return [f"{e['loc']}: {e['msg']}" for e in error.errors()]


def as_made(change: Change) -> Change:
    """The change with the fragment as it comes into manifests; raises ValidationError."""
    parsed = _type_of(change.name).validate_python(change.fragment)
    return change._replace(fragment=to_plain(parsed) or [])


class Judge:
    """An API server that is asked of many objects."""

    def __init__(self, cluster: Cluster) -> None:
        config = json.loads((cluster.folder / "kubeconfig").read_text())
        server = config["clusters"][0]["cluster"]
        trusted = ssl.create_default_context(cafile=server["certificate-authority"])
        where = urlsplit(server["server"])
        self._connection = http.client.HTTPSConnection(
            str(where.hostname), where.port, context=trusted
        )
        self._headers = {
            "Authorization": f"Bearer {config['users'][0]['user']['token']}",
            "Content-Type": "application/json",
        }

    def refusal(self, manifest: Object) -> str:
        """What it says against the object; nothing if it is accepted, or of a kind it lacks.

        The namespace is `default`, which is there.
        """
        kind, api = manifest["kind"], manifest["apiVersion"]
        plural = PLURALS.get(kind, f"{kind.lower()}s")
        path = f"/{'apis' if '/' in api else 'api'}/{api}/namespaces/default/{plural}"
        moved = manifest | {"metadata": {**manifest["metadata"], "namespace": "default"}}
        query = "?dryRun=All&fieldValidation=Strict"
        self._connection.request("POST", path + query, json.dumps(moved), self._headers)
        with self._connection.getresponse() as response:
            content = response.read()
        if response.status == HTTPStatus.NOT_FOUND:
            return ""
        return "" if response.status < HTTPStatus.BAD_REQUEST else json.loads(content)["message"]
