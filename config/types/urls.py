"""URLs as a values file may spell them."""

import ipaddress
import re
import socket
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from config.types.scalars import Text, matching

# Host, port and path, of characters that no reader takes for something else.
PLACE = r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9/._~%-]*)?"


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


# Names that always lead to the host that looks them up, and names with the address inside.
LOOPBACK_NAME = re.compile(
    r"(.*\.)?(localhost[46]?|localhost\.localdomain|ip6-(localhost|loopback)|localtest\.me|lvh\.me"
    r"|vcap\.me|lacolhost\.com|yoogle\.com|local\.gd|localho\.st|kubernetes\.docker\.internal)"
    r"|traefik\.me|(.*[.-])?--1\.sslip\.io",
    re.IGNORECASE,
)
ADDRESS_IN_NAME = re.compile(
    r"(?:.*[.-])?(?:(\d+)[.-](\d+)[.-](\d+)[.-](\d+)|([0-9a-f]{8}))"
    r"\.(?:nip\.io|sslip\.io|xip\.io|traefik\.me)",
    re.IGNORECASE,
)


def is_loopback(host: str) -> bool:
    """Return whether the host of a URL is, for each pod, the pod itself; nothing is looked up."""
    host = host.rstrip(".").lower()
    if found := ADDRESS_IN_NAME.fullmatch(host):
        host = f"0x{found[5]}" if found[5] else ".".join(found.groups()[:4])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:  # as 127.1, 0x7f000001 and 2130706433, which clients take too
            address = ipaddress.ip_address(socket.inet_aton(host))
        except (OSError, ValueError):
            return LOOPBACK_NAME.fullmatch(host) is not None
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")
BELOW = "/project/file"


def literal_path(path: str) -> str | None:
    """Return what URLs begin with that a path of an Ingress takes, without a slash at the end.

    Controllers read a path that is not plain as a pattern (`/files(/|$)(.*)`, `/files/*`): what is
    literal at its beginning counts if all paths below fit. Otherwise None.
    """
    if PLAIN_PATH.fullmatch(path):
        return path.rstrip("/")
    pattern = re.sub(rf"\((?:\?:)?({PLAIN_PATH.pattern})\)(?![?*+{{])", r"\1", path)
    literal = PLAIN_PATH.match(pattern)[0]  # type: ignore[index]  # an empty one always is
    for prefix in (literal.rstrip("./"), literal[:-1].rstrip("./")):
        try:
            found = re.match(pattern, prefix + BELOW)
        except re.error:
            return None
        if found:
            return prefix
    return None


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
