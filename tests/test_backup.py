"""Backups and restores: what the values make, and what they refuse."""

from __future__ import annotations

import copy
import json

import pytest
from pydantic.alias_generators import to_camel

from config import Values
from config.backup import Bucket, Restic, Restore, Restores
from config.pod import CronJob
from config.types.merging import merge
from rendering import Bundle, Object, render, synthesize
from test_pods import OUTSIDE, SETTINGS, leaves, values_of

THINGS = ("mongodb", "elasticsearch", "fileserver")
BACKUPS: Object = {"backup": {name: {"enabled": True} for name in THINGS}}
NAMES = {"mongodb": "4bba301e", "elasticsearch": "clearml-1", "fileserver": "latest"}
STOPPED: Object = {"apiserver": {"replicaCount": 0}}
RESTORES: Object = STOPPED | {"restore": {name: {"backup": b} for name, b in NAMES.items()}}
BUCKET: Object = {"backup": {"s3": {"bucket": "backups"}}, "clearml": {"version": "2.3.0"}}
KEY: Object = {"backup": {"s3": {"existingSecret": "bucket-key"}}}
IN_BUCKET = merge(BACKUPS, BUCKET)
PASSWORD: Object = {"backup": {"restic": {"existingSecret": "backup-password"}}}
CLUSTER = OUTSIDE | {("Secret", "bucket-key"), ("Secret", "backup-password")}
CLUSTER |= {("Secret", "mongodb-urls"), ("Secret", "search")}
CLUSTER |= {("PersistentVolumeClaim", "old-backups"), ("ServiceAccount", "writer")}


def together(*values: Object) -> Object:
    merged: Object = {}
    for each in values:
        merged = merge(merged, each)
    return merged


def made(*values: Object) -> Bundle:
    return render(together(*values), outside=CLUSTER)


def job_of(bundle: Bundle, name: str) -> Object:
    """The template of the CronJob or Job of that name; a Job's ends with a digest."""
    crons = {n: m["spec"]["jobTemplate"] for n, m in bundle.of("CronJob").items()}
    jobs = {n.rpartition("-")[0]: m for n, m in bundle.of("Job").items()}
    job: Object = {**crons, **jobs}[name]
    return job


def pod_of(bundle: Bundle, name: str) -> Object:
    pod: Object = job_of(bundle, name)["spec"]["template"]["spec"]
    return pod


def containers_of(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def said_to(pod: Object) -> list[str]:
    """The arguments of all containers."""
    return [text for container in containers_of(pod) for text in container["args"]]


def of_restic(pod: Object) -> list[Object]:
    """The containers in which restic runs."""
    return [each for each in containers_of(pod) if "RESTIC_REPOSITORY" in env_of(each)]


def env_of(container: Object) -> Object:
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in container.get("env", [])}


def claims_of(pod: Object) -> dict[str, str]:
    volumes = (v for v in pod.get("volumes", []) if "persistentVolumeClaim" in v)
    return {v["name"]: v["persistentVolumeClaim"]["claimName"] for v in volumes}


def mistakes(*values: Object) -> str:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # pydantic's, looked at by the caller
        Values.read(together(*values))
    return str(refused.value)


# What there is


def test_there_is_nothing_of_it_by_default() -> None:
    bundle = render()
    assert not {*bundle.files} & {"1100-backup.k8s.yaml", "1200-restore.k8s.yaml"}
    assert not bundle.of("CronJob")


@pytest.mark.parametrize("name", THINGS)
def test_each_backup_is_a_cron_job_with_a_claim_of_its_own(name: str) -> None:
    bundle = made({"backup": {name: {"enabled": True}}})
    new = {key for key in bundle.inventory if key not in render().inventory}
    assert new == {
        ("CronJob", f"clearml-backup-{name}"),
        ("PersistentVolumeClaim", f"clearml-backup-{name}-data"),
        ("NetworkPolicy", f"clearml-backup-{name}"),
    }


def test_a_bucket_takes_the_place_of_the_claims() -> None:
    bundle, without = made(IN_BUCKET), render({"clearml": {"version": "2.3.0"}})
    new = {key for key in bundle.inventory if key not in without.inventory}
    kinds = ("CronJob", "NetworkPolicy")
    assert new == {(kind, f"clearml-backup-{name}") for kind in kinds for name in THINGS}


@pytest.mark.parametrize("name", THINGS)
def test_a_restore_is_a_job_of_its_own_in_the_last_file(name: str) -> None:
    before = made(BACKUPS, STOPPED)
    bundle = made(BACKUPS, STOPPED, {"restore": {name: {"backup": NAMES[name]}}})
    job, policy = bundle.files["1200-restore.k8s.yaml"]
    assert bundle.inventory == [
        *before.inventory,
        ("Job", job["metadata"]["name"]),
        ("NetworkPolicy", policy["metadata"]["name"]),
    ]
    changed = {
        (old["kind"], old["metadata"]["name"])
        for old, new in zip(before.objects, bundle.objects, strict=False)
        if old != new and old["kind"] != "NetworkPolicy"
    }
    assert changed == {("CronJob", f"clearml-backup-{name}")}
    assert job["metadata"]["name"].startswith(f"clearml-restore-{name}-")
    assert NAMES[name] in said_to(job["spec"]["template"]["spec"])


def test_another_backup_is_restored_by_another_job() -> None:
    other = {"restore": {"mongodb": {"backup": "4bba301f"}}}
    one, again, another = (
        {name for name in made(BACKUPS, RESTORES, more).of("Job") if "restore" in name}
        for more in ({}, {}, other)
    )
    assert one == again
    assert len(one & another) == len(THINGS) - 1


def test_a_restore_that_is_only_to_stay_longer_is_not_made_again() -> None:
    longer = {"restore": {name: {"ttlSecondsAfterFinished": "never"} for name in THINGS}}
    assert made(BACKUPS, RESTORES, longer).inventory == made(BACKUPS, RESTORES).inventory


def warnings(*values: Object) -> list[str]:
    return list(Values.read(together(*values)).warnings())


def test_a_warning_says_that_a_restore_replaces_data_and_may_do_so_again() -> None:
    for name, backup in NAMES.items():
        (told,) = (w for w in warnings(BACKUPS, RESTORES) if f"restore.{name}: the Job" in w)
        assert backup in told
        assert "repeats it" in told
    kept = {"restore": {name: {"ttlSecondsAfterFinished": "never"} for name in THINGS}}
    assert not any("repeats it" in each for each in warnings(BACKUPS, RESTORES, kept))
    assert not any("restore" in each for each in warnings(BACKUPS, STOPPED))


@pytest.mark.parametrize("name", ["mongodb", "elasticsearch"])
def test_a_warning_names_the_api_server_that_nobody_here_can_stop(name: str) -> None:
    elsewhere = {
        "apiserver": {"enabled": False},
        "clearml": {"clientConfigurationApiUrl": "https://api.example.com"},
        "agentservices": {"enabled": False},
    }
    told = warnings(BACKUPS, elsewhere, {"restore": {name: {"backup": NAMES[name]}}})
    assert any(w.startswith(f"restore.{name}: apiserver.enabled is false") for w in told)


@pytest.mark.parametrize(("replicas", "warned"), [(1, True), (0, False)])
def test_a_warning_names_the_value_that_stops_the_file_server(replicas: int, warned: bool) -> None:
    given = {
        "fileserver": {"replicaCount": replicas},
        "restore": {"fileserver": {"backup": "latest"}},
    }
    told = [each for each in warnings(BACKUPS, given) if "fileserver.replicaCount: 0" in each]
    assert len(told) == warned


# Who stands still meanwhile

NEWEST: Object = {"clearml": {"version": "2.3.0"}}
DELETION = "clearml-apiserver-asyncdelete"
SCALED: Object = {
    "autoscaling": {"enabled": True, "maxReplicas": 3, "targetCPUUtilizationPercentage": 80},
    "resources": {"requests": {"cpu": 1}},
}


def users_of(bundle: Bundle, store: str) -> dict[str, int | None]:
    """The replicas of all that the policy of a store lets in, but for the store itself."""
    policy = bundle.find("NetworkPolicy", store)["spec"]
    selectors = [
        peer["podSelector"]["matchLabels"]
        for rule in policy["ingress"]
        for peer in rule.get("from", [])
    ]
    return {
        name: workload["spec"].get("replicas")
        for name, workload in bundle.workloads.items()
        if any(
            selector.items() <= workload["spec"]["template"]["metadata"]["labels"].items()
            for selector in selectors
        )
        and name != store
    }


RESTORED_STORES = [("mongodb", "clearml-mongodb"), ("elasticsearch", "clearml-elastic-master")]


@pytest.mark.parametrize(("name", "store"), RESTORED_STORES)
@pytest.mark.parametrize(
    "apiserver",
    [
        {"replicaCount": 2},
        SCALED,
    ],
    ids=["replicas", "autoscaling"],
)
def test_all_that_talks_to_a_store_stands_still_while_its_data_is_replaced(
    name: str, store: str, apiserver: Object
) -> None:
    values = Values.read(together(BACKUPS, NEWEST, {"apiserver": apiserver}))
    running = users_of(synthesize(values), store)
    assert running.keys() == {"clearml-apiserver", DELETION}
    assert 0 not in running.values()
    # What a mistake of the values keeps away: whatever comes to need a store stops by itself.
    restores = Restores.read({name: {"backup": NAMES[name]}})
    restoring = synthesize(values.model_copy(update={"restore": restores}))
    assert set(users_of(restoring, store).values()) == {0}
    others = restoring.workloads.keys() - running.keys() - {"clearml-agent-group0-agent"}
    assert all(restoring.workloads[other]["spec"]["replicas"] > 0 for other in others)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({}, 1),
        ({"apiserver": {"replicaCount": 0}}, 0),
        ({"fileserver": {"replicaCount": 0}}, 0),
        ({"fileserver": {"replicaCount": 0}, "restore": {"fileserver": {"backup": "latest"}}}, 0),
        ({"restore": {"fileserver": {"backup": "latest"}}}, 1),
    ],
    ids=["all run", "no API server", "no file server", "files are restored", "files of a server"],
)
def test_asynchronous_delete_stands_still_with_those_it_works_for(
    given: Object, count: int
) -> None:
    bundle = made(BACKUPS, NEWEST, given)
    assert bundle.workloads[DELETION]["spec"]["replicas"] == count


def test_no_backup_is_made_of_what_a_restore_replaces() -> None:
    for name in THINGS:
        bundle = made(BACKUPS, STOPPED, {"restore": {name: {"backup": NAMES[name]}}})
        suspended = {n for n, each in bundle.of("CronJob").items() if each["spec"]["suspend"]}
        assert suspended == {f"clearml-backup-{name}"}


# Settings of the pods

EVERYWHERE = [f"{kind}.{name}" for kind in ("backup", "restore") for name in THINGS]


@pytest.mark.parametrize(
    "key",
    [key for key in SETTINGS if key in {*leaves(CronJob)} - {"podSecurityContext", "resources"}],
)
def test_a_setting_of_pods_has_its_effect(key: str) -> None:
    setting = SETTINGS[key]
    written = "registry-key" if key == "imagePullSecrets" else setting.value
    value = [written] if key == "imagePullSecrets" else written
    context, values = (
        together(BACKUPS, RESTORES, *(values_of(each, entries) for each in EVERYWHERE))
        for entries in (setting.context, {**setting.context, key: value})
    )
    before, after = made(context), made(values)
    for place in EVERYWHERE:
        name = f"clearml-{place.replace('.', '-')}"
        expected = copy.deepcopy(job_of(before, name))
        setting.edit(expected)
        assert job_of(after, name)["spec"] == expected["spec"]


@pytest.mark.parametrize("place", EVERYWHERE)
def test_a_security_context_of_the_values_counts_more(place: str) -> None:
    bundle = made(BACKUPS, RESTORES, values_of(place, {"podSecurityContext": {"runAsUser": 7}}))
    context = pod_of(bundle, f"clearml-{place.replace('.', '-')}")["securityContext"]
    assert context["runAsUser"] == 7
    assert "seccompProfile" in context


JOB = {"backoffLimit": 2, "activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 90}
CRON = {
    "schedule": "5 4 * * *",
    "timeZone": "Europe/Berlin",
    "suspend": True,
    "startingDeadlineSeconds": 30,
    "successfulJobsHistoryLimit": 5,
    "failedJobsHistoryLimit": 6,
}


@pytest.mark.parametrize("key", JOB)
def test_jobs_are_limited(key: str) -> None:
    bundle = made(BACKUPS, RESTORES, *(values_of(each, {key: JOB[key]}) for each in EVERYWHERE))
    for place in EVERYWHERE:
        assert job_of(bundle, f"clearml-{place.replace('.', '-')}")["spec"][key] == JOB[key]


@pytest.mark.parametrize("key", CRON)
@pytest.mark.parametrize("name", THINGS)
def test_backups_are_made_when_the_values_say(name: str, key: str) -> None:
    bundle = made(BACKUPS, {"backup": {name: {key: CRON[key]}}})
    assert bundle.find("CronJob", f"clearml-backup-{name}")["spec"][key] == CRON[key]


@pytest.mark.parametrize("key", ["activeDeadlineSeconds", "ttlSecondsAfterFinished"])
def test_every_job_ends_and_goes_unless_the_values_say_never(key: str) -> None:
    places = [*EVERYWHERE, "credentialsJob"]
    for given, limited in (({}, True), ({key: "never"}, False)):
        bundle = made(BACKUPS, RESTORES, *(values_of(each, given) for each in places))
        crons = [each["spec"]["jobTemplate"] for each in bundle.of("CronJob").values()]
        jobs = [*bundle.of("Job").values(), *crons]
        assert len(jobs) == len(places)
        assert {key in job["spec"] for job in jobs} == {limited}


def test_a_restore_may_take_longer_and_stays_longer_than_what_can_be_repeated() -> None:
    bundle = made(BACKUPS, RESTORES)
    (credentials,) = (job for name, job in bundle.of("Job").items() if "credentials" in name)
    for name in THINGS:
        limits = [
            (spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"])
            for job in (job_of(bundle, f"clearml-restore-{name}"), credentials)
            for spec in (job["spec"],)
        ]
        assert limits[0] > limits[1]
        assert limits[0][1] > limits[1][1]


def test_the_jobs_of_a_backup_are_found_by_its_labels() -> None:
    bundle = made(BACKUPS, {"commonLabels": {"team": "ml"}})
    for name, cron_job in bundle.of("CronJob").items():
        labels = cron_job["spec"]["jobTemplate"]["metadata"]["labels"]
        assert labels == cron_job["metadata"]["labels"]
        assert labels["app.kubernetes.io/component"] == name.removeprefix("clearml-")


def test_a_backup_waits_for_the_one_before() -> None:
    for cron_job in made(BACKUPS).of("CronJob").values():
        assert cron_job["spec"]["concurrencyPolicy"] == "Forbid"


def test_without_a_time_zone_that_of_the_cluster_counts() -> None:
    for cron_job in made(BACKUPS).of("CronJob").values():
        assert "timeZone" not in cron_job["spec"]


def test_jobs_have_annotations_and_accounts_of_their_own() -> None:
    entries = {"jobAnnotations": {"probe": "on"}, "serviceAccount": {"name": "writer"}}
    bundle = made(BACKUPS, RESTORES, *(values_of(each, entries) for each in EVERYWHERE))
    for kind in ("Job", "CronJob"):
        ours = [job for name, job in bundle.of(kind).items() if "credentials" not in name]
        assert len(ours) == len(THINGS)
        assert all(job["metadata"]["annotations"]["probe"] == "on" for job in ours)
    for place in EVERYWHERE:
        pod = pod_of(bundle, f"clearml-{place.replace('.', '-')}")
        assert pod["serviceAccountName"] == "writer"


@pytest.mark.parametrize("values", [{}, together(BUCKET, KEY)], ids=["claims", "bucket"])
def test_their_pods_are_restricted(values: Object) -> None:
    bundle = made(BACKUPS, RESTORES, values)
    for place in EVERYWHERE:
        pod = pod_of(bundle, f"clearml-{place.replace('.', '-')}")
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        is_the_file_server = "fileserver" in place  # which is root, without any right of root's
        assert is_the_file_server != (pod["securityContext"].get("runAsUser", 0) > 0)
        for container in containers_of(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context.get("runAsNonRoot", False) != is_the_file_server
            # Elasticsearch writes its snapshots itself.
            assert context.get("readOnlyRootFilesystem", False) != ("elasticsearch" in place)


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("values", [{}, BUCKET], ids=["claim", "bucket"])
def test_as_many_are_kept_as_the_values_say(name: str, values: Object) -> None:
    bundle = made(BACKUPS, values, {"backup": {name: {"retention": 31}}})
    assert "31" in said_to(pod_of(bundle, f"clearml-backup-{name}"))


# Where they are kept

CLAIM = {
    "class": ("fast", ("storageClassName",), "fast"),
    "size": ("7Gi", ("resources", "requests", "storage"), "7Gi"),
    "accessModes": (["ReadWriteMany"], ("accessModes",), ["ReadWriteMany"]),
    "accessMode": ("ReadWriteMany", ("accessModes",), ["ReadWriteMany"]),
}


@pytest.mark.parametrize("key", CLAIM)
@pytest.mark.parametrize("name", THINGS)
def test_claims_are_what_the_values_say(name: str, key: str) -> None:
    given, place, expected = CLAIM[key]
    bundle = made(BACKUPS, {"backup": {name: {"storage": {key: given}}}})
    found = bundle.find("PersistentVolumeClaim", f"clearml-backup-{name}-data")["spec"]
    for step in place:
        found = found[step]
    assert found == expected


def test_claims_outlive_the_installation_unless_the_values_say_otherwise() -> None:
    ours = {"storage": {"annotations": {"probe": "on"}, "keep": False}}
    bundle = made(BACKUPS, {"backup": {"mongodb": ours}})
    kept, not_kept = (
        bundle.find("PersistentVolumeClaim", f"clearml-backup-{name}-data")["metadata"]
        for name in ("fileserver", "mongodb")
    )
    assert kept["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not_kept["annotations"] == {"probe": "on"}
    namespace = bundle.find("Namespace", "clearml")["metadata"]
    assert namespace["annotations"]["helm.sh/resource-policy"] == "keep"


@pytest.mark.parametrize("key", ["existingClaim", "existingPVC"])
@pytest.mark.parametrize("name", THINGS)
def test_a_claim_that_is_there_is_taken_for_backup_and_restore(name: str, key: str) -> None:
    storage = {"backup": {name: {"storage": {key: "old-backups"}}}}
    bundle = made(storage, BACKUPS)
    assert f"clearml-backup-{name}-data" not in bundle.of("PersistentVolumeClaim")
    user = bundle.pod("clearml-elastic-master") if name == "elasticsearch" else None
    assert claims_of(user or pod_of(bundle, f"clearml-backup-{name}"))["backups"] == "old-backups"
    # Without any backup being made, as in a new cluster.
    restoring = made(storage, STOPPED, {"restore": {name: {"backup": NAMES[name]}}})
    user = restoring.pod("clearml-elastic-master") if name == "elasticsearch" else None
    pod = user or pod_of(restoring, f"clearml-restore-{name}")
    assert claims_of(pod)["backups"] == "old-backups"


def test_restores_read_the_claims_that_backups_write() -> None:
    bundle = made(BACKUPS, RESTORES)
    for name in ("mongodb", "fileserver"):
        backup, restore = (
            claims_of(pod_of(bundle, f"clearml-{kind}-{name}")) for kind in ("backup", "restore")
        )
        assert backup == restore


def test_a_restore_cannot_write_to_the_backups() -> None:
    bundle = made(BACKUPS, RESTORES)
    for name in ("mongodb", "fileserver"):
        mounts = [
            mount
            for container in containers_of(pod_of(bundle, f"clearml-restore-{name}"))
            for mount in container["volumeMounts"]
            if mount["name"] == "backups"
        ]
        assert mounts
        assert all(mount["readOnly"] for mount in mounts)


RESTIC = {
    "region": ("eu-central-1", {"AWS_DEFAULT_REGION": "eu-central-1"}),
    "endpoint": (
        "http://minio:9000",
        {"RESTIC_REPOSITORY": "s3:http://minio:9000/backups/clearml/clearml/restic-%s"},
    ),
}
NODES = {
    "region": {"s3.client.default.region": "eu-central-1"},
    "endpoint": {
        "s3.client.default.endpoint": "http://minio:9000",
        "s3.client.default.path_style_access": "true",
    },
}


@pytest.mark.parametrize("key", RESTIC)
def test_the_bucket_is_where_the_values_say(key: str) -> None:
    given, expected = RESTIC[key]
    before = made(IN_BUCKET, RESTORES)
    after = made(IN_BUCKET, RESTORES, {"backup": {"s3": {key: given}}})
    for kind in ("backup", "restore"):
        for name in ("mongodb", "fileserver"):
            olds, news = (
                [env_of(each) for each in of_restic(pod_of(bundle, f"clearml-{kind}-{name}"))]
                for bundle in (before, after)
            )
            more = {variable: text.replace("%s", name) for variable, text in expected.items()}
            assert news == [old | more for old in olds]
    old, new = (bundle.env("clearml-elastic-master") for bundle in (before, after))
    assert new == old | NODES[key]


@pytest.mark.parametrize(
    ("values", "prefix"),
    [
        ({"backup": {"s3": {"prefix": "team/ml"}}}, "team/ml"),
        ({}, "clearml/clearml"),
        ({"release": {"name": "ours", "namespace": "research"}}, "research/ours"),
    ],
    ids=["given", "default", "another release"],
)
def test_everything_is_below_the_prefix(values: Object, prefix: str) -> None:
    bundle = made(IN_BUCKET, RESTORES, {"fullnameOverride": "clearml"}, values)
    for kind in ("backup", "restore"):
        for name in ("mongodb", "fileserver"):
            for container in of_restic(pod_of(bundle, f"clearml-{kind}-{name}")):
                repository = env_of(container)["RESTIC_REPOSITORY"]
                assert repository == f"s3:https://s3.amazonaws.com/backups/{prefix}/restic-{name}"
        (main,) = pod_of(bundle, f"clearml-{kind}-elasticsearch")["containers"]
        assert json.loads(main["args"][2]) == {
            "type": "s3",
            "settings": {"bucket": "backups", "base_path": f"{prefix}/elasticsearch"},
        }


@pytest.mark.parametrize("values", [{}, BUCKET], ids=["claim", "bucket"])
def test_the_password_of_the_repositories_comes_from_the_secret(values: Object) -> None:
    key = {"backup": {"restic": {"passwordKey": "key"}}}
    without, bundle = (
        made(BACKUPS, RESTORES, values),
        made(BACKUPS, RESTORES, values, PASSWORD, key),
    )
    for kind in ("backup", "restore"):
        for name in ("mongodb", "fileserver"):
            pods = [pod_of(each, f"clearml-{kind}-{name}") for each in (without, bundle)]
            for old, new in zip(*map(of_restic, pods), strict=True):
                before, after = env_of(old), env_of(new)
                assert before.pop("RESTIC_FLAGS") == "--insecure-no-password"
                password = after.pop("RESTIC_PASSWORD")
                assert password == {"secretKeyRef": {"name": "backup-password", "key": "key"}}
                assert before == after


@pytest.mark.parametrize("name", ["mongodb", "fileserver"])
def test_as_much_is_verified_as_the_values_say(name: str) -> None:
    bundle = made(BACKUPS, {"backup": {"restic": {"readDataPercent": 5}}})
    (main,) = of_restic(pod_of(bundle, f"clearml-backup-{name}"))
    assert main["args"][-1] == "5"


def test_the_access_key_comes_from_the_secret() -> None:
    keys = {"accessKeyIdKey": "id", "secretAccessKeyKey": "key"}
    bundle = made(IN_BUCKET, KEY, {"backup": {"s3": keys}})
    expected = {
        variable: {"secretKeyRef": {"name": "bucket-key", "key": key}}
        for variable, key in (("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key"))
    }
    (main,) = pod_of(bundle, "clearml-backup-fileserver")["containers"]
    assert env_of(main).items() >= expected.items()
    maker = bundle.container("clearml-elastic-master", "make-keystore")
    assert env_of(maker) == expected
    mounts = bundle.container("clearml-elastic-master")["volumeMounts"]
    assert "elasticsearch.keystore" in {mount.get("subPath") for mount in mounts}


@pytest.mark.parametrize(("kind", "first"), [("backup", "dump-mongodb"), ("restore", "fetch")])
def test_dumps_have_the_resources_of_the_backup(kind: str, first: str) -> None:
    resources = {"limits": {"memory": "3Gi"}}
    given = {kind: {"mongodb": {"resources": resources}}}
    pod = pod_of(made(BACKUPS, RESTORES, given), f"clearml-{kind}-mongodb")
    assert {each["name"]: each["resources"] for each in pod["initContainers"]} == {first: resources}


def test_rights_may_come_from_the_cloud() -> None:
    bundle = made(IN_BUCKET)
    assert "bucket-key" not in json.dumps(bundle.objects)
    names = [each["name"] for each in bundle.pod("clearml-elastic-master")["initContainers"]]
    assert "make-keystore" not in names


def test_the_image_of_restic_is_the_values() -> None:
    image = {"repository": "tools/restic", "tag": "0.18.0", "pullPolicy": "Always"}
    bundle = made(BACKUPS, RESTORES, {"backup": {"restic": {"image": image}}})
    for kind in ("backup", "restore"):
        for name in ("mongodb", "fileserver"):
            images = {
                (each["image"], each["imagePullPolicy"])
                for each in containers_of(pod_of(bundle, f"clearml-{kind}-{name}"))
            }
            assert ("tools/restic:0.18.0", "Always") in images


# MongoDB


def tools_of(bundle: Bundle, kind: str = "backup") -> Object:
    """The container that talks to MongoDB."""
    (tools,) = (
        each
        for each in containers_of(pod_of(bundle, f"clearml-{kind}-mongodb"))
        if "BACKEND_URL" in env_of(each)
    )
    return tools


def test_a_dump_is_made_by_the_image_of_the_store() -> None:
    image = {"image": {"repository": "mirror/mongo", "tag": "4.4.31"}}
    bundle = made(BACKUPS, RESTORES, {"mongodb": image})
    for kind in ("backup", "restore"):
        assert tools_of(bundle, kind)["image"] == "mirror/mongo:4.4.31"


@pytest.mark.parametrize(
    ("key", "given", "image"),
    [("repository", "tools/mongo", "tools/mongo:4.4.30"), ("tag", "7.0.28", "mongo:7.0.28")],
)
def test_a_dump_may_be_made_by_another_image(key: str, given: str, image: str) -> None:
    bundle = made(BACKUPS, {"backup": {"mongodb": {"image": {key: given}}}})
    assert tools_of(bundle)["image"] == image


def test_the_password_of_mongodb_is_in_no_argument() -> None:
    auth = {"mongodb": {"auth": {"enabled": True, "rootPassword": "test-secret-mongodb"}}}
    bundle = made(BACKUPS, RESTORES, auth)
    for kind in ("backup", "restore"):
        tools = tools_of(bundle, kind)
        env = env_of(tools)
        (password,) = (name for name, value in env.items() if isinstance(value, dict))
        assert env["BACKEND_URL"].startswith(f"mongodb://root:$({password})@clearml-mongodb:27017")
        assert list(env).index(password) < list(env).index("BACKEND_URL")
        assert "test-secret" not in json.dumps(tools)


def test_a_replica_set_is_dumped_by_its_members() -> None:
    bundle = made(BACKUPS, {"mongodb": {"architecture": "replicaset", "replicaCount": 3}})
    env = env_of(tools_of(bundle))
    for database in ("backend", "auth"):
        url = env[f"{database.upper()}_URL"]
        assert url.count("clearml-mongodb-headless") == 3
        assert url.endswith(f"/{database}?replicaSet=rs0")


def test_a_mongodb_of_your_own_is_dumped_by_its_connection_strings() -> None:
    external = {"provider": "external", "external": {"existingSecret": "mongodb-urls"}}
    bundle = made({"backup": {"mongodb": {"enabled": True}}, "mongodb": external})
    tools = tools_of(bundle)
    assert env_of(tools) == {
        f"{key.upper()}_URL": {"secretKeyRef": {"name": "mongodb-urls", "key": key}}
        for key in ("backend", "auth")
    }
    assert tools["image"] == "mongo:4.4.30"


# Elasticsearch


def test_the_nodes_write_snapshots_to_the_claim() -> None:
    bundle = made({"backup": {"elasticsearch": {"enabled": True}}})
    container = bundle.container("clearml-elastic-master")
    (main,) = pod_of(bundle, "clearml-backup-elasticsearch")["containers"]
    repository = json.loads(main["args"][2])
    allowed = bundle.env("clearml-elastic-master")["path.repo"]
    assert repository["settings"]["location"].startswith(f"{allowed}/")
    assert allowed in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert claims_of(bundle.pod("clearml-elastic-master")) == {
        "backups": "clearml-backup-elasticsearch-data"
    }


def test_a_snapshot_has_the_indices_that_the_values_say() -> None:
    bundle = made(BACKUPS, {"backup": {"elasticsearch": {"indices": "events-*"}}})
    (main,) = pod_of(bundle, "clearml-backup-elasticsearch")["containers"]
    assert "events-*" in main["args"]


def test_snapshots_are_marked_as_those_of_the_installation() -> None:
    gone = ["old/clearml/wt6CqOGMRMi4exXFvWTPpQ", "old/ml/x"]
    values = {
        "release": {"name": "lab", "namespace": "ml"},
        "backup": {"elasticsearch": {"formerOwners": gone}},
    }
    (main,) = pod_of(made(BACKUPS, values), "lab-clearml-backup-elasticsearch")["containers"]
    assert main["args"][3:5] == ["ml/lab", " ".join(gone)]


def test_an_elasticsearch_of_your_own_has_its_own_repository() -> None:
    external: Object = {
        "hosts": ["https://search.example.com:9200"],
        "username": "clearml",
        "existingSecret": "search",
        "verifyCerts": False,
        "ca": {"existingSecret": "search"},
    }
    values = {
        "elasticsearch": {"provider": "external", "external": external},
        "backup": {"elasticsearch": {"enabled": True, "existingRepository": "nightly"}},
    }
    bundle = made(values)
    assert not any("backup" in name for name in bundle.of("PersistentVolumeClaim"))
    (main,) = pod_of(bundle, "clearml-backup-elasticsearch")["containers"]
    assert main["args"][1:3] == ["nightly", ""]
    env = env_of(main)
    assert env["ELASTICSEARCH_URLS"] == "https://search.example.com:9200"
    assert env["ELASTICSEARCH_USERNAME"] == "clearml"
    assert env["ELASTICSEARCH_PASSWORD"]["secretKeyRef"] == {"name": "search", "key": "password"}
    assert env["ELASTICSEARCH_VERIFY_CERTS"] == "false"
    (mount,) = main["volumeMounts"]
    assert env["ELASTICSEARCH_CA"].startswith(mount["mountPath"])


# File server


def test_files_are_copied_on_the_node_that_has_their_volume() -> None:
    bundle = made(BACKUPS, RESTORES)
    pod, restoring = (
        pod_of(bundle, f"clearml-{kind}-fileserver") for kind in ("backup", "restore")
    )
    (term,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = bundle.template("clearml-fileserver")["metadata"]["labels"]
    assert term["labelSelector"]["matchLabels"].items() <= labels.items()
    # Where there is none while the file server is down.
    assert "requiredDuring" not in json.dumps(restoring["affinity"])
    assert claims_of(pod)["fileserver-data"] == "clearml-fileserver-data"


def test_a_volume_of_several_nodes_is_copied_on_any() -> None:
    shared = {"fileserver": {"storage": {"data": {"accessModes": ["ReadWriteMany"]}}}}
    assert "affinity" not in pod_of(made(BACKUPS, shared), "clearml-backup-fileserver")


@pytest.mark.parametrize("values", [{}, BUCKET], ids=["claim", "bucket"])
def test_a_backup_cannot_write_to_the_files_and_a_restore_can(values: Object) -> None:
    bundle = made(BACKUPS, RESTORES, values)
    mounts = {
        kind: {mount["name"]: mount.get("readOnly", False) for mount in main["volumeMounts"]}
        for kind in ("backup", "restore")
        for main in pod_of(bundle, f"clearml-{kind}-fileserver")["containers"]
    }
    assert mounts["backup"]["fileserver-data"] is True
    assert mounts["restore"]["fileserver-data"] is False


CONTEXTS: dict[str, Object] = {
    "nothing": {},
    "a group": {"podSecurityContext": {"fsGroup": 7, "supplementalGroups": [8]}},
    "a user": {"podSecurityContext": {"runAsUser": 2000, "runAsGroup": 3000, "fsGroup": 2000}},
    "a user of the container": {"containerSecurityContext": {"runAsUser": 7, "runAsGroup": 8}},
    "rights": {"containerSecurityContext": {"capabilities": {"add": ["DAC_OVERRIDE"]}}},
    "everything": {"containerSecurityContext": {"privileged": True}},
    "no context": {"podSecurityContext": {}, "containerSecurityContext": {}},
}


@pytest.mark.parametrize("given", CONTEXTS)
def test_files_are_read_and_written_as_the_file_server_does(given: str) -> None:
    bundle = made(BACKUPS, RESTORES, {"fileserver": CONTEXTS[given]})
    server = bundle.pod("clearml-fileserver")
    (main,) = server["containers"]
    for kind in ("backup", "restore"):
        pod = pod_of(bundle, f"clearml-{kind}-fileserver")
        assert pod.get("securityContext") == server.get("securityContext")
        for container in containers_of(pod):
            context = {"readOnlyRootFilesystem": True, **main.get("securityContext", {})}
            assert container["securityContext"] == context


# Who talks to whom

ISOLATED: Object = {"networkPolicy": {"enabled": True}}


def reached(bundle: Bundle, name: str) -> set[int | None]:
    """The ports that the pods may reach, None for all; name servers left out."""
    policy = bundle.find("NetworkPolicy", name)["spec"]
    if "Egress" not in policy["policyTypes"]:
        return {None}
    return {port["port"] for rule in policy["egress"] for port in rule["ports"]} - {53}


@pytest.mark.parametrize(
    ("values", "ports"),
    [
        ({}, ({27017}, {9200}, set())),
        (together(BUCKET, KEY), ({27017, 443}, {9200}, {443})),
        (
            together(BUCKET, KEY, {"backup": {"s3": {"endpoint": "http://minio:9000"}}}),
            ({27017, 9000}, {9200}, {9000}),
        ),
        (BUCKET, ({None}, {9200}, {None})),
    ],
    ids=["claims", "AWS", "endpoint", "rights of the cloud"],
)
def test_policies_let_backups_through(values: Object, ports: tuple[set[int | None], ...]) -> None:
    bundle = made(BACKUPS, RESTORES, values, ISOLATED)
    for name, expected in zip(THINGS, ports, strict=True):
        for kind in ("backup", "restore"):
            assert reached(bundle, f"clearml-{kind}-{name}") == expected
    nodes = reached(bundle, "clearml-elastic-master")
    assert nodes - {9300} == ports[2]
    for store in ("mongodb", "elastic-master"):
        ingress = json.dumps(bundle.find("NetworkPolicy", f"clearml-{store}")["spec"]["ingress"])
        thing = store.replace("elastic-master", "elasticsearch")
        for kind in ("backup", "restore"):
            assert f"clearml-{kind}-{thing}" in ingress


# What is refused

MISTAKES: dict[str, tuple[Object, str]] = {
    "no name of the bucket": ({"backup": {"s3": {"region": "eu-central-1"}}}, "backup.s3.bucket"),
    "a bucket with slashes": ({"backup": {"s3": {"bucket": "a/b"}}}, "name of a bucket"),
    "a prefix that ends with a slash": ({"backup": {"s3": {"prefix": "a/"}}}, "without '/' at"),
    "an endpoint without scheme": ({"backup": {"s3": {"endpoint": "minio"}}}, "must be empty or a"),
    "a region with spaces": ({"backup": {"s3": {"region": "a b"}}}, "must be a region"),
    "nothing kept": ({"backup": {"mongodb": {"retention": 0}}}, "backup.mongodb.retention"),
    "no file server": (together(BACKUPS, {"fileserver": {"enabled": False}}), "is elsewhere"),
    "no volume of files": (
        together(BACKUPS, {"fileserver": {"storage": {"enabled": False}}}),
        "fileserver.storage.enabled is false",
    ),
    "somebody else's nodes": (
        together(BACKUPS, {"elasticsearch": {"provider": "external"}}),
        "backup.elasticsearch.existingRepository",
    ),
    "S3 without the plugin": (
        together(BACKUPS, {"backup": {"s3": {"bucket": "backups"}}}),
        "plugin repository-s3",
    ),
    "several nodes on one volume": (
        together(BACKUPS, {"elasticsearch": {"replicas": 3}}),
        r"must be [ReadWriteMany] for several nodes",
    ),
    "a restore from nowhere": (
        together(STOPPED, {"restore": {"mongodb": {"backup": "4bba301e"}}}),
        "needs a place where backups are",
    ),
    "a running server": (
        together(BACKUPS, RESTORES, {"apiserver": {"replicaCount": 1}}),
        "needs apiserver.replicaCount 0",
    ),
    "a server that an autoscaler starts": (
        together(BACKUPS, RESTORES, {"apiserver": SCALED}),
        "needs apiserver.autoscaling.enabled false and apiserver.replicaCount 0",
    ),
    "a Job without a number": (
        {"backup": {"mongodb": {"activeDeadlineSeconds": "soon"}}},
        "must be a number of seconds, or never",
    ),
    "a Job that fails at once": (
        {"restore": {"mongodb": {"activeDeadlineSeconds": 0}}},
        "greater than or equal to 1",
    ),
    "half a mark": (
        {"backup": {"elasticsearch": {"formerOwners": ["clearml/clearml"]}}},
        "must be a namespace, a release and the UUID",
    ),
    "a path": (
        together(BACKUPS, STOPPED, {"restore": {"fileserver": {"backup": "../mongodb"}}}),
        "must be the id of a backup",
    ),
    "a backup of a former release": (
        together(BACKUPS, STOPPED, {"restore": {"mongodb": {"backup": "20260131-020000"}}}),
        "must be the id of a backup",
    ),
    "too short an id": (
        together(BACKUPS, STOPPED, {"restore": {"fileserver": {"backup": "4b"}}}),
        "must be the id of a backup",
    ),
    "a hidden snapshot": (
        together(BACKUPS, STOPPED, {"restore": {"elasticsearch": {"backup": ".x"}}}),
        "must be the name of a backup",
    ),
    "more than everything": (
        {"backup": {"restic": {"readDataPercent": 101}}},
        "backup.restic.readDataPercent",
    ),
    "the image of rclone": ({"backup": {"s3": {"image": {"tag": "1.70"}}}}, "backup.restic.image"),
    "too long a name": (
        together(BACKUPS, {"fullnameOverride": "a-name-of-32-letters-and-hyphens"}),
        "is too long",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_work_is_refused(mistake: str) -> None:
    values, message = MISTAKES[mistake]
    said = mistakes(values)
    assert message in said.replace("\n", " ").replace("backup\n", "")


@pytest.mark.parametrize(
    "values",
    [
        together(BACKUPS, {"elasticsearch": {"replicas": 3}}, {"backup": {"elasticsearch": {
            "storage": {"accessModes": ["ReadWriteMany"]}}}}),
        together(BACKUPS, {"backup": {"s3": {"bucket": "backups"}}}, {"elasticsearch": {
            "image": "mirror/elasticsearch-with-s3"}}),
        together(STOPPED, BUCKET, {"restore": {"mongodb": {"backup": "4bba301e"}}}),
        together({"restore": {"fileserver": {"backup": "0123"}}}, BACKUPS),
    ],
    ids=["shared volume", "image with the plugin", "from a bucket", "files of a running server"],
)  # fmt: skip
def test_what_works_is_accepted(values: Object) -> None:
    made(values)


def test_all_values_are_asked_for() -> None:
    asked = {*SETTINGS, *JOB, *CRON, "jobAnnotations"}
    assert {*leaves(Restore)} - {"backup"} <= asked | {
        key for key in leaves(Restore) if key.startswith(("networkPolicy.", "serviceAccount."))
    }
    bucket = {*RESTIC, "bucket", "prefix", "existingSecret", "accessKeyIdKey", "secretAccessKeyKey"}
    assert {to_camel(name) for name in Bucket.model_fields} == bucket
    restic = {"existingSecret", "passwordKey", "readDataPercent", "image"}
    assert {to_camel(name) for name in Restic.model_fields} == restic
