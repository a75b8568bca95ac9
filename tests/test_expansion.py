"""Kubernetes expands `$(VARIABLE)` in variables and arguments: nothing that the user wrote may."""

from __future__ import annotations

from typing import Any

import pytest

from programs import expanded
from rendering import Bundle, render

TEXTS = ["$(CLEARML_API_HOST)", "$$", "a$b", "$$(HOME)$$$", "$(", "$", "$ä", "$$(CLEARML_WEB_HOST"]
SERVICES, GROUP = "clearml-agentservices", "clearml-agent-group0-agent"


def words(bundle: Bundle, workload: str, container: str | None = None) -> list[str]:
    """The variables and arguments of a container as the kubelet hands them on."""
    found = bundle.container(workload, container)
    given = {v["name"]: v["value"] for v in found.get("env", []) if "value" in v}
    known: dict[str, str] = {"HOME": "/root"}
    for name, value in given.items():
        known[name] = expanded([value], known)[0]
    return [*known.values(), *expanded(found.get("args", []), known)]


@pytest.mark.parametrize("text", TEXTS)
def test_what_the_user_wrote_reaches_the_container(text: str) -> None:
    def mark(key: str) -> str:
        return f"/{key}{text}/{text}"

    agent: dict[str, Any] = {
        "clearmlWebHost": mark("web"),
        "clearmlFilesHost": mark("files"),
        "awsDefaultRegion": mark("region"),
    }
    services = agent | {
        "clearmlWorkerId": mark("worker"),
        "clearmlHostIp": mark("ip"),
        "defaultBaseDocker": mark("docker"),
        "googleCredentials": mark("google"),
    }
    queues = [mark("one"), mark("two")]
    zips, artifacts = mark("zips"), mark("artifacts")
    options, health = mark("java"), mark("health")
    bundle = render(
        {
            "agentservices": services,
            "agentGroups": {"agent-group0": agent | {"queues": " ".join(queues)}},
            "apiserver": {"prepopulateZipFiles": zips, "prepopulateArtifactsPath": artifacts},
            "elasticsearch": {"esJavaOpts": options, "clusterHealthCheckParams": health},
        }
    )
    assert set(services.values()) <= set(words(bundle, SERVICES))
    assert {*agent.values(), *queues} <= set(words(bundle, GROUP))
    assert {f'"{zips}"', f'"{artifacts}"'} <= set(words(bundle, "clearml-apiserver"))
    assert words(bundle, "clearml-fileserver", "unpack-examples")[-2:] == [zips, artifacts]
    assert {options, health} <= set(words(bundle, "clearml-elastic-master"))


def test_raw_fragments_keep_what_kubernetes_makes_of_them() -> None:
    variable = {"name": "MINE", "value": "$(CLEARML_API_HOST)/$$"}
    bundle = render({"agentservices": {"extraEnvs": [variable]}})
    assert bundle.env(SERVICES)["MINE"] == variable["value"]
