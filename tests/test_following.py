"""Pods that the values do not name are like those they belong to, unless they say otherwise."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from config import Values
from config.types.merging import merge
from rendering import Bundle, Object, render
from scenarios import EXTERNAL_SERVICES, preset
from test_pods import ALL_THERE, OUTSIDE, SETTINGS, main_of, pod_of, values_of

API, DELETION = "clearml-apiserver", "clearml-apiserver-asyncdelete"
ON_ARM = {
    "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [
            {
                "matchExpressions": [
                    {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}
                ]
            }
        ]
    }
}
APART: Object = {
    "requiredDuringSchedulingIgnoredDuringExecution": [
        {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/component": "apiserver"}},
        }
    ]
}
SCHEDULING: dict[str, Any] = {
    "nodeSelector": {"pool": "ml"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": ON_ARM},
    "priorityClassName": "urgent",
    "runtimeClassName": "gvisor",
    "schedulerName": "volcano",
}
BACKED_UP = ("mongodb", "elasticsearch", "fileserver")
BACKUPS: Object = {
    **ALL_THERE,
    "apiserver": {"replicaCount": 0},
    "backup": {
        **{name: {"enabled": True} for name in BACKED_UP},
        "s3": {"bucket": "backups", "existingSecret": "bucket"},
    },
    "restore": {
        "mongodb": {"backup": "latest"},
        "elasticsearch": {"backup": "20260131-020000"},
        "fileserver": {"backup": "latest"},
    },
}
OF_BACKUPS = OUTSIDE | {("Secret", "bucket")}
# Who follows whom: the section of each, and the names of the pods that follow, without digest.
FOLLOWERS = {
    "apiserver": ("apiserver.asyncdelete", "credentialsJob"),
    **{name: (f"backup.{name}", f"restore.{name}") for name in BACKED_UP},
}
NAMES = {
    "apiserver.asyncdelete": DELETION,
    "credentialsJob": "clearml-credentials",
    **{
        f"{kind}.{name}": f"clearml-{kind}-{name}"
        for kind in ("backup", "restore")
        for name in BACKED_UP
    },
}


def pods(bundle: Bundle) -> dict[str, Object]:
    """The pod specs of all workloads by name; of a Job without its digest."""
    found = {name: pod_of(each) for name, each in bundle.workloads.items()}
    found |= {name.rpartition("-")[0]: pod_of(each) for name, each in bundle.of("Job").items()}
    jobs = {name: each["spec"]["jobTemplate"] for name, each in bundle.of("CronJob").items()}
    return found | {name: pod_of(each) for name, each in jobs.items()}


def scheduling(pod: Object) -> Object:
    told = {key: pod[key] for key in SCHEDULING if key in pod}
    node = told.pop("affinity", {}).get("nodeAffinity")
    return told | ({"affinity": {"nodeAffinity": node}} if node else {})


def rendered(*values: Object) -> dict[str, Object]:
    return pods(render(functools.reduce(merge, values, BACKUPS), outside=OF_BACKUPS))


@pytest.mark.parametrize("leader", FOLLOWERS)
def test_pods_run_where_those_run_that_they_belong_to(leader: str) -> None:
    before, after = rendered(), rendered(values_of(leader, SCHEDULING))
    followers = {NAMES[section] for section in FOLLOWERS[leader]}
    for name in NAMES.values():
        wanted = SCHEDULING if name in followers else scheduling(before[name])
        assert scheduling(after[name]) == wanted, name


@pytest.mark.parametrize("leader", FOLLOWERS)
def test_what_pods_say_themselves_counts_more(leader: str) -> None:
    own = {"nodeSelector": {"pool": "batch"}, "tolerations": [], "affinity": {}}
    sections = [values_of(section, own) for section in FOLLOWERS[leader]]
    after = rendered(values_of(leader, SCHEDULING), *sections)
    for section in FOLLOWERS[leader]:
        told = scheduling(after[NAMES[section]])
        assert told.pop("nodeSelector") == own["nodeSelector"]
        assert told == {k: v for k, v in SCHEDULING.items() if k not in own}, section


@pytest.mark.parametrize("leader", FOLLOWERS)
def test_nobody_keeps_away_from_pods_of_another_component(leader: str) -> None:
    affinity = {"nodeAffinity": ON_ARM, "podAntiAffinity": APART}
    after = rendered(values_of(leader, {"affinity": affinity}))
    for section in FOLLOWERS[leader]:
        assert "podAntiAffinity" not in after[NAMES[section]].get("affinity", {}), section


def test_backups_stay_beside_the_volume_of_the_file_server_on_its_nodes() -> None:
    after = rendered(values_of("fileserver", SCHEDULING))
    affinity = after["clearml-backup-fileserver"]["affinity"]
    assert affinity.keys() == {"nodeAffinity", "podAffinity"}


def test_the_node_affinity_of_elasticsearch_counts_under_both_keys() -> None:
    after = rendered({"elasticsearch": {"nodeAffinity": ON_ARM}})
    assert after["clearml-backup-elasticsearch"]["affinity"] == {"nodeAffinity": ON_ARM}


def test_backups_of_stores_elsewhere_go_where_the_api_server_goes() -> None:
    values: Object = {
        "apiserver": SCHEDULING,
        "mongodb": EXTERNAL_SERVICES["mongodb"],
        "backup": {"mongodb": {"enabled": True}},
    }
    after = pods(render(values, outside=OUTSIDE))
    assert scheduling(after["clearml-backup-mongodb"]) == SCHEDULING


# Asynchronous delete

ITS_OWN = {"updateStrategy", "affinity", "resources", "lifecycle"}


@pytest.mark.parametrize(
    "key", [key for key in SETTINGS if "Probe" not in key and key not in ITS_OWN]
)
def test_asynchronous_delete_is_told_what_the_api_server_is(key: str) -> None:
    setting = SETTINGS[key]
    value = ["registry-key"] if key == "imagePullSecrets" else setting.value
    given = values_of("apiserver", {**setting.context, key: value})
    own = values_of("apiserver.asyncdelete", {**setting.context, key: value})
    after, expected = (
        render(merge(ALL_THERE, merge(given, more)), outside=OUTSIDE) for more in ({}, own)
    )
    assert after.workloads[DELETION] == expected.workloads[DELETION]
    assert after.workloads[DELETION] != render(ALL_THERE).workloads[DELETION]


def test_asynchronous_delete_keeps_its_resources_unless_those_of_the_api_server_are_given() -> None:
    given = {"requests": {"cpu": "250m"}}
    before, after = render(ALL_THERE), render(merge(ALL_THERE, {"apiserver": {"resources": given}}))
    assert (
        main_of(before.workloads[DELETION])["resources"]
        != main_of(before.workloads[API])["resources"]
    )
    assert main_of(after.workloads[DELETION])["resources"] == given


def test_variables_of_both_are_joined_by_name() -> None:
    theirs = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    own = [{"name": "B", "value": "2"}, {"name": "C", "value": "2"}]
    values = {"apiserver": {"extraEnvs": theirs, "asyncdelete": {"extraEnvs": own}}}
    env = render(merge(ALL_THERE, values)).env(DELETION)
    assert {name: env[name] for name in "ABC"} == {"A": "1", "B": "2", "C": "2"}


ROLE = {"example.org/role": "files"}


@pytest.mark.parametrize(
    ("account", "own", "name"),
    [
        pytest.param({"create": True, "annotations": ROLE}, {}, API, id="made"),
        pytest.param({"create": True, "name": "files"}, {}, "files", id="made by name"),
        pytest.param({"name": "there"}, {}, "there", id="there already"),
        pytest.param({}, {}, None, id="none"),
        pytest.param({"name": "there"}, {"name": "mine"}, "mine", id="its own"),
        pytest.param({"name": "there"}, {"create": True}, DELETION, id="made for it"),
        pytest.param({"create": True}, {"automount": False}, API, id="without a token"),
    ],
)
def test_asynchronous_delete_runs_as_the_account_of_the_api_server(
    account: Object, own: Object, name: str | None
) -> None:
    settings = {"serviceAccount": {"automount": True, **account}}
    given = {"apiserver": settings | {"asyncdelete": {"serviceAccount": own}}}
    outside = {("ServiceAccount", each) for each in ("there", "mine")}
    bundle = render(merge(ALL_THERE, given), outside=outside)
    pod = bundle.pod(DELETION)
    assert pod.get("serviceAccountName") == name
    assert pod["automountServiceAccountToken"] == own.get(
        "automount", not own.get("create") and name != "mine"
    )


def test_files_by_hand_that_both_mount_are_read_by_both() -> None:
    mount = {"name": "mine", "mountPath": "/opt/clearml/config"}
    volume = {"name": "mine", "configMap": {"name": "proxy"}}
    given = {"additionalVolumes": [volume], "additionalVolumeMounts": [mount]}
    bundle = render(merge(ALL_THERE, {"apiserver": given}), outside=OUTSIDE)
    directories = [bundle.env(name)["CLEARML_CONFIG_DIR"] for name in (API, DELETION)]
    assert directories[0] == directories[1]
    assert "/opt/clearml/config" in directories[0].split(":")


@pytest.mark.parametrize("names", [("production",), ("openshift",), ("production", "openshift")])
def test_presets_need_not_repeat_what_asynchronous_delete_is_to_be(names: tuple[str, ...]) -> None:
    values = Values.read(merge(preset(*names), ALL_THERE))
    server, deletion = values.apiserver, values.inheriting_async_delete
    assert not values.apiserver.asyncdelete.model_fields_set
    for field in ("pod_security_context", "container_security_context", "additional_volumes"):
        assert getattr(deletion, field) == getattr(server, field) != None  # noqa: E711
