"""The data stores: embedded, imported or external, behind one kind of address."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from constructs import Construct

from clearml_k8s.backup.repository import Repository
from clearml_k8s.parts.naming import Naming
from clearml_k8s.parts.secret import Lacking
from clearml_k8s.parts.workload import Placed
from clearml_k8s.stores.address import StoreAddress
from config import Values
from config.generation import Generation
from config.release import Release
from config.store import Store

if TYPE_CHECKING:
    from imports.release import ReleaseManifests


class Site(NamedTuple):
    """Where a store is made: under which names, for which servers, from which Helm charts."""

    naming: Naming
    release: Release
    generation: Generation
    charts: "Mapping[str, ReleaseManifests]"
    """What helm rendered, by store; there is one for each store whose provider is helm."""
    converts_data: bool
    """Whether a store may convert what a former major version has written."""
    snapshots: Repository | None
    """What the embedded Elasticsearch needs for snapshots, if any are taken."""
    workloads: list[Placed]
    """The workloads of the embedded stores, to which each adds its own."""
    lacking: list[Lacking]
    """What Secrets lack that are to be made in the cluster, to which each store adds its own."""


def store(scope: Construct, name: str, site: Site, values: Store) -> StoreAddress:
    """Make the objects of a store and hand back its address: `<name>/<source>.py` does both."""
    # Looked up by name: of the three rooms of each store two need not be imported.
    room = import_module(f"{__name__}.{name}.{values.source}")
    address: StoreAddress = room.provide(scope, site, values)
    return address


def render_charts(values: Values) -> "Callable[[], Mapping[str, ReleaseManifests]]":
    """Start to render the charts of the stores whose provider is helm; the call waits for them.

    It raises ValuesError for charts that cannot be had or rendered.
    """
    if all(section.source != "imported" for section in values.stores.values()):
        return dict
    from imports.pool import ReleasePool  # costs time that others are spared

    return ReleasePool(values).wait
