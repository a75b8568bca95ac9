"""Which steps of an upgrade lose data or the way back: the rules, and all that asks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clearml_k8s.rules import Bundle as Judged
from clearml_k8s.upgrade import upgrade_warnings
from config.types.merging import merge
from config.upgrade_steps import (
    GUARD,
    PRESETS,
    SERVERS,
    STORES,
    UNSAFE_ALLOWED,
    Versions,
    is_allowed,
    losses,
    next_preset,
    said_by,
    tag_of,
    untold,
)
from rendering import Bundle, render
from test_upgrading import STEPS, at, documents, read

OLD = Versions("1.0.2", "4.4.30", "6.2.22", "7.17.29")
NEW = Versions("2.3.0", "7.0.28", "7.4.7", "8.17.10")
HOME = "/usr/share/elasticsearch"
SEARCH = "clearml-elastic-master"
DIGEST = "sha256:" + 64 * "0"
NEWEST = {"clearml": {"version": "2.3.0"}}
STORES_ONLY = {"clearml": {"version": "1.17.1"}}


def about(lines: list[str]) -> list[str]:
    return [line.partition(":")[0] for line in lines]


def one(**versions: Any) -> Versions:
    return Versions(**versions)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (OLD, NEW, ["clearml.version", "mongodb", "elasticsearch"]),
        (NEW, OLD, ["clearml.version", "mongodb", "redis", "elasticsearch"]),
        (OLD, OLD, []),
        (Versions(), NEW, []),
        (one(mongodb="4.4.30"), one(mongodb="5.0.32"), []),
        (one(mongodb="4.2.1"), one(mongodb="5.0.32"), ["mongodb"]),
        (one(mongodb="3.6.23"), one(mongodb="4.4.30"), ["mongodb"]),
        (one(mongodb="4.2.1"), one(mongodb="4.4.30"), []),
        (one(mongodb="7.0.41"), one(mongodb="7.0.28"), []),
        (one(mongodb="7.0.28"), one(mongodb="6.0.27"), ["mongodb"]),
        (one(mongodb="4.4.5-debian-10-r0"), one(mongodb="6.0.27-mine"), ["mongodb"]),
        (one(redis="6.2.22"), one(redis="7.4.7-alpine"), []),
        (one(redis="7.4.7"), one(redis="7.2.1"), ["redis"]),
        (one(elasticsearch="7.17.29"), one(elasticsearch="8.17.10"), ["elasticsearch"]),
        (
            one(elasticsearch="7.17.29"),
            one(elasticsearch="8.19.20", converts_data=True),
            [],
        ),
        (
            one(elasticsearch="7.16.2"),
            one(elasticsearch="8.17.10", converts_data=True),
            ["elasticsearch"],
        ),
        (
            one(elasticsearch="7.17.29"),
            one(elasticsearch="9.0.0", converts_data=True),
            ["elasticsearch"],
        ),
        (one(elasticsearch="8.17.10"), one(elasticsearch="8.19.20"), []),
        (one(elasticsearch="8.17.10"), one(elasticsearch="8.17.9"), ["elasticsearch"]),
        (one(elasticsearch="8.17.10"), one(elasticsearch="8.17"), []),
        (one(server="2.0.0-613"), one(server="2.3.0"), []),
        (one(server="2.3.1"), one(server="2.3.0"), []),
        (one(server="1.17.1"), one(server="2.2.0"), ["clearml.version"]),
        (one(mongodb="latest"), one(mongodb="7.0.28"), []),
    ],
    ids=str,
)
def test_steps_that_lose_something(before: Versions, after: Versions, found: list[str]) -> None:
    assert about([*losses(before, after)]) == found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (one(mongodb="latest"), one(mongodb="7.0.28"), ["mongodb"]),
        (one(mongodb="7.0.28"), one(mongodb=DIGEST), ["mongodb"]),
        (one(server="mine"), one(server="2.3.0"), ["clearml.version"]),
        (one(redis="mine"), one(redis="mine"), []),
        (one(redis="6.2.22"), one(), []),
        (OLD, NEW, []),
    ],
    ids=str,
)
def test_versions_that_nobody_can_tell(before: Versions, after: Versions, found: list[str]) -> None:
    assert about([*untold(before, after)]) == found


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("mongo:4.4.30", "4.4.30"),
        ("registry.example.com:5000/copies/mongo", "latest"),
        (f"registry.example.com:5000/mongo:7.0.28@{DIGEST}", "7.0.28"),
        (f"mongo@{DIGEST}", DIGEST),
    ],
)
def test_what_an_image_tells(image: str, tag: str) -> None:
    assert tag_of(image) == tag


@pytest.mark.parametrize(
    ("before", "preset"),
    [
        (OLD, "1-server-1.17"),
        (OLD._replace(server="1.17.1"), "2-stores-of-1.17"),
        # Of the charts 6 to 7.13, 7.14.
        (Versions("1.14.1", "5.0.10", "7.0", "7.17.3"), "2-stores-of-1.17"),
        (Versions("2.0.0", "6.0.19", "7.2", "7.17.3"), "3-server-2.0"),
        (Versions("2.0.0-613", "6.0.27", "7.4.7", "8.17.10"), "4-server-2.3"),
        (one(mongodb="5.0.32"), "3-server-2.0"),
        (OLD._replace(mongodb="latest"), "1-server-1.17"),
        (NEW, None),
    ],
)
def test_the_preset_that_comes_first(before: Versions, preset: str | None) -> None:
    assert next_preset(before) == (preset and f"upgrade/{preset}")


def versions(bundle: Bundle) -> Versions:
    return said_by(bundle.workloads.values())


def test_presets_lead_where_the_rules_think() -> None:
    assert [*PRESETS] == [step.stem for step in STEPS]
    for step in STEPS:
        installed = versions(at(step, "default"))
        numbers = [each.split(".")[:2] for each in installed[:-1]]
        assert numbers == [each.split(".")[:2] for each in PRESETS[step.stem][:-1]]


@pytest.mark.parametrize("scenario", ["default", "everything"])
def test_containers_are_found_by_the_name_of_their_section(scenario: str) -> None:
    bundle = at(None, scenario)
    tags = versions(bundle)._asdict()
    assert all(tags[name] for name in ("server", *STORES))
    for name in SERVERS:
        assert said_by([bundle.workloads[f"clearml-{name}"]]).server == tags["server"]


def test_servers_of_the_later_charts_are_found() -> None:
    container = {"name": "clearml-apiserver", "image": "docker.io/allegroai/clearml:1.14.1-448"}
    pod = {"metadata": {"name": "a"}, "spec": {"containers": [container]}}
    assert said_by([pod]).server == "1.14.1-448"


# The synthesis, which sees the manifests of the one before.


def told(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = render(before), render(after)
    lines = upgrade_warnings(documents(old), documents(new), Judged(new.objects))
    return [line for line in lines if line.endswith(("(docs/upgrading.md)", "(docs/migration.md)"))]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, NEWEST, ["clearml.version", "mongodb", "elasticsearch"]),
        (NEWEST, {}, ["clearml.version", "mongodb", "redis", "elasticsearch"]),
        ({}, {"mongodb": {"image": {"tag": "6.0.27"}}}, ["mongodb"]),
        ({}, {"mongodb": {"image": {"tag": "latest"}}}, ["mongodb"]),
        ({}, {"mongodb": {"image": {"tag": "4.4.30", "digest": DIGEST}}}, []),
        ({}, {"elasticsearch": {"imageTag": "8.15.5"}}, ["elasticsearch"]),
        ({}, {"mongodb": {"enabled": False, "service": {"name": "mongo.example.com"}}}, []),
        ({}, {"release": {"name": "other"}} | NEWEST, []),
        ({}, {"release": {"namespace": "other"}} | NEWEST, []),
        ({}, STORES_ONLY, ["elasticsearch"]),
        ({}, merge(STORES_ONLY, {"clearml": {"upgradingFrom": "1.0.2"}}), []),
        ({}, merge(NEWEST, {"clearml": {"upgradingFrom": "1.0.2"}}), 3),
    ],
    ids=str,
)
def test_a_synthesis_tells_what_an_apply_would_lose(
    before: Mapping[str, Any], after: Mapping[str, Any], found: list[str] | int
) -> None:
    lines = about(told(before, after))
    assert (len(lines) if isinstance(found, int) else lines) == found


def test_a_line_says_what_happens_and_what_comes_first() -> None:
    lines = told({}, NEWEST)
    assert all("(preset upgrade/1-server-1.17 comes first)" in line for line in lines)
    assert "2.3.0 takes over no data of servers 1.0.2, and may damage it" in lines[0]
    assert "does not start on it" in lines[1]
    assert (
        f"converts the data of {versions(render()).elasticsearch}, which has no way back"
        in lines[2]
    )


# The pod of Elasticsearch, which sees the data.


def after(step: Path, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return merge(dict(values or {}), read(step))


def guards(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    containers = render(values).pod(SEARCH).get("initContainers", [])
    return [each for each in containers if each["name"] == GUARD]


@pytest.mark.parametrize(
    ("values", "looks"),
    [
        ({}, False),
        (NEWEST, True),
        (STORES_ONLY, True),
        ({"elasticsearch": {"imageTag": "8.19.20"}}, True),
        ({"elasticsearch": {"imageTag": "latest"}}, True),
        ({"elasticsearch": {"imageDigest": DIGEST}}, True),
        (merge(NEWEST, {"elasticsearch": {"imageTag": "7.17.29"}}), False),
        (merge(STORES_ONLY, {"clearml": {"upgradingFrom": "1.16.2"}}), False),
        (merge(STORES_ONLY, {"clearml": {"upgradingFrom": "1.17.1"}}), True),
        (merge(NEWEST, {"clearml": {"upgradingFrom": "1.0.2"}}), True),
        (merge(NEWEST, {"clearml": {"allowUnsafeUpgrade": True}}), False),
        (after(STEPS[0]), False),
        (after(STEPS[1]), False),
        (after(STEPS[1], {"clearml": {"upgradingFrom": "1.17.1"}}), False),
        (after(STEPS[2]), True),
        (after(STEPS[3]), True),
    ],
    ids=str,
)
def test_elasticsearch_looks_at_its_data_unless_it_is_asked_to_convert_it(
    values: Mapping[str, Any], looks: bool
) -> None:
    assert bool(guards(values)) == looks


@pytest.mark.parametrize(
    ("data", "image", "starts"),
    [
        ("", "8.17.10", True),
        ("nodes/0/_state/", "8.17.10", False),
        ("nodes", "8.17.10", True),
        ("indices/ _state/ nodes", "8.17.10", True),
        ("nodes/", "9.0.0", False),
        # Where the tag does not tell that it is one.
        ("nodes/0/", "7.17.29", True),
    ],
)
def test_data_of_elasticsearch_7_is_not_converted_unasked(
    home: Path, data: str, image: str, starts: bool
) -> None:
    (home / "lib").mkdir()
    (home / "lib" / f"elasticsearch-{image}.jar").touch()
    (home / "lib" / "elasticsearch-core-7.1.1.txt").touch()
    (home / "data").mkdir()
    for name in data.split():
        if name.endswith("/"):
            (home / "data" / name).mkdir(parents=True)
        else:
            (home / "data" / name).write_text("written by Elasticsearch")
    before = sorted(home.rglob("*"))
    (guard,) = guards(NEWEST)
    program, flag, script = guard["command"]
    done = subprocess.run(
        [*as_in_the_pod(), program, flag, script.replace(HOME, str(home))],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == starts, done.stderr
    assert ("Nothing has been changed" in done.stderr) != starts
    assert sorted(home.rglob("*")) == before
    assert guard["securityContext"]["readOnlyRootFilesystem"]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that any user reads, as Elasticsearch's own; pytest's are their owner's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_in_the_pod() -> list[str]:
    """Who runs it there: the user of the image, with no rights; as whoever tests, if not root."""
    if os.geteuid() or not shutil.which("setpriv"):
        return []
    context = render(NEWEST).pod(SEARCH)["securityContext"]
    user, group = context["runAsUser"], context["runAsGroup"]
    rights = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--clear-groups")
    return ["setpriv", f"--reuid={user}", f"--regid={group}", *rights]


# The explicit value.


def test_what_allows_a_loss_stands_in_the_manifests_and_rolls_nothing() -> None:
    plain, allowed = render({}), render({"clearml": {"allowUnsafeUpgrade": True}})
    assert not is_allowed(plain.objects)
    for manifest in allowed.objects:
        assert manifest["metadata"]["annotations"][UNSAFE_ALLOWED] == "true"
    assert {name: plain.template(name) for name in plain.workloads} == {
        name: allowed.template(name) for name in allowed.workloads
    }
