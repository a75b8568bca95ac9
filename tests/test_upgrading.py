"""The way of an installation to the newest servers: docs/upgrading.md, its presets, warnings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearml_k8s.rules import Bundle as Judged
from clearml_k8s.upgrade import upgrade_warnings
from config import Values, load
from config.generation import NEWEST
from config.types.merging import merge
from rendering import Bundle, render
from scenarios import AUTHENTICATION, REPLICATED

ROOT = Path(__file__).parents[1]
PRESETS = ROOT / "config/presets"
STEPS = sorted((PRESETS / "upgrade").glob("*.yaml"))
OLDEST = "1.0.2"
SECRETS = frozenset(("Secret", f"clearml-{name}") for name in ("credentials", "tls"))
PINNED: dict[str, Any] = {
    **{name: {"image": {"tag": "1.0.2"}} for name in ("apiserver", "fileserver", "webserver")},
    "mongodb": {"image": {"tag": "4.4.29"}},
    "redis": {"image": {"tag": "6.2.20"}},
    "elasticsearch": {"imageTag": "7.17.28"},
}


def read(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text("utf-8")))


PRODUCTION = read(PRESETS / "production.yaml")
INSTALLATIONS: Mapping[str, dict[str, Any]] = {
    "default": {},
    "authentication": AUTHENTICATION,
    "replicated": REPLICATED,
    "production": PRODUCTION,
    "everything": merge(PRODUCTION, merge(AUTHENTICATION | {"clearml": {}}, REPLICATED)),
    "pinned": PINNED,
}


def version(step: Path) -> str:
    return str(read(step)["clearml"]["version"])


def at(step: Path | None, installation: str) -> Bundle:
    """The installation behind which the step's preset stands; without one, as it was before."""
    preset = read(step) if step else {}
    return render(merge(INSTALLATIONS[installation], preset), outside=SECRETS)


def documents(bundle: Bundle) -> list[str]:
    return [text for file in bundle.texts.values() for text in file.split("---\n")]


def about_upgrades(values: Mapping[str, Any]) -> list[str]:
    """What the warnings about an upgrade are about."""
    told = (line for line in Values.read(values).warnings() if line.endswith("(docs/upgrading.md)"))
    return [line.partition(":")[0] for line in told]


def from_to(former: str, now: str, **more: Any) -> dict[str, Any]:
    return {"clearml": {"upgradingFrom": former, "version": now}, **more}


def test_steps_are_numbered_and_end_with_the_server_of_today() -> None:
    assert [step.name.partition("-")[0] for step in STEPS] == [
        str(number) for number in range(1, len(STEPS) + 1)
    ]
    assert version(STEPS[-1]) == version(PRESETS / "clearml-2.yaml")


def test_the_newest_needs_no_other_stores_than_the_last_step() -> None:
    last = version(STEPS[-1])
    assert about_upgrades(from_to(last, NEWEST.version)) == []
    newest = render({"clearml": {"version": NEWEST.version}})
    for name in ("clearml-mongodb", "clearml-redis-master", "clearml-elastic-master"):
        assert newest.container(name)["image"] == at(STEPS[-1], "default").container(name)["image"]


@pytest.mark.parametrize("installation", INSTALLATIONS)
def test_the_cluster_takes_over_each_step_in_place(installation: str) -> None:
    for before, after in zip([None, *STEPS], STEPS, strict=False):
        old, new = at(before, installation), at(after, installation)
        assert old != new
        assert upgrade_warnings(documents(old), documents(new), Judged(new.objects)) == []


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.stem)
@pytest.mark.parametrize("installation", ["default", "pinned"])
def test_a_step_installs_what_goes_with_its_version(step: Path, installation: str) -> None:
    images = {
        name: container["image"]
        for name, container in at(step, installation).containers()
        if name.startswith(("clearml-mongodb", "clearml-redis", "clearml-elastic"))
    }
    # The first keeps the stores of before.
    stores_of = OLDEST if step == STEPS[0] else version(step)
    expected = render({"clearml": {"version": stores_of}})
    assert images == {name: expected.container(name)["image"] for name in images}
    assert len(images) == 3
    servers = render({"clearml": {"version": version(step)}})
    for name in ("clearml-apiserver", "clearml-fileserver", "clearml-webserver"):
        container = at(step, installation).container(name)
        assert container["image"] == servers.container(name)["image"]


def test_a_file_in_front_of_a_step_may_name_tags(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(PINNED))
    for step in STEPS:
        assert load([file, step]).generation == load([step]).generation


def test_the_steps_warn_of_nothing() -> None:
    versions = [OLDEST, *map(version, STEPS)]
    for former, step in zip(versions, STEPS, strict=False):
        values = merge({"clearml": {"upgradingFrom": former}}, read(step))
        assert about_upgrades(values) == []


@pytest.mark.parametrize(
    ("values", "about"),
    [
        (from_to("1.0.2", "1.17.1"), []),
        (from_to("1.0.2", "2.0.0"), ["clearml.version", "mongodb", "elasticsearch"]),
        (from_to("1.16", "2.0.0"), ["clearml.version", "mongodb", "elasticsearch"]),
        (from_to("1.16", "2.3.0"), ["clearml.version", "mongodb", "elasticsearch"]),
        (
            from_to("1.16", "2.3.0", mongodb={"image": {"tag": "4.4.30"}}),
            ["clearml.version", "elasticsearch"],
        ),
        (
            from_to("1.16", "2.3.0", mongodb={"enabled": False}),
            ["clearml.version", "elasticsearch"],
        ),
        (
            from_to("1.16", "2.3.0", elasticsearch={"enabled": False}),
            ["clearml.version", "mongodb"],
        ),
        (from_to("2.0.0", "1.16"), ["clearml.version", "mongodb", "redis", "elasticsearch"]),
        (from_to("1.17.1", "2.0.0"), []),
        (from_to("1.17.1", "2.1.0"), []),
        (from_to("1.17.1", "2.2.0"), ["clearml.version"]),
        (from_to("1.17.1", "2.3.0"), ["clearml.version", "mongodb"]),
        (from_to("2.0.0", "2.3.0"), []),
        (from_to("2.0.0", "2.3.0", mongodb={"image": {"tag": "8.0"}}), ["mongodb"]),
        (from_to("1.0.2", "1.17.1", elasticsearch={"imageTag": "9.1.0"}), ["elasticsearch"]),
        (from_to("1.0.2", "1.17.1", redis={"image": {"tag": "8.0"}}), []),
        (from_to("1.17.1", "1.17.1", mongodb={"image": {"tag": "4.4.30"}}), ["mongodb"]),
        (from_to("2.3.0", "2.3.0", redis={"image": {"tag": "6.2.22"}}), ["redis"]),
        (from_to("2.3.0", "2.3.0", redis={"image": {"tag": "mine"}}), []),
        (from_to("2.3.0", "2.3.0", elasticsearch={"imageTag": "8.17.10"}), ["elasticsearch"]),
        (from_to("2.0.0", "1.17.1"), ["clearml.version", "mongodb", "redis"]),
        (from_to("2.4.0", "2.3.0"), ["clearml.version"]),
        (from_to("2.2.0", "2.4.0"), ["clearml.version"]),
        ({"clearml": {"upgradingFrom": "2.0"}, "apiserver": {"image": {"tag": "2.3.0"}}}, []),
        (
            {"clearml": {"upgradingFrom": "1.17"}, "apiserver": {"image": {"tag": "2.3.0"}}},
            ["clearml.version", "mongodb"],
        ),
    ],
    ids=str,
)
def test_skipped_steps_are_warned_of(values: dict[str, Any], about: list[str]) -> None:
    assert about_upgrades(values) == about


def test_a_warning_names_all_servers_between() -> None:
    lines = Values.read(from_to("1.14.1", "2.3.0")).warnings()
    (told,) = (line for line in lines if line.startswith("clearml.version"))
    assert told.endswith(": install 1.17.1 and then 2.0.0 before (docs/upgrading.md)")


def test_where_the_data_comes_from_changes_no_manifest() -> None:
    assert render({"clearml": {"upgradingFrom": "2.3.0"}}) == render()


@pytest.mark.parametrize(
    ("former", "mistake"),
    [("0.17.0", "is older than 1.0.2"), ("3.1", "is unknown"), ("latest", "must be empty or a")],
)
def test_versions_that_no_data_comes_from(former: str, mistake: str) -> None:
    with pytest.raises(ValueError, match=rf"clearml\.upgradingFrom: {mistake}"):
        Values.read({"clearml": {"upgradingFrom": former}})


def test_the_guide_has_each_step_in_order() -> None:
    guide = (ROOT / "docs/upgrading.md").read_text("utf-8")
    assert re.findall(r"=config/values\.yaml:config/presets/upgrade/(\S+)\.yaml make", guide) == [
        step.stem for step in STEPS
    ]


# What tells whether a step went well

FINISHED = "Finished mongodb migrations"
ABORTED = "ValueError: Migration failed, aborting. Please restore backup."


@pytest.mark.parametrize(
    ("log", "went_well"),
    [
        (f"echo {FINISHED}", True),
        (f"echo {FINISHED}; echo Returned 200 for debug.ping in 0ms; echo {FINISHED}", True),
        (f"echo Applying 1_9_0; echo '{ABORTED}'", False),
        # Of two pods.
        (f"echo {FINISHED}; echo '{ABORTED}'", False),
        (f"echo {FINISHED}; echo 'Failed initializing mongodb: no company'", False),
        (f"echo 'Cannot upgrade DB version. Should be 6.0.'; echo {FINISHED}", False),
        ("echo starting", False),
        ("true", False),
        (f"echo {FINISHED}; exit 1", False),
    ],
)
def test_a_failed_migration_is_seen(log: str, went_well: bool, tmp_path: Path) -> None:
    guide = (ROOT / "docs/upgrading.md").read_text("utf-8")
    check = guide.partition("**Check.**")[2]
    (command, *_) = re.findall(r"^```sh\n(.*?)^```$", check, re.DOTALL | re.MULTILINE)
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\n{log}\n")
    kubectl.chmod(0o755)
    result = subprocess.run(
        ["bash", "-uc", command],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (result.returncode == 0) is went_well
    assert result.stderr == ""


def test_the_log_that_tells_is_that_of_the_api_server() -> None:
    template = render().template("clearml-apiserver")
    assert template["metadata"]["labels"]["app.kubernetes.io/component"] == "apiserver"
    assert [c["name"] for c in template["spec"]["containers"]] == ["apiserver"]
