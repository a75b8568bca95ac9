"""Which version of the servers is installed, and what goes with it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from config import Values
from config.generation import GENERATIONS
from rendering import render

DIGEST = "sha256:" + 64 * "0"
ELASTIC = "docker.elastic.co/elasticsearch/elasticsearch"


def image(server: str, tag: str) -> dict[str, Any]:
    return {server: {"image": {"tag": tag}}}


@pytest.mark.parametrize(
    ("version", "server", "mongodb", "redis", "elasticsearch"),
    [
        ("1.0.2", "allegroai/clearml:1.0.2", "4.4.30", "6.2.22", "7.17.29"),
        ("1.16", "allegroai/clearml:1.16.2-502", "4.4.30", "6.2.22", "7.17.29"),
        ("1.17.1", "allegroai/clearml:1.17.1-554", "5.0.32", "6.2.22", "8.19.20"),
        ("2.0.0", "allegroai/clearml:2.0.0-613", "6.0.27", "7.4.9", "8.19.20"),
        ("2.2.1", "clearml/server:2.2.1", "6.0.27", "7.4.9", "8.19.20"),
        ("2.3.0", "clearml/server:2.3.0", "7.0.41", "7.4.9", "8.19.20"),
        ("2.4.0", "clearml/server:2.4.0", "7.0.41", "7.4.9", "8.19.20"),
    ],
)
def test_images_follow_the_version(
    version: str, server: str, mongodb: str, redis: str, elasticsearch: str
) -> None:
    bundle = render({"clearml": {"version": version}})
    for name in ("apiserver", "fileserver", "webserver"):
        assert bundle.container(f"clearml-{name}")["image"] == server
    assert bundle.container("clearml-mongodb")["image"] == f"mongo:{mongodb}"
    assert bundle.container("clearml-redis-master")["image"] == f"redis:{redis}"
    assert bundle.container("clearml-elastic-master")["image"] == f"{ELASTIC}:{elasticsearch}"


@pytest.mark.parametrize("server", ["apiserver", "fileserver", "webserver"])
def test_a_tag_alone_decides(server: str) -> None:
    bundle = render(image(server, "2.0.0-613"))
    assert bundle == render({"clearml": {"version": "2.0.0-613"}})
    assert bundle.container("clearml-mongodb")["image"].startswith("mongo:6.")


def test_a_tag_of_a_server_that_is_not_installed_decides_nothing() -> None:
    elsewhere = {"enabled": False, "image": {"tag": "2.0.0-613"}}
    assert Values.read({"webserver": elsewhere}).generation.version == "1.0.2"


@pytest.mark.parametrize("tag", ["latest", "mine", "2", DIGEST])
def test_a_tag_that_tells_no_version_needs_one(tag: str) -> None:
    with pytest.raises(ValueError, match=r"apiserver\.image\.tag: tells no version"):
        Values.read(image("apiserver", tag))
    values = {"clearml": {"version": "2.3.0"}} | image("apiserver", tag)
    assert render(values).container("clearml-apiserver")["image"].endswith(tag)


def test_a_digest_needs_a_version() -> None:
    values = {"webserver": {"image": {"digest": DIGEST}}}
    with pytest.raises(ValueError, match=r"webserver\.image\.digest: tells no version"):
        Values.read(values)
    bundle = render(values | {"clearml": {"version": "2.3.0"}})
    assert bundle.container("clearml-webserver")["image"] == f"clearml/server@{DIGEST}"


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        (
            {"clearml": {"version": "1.0.2"}} | image("fileserver", "2.0.0-613"),
            r"fileserver\.image\.tag: is of another generation of servers than clearml\.version",
        ),
        (
            {"clearml": {"version": "2.3.0"}} | image("webserver", "1.16.0-494"),
            r"webserver\.image\.tag: is of another generation of servers than clearml\.version",
        ),
        (
            image("apiserver", "1.17.1-554") | image("webserver", "1.16.2-502"),
            r"webserver\.image\.tag: is of another generation of servers than apiserver\.image",
        ),
        ({"clearml": {"version": "0.17.0"}}, r"clearml\.version: is older than 1\.0\.2"),
        ({"clearml": {"version": "3.0"}}, r"clearml\.version: is unknown"),
        (image("apiserver", "3.0.0"), r"apiserver\.image\.tag: is unknown"),
        ({"clearml": {"version": "latest"}}, r"clearml\.version: must be a version"),
    ],
)
def test_versions_that_contradict_each_other_or_that_nobody_knows(
    values: dict[str, Any], mistake: str
) -> None:
    with pytest.raises(ValueError, match=mistake):
        Values.read(values)


def test_releases_of_one_generation_go_together() -> None:
    bundle = render({"clearml": {"version": "2.3.0"}} | image("webserver", "2.3.1-700"))
    assert bundle.container("clearml-webserver")["image"] == "clearml/server:2.3.1-700"
    assert bundle.container("clearml-apiserver")["image"] == "clearml/server:2.3.0"
    minor = render({"clearml": {"version": "1.14.1"}} | image("webserver", "1.9.2-317"))
    assert minor.container("clearml-webserver")["image"] == "allegroai/clearml:1.9.2-317"


def test_generations_are_told_apart_by_their_first_version() -> None:
    since = [generation.since for generation in GENERATIONS]
    assert since == sorted(set(since))


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ({}, True),
        ({"clearml": {"version": "1.17.1"}}, False),
        ({"clearml": {"version": "1.17.1"}, "elasticsearch": {"imageTag": "7.17.29"}}, True),
        ({"elasticsearch": {"imageTag": "8.19.20"}}, False),
    ],
)
def test_elasticsearch_gets_no_setting_that_it_does_not_know(
    values: dict[str, Any], known: bool
) -> None:
    setting = "xpack.monitoring.enabled"
    assert (setting in render(values).env("clearml-elastic-master")) is known
    given = {"extraEnvs": [{"name": setting, "value": "false"}], **values.get("elasticsearch", {})}
    written = Values.read({**values, "elasticsearch": given})
    warned = [w for w in written.warnings() if w.startswith("elasticsearch.extraEnvs")]
    assert len(warned) == (not known)


@pytest.mark.parametrize(
    ("values", "warned"), [({"enabled": True}, True), ({"nodeSelector": {"pool": "data"}}, False)]
)
def test_a_program_that_the_server_lacks_is_told_where_it_is_asked_for(
    values: dict[str, Any], warned: bool
) -> None:
    told = Values.read({"apiserver": {"asyncdelete": values}}).warnings()
    assert any(line.startswith("apiserver.asyncdelete: ") for line in told) == warned


HELM_STORES = {store: {"provider": "helm"} for store in ("mongodb", "redis", "elasticsearch")}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, {}),
        (image("mongodb", "7.0.28"), {"mongodb.image.tag": "has 7.0.28"}),
        (image("mongodb", "4.2.24"), {"mongodb.image.tag": "has 4.2.24"}),
        (image("mongodb", "4.4"), {}),
        (image("mongodb", "4.4.29-ours@" + DIGEST), {}),
        (image("mongodb", "latest"), {"mongodb.image.tag": "tells no version"}),
        (image("redis", "7.2.4"), {"redis.image.tag": "has 7.2.4"}),
        (image("redis", "alpine"), {"redis.image.tag": "tells no version"}),
        (image("redis", DIGEST), {"redis.image.tag": "tells no version"}),
        ({"redis": {"image": {"digest": DIGEST}}}, {"redis.image.digest": "tells no version"}),
        ({"redis": {"image": {"tag": "6.2.1", "digest": DIGEST}}}, {}),
        ({"elasticsearch": {"imageTag": "7.10.2"}}, {}),
        ({"elasticsearch": {"imageTag": "8.1.0"}}, {"elasticsearch.imageTag": "has 8.1.0"}),
        (
            {"elasticsearch": {"imageDigest": DIGEST}},
            {"elasticsearch.imageDigest": "tells no version"},
        ),
        ({"mongodb": {"enabled": False, "image": {"tag": "7.0.28"}}}, {}),
        ({"clearml": {"version": "1.17.1"}, **image("mongodb", "4.4.30")}, {}),
        (
            {"clearml": {"version": "1.17.1"}, **image("mongodb", "6.0.27")},
            {"mongodb.image.tag": "has 6.0.27"},
        ),
        (
            {"clearml": {"version": "2.0.0"}, **image("mongodb", "5.0.32")},
            {"mongodb.image.tag": "has 5.0.32"},
        ),
        (
            {"clearml": {"version": "2.3.0"}, "elasticsearch": {"imageTag": "7.17.29"}},
            {"elasticsearch.imageTag": "has 7.17.29"},
        ),
        (HELM_STORES, {}),
        ({**HELM_STORES, "clearml": {"version": "1.17.1"}}, {}),
        (
            {**HELM_STORES, "clearml": {"version": "2.0.0"}},
            {
                f"{store}.chart.version": f"{version} is of the time of servers 1.0.2"
                for store, version in (
                    ("mongodb", "10.3.4"),
                    ("redis", "10.9.0"),
                    ("elasticsearch", "7.10.1"),
                )
            },
        ),
        (
            {
                "clearml": {"version": "2.3.0"},
                "mongodb": {"provider": "helm", "chart": {"version": "15.6.0"}},
                "redis": {"provider": "helm", "image": {"tag": "latest"}},
            },
            {"redis.image.tag": "tells no version"},
        ),
    ],
    ids=str,
)
def test_stores_that_nobody_has_seen_with_the_servers_are_warned_of(
    values: dict[str, Any], told: dict[str, str]
) -> None:
    ours = " and servers (\\S+) are known to work with (\\S+) \\(docs/versions.md\\)"
    lines = [re.fullmatch(rf"(\S+): (.*),{ours}", w) for w in Values.read(values).warnings()]
    found = {line[1]: line[2] for line in lines if line}
    assert found == told


def test_a_warning_of_a_store_tells_what_goes_with_the_servers() -> None:
    values = Values.read(image("mongodb", "7.0.28"))
    (told,) = values.warnings()
    assert told.endswith(
        f" servers 1.0.2 are known to work with {values.generation.mongodb.tag} (docs/versions.md)"
    )
