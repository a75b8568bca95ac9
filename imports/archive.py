"""Chart archives: where they lie, and whether they are what the values name."""

import hashlib
import io
import os
import tarfile
import zlib
from pathlib import Path

import yaml

from config.chart import ChartSource
from imports.error import ChartError

CHARTS = Path(__file__).with_name("charts")
COMMAND = "make imports"


def archive_path(source: ChartSource) -> Path:
    """Where synthesizing looks for the archive: the user's own file, or the one fetched."""
    if source.archive and not source.is_url:
        return Path(source.archive)
    return CHARTS / source.file_name


def verify(source: ChartSource, path: Path, *, called: str = "") -> str:
    """Check that the file is the chart's archive, and hand its digest back.

    Raises ChartError where the file is missing, has another digest than the known one, or holds
    another chart; it names the file as it is `called`, or its path.
    """
    called = called or shown(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        remedy = "" if path == Path(source.archive) else f"; run: {COMMAND}"
        raise ChartError(source.name, f"{called} is missing{remedy}") from None
    except OSError as error:
        raise ChartError(source.name, f"{called}: {error.strerror}") from None
    actual = hashlib.sha256(content).hexdigest()
    if source.digest not in ("", actual):
        raise ChartError(
            source.name,
            f"{called} has the SHA-256 digest {actual}, expected is {source.digest}",
        )
    found = _chart(content)
    if found is None:
        raise ChartError(source.name, f"{called} is not a chart archive")
    if found != (source.name, source.version):
        raise ChartError(
            source.name,
            f"{called} holds the chart {' '.join(found)}, expected is "
            f"{source.name} {source.version}",
        )
    return actual


def shown(path: Path) -> str:
    """The path as it is shortest from the working directory."""
    return min(str(path), os.path.relpath(path), key=len)


def _chart(content: bytes) -> tuple[str, str] | None:
    """Name and version of the chart in the archive, if it is one."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file and member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                    about = yaml.load(file, yaml.CSafeLoader)
                    return str(about["name"]), str(about["version"])
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        pass
    except (yaml.YAMLError, LookupError, TypeError):
        pass
    return None
