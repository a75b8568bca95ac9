"""Stores of several pods: replica sets, Redis' replicas, quorum, and growing later."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config import Values
from programs import Stubs, expanded
from rendering import Bundle, Object, render
from scenarios import REPLICATED, SECRET_MARK

API, MONGODB = "clearml-apiserver", "clearml-mongodb"
REDIS, REPLICAS, ELASTIC = "clearml-redis-master", "clearml-redis-slave", "clearml-elastic-master"
PASSWORD = REPLICATED["mongodb"]["auth"]["rootPassword"]
AUTH = {"auth": REPLICATED["mongodb"]["auth"]}


def replica_set(count: int, **values: Any) -> Bundle:
    """The installation with a replica set of that many members."""
    mongodb = {"architecture": "replicaset", "replicaCount": count, **values}
    return render({"mongodb": mongodb}, outside={("Secret", "mine")})


def with_replicas(count: int, **values: Any) -> Bundle:
    """The installation with that many replicas of Redis."""
    cluster = {"enabled": True, "slaveCount": count}
    return render({"redis": {"cluster": cluster, **values}})


def hosts(bundle: Bundle, count: int) -> list[str]:
    """Where Kubernetes gives the members of the replica set their addresses."""
    spec = bundle.find("StatefulSet", MONGODB)["spec"]
    assert spec["replicas"] == count
    (port,) = bundle.container(MONGODB, "mongodb")["ports"]
    return [
        f"{MONGODB}-{ordinal}.{spec['serviceName']}:{port['containerPort']}"
        for ordinal in range(count)
    ]


def variables(container: Object) -> dict[str, Any]:
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in container.get("env", [])}


# The members of a replica set


@pytest.mark.parametrize("count", [1, 3, 5])
def test_servers_are_told_of_all_members(count: int) -> None:
    bundle = replica_set(count)
    env = bundle.env(API)
    for database in ("backend", "auth"):
        assert json.loads(env[f"CLEARML__HOSTS__MONGO__{database.upper()}__HOST"]) == (
            f"mongodb://{','.join(hosts(bundle, count))}/{database}?replicaSet=rs0"
        )
    # Which the server would prefer to the URLs.
    assert not [name for name in env if name.startswith("CLEARML_MONGODB_SERVICE")]


def test_servers_log_in_to_all_members() -> None:
    bundle = render(REPLICATED)
    env = bundle.env(API)
    members = ",".join(hosts(bundle, 3))
    assert env["CLEARML__HOSTS__MONGO__BACKEND__HOST"] == (
        f'"mongodb://root:$(MONGODB_PASSWORD)@{members}/backend?authSource=admin&replicaSet=rs0"'
    )


@pytest.mark.parametrize("version", ["1.0.2", "1.9.2-317", "2.3.0"])
def test_servers_take_the_password_from_the_urls_alone(version: str) -> None:
    """Later ones write what they find in these into the URL of one host, and stop at several."""
    env = render(REPLICATED | {"clearml": {"version": version}}).env(API)
    assert "root:$(" in env["CLEARML__HOSTS__MONGO__AUTH__HOST"]
    assert not [name for name in env if name.startswith("CLEARML_MONGODB_SERVICE")]


def test_members_are_found_before_they_are_ready() -> None:
    bundle = replica_set(3)
    spec = bundle.find("StatefulSet", MONGODB)["spec"]
    # A set is initiated only when all of its members can be reached.
    assert spec["podManagementPolicy"] == "Parallel"
    headless = bundle.find("Service", spec["serviceName"])["spec"]
    assert headless["clusterIP"] == "None"
    assert headless["publishNotReadyAddresses"] is True


def test_the_port_of_the_service_is_not_that_of_the_members() -> None:
    bundle = replica_set(3, service={"port": 27018, "name": "db"})
    assert hosts(bundle, 3)[0] == "clearml-mongodb-0.clearml-mongodb-headless:27017"
    assert ",".join(hosts(bundle, 3)) in bundle.env(API)["CLEARML__HOSTS__MONGO__AUTH__HOST"]


def test_members_know_the_name_of_their_set() -> None:
    args = replica_set(3, replicaSetName="mine").container(MONGODB, "mongodb")["args"]
    assert args[args.index("--replSet") + 1] == "mine"
    assert "--keyFile" not in args


@pytest.mark.parametrize("auth", [{}, AUTH])
def test_members_are_not_given_a_user_each(auth: dict[str, Any]) -> None:
    # A member that has data of its own cannot join.
    member = replica_set(3, **auth).container(MONGODB, "mongodb")
    assert not [name for name in variables(member) if "INITDB" in name]


# The key file


def key_file(bundle: Bundle) -> Path:
    """The key file that mongod is told of."""
    args = bundle.container(MONGODB, "mongodb")["args"]
    return Path(args[args.index("--keyFile") + 1])


def test_the_key_is_in_the_secret_with_the_password() -> None:
    bundle = render(REPLICATED)
    assert bundle.secret(MONGODB) == {
        "mongodb-root-password": PASSWORD,
        "mongodb-replica-set-key": REPLICATED["mongodb"]["auth"]["replicaSetKey"],
    }


def test_password_and_key_may_come_from_an_existing_secret() -> None:
    auth = {"enabled": True, "existingSecret": "mine", "existingSecretKey": "root"}
    bundle = replica_set(3, auth=auth)
    assert MONGODB not in bundle.of("Secret")
    volumes = {volume["name"]: volume for volume in bundle.pod(MONGODB)["volumes"]}
    assert volumes["key-source"]["secret"] == {
        "secretName": "mine",
        "items": [{"key": "mongodb-replica-set-key", "path": "mongodb-replica-set-key"}],
    }
    reference = {"secretKeyRef": {"name": "mine", "key": "root"}}
    assert variables(bundle.container(MONGODB, "replica-set"))["PASSWORD"] == reference
    assert bundle.env(API)["MONGODB_PASSWORD"] == reference


def test_mongod_reads_a_copy_of_the_key_that_stays_in_memory() -> None:
    bundle = render(REPLICATED)
    volumes = {volume["name"]: volume for volume in bundle.pod(MONGODB)["volumes"]}
    (mount,) = (
        mount
        for mount in bundle.container(MONGODB, "mongodb")["volumeMounts"]
        if mount["mountPath"] == str(key_file(bundle).parent)
    )
    assert mount["readOnly"] is True
    assert volumes[mount["name"]]["emptyDir"] == {"medium": "Memory"}


def copy_key(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the init container, with the folder as its root, as a user who is not root."""
    bundle = render(REPLICATED)
    (container,) = bundle.pod(MONGODB)["initContainers"]
    shell, flag, script = container["command"]
    for mount in container["volumeMounts"]:
        inside = folder / mount["mountPath"].lstrip("/")
        inside.mkdir(parents=True, exist_ok=True)
        script = re.sub(rf"(?<![\w/]){mount['mountPath']}(?=/)", str(inside), script)
        if mount.get("readOnly"):
            (inside / "mongodb-replica-set-key").write_text("testsecretkey")
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": 65534, "group": 65534}
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
    return subprocess.run(
        [shell, flag, script],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        umask=0,
        **identity,
    )


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that other users can reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_only_mongod_itself_can_read_the_key_file(root: Path) -> None:
    result = copy_key(root)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    copy = root / str(key_file(render(REPLICATED))).lstrip("/")
    assert copy.read_text() == "testsecretkey"
    # mongod refuses a key that the group or others may read.
    assert stat.S_IMODE(copy.stat().st_mode) == 0o400


def test_the_key_is_copied_again_when_the_pod_starts_again(root: Path) -> None:
    """With a new sandbox the init containers run once more, over what the volume still has."""
    assert copy_key(root).returncode == 0
    assert copy_key(root).returncode == 0


# What keeps the replica set


def keeper_env(bundle: Bundle) -> dict[str, str]:
    """The variables of the keeper as its process sees them."""
    given = variables(bundle.container(MONGODB, "replica-set"))
    password = given.pop("PASSWORD")
    known = {"PASSWORD": PASSWORD if isinstance(password, dict) else password}
    return known | {name: expanded([value], known)[0] for name, value in given.items()}


def keep(stubs: Stubs, bundle: Bundle, pod: str = f"{MONGODB}-0", rounds: int = 1) -> None:
    """Run the keeper's script in the pod for that many rounds, until it is told to stop."""
    stubs.add(
        "sleep",
        f"""
        echo >> slept
        if [ "$(wc -l < slept)" -ge {rounds} ]; then
          read -r _ _ _ first _ < /proc/$PPID/stat
          kill -TERM "$first"
          while kill -0 "$PPID"; do :; done 2>/dev/null
        fi""",
    )
    for tool in ("wc", "rm"):
        stubs.add(tool, f'exec /usr/bin/{tool} "$@"')
    command = bundle.container(MONGODB, "replica-set")["command"]
    logs = stubs.folder / ".mongodb"
    logs.mkdir()
    env = {"HOSTNAME": pod, "HOME": str(stubs.folder)}
    result = stubs.run(command, keeper_env(bundle) | env)
    assert (result.returncode, result.stderr) == (128 + signal.SIGTERM, "")
    # Each run of MongoDB's shell makes one.
    assert logs.exists() != bool(shell_calls(stubs))


def shell_calls(stubs: Stubs) -> list[list[str]]:
    """The calls of MongoDB's shell."""
    return [call for call in stubs.calls if call[0].startswith("mongo")]


@pytest.mark.parametrize("shell", ["mongo", "mongosh"])
def test_a_set_that_answers_is_adjusted(shell: str, tmp_path: Path) -> None:
    stubs = Stubs(tmp_path)
    stubs.add(shell)
    bundle = render(REPLICATED)
    keep(stubs, bundle)
    env = keeper_env(bundle)
    members = ",".join(hosts(bundle, 3))
    assert env["REPLICA_SET_URL"] == (
        f"mongodb://root:{PASSWORD}@{members}/admin?authSource=admin&replicaSet=rs0"
    )
    assert shell_calls(stubs) == [
        [shell, "--quiet", env["REPLICA_SET_URL"], "--eval", env["ADJUST"]]
    ]


@pytest.mark.parametrize("auth", [{}, AUTH])
def test_a_set_that_does_not_answer_is_initiated(auth: dict[str, Any], tmp_path: Path) -> None:
    stubs = Stubs(tmp_path)
    stubs.add("mongo", 'case "$*" in *mongodb://*) exit 1 ;; esac')
    bundle = replica_set(3, **auth)
    keep(stubs, bundle)
    env = keeper_env(bundle)
    adjust, initiate = shell_calls(stubs)
    assert adjust[-1] == env["ADJUST"]
    # Over loopback, without logging in: there is no user yet.
    password = PASSWORD if auth else ""
    script = f"var password = '{password}'; {env['INITIATE']}"
    # The shell's $(...) and our records drop line breaks at the end.
    assert [*initiate[:-1], initiate[-1].rstrip()] == [
        *("mongo", "--quiet", "admin", "--eval"),
        script.rstrip(),
    ]


def test_a_failure_is_tried_again(tmp_path: Path) -> None:
    stubs = Stubs(tmp_path)
    stubs.add("mongo", "exit 1")
    keep(stubs, replica_set(3), rounds=3)
    assert len(shell_calls(stubs)) == 6
    assert [call for call in stubs.calls if call[0] == "sleep"] == [["sleep", "30"]] * 3


@pytest.mark.parametrize("ordinal", [1, 2, 10])
def test_only_the_first_pod_acts(ordinal: int, tmp_path: Path) -> None:
    stubs = Stubs(tmp_path)
    stubs.add("mongo")
    keep(stubs, replica_set(3), f"{MONGODB}-{ordinal}", rounds=2)
    assert shell_calls(stubs) == []


@pytest.mark.parametrize(
    ("said", "pause"), [("members: as wanted", "600"), ("adding m-2", "30"), ("", "30")]
)
def test_a_set_as_it_is_wanted_costs_a_shell_in_ten_minutes(
    said: str, pause: str, tmp_path: Path
) -> None:
    stubs = Stubs(tmp_path)
    stubs.add("mongo", f"echo {said}")
    keep(stubs, replica_set(3), rounds=2)
    assert [call for call in stubs.calls if call[0] == "sleep"] == [["sleep", pause]] * 2


# What MongoDB's shell is told, run by Node.js

SHELL = """\
const state = JSON.parse(process.argv[1]), lines = [];
const print = line => lines.push(line);
let slept = 0, user = null;
const sleep = milliseconds => { slept += milliseconds; };
const primary = () => Boolean(state.set) && slept >= state.election;
const copy = value => JSON.parse(JSON.stringify(value));
function refuse(message) {
  if (state.shell === "mongosh") throw new Error(message);
  return {ok: 0, errmsg: message};
}
const rs = {
  initiate(config) {
    if (state.users.length && !user) return refuse("requires authentication");
    if (state.set) return refuse("already initialized");
    if (state.unreachable) return refuse("quorum check failed");
    state.set = copy({version: 1, ...config});
    return {ok: 1};
  },
  conf: () => copy(state.set),
  reconfig(config) { state.set = copy(config); state.changes++; return {ok: 1}; },
};
const db = {
  isMaster: () => ({ismaster: primary()}),
  auth(name, password) {
    const found = state.users.some(known => known.user === name && known.pwd === password);
    if (!found) { if (state.shell === "mongosh") throw new Error("failed"); return 0; }
    user = name;
    return 1;
  },
  createUser(created) {
    if (!primary()) throw new Error("not master");
    if (state.users.length && !user) throw new Error("requires authentication");
    if (state.users.some(known => known.user === created.user)) throw new Error("already exists");
    state.users.push(created);
  },
};
(function () {
%s
})();
process.stdout.write(JSON.stringify({...state, lines, slept}));
"""


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js, which synthesis needs anyway."""
    found = shutil.which("node")
    if found is None:
        assert "CI" not in os.environ, "node is missing"
        pytest.skip("node is missing")
    return found


def in_shell(node: str, program: str, before: dict[str, Any]) -> dict[str, Any]:
    """What is afterwards, when MongoDB's shell runs a program against what was before."""
    state = {"shell": "mongo", "set": None, "users": [], "election": 0, "changes": 0} | before
    result = subprocess.run(
        [node, "-e", SHELL % program, json.dumps(state)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    after: dict[str, Any] = json.loads(result.stdout)
    assert SECRET_MARK not in " ".join(after["lines"])
    return after


def initiate(node: str, bundle: Bundle, **before: Any) -> dict[str, Any]:
    env = keeper_env(bundle)
    return in_shell(node, f"var password = '{env['PASSWORD']}'; {env['INITIATE']}", before)


SHELLS = pytest.mark.parametrize("shell", ["mongo", "mongosh"])
USER = {"user": "root", "pwd": PASSWORD, "roles": ["root"]}


@SHELLS
@pytest.mark.parametrize("count", [1, 3])
def test_initiating_makes_the_set_and_its_user(node: str, shell: str, count: int) -> None:
    bundle = replica_set(count, **AUTH)
    after = initiate(node, bundle, shell=shell, election=5000)
    assert after["set"] == {
        "_id": "rs0",
        "version": 1,
        "members": [{"_id": n, "host": host} for n, host in enumerate(hosts(bundle, count))],
    }
    assert after["users"] == [USER]
    assert after["lines"] == ["initiate: done"]
    assert after["slept"] == 5000


@SHELLS
def test_initiating_again_changes_nothing(node: str, shell: str) -> None:
    bundle = render(REPLICATED)
    once = initiate(node, bundle, shell=shell)
    before = {key: once[key] for key in ("shell", "set", "users", "changes")}
    again = initiate(node, bundle, **before)
    assert {key: again[key] for key in before} == before


@SHELLS
def test_a_set_without_its_user_gets_it(node: str, shell: str) -> None:
    """The keeper was stopped between the two."""
    bundle = render(REPLICATED)
    whole = initiate(node, bundle, shell=shell)
    after = initiate(node, bundle, shell=shell, set=whole["set"])
    assert after["users"] == [USER]
    assert after["lines"] == ["initiate: already initialized"]


@SHELLS
def test_members_that_are_late_are_tolerated(node: str, shell: str) -> None:
    after = initiate(node, render(REPLICATED), shell=shell, unreachable=True)
    assert (after["set"], after["users"]) == (None, [])
    assert after["lines"] == ["initiate: quorum check failed", "user: not master"]
    assert after["slept"] == 60_000


def test_without_a_password_there_is_no_user(node: str) -> None:
    after = initiate(node, replica_set(3))
    assert after["set"]
    assert after["users"] == []


@SHELLS
def test_a_standalone_mongodb_with_a_user_becomes_a_replica_set(node: str, shell: str) -> None:
    after = initiate(node, render(REPLICATED), shell=shell, users=[USER])
    assert after["set"]
    assert after["users"] == [USER]


def member_set(known: list[str]) -> dict[str, Any]:
    members = [{"_id": number, "host": host} for number, host in enumerate(known)]
    return {"_id": "rs0", "version": 4, "members": members}


def adjusted(node: str, count: int, known: list[str]) -> Iterator[dict[str, Any]]:
    """The set after each run that changes it, when there should be that many members."""
    adjust = keeper_env(replica_set(count))["ADJUST"]
    config = member_set(known)
    for _ in range(10):
        after = in_shell(node, adjust, {"set": config})
        assert after["changes"] <= 1
        if not after["changes"]:
            assert after["set"] == config
            assert after["lines"] == ["members: as wanted"]
            return
        assert after["set"]["version"] == config["version"] + 1
        config = after["set"]
        yield config
    raise AssertionError("it never ends")


def test_missing_members_are_added_one_at_a_time(node: str) -> None:
    wanted = hosts(replica_set(5), 5)
    configs = list(adjusted(node, 5, wanted[:3]))
    assert [[m["host"] for m in c["members"]] for c in configs] == [wanted[:4], wanted]
    assert [m["_id"] for m in configs[-1]["members"]] == [0, 1, 2, 3, 4]


def test_members_that_are_left_over_are_removed_one_at_a_time(node: str) -> None:
    known = hosts(replica_set(5), 5)
    configs = list(adjusted(node, 3, known))
    assert [len(c["members"]) for c in configs] == [4, 3]
    assert [m["host"] for m in configs[-1]["members"]] == known[:3]


def test_members_are_added_before_others_are_removed(node: str) -> None:
    wanted = hosts(replica_set(3), 3)
    old = hosts(replica_set(5), 5)[4]
    configs = list(adjusted(node, 3, [wanted[0], old, wanted[1]]))
    assert [[m["host"] for m in c["members"]] for c in configs] == [
        [wanted[0], old, wanted[1], wanted[2]],
        wanted,
    ]
    # An id is never used for two hosts.
    assert [m["_id"] for m in configs[-1]["members"]] == [0, 2, 3]


@pytest.mark.parametrize(
    "theirs",
    [
        "arbiter.example.com:27017",
        "clearml-mongodb-0.clearml-mongodb-headless.elsewhere.svc:27017",
        "clearml-mongodb-3.clearml-mongodb-headless:27018",
        "other-clearml-mongodb-3.clearml-mongodb-headless:27017",
    ],
)
def test_a_member_that_is_no_pod_of_the_set_stays(node: str, theirs: str) -> None:
    wanted = hosts(replica_set(3), 3)
    assert list(adjusted(node, 3, [*wanted, theirs])) == []
    (last,) = adjusted(node, 1, [wanted[0], theirs, wanted[2]])
    assert [m["host"] for m in last["members"]] == [wanted[0], theirs]


def test_a_new_member_gets_an_id_that_no_other_has(node: str) -> None:
    wanted = hosts(replica_set(3), 3)
    config = member_set(wanted[:2])
    config["members"][1]["_id"] = 2  # that of 1 was removed
    after = in_shell(node, keeper_env(replica_set(3))["ADJUST"], {"set": config})
    assert [m["_id"] for m in after["set"]["members"]] == [0, 2, 3]


def test_a_set_that_is_as_it_should_be_is_left_alone(node: str) -> None:
    wanted = hosts(replica_set(3), 3)
    assert list(adjusted(node, 3, wanted)) == []
    assert list(adjusted(node, 3, wanted[::-1])) == []


# Quorum


@pytest.mark.parametrize(("count", "stay"), [(2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_a_drain_leaves_a_majority_of_the_replica_set(count: int, stay: int) -> None:
    budget = replica_set(count).find("PodDisruptionBudget", f"{MONGODB}-pdb")["spec"]
    assert budget["minAvailable"] == stay


@pytest.mark.parametrize(("count", "stay"), [(2, 1), (3, 2)])
def test_a_drain_takes_one_replica_of_redis_at_a_time(count: int, stay: int) -> None:
    budget = with_replicas(count).find("PodDisruptionBudget", f"{REPLICAS}-pdb")["spec"]
    assert budget["minAvailable"] == stay


def test_a_single_pod_may_be_drained() -> None:
    assert not replica_set(1).of("PodDisruptionBudget")
    assert not with_replicas(1).of("PodDisruptionBudget")


def selected(bundle: Bundle, selector: dict[str, str]) -> list[str]:
    """The workloads whose pods a selector finds."""
    return [
        name
        for name in bundle.workloads
        if selector.items() <= bundle.template(name)["metadata"]["labels"].items()
    ]


def test_a_budget_counts_the_pods_of_one_store() -> None:
    bundle = render(REPLICATED)
    budgets = bundle.of("PodDisruptionBudget")
    assert {
        name: selected(bundle, budget["spec"]["selector"]["matchLabels"])
        for name, budget in budgets.items()
    } == {f"{store}-pdb": [store] for store in (MONGODB, REPLICAS, ELASTIC)}


@pytest.mark.parametrize("store", [MONGODB, REPLICAS, ELASTIC])
def test_pods_of_a_store_stay_away_from_each_other(store: str) -> None:
    bundle = render(REPLICATED)
    apart = bundle.pod(store)["affinity"]["podAntiAffinity"]
    # A cluster of one node has them all.
    assert set(apart) == {"preferredDuringSchedulingIgnoredDuringExecution"}
    ((term,),) = apart.values()
    assert term["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    selector = term["podAffinityTerm"]["labelSelector"]["matchLabels"]
    assert selected(bundle, selector) == [store]


@pytest.mark.parametrize("section", ["mongodb", "redis"])
def test_an_anti_affinity_in_the_values_wins(section: str) -> None:
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}
    affinity = {
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]},
        "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []},
    }
    if section == "mongodb":
        pod = replica_set(3, affinity=affinity).pod(MONGODB)
    else:
        pod = with_replicas(3, master={"affinity": affinity}).pod(REPLICAS)
    assert pod["affinity"]["podAntiAffinity"] == affinity["podAntiAffinity"]


# Redis


def replica_args(**values: Any) -> list[str]:
    args: list[str] = with_replicas(2, **values).container(REPLICAS)["args"]
    return args


@pytest.mark.parametrize(
    ("master", "host", "port"),
    [
        ({}, REDIS, "6379"),
        ({"name": "{{ .Release.Name }}-cache", "port": 6380}, "clearml-cache", "6380"),
    ],
)
def test_replicas_copy_from_the_master(master: dict[str, Any], host: str, port: str) -> None:
    args = replica_args(master=master)
    # Redis takes them as two words only.
    place = args.index("--replicaof")
    assert args[place + 1 : place + 3] == [host, port]
    assert args[args.index("--port") + 1] == port
    assert "--masterauth" not in args


def test_replicas_log_in_to_the_master_as_the_servers_do() -> None:
    bundle = render(REPLICATED)
    args, env = bundle.container(REPLICAS)["args"], bundle.env(REPLICAS)
    assert args[args.index("--masterauth") + 1] == "$(REDISCLI_AUTH)"
    assert args[args.index("--requirepass") + 1] == "$(REDISCLI_AUTH)"
    assert env == bundle.env(REDIS)
    reference = env["REDISCLI_AUTH"]["secretKeyRef"]
    assert bundle.secret(reference["name"])[reference["key"]] == "test-secret-redis"


def test_no_service_of_the_master_finds_a_replica() -> None:
    bundle = render(REPLICATED)
    services = bundle.of("Service")
    assert {
        name: selected(bundle, service["spec"]["selector"])
        for name, service in services.items()
        if "redis" in name
    } == {
        REDIS: [REDIS],
        f"{REDIS}-headless": [REDIS],
        REPLICAS: [REPLICAS],
        f"{REPLICAS}-headless": [REPLICAS],
    }
    # Replicas refuse to be written to.
    assert bundle.env(API)["CLEARML_REDIS_SERVICE_HOST"] == REDIS


def test_replicas_are_like_their_master() -> None:
    bundle = with_replicas(3, master={"persistence": {"size": "7Gi"}, "nodeSelector": {"a": "b"}})
    replicas, master = (bundle.find("StatefulSet", name)["spec"] for name in (REPLICAS, REDIS))
    assert (replicas["replicas"], master["replicas"]) == (3, 1)
    assert replicas["volumeClaimTemplates"] == master["volumeClaimTemplates"]
    one, other = (bundle.pod(name) for name in (REPLICAS, REDIS))
    assert one["nodeSelector"] == other["nodeSelector"]
    assert "affinity" not in other
    same = ("image", "ports", "readinessProbe", "livenessProbe", "securityContext", "volumeMounts")
    for key in same:
        assert bundle.container(REPLICAS)[key] == bundle.container(REDIS)[key]


# Growing later

# All that an update of a StatefulSet may change.
MUTABLE = {
    "replicas",
    "template",
    "updateStrategy",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
    "ordinals",
    "revisionHistoryLimit",
}


def unchangeable(bundle: Bundle) -> dict[str, Any]:
    """What an update must leave as it is, by kind and name."""
    stateful_sets = {
        f"StatefulSet/{name}": {k: v for k, v in found["spec"].items() if k not in MUTABLE}
        for name, found in bundle.of("StatefulSet").items()
    }
    # A Service may get another selector, but loses its pods while the new ones are made.
    services = {
        f"Service/{name}": {key: found["spec"].get(key) for key in ("selector", "clusterIP")}
        for name, found in bundle.of("Service").items()
    }
    deployments = {
        f"Deployment/{name}": found["spec"]["selector"]
        for name, found in bundle.of("Deployment").items()
    }
    return stateful_sets | services | deployments


def mongodb(count: int, **values: Any) -> dict[str, Any]:
    return {"mongodb": {"architecture": "replicaset", "replicaCount": count, **values}}


def redis(count: int) -> dict[str, Any]:
    return {"redis": {"cluster": {"enabled": True, "slaveCount": count}}}


LOCKED: dict[str, Any] = {
    key: REPLICATED["mongodb"]["auth"][key] for key in ("enabled", "rootPassword")
}


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (mongodb(3), mongodb(5)),
        (mongodb(3, **AUTH), mongodb(5, **AUTH)),
        (mongodb(1), mongodb(3)),
        ({}, mongodb(1)),
        ({}, mongodb(3)),
        ({"mongodb": {"auth": LOCKED}}, mongodb(3, **AUTH)),
        (mongodb(3), mongodb(3, **AUTH)),
        ({}, redis(1)),
        (redis(1), redis(3)),
        ({"elasticsearch": {"replicas": 1}}, {"elasticsearch": {"replicas": 3}}),
        ({"elasticsearch": {"replicas": 3}}, {"elasticsearch": {"replicas": 5}}),
        ({}, REPLICATED),
    ],
)
def test_growing_changes_nothing_that_is_fixed(
    small: dict[str, Any], large: dict[str, Any]
) -> None:
    before, after = unchangeable(render(small)), unchangeable(render(large))
    assert {name: after[name] for name in before} == before
    assert render(small).files != render(large).files


def test_the_fields_that_are_fixed_are_looked_at() -> None:
    fixed = unchangeable(render())
    assert set(fixed[f"StatefulSet/{MONGODB}"]) == {
        "selector",
        "serviceName",
        "podManagementPolicy",
        "volumeClaimTemplates",
    }
    assert fixed[f"Service/{MONGODB}-headless"]["clusterIP"] == "None"


# What cannot be


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"architecture": "replicaset", "replicaCount": 8}, "mongodb.replicaCount", "less than"),
        ({"architecture": "replicaset", "replicaCount": 0}, "mongodb.replicaCount", "greater"),
        (
            {"architecture": "replicaset", "auth": LOCKED | {"replicaSetKey": "test-secret"}},
            "mongodb.auth.replicaSetKey",
            "6 to 1024 of letters",
        ),
        (
            {"architecture": "replicaset", "auth": LOCKED | {"replicaSetKey": "short"}},
            "mongodb.auth.replicaSetKey",
            "6 to 1024 of letters",
        ),
        (
            {"architecture": "replicaset", "replicaSetName": "My Set"},
            "mongodb.replicaSetName",
            "must be a DNS label",
        ),
    ],
)
def test_mistakes_are_named(values: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Values.model_validate({"mongodb": values})
    (error,) = raised.value.errors(include_input=False)
    assert ".".join(map(str, error["loc"])) == path
    assert message in error["msg"]
    assert SECRET_MARK not in error["msg"]
