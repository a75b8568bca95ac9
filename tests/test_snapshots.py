"""One file per scenario and preset pins all of its manifests; `make snapshots` accepts a change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from packed_charts import imported
from rendering import Bundle, render
from scenarios import OUTSIDE, SCENARIOS, WITHOUT_HELM, installation


class _Dumper(yaml.CSafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


class ManifestsExtension(SingleFileSnapshotExtension):
    """A bundle as YAML, with the name of each of its files above the objects in it."""

    file_extension = "yaml"
    _write_mode = WriteMode.TEXT

    def serialize(self, data: Any, **_: Any) -> str:
        assert isinstance(data, Bundle)
        return "".join(
            f"# {name}\n"
            + yaml.dump_all(
                manifests, Dumper=_Dumper, sort_keys=False, explicit_start=True, width=100
            )
            for name, manifests in data.files.items()
        )


@pytest.mark.parametrize("name", [*SCENARIOS, *WITHOUT_HELM])
def test_scenario(name: str, snapshot: SnapshotAssertion) -> None:
    bundle = render(installation(name), outside=OUTSIDE.get(name, set()))
    assert bundle == snapshot(extension_class=ManifestsExtension)


@pytest.mark.usefixtures("helm_on_path")
def test_imported_stores(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert render(imported(tmp_path)) == snapshot(extension_class=ManifestsExtension)
