"""Whatever a values file says: Kubernetes would take what comes out, or the message names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from clearml_k8s.rules import Bundle, breaches, findings
from config import Values, ValuesError, load
from config.types.merging import merge
from config.types.scalars import is_misread
from hostile import LEAN, SECRET_DIGITS, Setting, Tree, settings, trees
from kubectl import decoded
from rendering import Bundle as Manifests
from rendering import misfits, synthesize
from scenarios import SECRET_MARK

AREAS = 4
EXTRA = "extra-objects"
LONGEST_LINE = 500
REFERRED = ("ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount")
# A mistake of no single value: the sum of many is too much for an object.
TOO_LARGE = re.compile(r"\d+ bytes.* more than ")


@pytest.mark.parametrize("area", range(AREAS))
def test_values_give_what_kubernetes_takes_or_are_refused_by_name(
    area: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    documents: dict[str, Tree] = {}

    @given(trees(list(settings())[area::AREAS]))
    def check(example: tuple[list[Setting], Tree]) -> None:
        chosen, tree = example
        found = problems(chosen, tree, documents)
        assert not found, "\n".join(found)[:2000]

    check()
    folder = tmp_path / "documents"
    folder.mkdir()
    for (text, tree), seen in zip(documents.items(), decoded(documents, folder), strict=True):
        assert yaml.load(text, yaml.CSafeLoader) == seen, tree


def test_texts_that_look_like_numbers_are_read_back_or_refused(tmp_path: Path) -> None:
    heads = ("0", "1", "_1", "0_", ".", "1.", "1_0")
    middles = ("", "x", "X", "o", "O", "b", "B", "e", "E", "_", ".", ":")
    tails = ("", "1", "_1", "+1", "-1", "1_", "7f", "e1", "e_1")
    texts = ["".join(parts) for parts in product(("", "-", "+"), heads, middles, tails)]
    annotations = {f"a{i}": text for i, text in enumerate(texts) if not is_misread(text)}
    ingress = {"enabled": True, "host": "example.com", "annotations": annotations}
    bundle = synthesize(Values.read(merge(LEAN, {"ingress": ingress})))
    (seen,) = decoded([bundle.texts["0800-ingress.k8s.yaml"]], tmp_path)
    assert seen["metadata"]["annotations"] == annotations


def problems(chosen: list[Setting], tree: Tree, documents: dict[str, Tree]) -> list[str]:
    """What is wrong with what becomes of a tree, whose documents are added to all others."""
    file = Path("values.yaml")
    file.write_text(yaml.dump(tree, Dumper=yaml.CSafeDumper), encoding="utf-8")
    try:
        values = load([file])
    except ValuesError as error:
        return [line for line in error.lines if not is_clear(line, tree)]
    if any(store.source == "imported" for store in values.stores.values()):
        return []
    bundle = synthesize(values)
    outside = {(kind, text) for kind in REFERRED for text in texts_in(tree)}
    judged = Bundle(bundle.objects, outside)
    told = map(str, (*findings(judged), *breaches(judged)))
    found = [line for line in told if not TOO_LARGE.search(line)]
    if found and any(setting.is_raw for setting in chosen):
        return []
    for text in bundle.texts.values():
        documents |= dict.fromkeys(re.split("^---\n", text, flags=re.MULTILINE), tree)
    return [*found, *misfits(without_extra_objects(bundle))]


def without_extra_objects(bundle: Manifests) -> Manifests:
    """The bundle without those objects whose kinds may be any, so that no schema knows them."""
    return Manifests({file: text for file, text in bundle.texts.items() if EXTRA not in file})


def is_clear(line: str, tree: Tree) -> bool:
    """Whether a message names a place in the tree and shows nothing secret, in a few words."""
    place = re.fullmatch(r"values\.yaml(:\d+)?: (?P<section>\w+)(\W.*)?: .+", line)
    return (
        place is not None
        and place["section"] in tree
        and len(line) <= LONGEST_LINE
        and not any(secret in line for secret in (SECRET_MARK, SECRET_DIGITS))
    )


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)
    elif isinstance(value, str | int):
        yield str(value)
