"""Every setting that any pod may have, asked of every component: its effect and no other."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from clearml_k8s.parts.naming import Common, Naming
from clearml_k8s.stores.chart import adapted
from config import Values, ValuesError
from config.image import Image
from config.pod import Deployment, StatefulSet
from config.types.merging import merge
from imports.patches import strategic_merge
from imports.release import ReleaseManifests
from rendering import Bundle, Object, render

NAMES = {
    "apiserver": "clearml-apiserver",
    "apiserver.asyncdelete": "clearml-apiserver-asyncdelete",
    "fileserver": "clearml-fileserver",
    "webserver": "clearml-webserver",
    "agentservices": "clearml-agentservices",
    "agentGroups.agent-group0": "clearml-agent-group0-agent",
    "mongodb": "clearml-mongodb",
    "redis.master": "clearml-redis-master",
    "elasticsearch": "clearml-elastic-master",
}
AGENTS = ("agentservices", "agentGroups.agent-group0")
WITHOUT_PROBES = (*AGENTS, "apiserver.asyncdelete")
# Whose containers run the API server's image.
USERS_OF_ITS_IMAGE = ("apiserver", "apiserver.asyncdelete", "fileserver", *AGENTS)
# The servers that all of these components go with.
ALL_THERE = {"clearml": {"version": "2.3.0"}}
STORES = ("mongodb", "redis.master", "elasticsearch")
# What stands around the pods: test_traits.py asks for these.
TRAITS = ("podDisruptionBudget", "networkPolicy", "serviceAccount", "autoscaling")
OUTSIDE = frozenset(
    {("Secret", "registry-key"), ("ConfigMap", "proxy"), ("PriorityClass", "urgent")}
)

Edit = Callable[[Object], None]


@dataclass(frozen=True)
class Setting:
    """A setting, what it does to a workload, and what else must be set for that."""

    key: str
    value: Any
    edit: Edit
    context: Mapping[str, Any] = field(default_factory=dict)


def pod_of(workload: Object) -> Object:
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def main_of(workload: Object) -> Object:
    main: Object = pod_of(workload)["containers"][0]
    return main


def in_pod(key: str, value: Any, **context: Any) -> Setting:
    return Setting(key, value, lambda workload: pod_of(workload).update({key: value}), context)


def in_spec(key: str, value: Any) -> Setting:
    return Setting(key, value, lambda workload: workload["spec"].update({key: value}))


def appended(key: str, value: Any, to: str, *, main: bool = False, **context: Any) -> Setting:
    def edit(workload: Object) -> None:
        (main_of(workload) if main else pod_of(workload)).setdefault(to, []).extend(value)

    return Setting(key, value, edit, context)


def merged(key: str, value: Any, into: Callable[[Object], Object], name: str = "") -> Setting:
    def edit(workload: Object) -> None:
        owner, part = into(workload), name or key
        owner[part] = merge(owner.get(part, {}), value)

    return Setting(key, value, edit)


def probe(key: str, name: str, value: int) -> Setting:
    edit: Edit = lambda workload: main_of(workload)[key].update({name: value})  # noqa: E731
    return Setting(f"{key}.{name}", value, edit)


def no_probe(key: str) -> Setting:
    return Setting(f"{key}.enabled", False, lambda workload: main_of(workload).pop(key))


def for_all_containers(workload: Object) -> None:
    pod = pod_of(workload)
    for container in (*pod["containers"], *pod.get("initContainers", [])):
        if not container.get("securityContext", {}).get("privileged"):
            container["securityContext"] = container.get("securityContext", {}) | {"runAsUser": 7}


def with_requests(workload: Object) -> None:
    """What is given replaces ours, but for a group's GPU and the memory that the chart asks for."""
    resources = main_of(workload)["resources"]
    kept = "memory" if main_of(workload)["name"] == "elasticsearch" else "nvidia.com/gpu"
    parts = {
        part: {name: amount for name, amount in amounts.items() if name == kept}
        for part, amounts in resources.items()
    }
    parts["requests"]["cpu"] = "250m"
    main_of(workload)["resources"] = {part: left for part, left in parts.items() if left}


def for_init_containers(workload: Object) -> None:
    for container in pod_of(workload).get("initContainers", []):
        container["resources"] = {"limits": {"memory": "64Mi"}}


def settings() -> Iterator[Setting]:
    anywhere = [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": anywhere}
        }
    }
    container = {"name": "probe", "image": "example.org/probe:1"}
    volume = {"name": "probe", "emptyDir": {}}
    yield in_pod("nodeSelector", {"pool": "ml"})
    yield in_pod("tolerations", [{"key": "dedicated", "operator": "Exists"}])
    yield merged("affinity", affinity, pod_of)
    yield in_pod(
        "topologySpreadConstraints",
        [
            {
                "maxSkew": 1,
                "topologyKey": "zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"team": "data"}},
            }
        ],
    )
    yield in_pod("priorityClassName", "urgent")
    yield in_pod("runtimeClassName", "gvisor")
    yield in_pod("schedulerName", "volcano")
    yield in_pod("hostAliases", [{"ip": "192.0.2.1", "hostnames": ["git.example.org"]}])
    yield in_pod("dnsPolicy", "Default")
    yield in_pod("dnsConfig", {"options": [{"name": "ndots", "value": "1"}]})
    yield in_pod("terminationGracePeriodSeconds", 7)
    yield in_pod("hostUsers", False)
    yield merged("lifecycle", {"postStart": {"exec": {"command": ["true"]}}}, main_of)
    yield in_pod("imagePullSecrets", [{"name": "registry-key"}])
    yield merged("podSecurityContext", {"supplementalGroups": [7]}, pod_of, "securityContext")
    yield Setting("containerSecurityContext", {"runAsUser": 7}, for_all_containers)
    yield Setting("resources", {"requests": {"cpu": "250m"}}, with_requests)
    yield Setting("initContainers.resources", {"limits": {"memory": "64Mi"}}, for_init_containers)
    yield appended("extraInitContainers", [container | {"name": "first"}], "initContainers")
    yield appended("extraContainers", [container], "containers")
    yield appended("extraEnvs", [{"name": "PROBE", "value": "on"}], "env", main=True)
    yield appended("envFrom", [{"configMapRef": {"name": "proxy"}}], "envFrom", main=True)
    yield appended("additionalVolumes", [volume], "volumes")
    mount = {"name": "probe", "mountPath": "/probe"}
    yield appended(
        "additionalVolumeMounts", [mount], "volumeMounts", main=True, additionalVolumes=[volume]
    )
    metadata: Callable[[Object], Object] = lambda workload: workload["spec"]["template"]["metadata"]  # noqa: E731
    yield merged("podLabels", {"team": "ml"}, metadata, "labels")
    yield merged("podAnnotations", {"probe": "on"}, metadata, "annotations")
    yield merged(
        "deploymentAnnotations",
        {"probe": "on"},
        lambda workload: workload["metadata"],
        "annotations",
    )
    yield in_spec("revisionHistoryLimit", 3)
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield no_probe(key)
        for number, name in enumerate(
            ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"), start=11
        ):
            yield probe(key, name, number)
        yield probe(key, "successThreshold", 2 if key == "readinessProbe" else 1)
        if key != "readinessProbe":
            yield probe(key, "terminationGracePeriodSeconds", 17)


SETTINGS = {setting.key: setting for setting in settings()}


def values_of(section: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """A values file that sets the keys in one section."""
    content: dict[str, Any] = {}
    for key, value in entries.items():
        nested: Any = value
        for step in reversed([*section.split("."), *key.split(".")]):
            nested = {step: nested}
        content = merge(content, nested)
    return content


def unchanged(workload: Object) -> None:
    """No edit."""


def edited(bundle: Bundle, edits: Mapping[str, Edit]) -> list[Object]:
    """The objects of the bundle after the edits of the workloads by name."""
    objects = copy.deepcopy(bundle.objects)
    for manifest in objects:
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            edits.get(manifest["metadata"]["name"], unchanged)(manifest)
    return objects


def without_job(objects: list[Object]) -> list[Object]:
    """All but the Job that makes credentials, which test_credentials.py looks at."""
    return [manifest for manifest in objects if manifest["kind"] != "Job"]


@pytest.mark.parametrize("key", SETTINGS)
def test_a_setting_has_its_effect_in_every_component(key: str) -> None:
    setting = SETTINGS[key]
    sections = [name for name in NAMES if "Probe" not in key or name not in WITHOUT_PROBES]
    context, values = (
        functools.reduce(merge, (values_of(section, entries) for section in sections), ALL_THERE)
        for entries in (setting.context, {**setting.context, key: _as_written(key, setting.value)})
    )
    before, after = render(context), render(values, outside=OUTSIDE)
    expected = edited(before, {NAMES[section]: setting.edit for section in sections})
    different = [
        made["metadata"]["name"]
        for made, wanted in zip(without_job(after.objects), without_job(expected), strict=True)
        if made != wanted
    ]
    assert not different
    assert after != before


def _as_written(key: str, value: Any) -> Any:
    return [entry["name"] for entry in value] if key == "imagePullSecrets" else value


def test_a_pull_secret_may_be_named_as_in_a_manifest() -> None:
    names, mappings = (
        render({"webserver": {"imagePullSecrets": secrets}}, outside=OUTSIDE)
        for secrets in (["registry-key"], [{"name": "registry-key"}])
    )
    assert mappings == names


def test_fragments_are_spelled_as_kubernetes_spells_them() -> None:
    port = {"containerPort": 9000, "hostPort": 9000, "hostIP": "127.0.0.1"}
    sidecar = {"name": "metrics", "image": "example.org/metrics:1", "ports": [port]}
    pod = render({"webserver": {"extraContainers": [sidecar]}}).pod(NAMES["webserver"])
    assert pod["containers"][1]["ports"] == [port]


def test_a_probe_may_begin_at_once() -> None:
    bundle = render({"apiserver": {"livenessProbe": {"initialDelaySeconds": 0}}})
    assert bundle.container(NAMES["apiserver"])["livenessProbe"]["initialDelaySeconds"] == 0


@pytest.mark.parametrize("section", AGENTS)
@pytest.mark.parametrize("key", ["livenessProbe", "startupProbe"])
def test_agents_have_no_probes_to_time(section: str, key: str) -> None:
    with pytest.raises(ValueError, match="there is no such probe"):
        Values.read(values_of(section, {key: {"periodSeconds": 5}}))


def test_init_containers_from_another_image_bring_its_pull_secrets() -> None:
    given = {"apiserver": {"imagePullSecrets": ["registry-key"]}}
    before, after = render(ALL_THERE), render(merge(ALL_THERE, given), outside=OUTSIDE)
    secrets = SETTINGS["imagePullSecrets"].edit
    expected = edited(before, {NAMES[user]: secrets for user in USERS_OF_ITS_IMAGE})
    assert without_job(after.objects) == without_job(expected)


def test_the_update_strategy_of_the_values_counts() -> None:
    places = {
        section: ("updateStrategy", {"type": "OnDelete"})
        if section in STORES
        else ("strategy", {"type": "Recreate"})
        for section in NAMES
    }
    values = [values_of(name, {"updateStrategy": value}) for name, (_, value) in places.items()]
    after = render(functools.reduce(merge, values, ALL_THERE))
    for section, (place, value) in places.items():
        assert after.workloads[NAMES[section]]["spec"][place] == value


@pytest.mark.parametrize("section", ["fileserver", "agentservices"])
def test_pods_that_share_a_volume_of_one_node_can_only_be_recreated(section: str) -> None:
    rolling = values_of(section, {"updateStrategy": "RollingUpdate"})
    with pytest.raises(ValueError, match="must be Recreate"):
        Values.read(rolling)
    shared = values_of(section, {"storage.data.accessModes": ["ReadWriteMany"]})
    workload = render(merge(rolling, shared)).workloads[NAMES[section]]
    assert workload["spec"]["strategy"] == {"type": "RollingUpdate"}


def test_every_setting_of_a_pod_is_asked() -> None:
    known = set(leaves(Deployment)) | set(leaves(StatefulSet))
    elsewhere = {key for key in known if key.partition(".")[0] in ("image", *TRAITS)}
    assert known - elsewhere - {"updateStrategy", "replicaCount"} == set(SETTINGS)


def leaves(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for info in model.model_fields.values():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, f"{above}{info.alias}.")
        else:
            yield f"{above}{info.alias}"


# Init containers, sidecars and what goes by itself

KEYED_SET = {
    "mongodb": {
        "architecture": "replicaset",
        "auth": {
            "enabled": True,
            "rootPassword": "test-secret-mongodb",
            "replicaSetKey": "testsecretreplicasetkey",
        },
    }
}
SYSCTL = {"elasticsearch": {"sysctlInitContainer": {"enabled": True}}}


@pytest.mark.parametrize("key", ["containerSecurityContext", "initContainers.resources"])
@pytest.mark.parametrize(
    ("section", "context"), [("mongodb", KEYED_SET), ("elasticsearch", SYSCTL)]
)
def test_init_containers_and_sidecars_of_stores_take_settings_too(
    section: str, context: Object, key: str
) -> None:
    setting = SETTINGS[key]
    before = render(context)
    after = render(merge(context, values_of(section, {key: setting.value})))
    assert pod_of(before.workloads[NAMES[section]])["initContainers"]
    assert after.objects == edited(before, {NAMES[section]: setting.edit})


def test_a_security_context_of_the_values_counts_more_than_ours() -> None:
    theirs: Object = {
        "podSecurityContext": {"runAsUser": 7},
        "containerSecurityContext": {"allowPrivilegeEscalation": True},
    }
    ours, changed = (render(v).pod("clearml-mongodb") for v in ({}, {"mongodb": theirs}))
    for key, before, after in (
        ("podSecurityContext", ours, changed),
        ("containerSecurityContext", ours["containers"][0], changed["containers"][0]),
    ):
        assert before["securityContext"].keys() > theirs[key].keys()
        assert after["securityContext"] == before["securityContext"] | theirs[key]


OFF = {"podSecurityContext": {"enabled": False}, "containerSecurityContext": {"enabled": False}}


@pytest.mark.parametrize("section", STORES)
def test_a_security_context_that_is_switched_off_leaves_none_of_ours(section: str) -> None:
    pod = render(values_of(section, OFF)).pod(NAMES[section])
    assert "securityContext" not in pod
    assert "securityContext" not in pod["containers"][0]


@pytest.mark.usefixtures("helm_on_path")
def test_a_security_context_of_a_chart_can_be_switched_off(charts: Object) -> None:
    values = functools.reduce(merge, (values_of(section, OFF) for section in STORES), charts)
    before, after = render(charts), render(values)
    for section in STORES:
        for there, gone in zip(
            (before.pod(NAMES[section]), before.container(NAMES[section])),
            (after.pod(NAMES[section]), after.container(NAMES[section])),
            strict=True,
        ):
            assert there["securityContext"]
            assert "securityContext" not in gone


@pytest.mark.parametrize("section", AGENTS)
def test_privileged_agents_stay_so_with_a_security_context(section: str) -> None:
    context = {"privileged": True, "containerSecurityContext": {"runAsUser": 7}}
    main = render(values_of(section, context)).pod(NAMES[section])["containers"][0]
    assert main["securityContext"] == {"privileged": True, "runAsUser": 7}


def test_a_security_context_that_is_switched_on_says_nothing_more() -> None:
    on = {"podSecurityContext": {"enabled": True, "fsGroup": 7}}
    assert render({"redis": {"master": on}}) == render(
        {"redis": {"master": {"podSecurityContext": {"fsGroup": 7}}}}
    )


def test_replicas_of_redis_are_told_what_the_master_is() -> None:
    values = {"cluster": {"enabled": True}, "master": {"priorityClassName": "urgent"}}
    assert render({"redis": values}).pod("clearml-redis-slave")["priorityClassName"] == "urgent"


def test_node_affinity_of_elasticsearch_joins_the_other_kinds() -> None:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]}
    node = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    pods = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}
    values = {"nodeAffinity": node, "affinity": {"podAffinity": pods}}
    affinity = render({"elasticsearch": values}).pod("clearml-elastic-master")["affinity"]
    assert affinity["nodeAffinity"] == node
    assert affinity["podAffinity"] == pods
    assert "podAntiAffinity" in affinity


@pytest.mark.parametrize(
    ("section", "theirs", "ours"),
    [
        ("elasticsearch", "extraVolumes", "additionalVolumes"),
        ("elasticsearch", "terminationGracePeriod", "terminationGracePeriodSeconds"),
        ("elasticsearch", "securityContext", "containerSecurityContext"),
        ("mongodb", "extraEnvVars", "extraEnvs"),
        ("mongodb", "sidecars", "extraContainers"),
        ("mongodb", "initContainers", "extraInitContainers"),
        ("redis.master", "extraVolumes", "additionalVolumes"),
    ],
)
def test_a_store_understands_the_words_of_its_chart(section: str, theirs: str, ours: str) -> None:
    value = SETTINGS[ours].value
    assert render(values_of(section, {theirs: value})) == render(values_of(section, {ours: value}))
    with pytest.raises(ValueError, match=theirs):
        Values.read(values_of(section, {theirs: value, ours: value}))


# Stores from Helm charts

NAMING = Naming(release="clearml", application="clearml", fullname="clearml")
IMAGE = Image.read({"repository": "redis", "tag": "7"})


def over_the_charts_resources(workload: Object) -> None:
    given = {"requests": {"cpu": "250m"}}
    main_of(workload)["resources"] = merge(main_of(workload).get("resources", {}), given)


def in_a_chart(section: str, key: str) -> Edit:
    """What the setting does to the pods of a chart: some are values of the chart itself."""
    setting = SETTINGS[key]
    if key == "resources":
        return over_the_charts_resources
    if key == "affinity" and section != "elasticsearch":
        return in_pod(key, setting.value).edit
    return setting.edit


@pytest.mark.usefixtures("helm_on_path")
@pytest.mark.parametrize("key", [key for key in SETTINGS if "startupProbe" not in key])
def test_a_setting_of_a_charts_pods_changes_nothing_else(key: str, charts: Object) -> None:
    setting, (part, _, probed) = SETTINGS[key], key.partition(".")
    sections = [
        section
        for section in STORES
        if not (probed and "Probe" in part)
        or part in main_of(render(charts).workloads[NAMES[section]])
    ]
    context, values = (
        functools.reduce(merge, (values_of(section, entries) for section in sections), charts)
        for entries in (setting.context, {**setting.context, key: _as_written(key, setting.value)})
    )
    edits = {NAMES[section]: in_a_chart(section, key) for section in sections}
    assert edits
    assert render(values, outside=OUTSIDE).objects == edited(render(context), edits)


@pytest.mark.parametrize(
    ("there", "given", "made"),
    [
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]},
            {"env": [{"name": "A", "value": "1"}]},
            {"env": [{"name": "A", "value": "1"}]},
            id="a variable",
        ),
        pytest.param(
            {"volumes": [{"name": "data", "hostPath": {"path": "/data"}}, {"name": "b"}]},
            {"volumes": [{"name": "data", "emptyDir": {}}]},
            {"volumes": [{"name": "data", "emptyDir": {}}, {"name": "b"}]},
            id="a volume",
        ),
        pytest.param(
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
            {"updateStrategy": {"type": "OnDelete"}},
            {"updateStrategy": {"type": "OnDelete"}},
            id="another strategy",
        ),
        pytest.param(
            {"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}},
            {"seccompProfile": {"type": "RuntimeDefault"}},
            {"seccompProfile": {"type": "RuntimeDefault"}},
            id="another profile",
        ),
        pytest.param(
            {"labels": {"type": "db", "app": "redis"}},
            {"labels": {"type": "cache"}},
            {"labels": {"type": "cache", "app": "redis"}},
            id="a label called type",
        ),
        pytest.param(
            {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}},
            {"capabilities": {"add": []}},
            {"capabilities": {"drop": ["ALL"], "add": []}},
            id="words",
        ),
        pytest.param(
            {"initContainers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}]},
            {"initContainers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]},
            {"initContainers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]},
            id="resources",
        ),
        pytest.param(
            {"tolerations": [{"key": "a"}, {"key": "a"}]},
            {"tolerations": [{"key": "b"}]},
            {"tolerations": [{"key": "a"}, {"key": "a"}, {"key": "b"}]},
            id="items without a name",
        ),
    ],
)
def test_what_is_set_takes_the_place_of_what_the_chart_rendered(
    there: Object, given: Object, made: Object
) -> None:
    assert strategic_merge(there | {"other": [1, 1]}, given) == made | {"other": [1, 1]}


MOUNT = {"name": "data", "mountPath": "/data"}


def small_chart() -> ReleaseManifests:
    probe = {"exec": {"command": ["true"]}}
    container = {
        "name": "redis",
        "image": "redis:7",
        "livenessProbe": probe,
        "volumeMounts": [MOUNT],
    }
    template = {"metadata": {}, "spec": {"containers": [container]}}
    manifest = {"kind": "StatefulSet", "metadata": {"name": "it"}, "spec": {"template": template}}
    return ReleaseManifests([manifest], [])


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ({"periodSeconds": 3}, {"exec": {"command": ["true"]}, "periodSeconds": 3}),
        ({"enabled": False}, None),
    ],
)
def test_a_probe_of_a_chart_can_be_timed_or_taken_away(probe: Object, expected: Any) -> None:
    pod = StatefulSet.read({"livenessProbe": probe})
    (manifest,) = adapted("redis", small_chart(), NAMING, pod, IMAGE).objects
    assert main_of(manifest).get("livenessProbe") == expected


def test_a_probe_that_a_chart_does_not_make_may_be_switched_off() -> None:
    off = StatefulSet.read({"startupProbe": {"enabled": False}})
    assert adapted("redis", small_chart(), NAMING, off, IMAGE) == small_chart()


def test_a_volume_of_a_chart_can_be_mounted_at_one_more_place() -> None:
    another = MOUNT | {"mountPath": "/another"}
    pod = StatefulSet.read({"additionalVolumeMounts": [another]})
    (manifest,) = adapted("redis", small_chart(), NAMING, pod, IMAGE).objects
    assert main_of(manifest)["volumeMounts"] == [MOUNT, another]


def test_a_probe_that_a_chart_does_not_make_cannot_be_timed() -> None:
    pod = StatefulSet.read({"startupProbe": {"periodSeconds": 3}})
    with pytest.raises(ValuesError, match=r"redis\.chart: makes no startupProbe"):
        adapted("redis", small_chart(), NAMING, pod, IMAGE)


# Common labels and annotations


def test_common_labels_and_annotations_are_on_all_objects() -> None:
    common = {"commonLabels": {"team": "ml"}, "commonAnnotations": {"cost": "42"}}
    before, after = render(), render(common)
    assert len(after.objects) == len(before.objects)
    for old, new in zip(before.objects, after.objects, strict=True):
        assert new["metadata"]["labels"] == old["metadata"].get("labels", {}) | {"team": "ml"}
        assert new["metadata"]["annotations"]["cost"] == "42"
        if "template" in new.get("spec", {}):
            template = new["spec"]["template"]["metadata"]
            assert template["labels"]["team"] == "ml"
            assert "cost" not in template.get("annotations", {})
            assert new["spec"].get("selector") == old["spec"].get("selector")
            claims = "volumeClaimTemplates"
            assert new["spec"].get(claims) == old["spec"].get(claims)


def test_labels_and_annotations_of_a_component_count_more_than_common_ones() -> None:
    common: Object = {
        **ALL_THERE,
        "commonLabels": {"team": "ml"},
        "commonAnnotations": {"cost": "42"},
    }
    own = {"podLabels": {"team": "web"}, "deploymentAnnotations": {"cost": "7"}}
    values = functools.reduce(merge, (values_of(section, own) for section in NAMES), common)
    for workload in render(values).workloads.values():
        assert workload["spec"]["template"]["metadata"]["labels"]["team"] == "web"
        assert workload["metadata"]["annotations"]["cost"] == "7"


def test_labels_of_a_charts_pods_count_more_than_common_ones() -> None:
    naming = NAMING._replace(common=Common(labels={"team": "ml"}))
    pod = StatefulSet.read({"podLabels": {"team": "web"}})
    (manifest,) = adapted("redis", small_chart(), naming, pod, IMAGE).objects
    assert manifest["metadata"]["labels"] == {"team": "ml"}
    assert manifest["spec"]["template"]["metadata"]["labels"] == {"team": "web"}


def labelled_chart() -> ReleaseManifests:
    (manifest,) = small_chart().objects
    manifest["metadata"] |= {"annotations": {"from": "chart"}, "labels": {"from": "chart"}}
    manifest["spec"]["selector"] = {"matchLabels": {"app": "redis"}}
    manifest["spec"]["template"]["metadata"] = {"labels": {"app": "redis", "from": "chart"}}
    return ReleaseManifests([manifest], [])


def test_labels_and_annotations_of_a_chart_give_way_to_those_that_are_set() -> None:
    naming = NAMING._replace(common=Common(labels={"from": "common"}, annotations={"from": "c"}))
    assert adapted("redis", labelled_chart(), naming, StatefulSet.default(), IMAGE) == (
        labelled_chart()
    )
    pod = StatefulSet.read({"podLabels": {"from": "me"}, "deploymentAnnotations": {"from": "me"}})
    (manifest,) = adapted("redis", labelled_chart(), naming, pod, IMAGE).objects
    assert manifest["metadata"]["labels"] == {"from": "chart"}
    assert manifest["metadata"]["annotations"] == {"from": "me"}
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app": "redis", "from": "me"}


def test_a_spread_constraint_counts_the_pods_of_the_chart() -> None:
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    pod = StatefulSet.read({"topologySpreadConstraints": [spread]})
    (manifest,) = adapted("redis", labelled_chart(), NAMING, pod, IMAGE).objects
    (made,) = pod_of(manifest)["topologySpreadConstraints"]
    assert made == spread | {"labelSelector": {"matchLabels": {"app": "redis"}}}


def test_labels_that_a_chart_finds_its_pods_by_cannot_be_chosen() -> None:
    same, other = (StatefulSet.read({"podLabels": {"app": name}}) for name in ("redis", "mine"))
    assert adapted("redis", labelled_chart(), NAMING, same, IMAGE) == labelled_chart()
    with pytest.raises(ValuesError, match=r"redis\.chart: finds its pods by the label app"):
        adapted("redis", labelled_chart(), NAMING, other, IMAGE)


@pytest.mark.parametrize(
    "values",
    [
        {"commonLabels": {"app.kubernetes.io/instance": "other"}},
        {"apiserver": {"podLabels": {"app.kubernetes.io/name": "other"}}},
        {"mongodb": {"podLabels": {"app.kubernetes.io/component": "other"}}},
    ],
)
def test_labels_that_find_the_pods_cannot_be_chosen(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="find the pods"):
        Values.read(values)
