"""Credentials that nobody gives: what is left to the cluster, and the Job that makes it there."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from clearml_k8s.programs import make_credentials, text_of
from config import Values
from config.clearml import HOCON_TEXT, PUBLISHED, Credentials
from config.credentials_job import CredentialsJob
from config.generation import DEFAULT_GENERATION
from config.mongodb import REPLICA_SET_KEY, URL_SAFE
from config.secret_layout import LAYOUTS
from config.types.merging import merge
from packed_charts import imported
from rendering import Bundle, Object, render
from scenarios import AUTHENTICATION, SECRET_MARK
from test_changes import told as upgrade_told
from test_pods import OUTSIDE, SETTINGS, values_of

ALL = set(LAYOUTS["clearml-conf"].values())
GIVEN = {field.alias: f"{SECRET_MARK}-{name}" for name, field in Credentials.model_fields.items()}
ALL_GIVEN: dict[str, Any] = {"clearml": {"credentials": GIVEN}}
MINE = {("Secret", "mine")}
STORES = {"mongodb": {"auth": {"enabled": True}}, "redis": {"usePassword": True}}
REPLICA_SET = {"mongodb": {"architecture": "replicaset", "auth": {"enabled": True}}}
ROOT, KEY, REDIS = "mongodb-root-password", "mongodb-replica-set-key", "redis-password"


def made(bundle: Bundle) -> dict[str, set[str]]:
    """The keys that the Job makes, by Secret."""
    return {name: set(wanted["lengths"]) for name, wanted in bundle.made.items()}


# What is in the manifests, and what is not


def test_no_credential_is_in_the_default_manifests() -> None:
    bundle = render()
    texts = [*bundle.texts.values()]
    texts += [text for name in bundle.of("Secret") for text in bundle.secret(name).values()]
    assert len(texts) > len(bundle.texts)
    assert not [word for word in PUBLISHED if any(word in text for text in texts)]
    assert not [k for name in bundle.of("Secret") for k in bundle.secret(name) if "conf" not in k]
    assert "clearml-conf" not in bundle.of("Secret")
    assert made(bundle) == {"clearml-conf": ALL}


@pytest.mark.parametrize(
    ("values", "outside", "expected"),
    [
        (ALL_GIVEN, set(), {}),
        ({"clearml": {"existingSecret": "mine"}}, MINE, {}),
        # What this server does not read need not be there.
        ({"clearml": AUTHENTICATION["clearml"]}, set(), {}),
        (
            {"clearml": {"credentials": {"authToken": GIVEN["authToken"]}}},
            set(),
            {"clearml-conf": ALL - {"auth_token"}},
        ),
        (
            {"clearml": {"existingSecret": "mine", "existingSecretKeys": {"authToken": "token"}}},
            MINE,
            {"clearml-conf": ALL - {"auth_token"}},
        ),
        (STORES, set(), {"clearml-conf": ALL, "clearml-mongodb": {ROOT}, "clearml-redis": {REDIS}}),
        (REPLICA_SET, set(), {"clearml-conf": ALL, "clearml-mongodb": {ROOT, KEY}}),
        (
            merge(REPLICA_SET, {"mongodb": {"auth": {"rootPassword": "test-secret"}}}),
            set(),
            {"clearml-conf": ALL, "clearml-mongodb": {KEY}},
        ),
        (
            merge(REPLICA_SET, {"mongodb": {"auth": {"existingSecret": "mine"}}}),
            MINE,
            {"clearml-conf": ALL},
        ),
        ({"redis": {"usePassword": True, "existingSecret": "mine"}}, MINE, {"clearml-conf": ALL}),
        (
            {"redis": {"usePassword": True, "password": ""}},
            set(),
            {"clearml-conf": ALL} | {"clearml-redis": {REDIS}},
        ),
    ],
)
def test_what_nobody_gives_is_made(
    values: dict[str, Any], outside: set[tuple[str, str]], expected: dict[str, set[str]]
) -> None:
    bundle = render(values, outside=outside)
    assert made(bundle) == expected
    assert bool(bundle.of("Role")) == bool(bundle.of("RoleBinding")) == bool(expected)
    for rule in (rule for role in bundle.of("Role").values() for rule in role["rules"]):
        assert set(rule["resourceNames"]) == set(expected)
    for name, keys in expected.items():
        manifest = bundle.secret(name) if name in bundle.of("Secret") else {}
        assert not keys & manifest.keys()
        assert bundle.made[name]["whole"] == (not manifest)


@pytest.mark.parametrize("layout", ["clearml-conf", "chart-2", "chart-5"])
def test_what_an_existing_secret_holds_is_never_made(layout: str) -> None:
    existing = {"existingSecret": "mine", "existingSecretKeys": layout}
    bundle = render({"clearml": existing}, outside=MINE)
    lacking = {key for name, key in LAYOUTS["clearml-conf"].items() if name not in LAYOUTS[layout]}
    assert made(bundle) == ({"clearml-conf": lacking} if lacking else {})


def test_all_that_the_server_knows_has_a_place() -> None:
    assert set(DEFAULT_GENERATION.credentials) <= Credentials.model_fields.keys() == ALL


AGENTS_ONLY: dict[str, Any] = {
    "apiserver": {"enabled": False},
    "webserver": {"enabled": False},
    "clearml": {"clientConfigurationApiUrl": "http://api.example.com"},
}
PAIR = {"clearmlAccessKey": "test-secret-key", "clearmlSecretKey": "test-secret-secret"}


@pytest.mark.parametrize(
    ("more", "is_lacking"),
    [
        ({}, True),
        (
            {
                "webserver": {"enabled": True},
                "agentservices": PAIR,
                "agentGroups": {"agent-group0": PAIR},
            },
            True,
        ),
        ({"agentservices": PAIR}, True),
        ({"agentservices": PAIR, "agentGroups": {"agent-group0": PAIR}}, False),
        (
            {
                "clearml": {
                    "credentials": {
                        k: GIVEN[k] for k in ("servicesAgentKey", "servicesAgentSecret")
                    }
                }
            },
            False,
        ),
    ],
)
def test_without_an_api_server_only_what_somebody_reads_is_missed(
    more: dict[str, Any], is_lacking: bool
) -> None:
    values = Values.read(merge(AGENTS_ONLY, more))
    assert bool(values.lacking) == is_lacking
    told = [w for w in values.warnings() if w.startswith("clearml.credentials: the API server is")]
    assert len(told) == is_lacking


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({}, r"clearml.credentials \(httpSession, "),
        (
            ALL_GIVEN | STORES,
            "mongodb.auth.rootPassword, redis.password",
        ),
        (ALL_GIVEN | REPLICA_SET, "mongodb.auth.replicaSetKey"),
    ],
)
def test_without_the_job_all_must_be_given(values: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=f"or these are to be given: .*{missing}") as caught:
        Values.read(merge(values, {"credentialsJob": {"enabled": False}}))
    assert SECRET_MARK not in str(caught.value)
    given = {"clearml": {"credentials": GIVEN}, "credentialsJob": {"enabled": False}}
    assert not render(given).of("Job")


def test_the_job_has_rights_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"credentialsJob\.serviceAccount\.name"):
        Values.read({"credentialsJob": {"serviceAccount": {"create": False}}})


# Stores from Helm charts


@pytest.mark.usefixtures("helm_on_path")
@pytest.mark.parametrize("stores", [STORES, REPLICA_SET])
def test_a_chart_makes_up_no_password(stores: dict[str, Any], tmp_path: Path) -> None:
    values = merge(imported(tmp_path), stores)
    bundle, again = render(values), render(merge(values, {"commonLabels": {}}))
    assert bundle.texts == again.texts
    assert not [name for name in bundle.of("Secret") if name in made(bundle)]
    assert made(bundle).keys() > {"clearml-mongodb"}


# The Job


VALUES: list[dict[str, Any]] = [{}, {"commonLabels": {}}, {"redis": {"usePassword": True}}]


def test_the_name_of_the_job_follows_its_content() -> None:
    first, again, other = (render(values).job["metadata"]["name"] for values in VALUES)
    assert first == again != other


def test_the_job_is_restricted() -> None:
    pod = render().job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    context = {**pod["securityContext"], **container["securityContext"]}
    assert context["runAsUser"] > 0
    assert (
        context.items()
        >= {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }.items()
    )
    assert container["resources"].keys() == {"requests", "limits"}


def test_the_account_and_its_rights_are_there_before_the_job() -> None:
    bundle = render()
    kinds = [o["kind"] for o in bundle.files["0100-credentials.k8s.yaml"]]
    assert kinds.index("ServiceAccount") < kinds.index("RoleBinding") < kinds.index("Job")


def test_the_job_may_do_what_its_program_does_and_no_more() -> None:
    (role,) = render().of("Role").values()
    (rule,) = role["rules"]
    assert rule["resources"] == ["secrets"]
    assert set(rule["verbs"]) == {"get", "create", "patch"}


def test_an_account_of_the_users_gets_the_rights() -> None:
    own = {"create": False, "name": "theirs"}
    account = ("ServiceAccount", "theirs")
    bundle = render({"credentialsJob": {"serviceAccount": own}}, outside={account})
    assert bundle.job["spec"]["template"]["spec"]["serviceAccountName"] == "theirs"
    (binding,) = bundle.of("RoleBinding").values()
    assert [(s["kind"], s["name"]) for s in binding["subjects"]] == [account]
    assert not bundle.of("ServiceAccount")


def test_nothing_that_the_job_makes_counts_as_an_object_of_the_manifests() -> None:
    bundle = render(merge(STORES, {"commonLabels": {"team": "ml"}}))
    for wanted in bundle.made.values():
        assert wanted["labels"]["app.kubernetes.io/managed-by"] != "cdk8s"
        assert wanted["labels"]["team"] == "ml"
        assert "Prune=false" in wanted["annotations"]["argocd.argoproj.io/sync-options"]


@pytest.mark.parametrize(
    "key", [key for key in SETTINGS if to_snake(key) in CredentialsJob.model_fields]
)
def test_a_setting_has_its_effect_in_the_job(key: str) -> None:
    setting = SETTINGS[key]
    entries = {**setting.context, key: setting.value}
    if key == "imagePullSecrets":
        entries[key] = [entry["name"] for entry in setting.value]
    before = render(values_of("credentialsJob", setting.context)).job
    after = render(values_of("credentialsJob", entries), outside=OUTSIDE).job
    expected = json.loads(json.dumps(before))
    setting.edit(expected)
    assert after["spec"] == expected["spec"] != before["spec"]


def test_settings_of_jobs_have_their_effect() -> None:
    settings = {"backoffLimit": 1, "activeDeadlineSeconds": 2, "ttlSecondsAfterFinished": 3}
    job = render({"credentialsJob": {**settings, "jobAnnotations": {"key": "text"}}}).job
    assert job["spec"].items() >= settings.items()
    assert job["metadata"]["annotations"] == {"key": "text"}


def test_the_job_has_time_for_all_its_attempts() -> None:
    job = render().job["spec"]
    (settings,) = job["template"]["spec"]["containers"][0]["args"]
    attempts = job["backoffLimit"] + 1
    # Kubernetes waits 10 s before the second, and twice as long before each that follows.
    waits = sum(min(360, 10 * 2**number) for number in range(job["backoffLimit"]))
    assert job["activeDeadlineSeconds"] > attempts * json.loads(settings)["patience"] + waits


# The program


def test_the_program_runs_on_the_python_of_the_oldest_image() -> None:
    ast.parse(text_of("make_credentials.py"), feature_version=(3, 6))


@pytest.mark.parametrize("length", [20, 50])
def test_any_reader_takes_a_text_that_is_made(length: int) -> None:
    texts = {make_credentials.random_text(length) for _ in range(500)}
    assert len(texts) == 500
    for text in texts:
        assert len(text) == length
        assert text[0].isalpha()
        for pattern in (HOCON_TEXT, URL_SAFE, REPLICA_SET_KEY):
            assert pattern.fullmatch(text)


class Stored(make_credentials.Api):
    """An API server that keeps Secrets in a mapping, and fails as it is told to."""

    def __init__(self, stored: dict[str, Object], answers: Iterator[tuple[int, str]]) -> None:
        self.stored, self.answers, self.asked = stored, answers, list[tuple[str, str]]()

    def _send(
        self, method: str, name: str, body: Mapping[str, Any] | None, media: str
    ) -> tuple[int, str]:
        self.asked.append((method, media))
        failure = next(self.answers, None)
        if failure:
            return failure
        found = self.stored.get(name)
        if method == "GET":
            return (200, json.dumps(found)) if found else (404, "{}")
        assert body is not None
        if media == make_credentials.APPLY:
            self.stored[name] = {"metadata": {**body["metadata"], "resourceVersion": "1"}}
        else:
            assert found is not None
            assert body["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]
            found["data"] = {**found.get("data", {}), **body["data"]}
        return 200, "{}"


WANTED = {"lengths": {"a_key": 20, "b": 50}, "labels": {}, "annotations": {}, "whole": True}


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    # The first request is to read the Secret, and 404 is an answer to that.
    answers = [(404, "{}"), (status, '{"message": "not now"}')] * 3
    api = Stored({}, iter(answers))
    end = time.monotonic() + 100
    assert make_credentials.complete_in_time(api, "s", WANTED, end)
    assert {key: len(text) for key, text in api.stored["s"]["data"].items()} == {
        "a_key": 28,
        "b": 68,
    }
    told = capsys.readouterr().out
    assert told.count(f"cannot create: HTTP {status}: not now; trying again") == 3
    assert not [text for text in api.stored["s"]["data"].values() if text in told]


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(("status", "patience"), [(422, 100), (400, 100), (503, 0)])
def test_what_does_not_pass_fails_with_the_reason(
    status: int, patience: int, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Stored({}, iter([(status, '{"message": "no"}')] * 9))
    assert not make_credentials.complete_in_time(api, "s", WANTED, time.monotonic() + patience)
    assert len(api.asked) == 1
    assert capsys.readouterr().out == f"Secret s: failed, cannot get: HTTP {status}: no\n"


def test_one_half_of_a_pair_is_made_alone(capsys: pytest.CaptureFixture[str]) -> None:
    stored = {"s": {"metadata": {"resourceVersion": "7"}, "data": {"a_key": "dGhlaXJz", "b": ""}}}
    api = Stored(stored, iter(()))
    assert make_credentials.complete(api, "s", WANTED) == "made b"
    assert stored["s"]["data"]["a_key"] == "dGhlaXJz"
    assert make_credentials.complete(api, "s", WANTED) == "has all its keys, nothing to do"
    assert [media for _, media in api.asked].count(make_credentials.MERGE) == 1


@pytest.mark.usefixtures("no_pauses")
def test_an_immutable_secret_that_lacks_a_key_fails_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    api = Stored({"s": {"metadata": {"resourceVersion": "7"}, "immutable": True}}, iter(()))
    assert not make_credentials.complete_in_time(api, "s", WANTED, time.monotonic() + 5)
    assert len(api.asked) == 1
    assert "immutable and lacks a_key, b" in capsys.readouterr().out


MANAGER, APPLIED = make_credentials.MANAGER, make_credentials.APPLIED
KEEPING = {"labels": {MANAGER: "us", "team": "ml"}, "annotations": {"keep": "true"}}


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        ({}, KEEPING),
        (KEEPING, {}),
        ({"labels": {MANAGER: "helm", "team": "own"}, "annotations": {"keep": "false"}}, {}),
        # Applied by somebody else, whose next apply needs to know what it did.
        ({"annotations": {APPLIED: "{}"}}, KEEPING),
        (
            {"labels": {MANAGER: "helm", "team": "own"}, "annotations": {"keep": "", APPLIED: ""}},
            {},
        ),
        # Of a manifest that held it before.
        (
            {"labels": {MANAGER: "cdk8s", "team": "ml"}, "annotations": {APPLIED: "{}"}},
            {"labels": {MANAGER: "us"}, "annotations": {"keep": "true", APPLIED: None}},
        ),
    ],
)
def test_a_secret_without_manifest_gets_what_keeps_it_and_nothing_else_changes(
    found: Object, changes: Object
) -> None:
    assert make_credentials.new_metadata(found, KEEPING) == changes


# Secrets that were in earlier manifests


def test_a_secret_that_the_job_takes_over_is_to_be_kept() -> None:
    given = merge(STORES, {"mongodb": {"auth": {"rootPassword": "test-secret"}}})
    told = upgrade_told(ALL_GIVEN | given, STORES)
    kept = [line.partition(": ")[0] for line in told if "stays in use" in line]
    assert kept == ["Secret/clearml-conf", "Secret/clearml-mongodb"]
    assert len(told) == len(kept)


def test_another_job_is_nothing_to_remove() -> None:
    assert upgrade_told({}, {"apiserver": {"image": {"tag": "1.1.1"}}}) == []
