"""Every scenario and preset from its first dry run to its removal, on an empty cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import guide
from cluster.bundles import BUNDLES, GIVEN_NAMESPACE, Bundle, write
from cluster.client import Cluster, eventually
from cluster.states import apply, is_ours, not_unchanged, refused, settle, shell

Record = Callable[[str, object], None]
# A namespace brings them.
BROUGHT = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


@pytest.mark.parametrize("name", BUNDLES)
def test_life_of_an_installation(
    cluster: Cluster, name: str, folder: Path, record_property: Record
) -> None:
    bundle = write(folder, name)
    record_property("bundles", 1)
    record_property("objects", len(bundle.objects))
    before = cluster.inventory()
    if given := bundle.given():
        cluster.apply(given)

    assert refused(cluster, bundle) == []
    apply(cluster, bundle)
    settle(cluster, bundle)
    assert not_unchanged(cluster, bundle) == set()
    diff = cluster.run("kubectl", "diff", "-f", "dist/", cwd=bundle.folder)
    assert (diff.returncode, diff.stdout, diff.stderr) == (0, "", "")

    if cluster.controllers:
        everything, *but_claims = guide.commands("Uninstall", bundle)
        claims = identities(cluster, "persistentvolumeclaims")
        for command in but_claims:
            shell(cluster, bundle, command)
        eventually(lambda: others_than_claims(cluster, bundle))
        assert identities(cluster, "persistentvolumeclaims") == claims
        apply(cluster, bundle)
        shell(cluster, bundle, everything)
        if name == GIVEN_NAMESPACE:
            eventually(lambda: others_than_claims(cluster, bundle))
        else:
            assert cluster.inventory() == before


def identities(cluster: Cluster, kind: str) -> set[str]:
    """What tells the objects of a kind from later ones of the same name."""
    return {manifest["metadata"]["uid"] for manifest in cluster.objects(kind)}


def others_than_claims(cluster: Cluster, bundle: Bundle) -> set[tuple[str, str]]:
    """What is left in the namespace of all that came with the installation, but for claims.

    Nor for what Helm charts made, which has other labels than ours.
    """
    there = {(kind, name) for kind, space, name in cluster.inventory() if space == bundle.namespace}
    charts = {o["metadata"]["name"] for o in bundle.objects if not is_ours(o)}
    return {
        (kind, name)
        for kind, name in there - BROUGHT - bundle.outside
        if kind != "PersistentVolumeClaim" and not name.startswith(tuple(charts))
    }
