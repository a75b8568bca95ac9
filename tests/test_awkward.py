"""Texts that parsers and shells might take for something else arrive as they are, or are refused.

Each text stands in for a plain one, and must be found wherever that one was: in the variables and
arguments of containers, in what the servers parse of them, in files and in metadata.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyhocon
import pytest
import yaml

from config import Values, ValuesError, load
from config.types.merging import merge
from config.types.scalars import CONTROL, is_misread
from hostile import AWKWARD, LEAN, Schema, Setting, Tree, nested, resolved
from hostile import settings as all_settings
from programs import Stubs, expanded
from rendering import Bundle, synthesize
from scenarios import AUTHENTICATION, EXTERNAL_SERVICES, MONITORED, REPLICATED
from test_hostile import LONGEST_LINE

INSIDE: Tree = merge(
    merge(merge(REPLICATED, AUTHENTICATION), MONITORED),
    {
        "apiserver": {"storage": {"enableConfigVolume": True}},
        "imageCredentials": {"enabled": True, "username": "test", "password": "test-secret"},
        "ingress": {"enabled": True},
        "agentGroups": {"gpu": {"storage": {"enabled": True}}},
    },
)
OUTSIDE: Tree = merge(
    EXTERNAL_SERVICES, {"redis": {"existingSecret": None, "password": "test-secret"}}
)
SERVERS = ("apiserver", "fileserver", "webserver")
OWN_INGRESSES: Tree = LEAN | {server: {"ingress": {"enabled": True}} for server in SERVERS}
HOSTS: Tree = LEAN | {"ingress": {"enabled": True}}
GATEWAY: Tree = LEAN | {"gateway": {"enabled": True, "parentRefs": [{"name": "front"}]}}
BACKED_UP = ("mongodb", "elasticsearch", "fileserver")
BACKUPS: Tree = {
    "apiserver": {"replicaCount": 0},
    "backup": {name: {"enabled": True} for name in BACKED_UP},
    "restore": {name: {"backup": "4bba301e"} for name in BACKED_UP},
}
BUCKET: Tree = {
    "clearml": {"version": "2.3.0"},
    "backup": {"s3": {"bucket": "backups", "existingSecret": "key"}},
}
# Installations, and the settings that have an effect there.
CONTEXTS = {
    "inside": (
        INSIDE,
        r"(?!gateway|credentialsJob|backup|restore|apiserver\.asyncdelete|clearml\.nodeAddress"
        r"|global\.\w*[sS]torageClass|ingress\.(app|api|files)\."
        r"|.*\.(external|chart|existing[SCP]|ingress)).*",
    ),
    "credentials made in the cluster": (LEAN, r"credentialsJob\..*"),
    "backups": (BACKUPS, r"(backup|restore)\.(?!s3|.*existing|restic\.passwordKey).*"),
    "backups in a bucket": (merge(BACKUPS, BUCKET), r"backup\.s3\.(?!.*(Secret|Key)).*"),
    "a server of today": ({"clearml": {"version": "2.3.0"}}, r"apiserver\.asyncdelete\..*"),
    "existing": (
        {
            "apiserver": {"storage": {"enableConfigVolume": True}},
            "agentGroups": {"gpu": {"storage": {"enabled": True}}},
        },
        r"(?!backup).*\.existingClaim|global\.storageClass",
    ),
    "outside": (
        OUTSIDE,
        r"(mongodb|elasticsearch)\.external\.\w+(?<!Secret)(?<!Key)|redis\.password"
        r"|clearml\.nodeAddress",
    ),
    "an ingress for each server": (OWN_INGRESSES, r".*\.ingress\..*"),
    "hosts of an ingress": (HOSTS, r"ingress\.(app|api|files)\..*"),
    "gateway": (GATEWAY, r"gateway\.(?!(app|api|files)\.).*|certManager\..*"),
    "hosts of a gateway": (GATEWAY, r"gateway\.(app|api|files)\..*"),
}
AROUND = dict.fromkeys(
    ("mongodb.external.backend", "mongodb.external.auth"), "mongodb://TEXT@example.com/TEXT"
)
TEXTS = sorted(AWKWARD.keys() - {"nothing"})  # which means the default
PLAIN = re.compile(r"plain[0-9]{3}")


@dataclass(frozen=True, eq=False)
class Slot:
    """Where a values file may have texts, and what stands around each of them there."""

    name: str
    around: Any

    def usual(self, text: str) -> str:
        """The text as a single value there, which may be less than all that can be written."""
        if self.name.endswith(".queues"):
            return re.sub(r"\s", "_", text)
        if self.name == "apiserver.ingress.path":
            # Of what is no plain path no prefix is stripped.
            return re.sub(r"[^A-Za-z0-9._-]", "", text) or "x"
        if self.name.endswith(".privateKey"):
            return text.rstrip()  # the newline at its end is ours
        if self.name.endswith(".hosts"):
            return text.partition(":")[0]  # ports are added where they lack
        return text.lstrip("{") if self.name.endswith(".googleCredentials") else text

    def filled(self, text: str) -> Tree:
        return nested(tuple(self.name.split(".")), _filled(self.around, text))

    def is_refused(self, line: str) -> bool:
        return bool(re.search(rf" {re.escape(self.name)}[:.\[]", line))


def slots() -> Iterator[Slot]:
    """All texts of the values, those of lists and mappings included."""
    for setting in all_settings():
        around = AROUND.get(setting.name) or _around(setting.schema)
        if not setting.is_raw and "TEXT" in str(around):
            yield Slot(setting.name, around)


def _around(schema: Schema) -> Any:
    schema = resolved(schema)
    if Setting((), schema).is_text:
        return "/TEXT" if schema.get("pattern", "").startswith("^/") else "TEXT"
    if "items" in schema:
        return [_around(schema["items"])]
    more = schema.get("additionalProperties")
    parts = schema.get("properties", {"key": more} if isinstance(more, dict) else {})
    return {key: _around(part) for key, part in parts.items()}


def _filled(around: Any, text: str) -> Any:
    if isinstance(around, dict):
        return {key: _filled(part, text) for key, part in around.items()}
    if isinstance(around, list):
        return [_filled(part, text) for part in around]
    return around.replace("TEXT", text)


SLOTS = list(slots())


@pytest.fixture
def every(pytestconfig: pytest.Config) -> int:
    """How many of the ways to distribute the texts are skipped: none while there is much time."""
    return 1 if pytestconfig.getoption("--hypothesis-profile") == "fuzz" else 5


@pytest.mark.parametrize("context", CONTEXTS)
def test_each_text_arrives_as_it_is_or_is_refused(
    context: str, every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base, effective = CONTEXTS[context]
    chosen = [slot for slot in SLOTS if re.fullmatch(effective, slot.name)]
    plain = {slot: f"plain{index:03}" for index, slot in enumerate(chosen)}
    plain = accepted(base, plain, dict.fromkeys(plain))
    wanted = {
        place: text
        for place, text in leaves(synthesize(values_of(base, plain))).items()
        if PLAIN.search(place + text) and "checksum/" not in place
    }
    everywhere = "".join(wanted.values())
    assert not [slot.name for slot, word in plain.items() if word not in everywhere]

    wrong = {}
    for shift in range(0, len(TEXTS), every):
        awkward = {slot: TEXTS[(shift + i) % len(TEXTS)] for i, slot in enumerate(plain)}
        texts = accepted(base, {slot: slot.usual(AWKWARD[awkward[slot]]) for slot in plain}, plain)
        instead = {plain[slot]: text for slot, text in texts.items()}
        found = leaves(synthesize(values_of(base, texts)))
        for place, text in wanted.items():
            now, expected = (
                PLAIN.sub(lambda word: instead[word[0]], part)  # noqa: B023  # called at once
                for part in (place, text)
            )
            if found.get(now) != expected:
                wrong[now] = found.get(now), expected
    assert not wrong


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_shells_keep_words_as_they_are(shell: str, tmp_path: Path) -> None:
    stubs = Stubs(tmp_path)
    for tool in ("clearml-agent", "curl", "touch"):
        stubs.add(tool)
    lines = [
        text for text in AWKWARD.values() if text and not re.search(f"{CONTROL.pattern}|\n", text)
    ]
    words = [word for word in " ".join(lines).split() if word[0] != "-" and not is_misread(word)]
    group = {"agentVersion": "", "queues": " ".join(words)}
    bundle = synthesize(Values.read({"agentGroups": {"agent-group0": group}}))
    agent = bundle.container("clearml-agent-group0-agent")
    stubs.run([shell, *agent["command"][1:], *expanded(agent["args"], {})])
    (call,) = stubs.calls
    assert call == ["clearml-agent", "daemon", "--foreground", "--queue", *words]
    *_, script = bundle.container("clearml-elastic-master")["readinessProbe"]["exec"]["command"]
    for line in lines:
        stubs.run([shell, "-ec", script], {"HEALTH_CHECK_PARAMS": line})
    asked = [call[-1].partition("?")[2] for call in stubs.calls if call[0] == "curl"]
    assert asked == lines


def values_of(base: Tree, texts: Mapping[Slot, str]) -> Values:
    file = Path("values.yaml")
    tree = base
    for slot, text in texts.items():
        tree = merge(tree, slot.filled(text))
    file.write_text(yaml.dump(tree, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return load([file])


def accepted(
    base: Tree, texts: Mapping[Slot, str], otherwise: Mapping[Slot, str | None]
) -> dict[Slot, str]:
    """The texts, but for those that are refused by name: these are replaced, or left out."""
    texts = dict(texts)
    while True:
        try:
            values_of(base, texts)
            return texts
        except ValuesError as error:
            refused = [slot for slot in texts if any(map(slot.is_refused, error.lines))]
            longest = max(map(len, error.lines))
        assert refused
        assert longest <= LONGEST_LINE
        for slot in refused:
            text = otherwise[slot]
            assert text != texts[slot]
            if text is None:
                del texts[slot]
            else:
                texts[slot] = text


def leaves(bundle: Bundle) -> dict[str, str]:
    """Every text of a bundle by its place, as it reaches its reader."""
    found: dict[str, str] = {}
    secrets = {name: bundle.secret(name) for name in bundle.of("Secret")}
    for manifest in bundle.objects:
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        if manifest["kind"] == "Job":
            name = name.rpartition("-")[0]  # the rest is a digest of all that it says
        if manifest["kind"] == "Secret":
            manifest = manifest | {"data": secrets[manifest["metadata"]["name"]]}
        found |= dict(_texts(manifest, name, secrets))
    return found


@functools.cache
def parsed(text: str) -> Any:
    """What a server reads, which takes variables and files for HOCON."""
    return pyhocon.ConfigFactory.parse_string(text)


def _texts(value: Any, place: str, secrets: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if place.endswith("apiserver.conf"):
            yield from _texts(parsed(value), place, {})
        elif place.endswith(".dockerconfigjson"):
            yield from _texts(_logins(value), place, {})
        else:
            yield place, value
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, f"{place}.{index}", secrets)
    elif isinstance(value, dict):
        if "image" in value and "name" in value:
            value = value | _handed_on(value, secrets)
        for key, part in value.items():
            yield from _texts(part, f"{place}.{key}", secrets)


def _logins(text: str) -> Any:
    """What the kubelet reads, which decodes user and password once more."""
    return [
        login | {"registry": registry, "auth": base64.b64decode(login["auth"]).decode()}
        for registry, login in json.loads(text)["auths"].items()
    ]


def _handed_on(container: dict[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Variables and arguments as the kubelet hands them on, and as the server parses them."""
    known: dict[str, str] = {}
    for variable in container.get("env", []):
        key = variable.get("valueFrom", {}).get("secretKeyRef")
        if key and key["name"] in secrets:
            known[variable["name"]] = secrets[key["name"]][key["key"]]
        elif "value" in variable:
            known[variable["name"]] = expanded([variable["value"]], known)[0]
    args = expanded(container.get("args", []), known)
    for name, value in known.items():
        if name.startswith("CLEARML__"):
            known[name] = parsed(f"{name}: {value}")[name]
    return {"env": known, "args": args}
