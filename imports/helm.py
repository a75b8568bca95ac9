"""The helm executable: found, checked, and run without anything of the caller's in reach."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

INSTALLED = Path(sys.executable).with_name("helm")
NEEDED = "helm 3.11 or later, or helm 4"
OLDEST = (3, 11)
# Of the cluster that charts are told about; with it Helm 3 and Helm 4 render the same.
KUBERNETES_VERSION = "1.30.0"
TIMEOUT = 60
LONGEST_ERROR = 600
SECRET_KEY = re.compile(r"pass|secret|token|key|cert", re.IGNORECASE)


class HelmError(Exception):
    """What helm says, or what is wrong with helm itself, in one line."""


class HelmTimeoutError(HelmError):
    """Helm was given up."""


def find_helm() -> Path:
    """The helm on PATH, or the one that `make imports` installed; HelmError if neither will do."""
    complaints = []
    for helm in (Path(shutil.which("helm") or INSTALLED).absolute(), INSTALLED):
        if helm.exists():
            version = _version(helm)
            if version >= OLDEST:
                return helm
            number = ".".join(map(str, version))
            complaints.append(f"{helm} is {f'helm {number}' if number else 'none that works'}")
    found = ", ".join(dict.fromkeys(complaints)) or "there is none"
    raise HelmError(f"{NEEDED} is needed and {found}; run: make imports")


def template(
    helm: Path,
    archive: Path,
    *,
    release: str,
    namespace: str,
    values: Mapping[str, Any],
    timeout: float = TIMEOUT,
) -> str:
    """Render the chart; the values go through a pipe, so that no secret lies on a disk.

    Raises HelmError with what helm says, in one line and without the secrets of the values.
    """
    arguments = [
        *("template", release, str(archive.absolute()), "--namespace", namespace),
        *("--skip-tests", "--include-crds", "--kube-version", KUBERNETES_VERSION, "-f", "-"),
    ]
    return run_helm(helm, arguments, values=values, timeout=timeout)


def run_helm(
    helm: Path,
    arguments: Sequence[str],
    *,
    values: Mapping[str, Any] | None = None,
    timeout: float = TIMEOUT,
    network: bool = False,
) -> str:
    """What helm writes, run in an environment of its own that is gone afterwards.

    It reads the values from its standard input, and keeps the caller's proxies and certificates
    with `network`. Raises HelmError; HelmTimeoutError after `timeout` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="helm-") as home:
        folders = dict.fromkeys(
            ("HOME", "TMPDIR", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"), home
        )
        try:
            done = subprocess.run(
                [helm, *arguments],
                # JSON is YAML, but for characters beyond the first 65536 written as two escapes.
                input=json.dumps(values or {}, default=str, ensure_ascii=False),
                capture_output=True,
                encoding="utf-8",
                env=dict(_kept(network)) | folders,
                cwd=home,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise HelmTimeoutError(f"helm did not answer within {timeout:g} seconds") from None
        except OSError as error:
            raise HelmError(f"{helm}: {error.strerror}") from None
    if done.returncode:
        raise HelmError(_reason(done.stderr, values) or f"helm ended with status {done.returncode}")
    return done.stdout


def _version(helm: Path) -> tuple[int, ...]:
    try:
        said = run_helm(helm, ["version", "--short"], timeout=TIMEOUT)
    except HelmError:
        return ()
    version = re.match(r"v(\d+)\.(\d+)", said)
    return tuple(map(int, version.groups())) if version else ()


def _kept(network: bool) -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        proxy = name.lower().endswith("_proxy") or name.startswith("SSL_CERT_")
        if name == "PATH" or (network and proxy):
            yield name, value


def _reason(stderr: str, values: Mapping[str, Any] | None) -> str:
    """Helm's error in one line, without secrets; warnings come before it."""
    _, mark, error = stderr.rpartition("Error: ")
    text = " ".join((error if mark else stderr).split()).replace(
        " Use --debug flag to render out invalid YAML", ""
    )
    text = _redacted(text, values)
    return text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]}..."


def _redacted(text: str, values: Any) -> str:
    for secret in sorted(set(_secrets(values)), key=len, reverse=True):
        one_line = " ".join(secret.split())
        for spelled in filter(None, (one_line, b64encode(secret.encode()).decode())):
            text = text.replace(spelled, "**********")
    return text


def _secrets(values: Any, secret: bool = False) -> Iterator[str]:
    """All texts below keys that sound like secrets."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _secrets(value, secret or bool(SECRET_KEY.search(str(key))))
    elif isinstance(values, list):
        for value in values:
            yield from _secrets(value, secret)
    elif secret and isinstance(values, str) and values:
        yield values
