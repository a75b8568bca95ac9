"""The agent services and the agent groups."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from config.agent import FROM_SECRETS
from programs import Stubs, expanded
from rendering import Bundle, render
from scenarios import SCENARIOS

SERVICES, GROUP = "clearml-agentservices", "clearml-agent-group0-agent"
AGENTS = pytest.mark.parametrize("agent", [SERVICES, GROUP])
HOSTILE_QUEUES = 'a; rm `id` $(HOME) $HOME "b" & $$ *'


def group(**values: Any) -> Bundle:
    """The installation with these values of the default group."""
    return render({"agentGroups": {"agent-group0": values}})


def both(values: Mapping[str, Any], *existing: str) -> Bundle:
    """The installation with these values of both kinds of agents, and Secrets that exist."""
    return render(
        {"agentservices": values, "agentGroups": {"agent-group0": values}},
        outside={("Secret", name) for name in existing},
    )


def mounted(bundle: Bundle, agent: str, path: str) -> Any:
    """The volume that the agent finds at the path."""
    (mount,) = (m for m in bundle.container(agent)["volumeMounts"] if m["mountPath"] == path)
    (volume,) = (v for v in bundle.pod(agent)["volumes"] if v["name"] == mount["name"])
    return volume


def files(bundle: Bundle, agent: str, path: str) -> dict[str, tuple[str, str]]:
    """Secret and key of each file below the path."""
    volume = mounted(bundle, agent, path)
    sources = [part["secret"] for part in volume.get("projected", {}).get("sources", [volume])]
    return {
        item["path"]: (source.get("name") or source["secretName"], item["key"])
        for source in sources
        for item in source["items"]
    }


def gpu_limit(bundle: Bundle, agent: str) -> str | None:
    limits = bundle.container(agent).get("resources", {}).get("limits", {})
    limit: str | None = limits.get("nvidia.com/gpu")
    return limit


# Groups


def test_a_new_group_inherits_every_default() -> None:
    bundle = render({"agentGroups": {"second": {}}})
    first, second = (
        json.dumps([bundle.find(kind, name) for kind in ("Deployment", "Secret")])
        for name in (GROUP, "clearml-second-agent")
    )
    assert first.replace("agent-group0-agent", "second-agent") == second


def test_the_objects_of_a_group_go_by_its_name() -> None:
    bundle = render({"agentGroups": {"some key": {"name": "gpu"}}})
    assert "clearml-gpu-agent" in bundle.of("Deployment")
    assert "clearml-gpu-agent" in bundle.of("Secret")


@pytest.mark.parametrize("name", ["clearml", "conf", "apiserver", "mongodb"])
def test_a_group_may_have_any_name(name: str) -> None:
    bundle = render({"agentGroups": {name: {}}})
    assert "clearml.conf" in bundle.secret(f"clearml-{name}-agent")
    assert bundle.env(f"clearml-{name}-agent")["CLEARML_API_ACCESS_KEY"] == {
        "secretKeyRef": {"name": "clearml-conf", "key": "services_agent_key"}
    }


def test_every_workload_selects_its_own_pods_only() -> None:
    bundle = render(SCENARIOS["agent-groups"])
    selectors = {w: m["spec"]["selector"]["matchLabels"] for w, m in bundle.workloads.items()}
    labels = {w: bundle.template(w)["metadata"]["labels"] for w in bundle.workloads}
    assert len(selectors) > 6
    for one, other in itertools.product(selectors, labels):
        assert (selectors[one].items() <= labels[other].items()) is (one == other), (one, other)


# GPUs and privileges


@pytest.mark.parametrize("gpus", [1, 8])
def test_a_group_with_gpus_gets_them(gpus: int) -> None:
    bundle = group(nvidiaGpusPerAgent=gpus)
    assert gpu_limit(bundle, GROUP) == str(gpus)
    assert "--cpu-only" not in bundle.container(GROUP)["args"]


def test_a_group_without_gpus_asks_for_none() -> None:
    bundle = group(nvidiaGpusPerAgent=0)
    assert gpu_limit(bundle, GROUP) is None
    assert "--cpu-only" in bundle.container(GROUP)["args"]


@pytest.mark.parametrize("gpus", [0, 2])
def test_resources_of_a_group_stay_beside_its_gpus(gpus: int) -> None:
    resources = {"requests": {"cpu": "500m"}, "limits": {"memory": "2Gi"}}
    bundle = group(nvidiaGpusPerAgent=gpus, resources=resources)
    with_gpus = resources["limits"] | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    assert bundle.container(GROUP)["resources"] == resources | {"limits": with_gpus}


@pytest.mark.parametrize("gpus", [0, 2])
def test_a_group_is_privileged_only_when_asked_for(gpus: int) -> None:
    context = group(nvidiaGpusPerAgent=gpus).container(GROUP)["securityContext"]
    assert "privileged" not in context
    assert context["capabilities"]["drop"] == ["ALL"]
    context = group(nvidiaGpusPerAgent=gpus, privileged=True).container(GROUP)["securityContext"]
    assert context == {"privileged": True}


# Credentials


@AGENTS
def test_agents_use_their_own_credential(agent: str) -> None:
    env = render().env(agent)
    for variable, key in (("ACCESS_KEY", "agent_key"), ("SECRET_KEY", "agent_secret")):
        reference = env[f"CLEARML_API_{variable}"]["secretKeyRef"]
        assert reference == {"name": "clearml-conf", "key": f"services_{key}"}


def test_a_group_uses_the_credential_that_it_is_given() -> None:
    bundle = group(clearmlAccessKey="test-access", clearmlSecretKey="test-secret")
    for variable, value in (("ACCESS_KEY", "test-access"), ("SECRET_KEY", "test-secret")):
        reference = bundle.env(GROUP)[f"CLEARML_API_{variable}"]["secretKeyRef"]
        assert reference["name"] == GROUP
        assert bundle.secret(GROUP)[reference["key"]] == value
    assert bundle.env(SERVICES)["CLEARML_API_ACCESS_KEY"]["secretKeyRef"]["name"] == "clearml-conf"


@AGENTS
def test_secrets_that_are_not_set_leave_no_variable(agent: str) -> None:
    env = render().env(agent)
    assert not [name for name in env if name.startswith(("AWS", "AZURE", "GOOGLE"))]
    assert not [name for name in env if name.startswith("CLEARML_AGENT_")]


def test_a_number_is_as_good_as_a_text() -> None:
    bundle = render({"agentservices": {"clearmlGitUser": 123, "awsDefaultRegion": 456}})
    assert bundle.secret(SERVICES)["CLEARML_AGENT_GIT_USER"] == "123"
    assert bundle.env(SERVICES)["AWS_DEFAULT_REGION"] == "456"


@AGENTS
def test_google_credentials_as_json_become_a_file_from_a_secret(agent: str) -> None:
    document = '\n{"private_key": "test-secret"}'
    bundle = both({"googleCredentials": document})
    path = Path(bundle.env(agent)["GOOGLE_APPLICATION_CREDENTIALS"])
    secret, key = files(bundle, agent, str(path.parent))[path.name]
    assert bundle.secret(secret)[key] == document
    assert path.name not in bundle.env(agent)


def test_google_credentials_as_a_path_stay_a_path() -> None:
    bundle = render({"agentservices": {"googleCredentials": "/var/run/google.json"}})
    assert bundle.env(SERVICES)["GOOGLE_APPLICATION_CREDENTIALS"] == "/var/run/google.json"
    assert SERVICES not in bundle.of("Secret")


@AGENTS
def test_the_configuration_is_mounted(agent: str) -> None:
    bundle = both({"clearmlConfig": "sdk { aws {} }"})
    (mount,) = (
        m for m in bundle.container(agent)["volumeMounts"] if m["mountPath"] == "/root/clearml.conf"
    )
    secret, key = files(bundle, agent, "/root/clearml.conf")[mount["subPath"]]
    assert bundle.secret(secret)[key] == "sdk { aws {} }"


def test_without_a_configuration_nothing_is_mounted() -> None:
    bundle = group(clearmlConfig="")
    assert "volumes" not in bundle.pod(GROUP)
    assert "volumeMounts" not in bundle.container(GROUP)
    assert GROUP not in bundle.of("Secret")


@pytest.mark.parametrize("value", FROM_SECRETS)
@AGENTS
def test_a_secret_value_may_come_from_a_secret_that_exists(agent: str, value: str) -> None:
    pair = {"clearmlAccessKey": "a", "clearmlSecretKey": "b"}
    keys = pair if value in pair else {value: "key"}
    before, after = both({}), both({"existingSecrets": {"mine": keys}}, "mine")
    assert references(after, agent) - references(before, agent) == {
        ("mine", key) for key in keys.values()
    }


def references(bundle: Bundle, agent: str) -> set[tuple[str, str]]:
    """Secret and key of all that an agent reads from Secrets."""
    variables = [v["secretKeyRef"] for v in bundle.env(agent).values() if isinstance(v, dict)]
    paths = [m["mountPath"] for m in bundle.container(agent).get("volumeMounts", [])]
    return {(v["name"], v["key"]) for v in variables}.union(
        *(
            files(bundle, agent, path).values()
            for path in paths
            if "persistentVolumeClaim" not in mounted(bundle, agent, path)
        )
    )


def test_several_secrets_may_each_hold_a_part() -> None:
    secrets = {
        "git": {"clearmlGitUser": "username", "clearmlGitPassword": "password"},
        "conf": {"clearmlConfig": "agent.conf"},
    }
    bundle = render(
        {"agentGroups": {"agent-group0": {"existingSecrets": secrets}}},
        outside={("Secret", "git"), ("Secret", "conf")},
    )
    env = bundle.env(GROUP)
    for variable, key in (("USER", "username"), ("PASS", "password")):
        reference = env[f"CLEARML_AGENT_GIT_{variable}"]["secretKeyRef"]
        assert reference == {"name": "git", "key": key}
    assert files(bundle, GROUP, "/root/clearml.conf") == {"clearml.conf": ("conf", "agent.conf")}
    # Nothing is left for a Secret of its own, the default configuration included.
    assert GROUP not in bundle.of("Secret")


# Git over SSH


@AGENTS
def test_ssh_finds_key_and_hosts_that_its_owner_alone_can_read(agent: str) -> None:
    ssh = {"existingSecret": "deploy", "knownHosts": "git.example.org ssh-ed25519 A"}
    bundle = both({"gitSsh": ssh}, "deploy")
    assert mounted(bundle, agent, "/root/.ssh")["projected"]["defaultMode"] == 0o400
    assert files(bundle, agent, "/root/.ssh") == {
        "id_rsa": ("deploy", "ssh-privatekey"),
        "known_hosts": (agent, "known_hosts"),
    }
    assert "GIT_SSH_COMMAND" not in bundle.env(agent)


def test_ssh_with_the_key_and_hosts_of_one_secret_leaves_no_secret_of_our_own() -> None:
    ssh = {"existingSecret": "deploy", "existingSecretKey": "id", "knownHostsKey": "hosts"}
    bundle = both({"gitSsh": ssh}, "deploy")
    assert files(bundle, SERVICES, "/root/.ssh") == {
        "id_rsa": ("deploy", "id"),
        "known_hosts": ("deploy", "hosts"),
    }
    assert SERVICES not in bundle.of("Secret")


def test_a_host_may_be_new_but_never_another_than_before() -> None:
    bundle = both({"gitSsh": {"existingSecret": "deploy", "acceptNewHosts": True}}, "deploy")
    command = bundle.env(SERVICES)["GIT_SSH_COMMAND"]
    assert re.findall(r"StrictHostKeyChecking=(\S+)", command) == ["accept-new"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_private_key_ends_in_one_newline(end: str) -> None:
    ssh = {"privateKey": f"test-secret\nkey{end}", "acceptNewHosts": True}
    bundle = both({"gitSsh": ssh})
    secret, key = files(bundle, GROUP, "/root/.ssh")["id_rsa"]
    assert bundle.secret(secret)[key] == "test-secret\nkey\n"


def test_a_git_user_beside_a_key_does_not_turn_ssh_into_https() -> None:
    name = "CLEARML_AGENT__AGENT__TRANSLATE_SSH"
    values = {"clearmlGitUser": "jane", "clearmlGitPassword": "test-secret"}
    assert name not in group(**values).env(GROUP)
    ssh = {"privateKey": "test-secret-key", "acceptNewHosts": True}
    assert group(**values, gitSsh=ssh).env(GROUP)[name] == "false"


@pytest.mark.parametrize(
    ("said", "refused"), [({"fsGroup": 0}, True), ({"fsGroup": 7, "runAsUser": 7}, False)]
)
def test_a_group_may_read_the_key_of_any_user_but_root(said: dict[str, int], refused: bool) -> None:
    ssh = {"privateKey": "test-secret-key", "acceptNewHosts": True}
    with pytest.raises(ValueError, match="may read") if refused else nullcontext():
        group(podSecurityContext=said, gitSsh=ssh)


# Volumes


def test_the_caches_of_each_group_are_on_a_claim_of_its_own() -> None:
    groups = {
        name: {"storage": {"enabled": True, "data": {"size": size}}}
        for name, size in (("one", "1Gi"), ("two", "2Gi"))
    }
    bundle = render({"agentGroups": groups})
    for name, size in (("one", "1Gi"), ("two", "2Gi")):
        agent = f"clearml-{name}-agent"
        claim = mounted(bundle, agent, "/root/.clearml")["persistentVolumeClaim"]["claimName"]
        spec = bundle.find("PersistentVolumeClaim", claim)["spec"]
        assert spec["resources"]["requests"]["storage"] == size
        assert Path(bundle.env(agent)["PIP_CACHE_DIR"]).is_relative_to("/root/.clearml")


def test_agents_that_share_their_caches_build_apart() -> None:
    storage = {"enabled": True, "data": {"accessModes": ["ReadWriteMany"]}}
    bundle = group(replicaCount=2, storage=storage)
    assert "persistentVolumeClaim" in mounted(bundle, GROUP, "/root/.clearml")
    assert mounted(bundle, GROUP, "/root/.clearml/venvs-builds")["emptyDir"] == {}


# The API server


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://api.example.org", "api.example.org:80"),
        ("https://api.example.org/", "api.example.org:443"),
        ("https://example.org:8443/clearml/api", "example.org:8443"),
    ],
)
@AGENTS
def test_agents_talk_to_and_wait_for_the_api_server_that_they_are_given(
    agent: str, url: str, host: str
) -> None:
    bundle = both({"clearmlApiHost": url})
    assert bundle.env(agent)["CLEARML_API_HOST"] == url
    (wait,) = bundle.pod(agent)["initContainers"]
    assert wait["args"] == [f"apiserver=tcp://{host}"]


# Starting the agent


@pytest.fixture
def stubs(tmp_path: Path) -> Stubs:
    """An image that has Python, pip and git, but no agent."""
    stubs = Stubs(tmp_path)
    install = f'/bin/cp "{tmp_path}/apt-get" "{tmp_path}/clearml-agent"'
    for tool in ("git", "apt-get"):
        stubs.add(tool)
    stubs.add("python3", f'case "$*" in *"install clearml-agent"*) {install};; esac')
    return stubs


def start(bundle: Bundle, agent: str, stubs: Stubs) -> list[list[str]]:
    """What the agent's container calls when it starts."""
    container = bundle.container(agent)
    env = {name: value for name, value in bundle.env(agent).items() if isinstance(value, str)}
    env["HOME"] = "/root"
    words = expanded([*container["command"], *container["args"]], env)
    # A word that the shell takes for a pattern becomes this name.
    bystander = stubs.directory / "bystander"
    bystander.touch()
    result = stubs.run(words, env)
    assert result.returncode == 0, result.stderr
    # A pin such as >=0.16.1 that the shell takes for a redirection leaves a file behind.
    assert list(stubs.directory.iterdir()) == [bystander]
    return stubs.calls


def installed(calls: list[list[str]]) -> list[str]:
    """What pip was told to install."""
    pip = ["python3", "-m", "pip", "install"]
    return [call[4] for call in calls if call[:4] == pip and call[4:5] != ["--upgrade"]]


def test_an_agent_that_the_image_has_is_used_as_it_is(stubs: Stubs) -> None:
    stubs.add("clearml-agent")
    calls = start(group(queues="default"), GROUP, stubs)
    assert calls == [["clearml-agent", "daemon", "--foreground", "--queue", "default"]]


def test_an_agent_that_the_image_lacks_is_installed(stubs: Stubs) -> None:
    calls = start(render(), GROUP, stubs)
    # The default images have Python 3.6, on which later versions die.
    assert installed(calls) == ["clearml-agent==1.9.3"]
    assert calls[-1][:2] == ["clearml-agent", "daemon"]
    assert not any(call[0] == "apt-get" for call in calls)


@AGENTS
def test_pip_may_install_into_the_python_of_the_system(agent: str) -> None:
    assert render().env(agent)["PIP_BREAK_SYSTEM_PACKAGES"] == "1"


@AGENTS
def test_without_a_version_there_is_no_variable_for_it(agent: str) -> None:
    assert "AGENT_VERSION" not in render().env(agent)


@pytest.mark.parametrize("pin", [">=0.16.1", "==1.5.*", ">=1, <2", "~=1.9"])
@AGENTS
def test_the_version_pin_reaches_pip_as_one_word(agent: str, pin: str, stubs: Stubs) -> None:
    stubs.add("clearml-agent")
    values = {"agentVersion": pin}
    bundle = render({"agentservices": values, "agentGroups": {"agent-group0": values}})
    calls = start(bundle, agent, stubs)
    assert installed(calls) == [f"clearml-agent{pin}"]
    assert calls[-1][:3] == ["clearml-agent", "daemon", "--foreground"]


@pytest.mark.parametrize("missing", ["git", "pip"])
def test_tools_that_the_image_lacks_are_installed_first(missing: str, stubs: Stubs) -> None:
    stubs.add("clearml-agent")
    if missing == "git":
        (stubs.folder / "git").unlink()
    else:
        stubs.add("python3", 'case "$*" in *--version) exit 1;; esac')
    calls = start(group(agentVersion="==1.9.2"), GROUP, stubs)
    packages = next(call for call in calls if call[:2] == ["apt-get", "install"])
    assert {"git", "python3-pip"} <= set(packages)
    assert calls.index(packages) < calls.index(
        ["python3", "-m", "pip", "install", "clearml-agent==1.9.2"]
    )


@pytest.mark.parametrize("step", ["--upgrade pip", "clearml-agent==1.9.2"])
def test_an_installation_that_fails_starts_no_agent(step: str, stubs: Stubs) -> None:
    stubs.add("clearml-agent")
    stubs.add("python3", f'case "$*" in *"{step}"*) exit 1;; esac')
    container = group(agentVersion="==1.9.2").container(GROUP)
    result = stubs.run([*container["command"], *container["args"]], {"AGENT_VERSION": "==1.9.2"})
    assert result.returncode != 0
    assert not any(call[0] == "clearml-agent" for call in stubs.calls)


def test_queue_names_are_words_and_no_shell_code(stubs: Stubs) -> None:
    stubs.add("clearml-agent")
    (call,) = start(group(queues=HOSTILE_QUEUES), GROUP, stubs)
    assert call == ["clearml-agent", "daemon", "--foreground", "--queue", *HOSTILE_QUEUES.split()]


def test_a_listed_queue_is_one_word_whatever_its_name(stubs: Stubs) -> None:
    stubs.add("clearml-agent")
    queues = ["my queue", HOSTILE_QUEUES]
    (call,) = start(group(queues=queues, createQueue=True), GROUP, stubs)
    assert call == [
        *("clearml-agent", "daemon", "--foreground", "--queue"),
        *(*queues, "--create-queue"),
    ]


@pytest.mark.parametrize("key", [{"privateKey": "test-secret-key"}, {"existingSecret": "deploy"}])
@pytest.mark.parametrize("present", [True, False])
@AGENTS
def test_the_client_of_ssh_is_installed_where_it_is_needed_and_missing(
    agent: str, present: bool, key: dict[str, str], stubs: Stubs
) -> None:
    stubs.add("clearml-agent")
    if present:
        stubs.add("ssh")
    ssh = {**key, "acceptNewHosts": True}
    calls = start(both({"gitSsh": ssh}, "deploy"), agent, stubs)
    packages = [call[-1] for call in calls if call[:2] == ["apt-get", "install"]]
    assert packages == ([] if present else ["openssh-client"])
    assert calls[-1][:2] == ["clearml-agent", "daemon"]


@pytest.mark.parametrize(
    "script",
    ["clearml-setup one\n", "#!/bin/sh\nclearml-setup one", "#!/bin/bash\nclearml-setup one"],
)
@pytest.mark.parametrize("status", [0, 1])
@AGENTS
def test_a_setup_script_runs_before_the_agent_which_its_failure_keeps_away(
    agent: str, status: int, script: str, stubs: Stubs
) -> None:
    stubs.add("clearml-agent")
    stubs.add("clearml-setup", f"exit {status}")
    bundle = both({"setupScript": script})
    (folder,) = (
        m["mountPath"]
        for m in bundle.container(agent)["volumeMounts"]
        if m["mountPath"].startswith("/etc/")
    )
    ((name, (secret, key)),) = files(bundle, agent, folder).items()
    (item,) = mounted(bundle, agent, folder)["secret"]["items"]
    program = stubs.folder / "program"
    program.write_text(bundle.secret(secret)[key])
    program.chmod(item["mode"])
    container = bundle.container(agent)
    command = [word.replace(f"{folder}/{name}", str(program)) for word in container["command"]]
    result = stubs.run([*command, *container["args"]])
    assert (result.returncode != 0) is (status != 0)
    called = [call[0] for call in stubs.calls]
    assert called == ["clearml-setup", "clearml-agent"][: 1 if status else 2]


def test_agent_services_run_tasks_without_docker(stubs: Stubs) -> None:
    stubs.add("clearml-agent")
    (call,) = start(render(), SERVICES, stubs)
    assert call == [
        *("clearml-agent", "daemon", "--foreground", "--services-mode"),
        *("--queue", "services", "--create-queue", "--cpu-only"),
    ]


@AGENTS
def test_agents_start_when_the_api_server_answers(agent: str) -> None:
    bundle = render({"apiserver": {"service": {"port": 8123}}, "release": {"name": "prod"}})
    agent = agent.replace("clearml", "prod-clearml")
    (wait,) = bundle.pod(agent)["initContainers"]
    assert wait["args"] == ["apiserver=http://prod-clearml-apiserver:8123/debug.ping"]
    assert bundle.env(agent)["CLEARML_API_HOST"] == "http://prod-clearml-apiserver:8123"
