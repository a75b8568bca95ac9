"""Chart archives from their repositories, with time-outs; what a failure leaves is continued."""

import http.client
import os
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import yaml

from config.chart import ChartSource
from imports.archive import COMMAND, archive_path, shown, verify
from imports.error import ChartError
from imports.helm import HelmError, find_helm, run_helm

# Seconds without a sign of life.
TIMEOUT = 20
# Seconds for all of a file.
LONGEST = 600
CHUNK = 1 << 16


class FetchError(Exception):
    """Why something cannot be fetched, in one line."""


class NoAnswerError(FetchError):
    """A server that is silent, and will be so for its other files too."""


def fetch(source: ChartSource, *, timeout: float = TIMEOUT) -> None:
    """Put the archive into `imports/charts/`, unless it lies there or is the user's own file.

    Raises ChartError where none of the addresses has it, or has another than the expected one.
    """
    target = archive_path(source)
    if source.archive and not source.is_url:
        digest = verify(source, target, source.digest)
        return say(f"{source.name}: {shown(target)} is used where it is ({digest})")
    try:
        verify(source, target, source.digest)
    except ChartError as error:
        if target.exists():
            say(f"{error}; fetching another")
    else:
        return say(f"{source.name}: {shown(target)} is there already")
    target.parent.mkdir(parents=True, exist_ok=True)
    failures: list[str] = []
    for url, digest in _addresses(source, timeout, failures):
        address = url.partition("?")[0]  # what comes behind may be a secret
        say(f"{source.name}: fetching {address}")
        try:
            digest = _fetch(source, url, source.digest or digest, target, timeout)
        except FetchError as error:
            failures.append(f"{address}: {error}")
        else:
            say(f"{source.name}: {shown(target)} has the SHA-256 digest {digest}")
            return None
    tried = "; ".join(failures)
    raise ChartError(
        source.name,
        f"{tried}; run {COMMAND} again, or put the archive into {shown(target.parent)} by hand",
    )


def say(text: str) -> None:
    """Tell the user how it goes."""
    print(text, file=sys.stderr, flush=True)


def _addresses(
    source: ChartSource, timeout: float, failures: list[str]
) -> Iterator[tuple[str, str]]:
    """Where the archive may be, each with the digest that the repository tells, if it does.

    The index of a repository may no longer list a version whose archive is still there.
    """
    if source.archive:
        yield source.archive, ""
        return
    repository = source.repository.rstrip("/")
    if repository.startswith("oci:"):
        yield f"{repository}/{source.name}", ""
        return
    say(f"{source.name}: looking for version {source.version} in {repository}")
    try:
        yield from _listed(source, f"{repository}/", timeout)
    except FetchError as error:
        failures.append(f"{repository}/index.yaml: {error}")
        if isinstance(error, NoAnswerError):
            return
    yield f"{repository}/{source.file_name}", ""


def _listed(source: ChartSource, repository: str, timeout: float) -> list[tuple[str, str]]:
    """Where the index of the repository says that the archive is."""
    try:
        with _open(f"{repository}index.yaml", timeout) as response:
            index = yaml.load(b"".join(_chunks(response)), yaml.CSafeLoader)
        listed = [
            (urljoin(repository, str(url)), str(version.get("digest") or ""))
            for version in index["entries"][source.name]
            if version["version"] == source.version
            for url in version["urls"]
        ]
    except (OSError, http.client.HTTPException) as error:
        raise _failure(error, timeout) from None
    except (yaml.YAMLError, LookupError, TypeError, AttributeError):
        raise FetchError(f"lists no chart {source.name}") from None
    if not listed:
        raise FetchError(f"does not list version {source.version}")
    return listed


def _fetch(source: ChartSource, url: str, digest: str, target: Path, timeout: float) -> str:
    """Fetch the archive, and hand back its digest; ChartError if it is not the expected one."""
    part = target.with_name(f"{target.name}.part")
    if url.startswith("oci://"):
        _pull(source, url, part)
        continued = False
    else:
        continued = part.exists()
        _download(url, part, timeout)
    try:
        actual = verify(source, part, digest)
    except ChartError:
        part.unlink()
        if continued:  # what was there before may have been of something else
            return _fetch(source, url, digest, target, timeout)
        raise
    os.replace(part, target)
    return actual


def _download(url: str, part: Path, timeout: float) -> None:
    """Fetch the rest of the file, anew as long as that brings it further."""
    size = -1
    while True:
        before, size = size, part.stat().st_size if part.exists() else 0
        try:
            return _download_rest(url, part, size, timeout)
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not size:
                raise _failure(error, timeout) from None
            part.unlink()
            size = -1
        except (OSError, http.client.HTTPException, FetchError) as error:
            if not part.exists() or part.stat().st_size <= max(size, before):
                raise _failure(error, timeout) from None


def _download_rest(url: str, part: Path, size: int, timeout: float) -> None:
    with _open(url, timeout, {"Range": f"bytes={size}-"} if size else {}) as response:
        continues = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if continues and not response.headers["Content-Range"].startswith(f"bytes {size}-"):
            part.unlink()
            raise FetchError("the server continues somewhere else")
        size = size if continues else 0
        length = response.headers["Content-Length"]
        total = size + int(length) if length else None
        with part.open("ab" if continues else "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                size += len(chunk)
                if sys.stderr.isatty():
                    print(f"\r  {size} of {total or '?'} bytes", end="\r", file=sys.stderr)
    if total is not None and size < total:
        raise FetchError(f"the connection ended after {size} of {total} bytes")


def _chunks(response: Any) -> Iterator[bytes]:
    """The content as it arrives."""
    end = time.monotonic() + LONGEST
    while chunk := response.read1(CHUNK):
        yield chunk
        if time.monotonic() > end:
            raise FetchError(f"not done within {LONGEST} seconds")


def _open(url: str, timeout: float, headers: dict[str, str] | None = None) -> Any:
    if not re.match("https?://", url):
        raise FetchError("is no http(s) or oci address")
    return urllib.request.urlopen(
        urllib.request.Request(url, headers=headers or {}), timeout=timeout
    )


def _failure(error: Exception, timeout: float) -> FetchError:
    reason = getattr(error, "reason", error)
    if isinstance(error, FetchError):
        return error
    if isinstance(error, urllib.error.HTTPError):
        return FetchError(f"the server answers {error.code} {error.reason}")
    if isinstance(reason, TimeoutError):
        return NoAnswerError(f"no answer within {timeout:g} seconds")
    text = str(getattr(reason, "strerror", None) or reason)
    return FetchError(" ".join(text.split()) or type(error).__name__)


def _pull(source: ChartSource, url: str, part: Path) -> None:
    """Fetch the archive from an OCI registry, which helm does."""
    with tempfile.TemporaryDirectory(dir=part.parent) as folder:
        arguments = ["pull", url, "--version", source.version, "--destination", folder]
        try:
            run_helm(find_helm(), arguments, network=True, timeout=LONGEST)
        except HelmError as error:
            raise FetchError(str(error)) from None
        for pulled in Path(folder).iterdir():
            os.replace(pulled, part)
