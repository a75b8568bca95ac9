"""The table of planted mistakes fits the sources."""

from __future__ import annotations

from mutants import mutants, stale


def test_every_mistake_can_be_planted() -> None:
    assert not list(stale(list(mutants())))
