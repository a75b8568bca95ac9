"""Pods roll when what they read of Secrets and ConfigMaps changes, and for nothing else there."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from config import Values
from config.types.merging import merge
from rendering import Bundle, Object, render, synthesize
from scenarios import AUTHENTICATION, CERTIFICATE, EXTERNAL_SERVICES, MONITORED, REPLICATED

KINDS = ("Secret", "ConfigMap")
Key = tuple[str, str, str]
"""Kind and name of an object, and a key of it."""

# What marks a text that is flipped, and what it becomes: keys, hashes and certificates stay valid.
MARKS = {"test-secret": "past-secret", "testsecret": "pastsecret", "dGVzdA==": "cGFzdA=="}


def of_the_user(kind: str, name: str, **more: str) -> Object:
    content = {"data": {"ONE": "test-secret-1", "TWO": "test-secret-2"}}
    if kind == "Secret":
        content = {"stringData": content["data"]}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **more}, **content}


def variable(kind: str, name: str, key: str) -> Object:
    return {"name": f"{kind}_{key}", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key}}}


CREDENTIALS = {
    "fileserverKey": "test-secret-fileserver-key",
    "fileserverSecret": "test-secret-fileserver-secret",
}
ALL_SECRETS: Object = merge(
    merge(AUTHENTICATION, MONITORED),
    {
        "clearml": {"version": "2.3.0", "credentials": CREDENTIALS},
        "imageCredentials": {"enabled": True, "username": "jane", "password": "test-secret-jane"},
        "apiserver": {
            "additionalConfigs": {"services.conf": "a: test-secret"},
            "replicaCount": 0,  # as the restore asks
        },
        "fileserver": {
            "additionalConfigs": {"fileserver.conf": "a: test-secret", "b.conf": "b: test-secret"}
        },
        "webserver": {
            "additionalConfigs": {"configuration.json": '{"a": "test-secret"}'},
            "extraEnvs": [
                variable("secret", "mine", "ONE"),
                variable("configMap", "mine", "TWO"),
                # One that they have from the values, for something else.
                variable("secret", "clearml-redis", "redis-password"),
            ],
        },
        "agentservices": {
            "envFrom": [{"secretRef": {"name": "mine"}}, {"configMapRef": {"name": "other"}}],
            "setupScript": "echo test-secret",
            "gitSsh": {"privateKey": "test-secret", "knownHosts": "test-secret"},
        },
        "elasticsearch": {"esConfig": {"elasticsearch.yml": "# test-secret\n"}},
        "redis": {
            "master": {
                "additionalVolumes": [
                    {
                        "name": "mine",
                        "configMap": {"name": "mine", "items": [{"key": "ONE", "path": "one"}]},
                    }
                ]
            }
        },
        "restore": {"mongodb": {"backup": "4bba301e"}},
        "backup": {"mongodb": {"enabled": True}},
        "extraObjects": [
            of_the_user("Secret", "mine"),
            of_the_user("ConfigMap", "mine"),
            of_the_user("ConfigMap", "other"),
            # In another namespace nobody reads it.
            of_the_user("Secret", "clearml-redis", namespace="elsewhere"),
        ],
    },
)
AGENTS = {"agentGroups": {"agent-group0": {"clearmlConfig": "a: test-secret"}}}
SCENARIOS: dict[str, Object] = {
    "all-secrets": ALL_SECRETS,
    "replicated": functools.reduce(
        merge, (REPLICATED, MONITORED, AGENTS, {"elasticsearch": ALL_SECRETS["elasticsearch"]})
    ),
    "external": functools.reduce(
        merge,
        (
            EXTERNAL_SERVICES,
            AGENTS,
            {"redis": {"existingSecret": "", "password": "test-secret-redis"}},
            {"elasticsearch": {"external": {"ca": {"certificate": CERTIFICATE}}}},
        ),
    ),
}
# What is in a file beside the marked texts.
WATCHDOG: Object = {"clearml": {"watchdog": {"thresholdSec": 600}}}


@functools.cache
def bundle_of(scenario: str) -> Bundle:
    return render(SCENARIOS[scenario])


def flips(content: Any) -> Iterator[Any]:
    """The content with one marked text after the other changed."""
    if isinstance(content, str):
        for mark, other in MARKS.items():
            if mark in content:
                yield content.replace(mark, other)
    elif isinstance(content, dict):
        for key, inner in content.items():
            yield from ({**content, key: flipped} for flipped in flips(inner))
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            for flipped in flips(inner):
                yield [*content[:index], flipped, *content[index + 1 :]]


def keys(bundle: Bundle) -> dict[Key, str]:
    """What the Secrets and ConfigMaps of the installation's namespace hold."""
    return {
        (manifest["kind"], manifest["metadata"]["name"], key): text
        for manifest in bundle.objects
        if manifest["kind"] in KINDS and manifest["metadata"]["namespace"] == "clearml"
        for part in ("data", "stringData")
        for key, text in manifest.get(part, {}).items()
    }


def readers(bundle: Bundle, changed: Key) -> set[str]:
    """The workloads whose pods read a key, as their manifests say."""
    return {name for name in bundle.workloads if changed in set(read(bundle, name))}


def read(bundle: Bundle, workload: str) -> Iterator[Key]:
    for kind, name, named in references(bundle.pod(workload)):
        for known in keys(bundle):
            if known[:2] == (kind, name) and (named is None or known[2] in named):
                yield known


def references(content: Any) -> Iterator[tuple[str, str, list[str] | None]]:
    """Kind and name of each object that is referred to, and its keys where they are named."""
    if isinstance(content, list):
        for inner in content:
            yield from references(inner)
    if not isinstance(content, dict):
        return
    for field, inner in content.items():
        kind = "Secret" if field.startswith("secret") else "ConfigMap"
        if field in ("secretKeyRef", "configMapKeyRef"):
            yield kind, inner["name"], [inner["key"]]
        elif field in ("secretRef", "configMapRef", "secret", "configMap"):
            items = [item["key"] for item in inner.get("items", [])]
            yield kind, inner.get("name") or inner["secretName"], items or None
        else:
            yield from references(inner)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_pods_that_read_a_key_roll_when_it_changes_and_no_others(scenario: str) -> None:
    before, seen = bundle_of(scenario), set[Key]()
    for values in (*flips(SCENARIOS[scenario]), merge(SCENARIOS[scenario], WATCHDOG)):
        after = synthesize(Values.read(values))
        held, holds = keys(before), keys(after)
        changed = {key for key in held if held[key] != holds[key]}
        seen |= changed
        rolled = {
            name for name in before.workloads if before.template(name) != after.template(name)
        }
        assert rolled == {name for key in changed for name in readers(before, key)}, changed
        for old, new in zip(before.objects, after.objects, strict=True):
            if old["kind"] not in KINDS and old["metadata"]["name"] not in rolled:
                assert new == old
    assert seen == keys(before).keys()


def test_one_servers_credential_ends_no_task() -> None:
    bundle = bundle_of("all-secrets")
    rolled = readers(bundle, ("Secret", "clearml-conf", "webserver_secret"))
    assert rolled == {"clearml-apiserver", "clearml-apiserver-asyncdelete", "clearml-webserver"}


def test_a_restore_does_not_run_again_for_a_new_password() -> None:
    """A Job is called by its content, and read its Secrets when it ran."""
    password = {"mongodb": {"auth": {"rootPassword": "test-other-secret"}}}
    after = synthesize(Values.read(merge(ALL_SECRETS, password)))
    assert after.of("Job").keys() == bundle_of("all-secrets").of("Job").keys()
    (restore,) = after.of("Job").values()
    assert "annotations" not in restore["spec"]["template"]["metadata"]


def test_what_is_made_in_the_cluster_or_by_the_user_is_in_no_digest() -> None:
    mongodb = {"auth": {"enabled": True, "existingSecret": "mine"}}
    bundle = render({"mongodb": mongodb}, outside={("Secret", "mine")})
    annotations = {key for workload in bundle.workloads for key in bundle.annotations(workload)}
    assert annotations == {
        "checksum/clearml-agent-group0-agent",  # clearml.conf
        "checksum/clearml-apiserver-conf",
        "checksum/clearml-elastic-master-config",
    }


@pytest.mark.parametrize("data", ["text", ["a"], {"a": {"b": "c"}}])
def test_content_that_is_no_mapping_ends_no_synth_by_itself(data: object) -> None:
    broken = {**of_the_user("ConfigMap", "mine"), "data": data}
    with pytest.raises(AssertionError, match=r"ConfigMap/mine data"):
        render(
            {
                "extraObjects": [broken],
                "webserver": {"envFrom": [{"configMapRef": {"name": "mine"}}]},
            }
        )


@pytest.mark.parametrize("changed", [0, 1])
def test_annotations_of_long_names_are_valid_and_change_with_all_that_they_stand_for(
    changed: int,
) -> None:
    names = [f"{62 * 'a'}.{end}" for end in ("first", "second")]

    def values(text: str) -> Object:
        objects = [of_the_user("Secret", name) for name in names]
        objects[changed]["stringData"]["ONE"] = text
        sources = [{"secretRef": {"name": name}} for name in names]
        return {"extraObjects": objects, "webserver": {"envFrom": sources}}

    first, second = (render(values(text)).annotations("clearml-webserver") for text in "ab")
    assert list(first) == list(second) == [f"checksum/{62 * 'a'}"]
    assert first != second
