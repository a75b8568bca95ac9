"""Backups and restores: what the values make, and what they refuse."""

from __future__ import annotations

import copy
import json

import pytest
from pydantic.alias_generators import to_camel

from config import Values
from config.backup import Bucket, Restore, Restores
from config.pod import CronJob
from config.types.merging import merge
from rendering import Bundle, Object, render, synthesize
from test_pods import OUTSIDE, SETTINGS, leaves, values_of

THINGS = ("mongodb", "elasticsearch", "fileserver")
BACKUPS: Object = {"backup": {name: {"enabled": True} for name in THINGS}}
NAMES = {"mongodb": "20260131-020000", "elasticsearch": "clearml-1", "fileserver": "20260131-0230"}
STOPPED: Object = {"apiserver": {"replicaCount": 0}}
RESTORES: Object = STOPPED | {"restore": {name: {"backup": b} for name, b in NAMES.items()}}
BUCKET: Object = {"backup": {"s3": {"bucket": "backups"}}, "clearml": {"version": "2.3.0"}}
KEY: Object = {"backup": {"s3": {"existingSecret": "bucket-key"}}}
IN_BUCKET = merge(BACKUPS, BUCKET)
CLUSTER = OUTSIDE | {("Secret", "bucket-key"), ("Secret", "mongodb-urls"), ("Secret", "search")}
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
    assert NAMES[name] in json.dumps(job["spec"]["template"]["spec"]["containers"][0]["args"])


def test_another_backup_is_restored_by_another_job() -> None:
    other = {"restore": {"mongodb": {"backup": "20260201-020000"}}}
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
    given = {"fileserver": {"replicaCount": replicas}, "restore": {"fileserver": {"backup": "1"}}}
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
        ({"fileserver": {"replicaCount": 0}, "restore": {"fileserver": {"backup": "1"}}}, 0),
        ({"restore": {"fileserver": {"backup": "1"}}}, 1),
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
    "key", [key for key in SETTINGS if key in {*leaves(CronJob)} and key != "podSecurityContext"]
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
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
            }


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("values", [{}, BUCKET], ids=["claim", "bucket"])
def test_as_many_are_kept_as_the_values_say(name: str, values: Object) -> None:
    bundle = made(BACKUPS, values, {"backup": {name: {"retention": 31}}})
    (main,) = pod_of(bundle, f"clearml-backup-{name}")["containers"]
    assert main["args"][-1] == "31"


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
        (main,) = pod_of(bundle, f"clearml-restore-{name}")["containers"]
        (mount,) = (each for each in main["volumeMounts"] if each["name"] == "backups")
        assert mount["readOnly"] is True


RCLONE = {
    "region": ("eu-central-1", {"RCLONE_CONFIG_S3_REGION": "eu-central-1"}),
    "endpoint": (
        "http://minio:9000",
        {
            "RCLONE_CONFIG_S3_ENDPOINT": "http://minio:9000",
            "RCLONE_CONFIG_S3_PROVIDER": "Other",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        },
    ),
}
NODES = {
    "region": {"s3.client.default.region": "eu-central-1"},
    "endpoint": {
        "s3.client.default.endpoint": "http://minio:9000",
        "s3.client.default.path_style_access": "true",
    },
}


@pytest.mark.parametrize("key", RCLONE)
def test_the_bucket_is_where_the_values_say(key: str) -> None:
    given, expected = RCLONE[key]
    before = made(IN_BUCKET, RESTORES)
    after = made(IN_BUCKET, RESTORES, {"backup": {"s3": {key: given}}})
    for kind in ("backup", "restore"):
        for name in ("mongodb", "fileserver"):
            old, new = (
                env_of(container)
                for bundle in (before, after)
                for pod in (pod_of(bundle, f"clearml-{kind}-{name}"),)
                for container in (*pod["containers"], *pod.get("initContainers", []))
                if container["name"] in ("upload", "download")
            )
            assert new == old | expected
    old, new = (bundle.env("clearml-elastic-master") for bundle in (before, after))
    assert new == old | NODES[key]


def test_everything_is_below_the_prefix() -> None:
    bundle = made(IN_BUCKET, RESTORES, {"backup": {"s3": {"prefix": "team/ml"}}})
    for kind in ("backup", "restore"):
        for name in ("mongodb", "fileserver"):
            pod = json.dumps(pod_of(bundle, f"clearml-{kind}-{name}"))
            assert f"s3:backups/team/ml/{name}" in pod
        (main,) = pod_of(bundle, f"clearml-{kind}-elasticsearch")["containers"]
        assert json.loads(main["args"][2]) == {
            "type": "s3",
            "settings": {"bucket": "backups", "base_path": "team/ml/elasticsearch"},
        }


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


def test_rights_may_come_from_the_cloud() -> None:
    bundle = made(IN_BUCKET)
    assert "bucket-key" not in json.dumps(bundle.objects)
    assert "initContainers" not in bundle.pod("clearml-elastic-master")


def test_the_image_of_rclone_is_the_values() -> None:
    image = {"repository": "tools/rclone", "tag": "1.70.0", "pullPolicy": "Always"}
    bundle = made(IN_BUCKET, {"backup": {"s3": {"image": image}}})
    for name in ("mongodb", "fileserver"):
        (main,) = pod_of(bundle, f"clearml-backup-{name}")["containers"]
        assert (main["image"], main["imagePullPolicy"]) == ("tools/rclone:1.70.0", "Always")


# MongoDB


def test_a_dump_is_made_by_the_image_of_the_store() -> None:
    image = {"image": {"repository": "mirror/mongo", "tag": "4.4.31"}}
    bundle = made(BACKUPS, RESTORES, {"mongodb": image})
    for kind in ("backup", "restore"):
        (main,) = pod_of(bundle, f"clearml-{kind}-mongodb")["containers"]
        assert main["image"] == "mirror/mongo:4.4.31"


@pytest.mark.parametrize(
    ("key", "given", "image"),
    [("repository", "tools/mongo", "tools/mongo:4.4.30"), ("tag", "7.0.28", "mongo:7.0.28")],
)
def test_a_dump_may_be_made_by_another_image(key: str, given: str, image: str) -> None:
    bundle = made(BACKUPS, {"backup": {"mongodb": {"image": {key: given}}}})
    assert pod_of(bundle, "clearml-backup-mongodb")["containers"][0]["image"] == image


def test_the_password_of_mongodb_is_in_no_argument() -> None:
    auth = {"mongodb": {"auth": {"enabled": True, "rootPassword": "test-secret-mongodb"}}}
    bundle = made(BACKUPS, RESTORES, auth)
    for kind in ("backup", "restore"):
        (main,) = pod_of(bundle, f"clearml-{kind}-mongodb")["containers"]
        env = env_of(main)
        (password,) = (name for name, value in env.items() if isinstance(value, dict))
        assert env["BACKEND_URL"].startswith(f"mongodb://root:$({password})@clearml-mongodb:27017")
        assert list(env).index(password) < list(env).index("BACKEND_URL")
        assert "test-secret" not in json.dumps(main)


def test_a_replica_set_is_dumped_by_its_members() -> None:
    bundle = made(BACKUPS, {"mongodb": {"architecture": "replicaset", "replicaCount": 3}})
    env = env_of(pod_of(bundle, "clearml-backup-mongodb")["containers"][0])
    for database in ("backend", "auth"):
        url = env[f"{database.upper()}_URL"]
        assert url.count("clearml-mongodb-headless") == 3
        assert url.endswith(f"/{database}?replicaSet=rs0")


def test_a_mongodb_of_your_own_is_dumped_by_its_connection_strings() -> None:
    external = {"provider": "external", "external": {"existingSecret": "mongodb-urls"}}
    bundle = made({"backup": {"mongodb": {"enabled": True}}, "mongodb": external})
    (main,) = pod_of(bundle, "clearml-backup-mongodb")["containers"]
    assert env_of(main) == {
        f"{key.upper()}_URL": {"secretKeyRef": {"name": "mongodb-urls", "key": key}}
        for key in ("backend", "auth")
    }
    assert main["image"] == "mongo:4.4.30"


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


@pytest.mark.parametrize(
    ("given", "user"), [({"runAsUser": 2000, "fsGroup": 2000}, 2000), ({"fsGroup": 7}, 1000)]
)
def test_files_are_copied_as_the_user_of_the_file_server(given: Object, user: int) -> None:
    bundle = made(BACKUPS, {"fileserver": {"podSecurityContext": given}})
    context = pod_of(bundle, "clearml-backup-fileserver")["securityContext"]
    assert context["runAsUser"] == user
    assert context["fsGroup"] == (2000 if user == 2000 else 0)


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
        together(STOPPED, {"restore": {"mongodb": {"backup": "20260131-020000"}}}),
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
        "must be the name of a backup",
    ),
    "a hidden folder": (
        together(BACKUPS, STOPPED, {"restore": {"fileserver": {"backup": ".x.incomplete"}}}),
        "must be the name of a backup",
    ),
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
        together(STOPPED, BUCKET, {"restore": {"mongodb": {"backup": "20260131-020000"}}}),
        together({"restore": {"fileserver": {"backup": "1"}}}, BACKUPS),
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
    bucket = {*RCLONE, "bucket", "prefix", "existingSecret", "accessKeyIdKey", "secretAccessKeyKey"}
    assert {to_camel(name) for name in Bucket.model_fields} == bucket | {"image"}
