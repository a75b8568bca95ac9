"""What a cluster that has the earlier manifests makes of the new ones: warnings for the user."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import yaml

from clearml_k8s.rules import Bundle
from clearml_k8s.rules.changes import KINDS, refused
from clearml_k8s.rules.manifests import Place
from clearml_k8s.rules.references import made_keys
from config.upgrade_steps import WORKLOADS, losses, moves, said_by, untold

KEPT = (
    "is no longer in the manifests, but what it holds in a cluster stays in use: keep kubectl "
    "apply --prune and GitOps tools from removing it (docs/guide/credentials.md says how)"
)
REMEDY = "(docs/guide/operations.md says what to do)"
MOST_NAMED = 20
LIMITS = ("activeDeadlineSeconds", "ttlSecondsAfterFinished")
FIELDS = (r"^kind: (\S+)$", r"^  name: (\S+)$", r"^  namespace: (\S+)$")


class Identity(NamedTuple):
    """What tells objects apart, as it stands in a document that cdk8s wrote."""

    kind: str
    name: str
    namespace: str

    @classmethod
    def of(cls, document: str) -> "Identity":
        """That of a document, read without parsing the whole; empty for what is none of ours."""
        found = (re.search(field, document, re.MULTILINE) for field in FIELDS)
        return cls(*(match[1].strip("'\"") if match else "" for match in found))


def _goes_by_itself(job: str) -> bool:
    """Whether a Job ends in any case, and is removed then; its document tells."""
    return all(re.search(rf"^  {field}: ", job, re.MULTILINE) for field in LIMITS)


def upgrade_warnings(before: Sequence[str], after: Sequence[str], bundle: Bundle) -> list[str]:
    """What the upgrade loses, changes that the cluster refuses, Secrets to keep, what is gone.

    Gone objects stay in a cluster that has them. Takes the documents before and after, and the
    objects that the latter are.
    """
    known = set(after)
    changed = {Identity.of(text): text for text in before if text not in known}
    if not changed:
        return []
    # Parsing takes time, so only what may be refused is, and all that has pods with data.
    workloads = {(place.namespace, place.name) for place in bundle.of(*WORKLOADS)}
    fixed = [
        text
        for each, text in changed.items()
        if (each.kind in KINDS and bundle.find(*each))
        or (each.kind in WORKLOADS and (each.namespace, each.name) in workloads)
    ]
    try:
        objects = [yaml.load(text, yaml.CSafeLoader) for text in fixed]
    except yaml.YAMLError:
        objects = []  # nothing that a synthesis wrote
    old = Bundle([manifest for manifest in objects if isinstance(manifest, dict)])
    same = {Identity.of(text) for text in before if text in known}
    unchanged = [o for o in bundle.of(*WORKLOADS) if Identity(o.kind, o.name, o.namespace) in same]
    try:
        warnings = list(_lost([*old.of(*WORKLOADS), *unchanged], bundle))
    except (AttributeError, KeyError, TypeError):
        warnings = []  # somebody has edited them
    warnings += [f"{finding} {REMEDY}" for finding in refused(old, bundle)]
    gone = [each for each in changed if each.kind and each.name and not bundle.find(*each)]
    # A Job of another content has another name.
    gone = [each for each in gone if each.kind != "Job" or not _goes_by_itself(changed[each])]
    made = made_keys(bundle)
    kept = [each for each in gone if each.kind == "Secret" and (each.namespace, each.name) in made]
    warnings += [f"Secret/{secret.name}: {KEPT}" for secret in kept]
    gone = [each for each in gone if each not in kept]
    if gone:
        names = ", ".join(f"{kind}/{name}" for kind, name, _ in gone[:MOST_NAMED])
        more = f" and {len(gone) - MOST_NAMED} more" if len(gone) > MOST_NAMED else ""
        warnings.append(
            "no longer in the manifests, but still in a cluster that has them: "
            f"{names}{more} {REMEDY}"
        )
    return warnings


def _lost(before: Iterable[Place], bundle: Bundle) -> Iterator[str]:
    """What becomes of the data, if the earlier manifests were ever applied."""
    old, new = ([o.root for o in places] for places in (before, bundle.of(*WORKLOADS)))
    versions = said_by(old), said_by(new)
    yield from moves(old, new)
    yield from losses(*versions)
    yield from untold(*versions)
