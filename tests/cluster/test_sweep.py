"""Whatever an API server refuses of a fragment of values is refused by a synthesis already."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster.client import Cluster
from cluster.settings import settings_of
from cluster.sweep import FRAGMENTS, Judge, as_made, changes, manifest, refused_here
from config import Values
from test_rows import ROWS, steps

# Without the words of other charts, which come to values of ours.
OURS = {field.alias for field in Values.model_fields.values()}
SECTIONS = sorted({str(steps(row.key)[0]) for row in ROWS} & OURS)
MOST_VALUES = 4  # of a setting, evenly chosen of those that are accepted
MOST = 3000  # changes of one fragment, evenly chosen: volumes have twenty thousand
# What newer API servers take, and old ones do not.
RELAXED = ('DnsConfig searches.0: is "a_b"',)


def is_old(cluster: Cluster) -> bool:
    return tuple(map(int, cluster.version.split(".")[:2])) < (1, 32)


@pytest.mark.parametrize("name", FRAGMENTS)
def test_what_an_api_server_refuses_is_refused_here(
    shared: Cluster, name: str, record_property: Callable[[str, object], None]
) -> None:
    every = [*changes(name)]
    chosen = every[:: len(every) // MOST + 1]
    judge = Judge(shared)
    verdicts = [
        (change, refused_here(change), judge.refusal(manifest(change))) for change in chosen
    ]
    record_property("version", shared.version)
    record_property("fragments", len(chosen))
    assert verdicts[0][1:] == ([], "")
    loose = [
        f"{change}: {said}"
        for change, here, there in verdicts
        if there and not here and not (is_old(shared) and str(change).startswith(RELAXED))
        # What is put into other words, such as a strategy of Deployments, is judged in these.
        if (said := judge.refusal(manifest(as_made(change))))
    ]
    assert not loose, "\n".join(loose[:20])
    assert any(there for *_, there in verdicts)


@pytest.mark.parametrize("section", SECTIONS)
def test_values_that_are_accepted_here_are_accepted_there(
    shared: Cluster, section: str, record_property: Callable[[str, object], None]
) -> None:
    judge, synthesized, loose = Judge(shared), 0, []
    for setting in settings_of(section):
        known = setting.objects()
        for value in setting.others[:: len(setting.others) // MOST_VALUES + 1]:
            made = setting.objects(value)
            synthesized += bool(made)
            there = [judge.refusal(each) for each in made if each not in known]
            loose += [f"{setting.row.key}: {value!r}: {said}" for said in there if said]
    record_property("version", shared.version)
    record_property("fragments", synthesized)
    assert not loose, "\n".join(loose[:20])
    assert synthesized
