"""What is said of keys that are not ours: the one that was meant, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import ValuesError, load
from config.guesses import ELSEWHERE, GUESSES, meant
from config.publishing.schema import json_schema, members, resolved
from config.types.model import did_you_mean


def _paths(part: Any, path: str = "") -> Iterator[str]:
    """The paths of all values and sections of ours; `<key>` stands for any name."""
    yield path
    for step, member in members(resolved(part, json_schema()["$defs"])).items():
        yield from _paths(member, path + step if path else step.removeprefix("."))


OURS = set(_paths(json_schema()))


def _is_ours(path: tuple[str | int, ...]) -> bool:
    return ".".join(map(str, path)) in OURS


@pytest.mark.parametrize("guess", GUESSES)
def test_a_guess_leads_to_all_that_it_names(guess: str) -> None:
    led = set()
    for section in OURS:
        around = tuple(section.split(".")) if section else ()
        for found in meant((*around, *guess.split(".")), _is_ours):
            led.add(".".join(map(str, found[len(around) :])))
    assert led >= set(GUESSES[guess])


@pytest.mark.parametrize("said", sorted({*ELSEWHERE.values()}))
def test_what_is_to_be_written_elsewhere_is_ours(said: str) -> None:
    assert set(re.findall(r"\b[a-z]\w+(?:\.\w+)+", said)) <= OURS


def _said(path: str, value: Any, folder: Path) -> str:
    for key in reversed(path.split(".")):
        value = {key: value}
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(value))
    with pytest.raises(ValuesError) as caught:
        load([file])
    [line] = caught.value.lines
    assert f": {path}: unknown key" in line
    return line.removesuffix(f" (given: '{path.split('.')[-1]}')").partition("; ")[2]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("apiserver.ingress.tls", 'did you mean "tlsSecretName"?'),
        ("webserver.ingress.hosts", 'did you mean "hostName"?'),
        ("ingress.hosts", 'did you mean "host"?'),
        ("fileserver.persistence", "write fileserver.storage.data"),
        ("apiserver.persistence", "write apiserver.storage.config"),
        ("webserver.persistence", "the web server keeps nothing, and has no volume"),
        ("mongodb.storageClass", "write mongodb.persistence.storageClass"),
        ("redis.persistence.size", "write redis.master.persistence.size"),
        ("fileserver.storage.data.storage-class-name", 'did you mean "class"?'),
        ("apiserver.replicas", 'did you mean "replicaCount"?'),
        ("redis.replicas", "write redis.cluster.slaveCount"),
        ("elasticsearch.replicaCount", 'did you mean "replicas"?'),
        ("agentGroups.gpu.env", 'did you mean "extraEnvs"?'),
        ("redis.env", "write redis.master.extraEnvs"),
        ("env", "write it in the sections that it is for, as in apiserver.extraEnvs"),
        (
            "mongodb.securityContext",
            "write mongodb.podSecurityContext or mongodb.containerSecurityContext",
        ),
        ("imageCredentials.extraImagePullSecrets", "write global.imagePullSecrets"),
        (
            "webserver.displayedServerURLs",
            "write clearml.clientConfigurationWebUrl, clearml.clientConfigurationApiUrl or "
            "clearml.clientConfigurationFilesUrl",
        ),
        # In the wrong section.
        ("apiserver.nodeport", "write apiserver.service.nodePort"),
        ("apiserver.service.replicaCount", "write apiserver.replicaCount"),
        ("redis.resources", "write redis.master.resources"),
        ("cookieDomain", "write clearml.cookieDomain"),
        ("tolerations", "write it in the sections that it is for, as in apiserver.tolerations"),
        ("clearml.apiserver", "write apiserver at the top level"),
        ("clearml.ingress", "write ingress at the top level"),
        ("mongodb.ingress", "the stores are reached from inside the cluster alone"),
        # Of nothing that is here.
        ("clearmlApplications", "ClearML Enterprise is not installed from here"),
        ("clearml.licenseKey", "ClearML Enterprise is not installed from here"),
        # Nothing is said rather than what means something else.
        ("apiserver.storage.enabled", 'did you mean "enableConfigVolume"?'),
        ("redis.external.enabled", ""),
        ("agentGroups.a.foo", ""),
        ("resourcez", ""),
    ],
)
def test_a_key_that_is_not_ours_is_answered(path: str, said: str, tmp_path: Path) -> None:

    assert _said(path, "something", tmp_path) == said


def test_values_of_a_chart_around_ours_are_told_as_such(tmp_path: Path) -> None:
    said = _said("clearml-server", {"apiserver": {"replicaCount": 2}}, tmp_path)
    assert said == "write what is in it at the top level, without clearml-server around it"


@pytest.mark.parametrize(
    ("given", "known", "near"),
    [
        ("nodeport", "nodePort", True),
        ("node_port", "nodePort", True),
        ("api-server", "apiserver", True),
        ("hostNmae", "hostName", True),
        ("existingAgentk8sglueSecret", "existingSecret", False),
        ("existingSecretKey", "existingSecret", False),
        ("additionalVolumes", "additionalVolumeMounts", False),
        ("internal", "external", False),
        ("clientConfigurationAppUrl", "clientConfigurationApiUrl", False),
        ("resources", "restore", False),
        ("credentials", "credentialsJob", False),
        ("livenessProbe", "readinessProbe", False),
    ],
)
def test_a_key_is_near_if_it_has_the_same_words(given: str, known: str, near: bool) -> None:
    assert bool(did_you_mean(given, [known])) == near
