"""URLs as a values file may spell them."""

import re
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from config.types.scalars import Text, matching

# Host, port and path, of characters that no reader takes for something else.
PLACE = r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9/._~%-]*)?"


class HttpParts(NamedTuple):
    """An HTTP URL in parts, as it is spelled; the port has its colon, and each may be empty."""

    scheme: str
    host: str
    port: str
    path: str


def http_parts(url: str) -> HttpParts | None:
    """Return the parts of a plain HTTP URL; None for any other text."""
    found = re.fullmatch(rf"(https?)://{PLACE}", url)
    return HttpParts(*found.groups("")) if found and _has_valid_host(url) else None


def _has_valid_host(url: str) -> bool:
    try:
        urlsplit(url).port  # noqa: B018  # parses the host too
    except ValueError:
        return False
    return True


def with_valid_host(url: str) -> str:
    """Return the URL; refuse one with a host or a port that there cannot be."""
    if not _has_valid_host(url):
        raise PydanticCustomError("mistake", "has no valid host and port")
    return url


HttpUrl = Annotated[
    Text,
    matching(rf"^https?://{PLACE}$", "must be a plain URL such as https://files.example.com"),
    AfterValidator(with_valid_host),
]
OptionalHttpUrl = Annotated[
    Text,
    matching(
        rf"^$|^https?://{PLACE}$", "must be empty or a plain URL such as https://api.example.com"
    ),
    AfterValidator(with_valid_host),
]
OptionalFilesUrl = Annotated[
    Text,
    matching(
        rf"^$|^[a-z][a-z0-9+.-]*://{PLACE}$",
        "must be empty or a plain URL such as https://files.example.com or s3://bucket",
    ),
    AfterValidator(with_valid_host),
]
