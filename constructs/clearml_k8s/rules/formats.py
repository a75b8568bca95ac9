"""The shapes that Kubernetes gives names, numbers, quantities and addresses."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(rf"{LABEL.pattern}(\.{LABEL.pattern})*")
DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
DATA_KEY = re.compile(r"(?!\.$|\.\.)[-._a-zA-Z0-9]+")
DESCENDING_PATH = re.compile(r"(?!/)(?!(.*/)?\.\.(/|$)).*", re.S)
QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?"
)

SUFFIXES = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("num", start=-3)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


def fits(value: Any, shape: re.Pattern[str], limit: int) -> bool:
    """Whether a value is a string of at most that length and of that shape."""
    return isinstance(value, str) and len(value) <= limit and bool(shape.fullmatch(value))


def is_label_key(key: Any) -> bool:
    """Whether a value is a qualified name, like example.org/name."""
    return isinstance(key, str) and _is_label_key(key)


@cache
def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    return fits(name, QUALIFIED, 63) and (not slash or fits(prefix, SUBDOMAIN, 253))


def is_label_value(value: Any) -> bool:
    """Whether a value may be the value of a label."""
    return value == "" or fits(value, QUALIFIED, 63)


def is_number(value: Any, low: int, high: int | None = None) -> bool:
    """Whether a value is an integer between two bounds."""
    return type(value) is int and low <= value and (high is None or value <= high)


def is_port(value: Any) -> bool:
    """Whether a value is the number of a port."""
    return is_number(value, 1, 65535)


def quantity(value: Any) -> Decimal | None:
    """The number a Kubernetes quantity stands for, None if it is malformed."""
    return _quantity(str(value))


@cache
def _quantity(text: str) -> Decimal | None:
    if not (match := QUANTITY.fullmatch(text)):
        return None
    digits, suffix = match[1], match[2] or ""
    return Decimal(digits) * SUFFIXES[suffix] if suffix in SUFFIXES else Decimal(digits + suffix)


def address(value: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address a string stands for, None if it is malformed."""
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network a CIDR stands for, None if it is malformed."""
    if not isinstance(value, str) or not value.rpartition("/")[2].isdecimal() or "/" not in value:
        return None
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None


def repeated(values: Iterable[Any]) -> Iterator[int]:
    """Where a value stands that stood before; None does not count."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value is not None:
            key = value if isinstance(value, str) else repr(value)
            if key in seen:
                yield index
            seen.add(key)
