"""Chart archives from their repositories: `helm pull` fetches them, with a time-out."""

import os
import re
import sys
import tempfile
from pathlib import Path

from config.chart import COPIES, KNOWN_DIGESTS, ChartSource
from imports.archive import COMMAND, archive_path, shown, verify
from imports.error import ChartError
from imports.helm import TIMEOUT, HelmError, HelmTimeoutError, run_helm

# What a URL may hold beside the address: a user's name and password, and a query.
SECRETS = re.compile(r'(?<=://)[^/\s@]*@|\?\S+?(?=":|\s|$)')


def fetch(helm: Path, source: ChartSource, *, timeout: float = TIMEOUT) -> None:
    """Put the archive into `imports/charts/`, unless it lies there or is the user's own file.

    Each address has `timeout` seconds, and a line for why it failed. Raises ChartError, with all
    addresses that were tried, where none has the expected archive.
    """
    target = archive_path(source)
    if source.archive and not source.is_url:
        digest = verify(source, target)
        return say(f"{source.name}: {shown(target)} is used where it is ({digest})")
    try:
        verify(source, target)
    except ChartError as error:
        if target.exists():
            say(f"{error}; fetching another")
    else:
        return say(f"{source.name}: {shown(target)} is there already")
    target.parent.mkdir(parents=True, exist_ok=True)
    tried = []
    for place in _places(source):
        for url, arguments in place.items():
            plain, mark, query = url.partition("?")
            address = SECRETS.sub("", plain)
            tried.append(address)
            say(f"{source.name}: fetching from {address}")
            try:
                digest = _pull(helm, source, arguments, target, timeout)
            except HelmTimeoutError:
                say(f"{source.name}: no answer within {timeout:g} seconds")
                break
            except HelmError as error:
                reason = str(error).replace(mark + query, "")
                say(f"{source.name}: {SECRETS.sub('', reason)}")
            except ChartError as error:
                say(str(error))
                break
            else:
                return say(f"{source.name}: {shown(target)} has the SHA-256 digest {digest}")
    raise ChartError(
        source.name,
        f"cannot be had from {', '.join(tried)}; "
        f"run {COMMAND} again, or put {target.name} into {shown(target.parent)} by hand",
    )


def say(text: str) -> None:
    """Tell the user how it goes."""
    print(text, file=sys.stderr, flush=True)


def _places(source: ChartSource) -> list[dict[str, list[str]]]:
    """Where the archive may be: for each place its URLs, and what `helm pull` is to get for them.

    The next URL of a place is for one that is not silent, and does not have another archive.
    """
    repository = source.repository.rstrip("/")
    version = ["--version", source.version]
    if source.archive:
        places = [{source.archive: [source.archive]}]
    elif repository.startswith("oci://"):
        url = f"{repository}/{source.name}"
        places = [{url: [url, *version]}]
    else:
        # The index may no longer list a version whose archive is still there.
        url = f"{repository}/{source.file_name}"
        places = [{repository: [source.name, "--repo", repository, *version], url: [url]}]
    if source.digest == KNOWN_DIGESTS.get(source.file_name):
        url = f"{COPIES}/{source.file_name}"
        places.append({url: [url]})
    return places


def _pull(
    helm: Path, source: ChartSource, arguments: list[str], target: Path, timeout: float
) -> str:
    """Fetch and check the archive, then put it in its place; hands its digest back."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = ["pull", *arguments, "--destination", folder]
        run_helm(helm, command, network=True, timeout=timeout)
        (pulled,) = Path(folder).iterdir()
        digest = verify(source, pulled, called="the archive")
        os.replace(pulled, target)
    return digest
