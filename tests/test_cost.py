"""What a synthesis costs, in calls into jsii: unlike seconds they are the same everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from cdk8s import App
from jsii._kernel.providers import process

from clearml_k8s.clearml import install
from config import Values

# Its Secret and its Deployment; quantities and ports are shared by all groups.
CALLS_PER_GROUP = 2


def calls(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]) -> int:
    """The number of calls into jsii that it takes to install the values."""
    count = 0
    send = process._NodeProcess.send

    def counting(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        return send(*arguments)

    app = App()
    validated = Values.model_validate(values)
    with monkeypatch.context() as patch:
        patch.setattr(process._NodeProcess, "send", counting)
        install(app, validated)
    return count


def groups(count: int) -> dict[str, Any]:
    """So many groups that differ in all that groups usually differ in."""
    return {
        "agentGroups": {
            f"group-{index}": {
                "replicaCount": index,
                "queues": f"queue-{index}",
                "nvidiaGpusPerAgent": index % 2,
                "clearmlGitUser": f"test-user-{index}",
                "nodeSelector": {"pool": f"pool-{index}"},
            }
            for index in range(count)
        }
    }


def test_an_agent_group_costs_a_fixed_number_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(monkeypatch, groups(1))
    ten, twenty = (calls(monkeypatch, groups(count)) for count in (10, 20))
    assert twenty - ten == 10 * CALLS_PER_GROUP
