"""The flowchart of what the default values install."""

from __future__ import annotations

import re

import pytest

from docs.picture import picture
from rendering import Bundle, render


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return render()


@pytest.fixture(scope="module")
def chart(bundle: Bundle) -> str:
    found = re.search(r"```mermaid\n(.*)```\n", picture(bundle.objects), re.DOTALL)
    assert found
    return found[1]


def _arrows(chart: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^ *(\S+) (?:-+>|-\.-)(?:\|\d+\|)? (\S+)$", chart, re.MULTILINE))


def test_all_that_runs_or_holds_data_is_in_the_picture(bundle: Bundle, chart: str) -> None:
    names = set(re.findall(r"[\w-]+", chart))
    kinds = {"Deployment", "StatefulSet", "Service", "PersistentVolumeClaim", "Secret", "ConfigMap"}
    drawn = {name for kind, name in bundle.inventory if kind in kinds}
    assert drawn <= names
    ends_or_cannot_be_seen = {"Job", "ServiceAccount", "Role", "RoleBinding"}
    others = {"Namespace", "NetworkPolicy"} | ends_or_cannot_be_seen
    assert {kind for kind, _ in bundle.inventory} == kinds | others


def test_a_secret_that_is_made_in_the_cluster_is_in_the_picture(chart: str) -> None:
    readers = re.findall(r"<b>([\w-]+)</b>[^\]]*<i>Secret clearml-conf</i>", chart)
    assert set(readers) == {
        f"clearml-{name}"
        for name in ("apiserver", "webserver", "agentservices", "agent-group0-agent")
    }


def test_every_arrow_leads_from_a_node_to_a_node(bundle: Bundle, chart: str) -> None:
    nodes = re.findall(r"^ *([\w.-]+)[\[(]", chart, re.MULTILINE)
    assert len(nodes) == len(set(nodes)) <= 25
    assert {end for arrow in _arrows(chart) for end in arrow} == set(nodes)


def test_arrows_follow_the_requests(chart: str) -> None:
    arrows = _arrows(chart)
    assert {asked for asking, asked in arrows if asking == "clearml-webserver"} == {
        "clearml-apiserver.service",
        "clearml-fileserver.service",
    }
    assert {asking for asking, asked in arrows if asked == "clearml-mongodb.service"} == {
        "clearml-apiserver"
    }
    assert {asked for asking, asked in arrows if asking == "you"} == {
        f"clearml-{server}.service" for server in ("apiserver", "fileserver", "webserver")
    }
