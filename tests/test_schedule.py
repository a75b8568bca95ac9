"""Schedules and time zones of CronJobs, as Kubernetes takes them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from config.types.schedule import CronSchedule, TimeZone

SCHEDULE, ZONE = TypeAdapter[str](CronSchedule), TypeAdapter[str](TimeZone)


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "0 0 1 1 0",
        "59 23 31 12 6",
        "*/15 8-18/2 ? * MON-fri",
        "5/20,50 * * jan-mar,JUL *",
        "@daily",
        "@every 1h30m",
        "@every 1.5h",
        "@every 2562047h",
        "*/9223372036854775807 0000000007 * * *",
    ],
)
def test_what_kubernetes_takes_is_accepted(text: str) -> None:
    assert SCHEDULE.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 7",
        "30-10 * * * *",
        "* * * * mon-sun",
        "*/0 * * * *",
        "-1 * * * *",
        "\u0665 * * * *",
        "",
        "* * * *",
        "* * * * * *",
        "* * mon * *",
        "TZ=UTC 0 2 * * *",
        "@reboot",
        "@every 5",
        "@every day",
        "*/9223372036854775808 * * * *",
        f"{'9' * 5000} * * * *",
        "@every 2562048h",
        "@every 9999999999h1s",
    ],
)
def test_what_kubernetes_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="must be a schedule such as"):
        SCHEDULE.validate_python(text)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("0 2 * dec *", True),
        ("0 2 * jan-12 *", True),
        ("0 2 * 1-jan *", True),
        ("0 2 * dec-11 *", False),
        ("0 2 * * sat", True),
        ("0 2 * * 0-sun", True),
        ("0 2 * * dec", False),
        ("0 2 * sat *", False),
    ],
)
def test_names_are_those_of_their_own_field(text: str, accepted: bool) -> None:
    try:
        SCHEDULE.validate_python(text)
    except ValidationError:
        assert not accepted
    else:
        assert accepted


@pytest.mark.parametrize("text", ["", "Etc/UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"])
def test_time_zones_are_accepted(text: str) -> None:
    assert ZONE.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Local",
        "local",
        "utc",
        "europe/berlin",
        "Mars/Phobos",
        "Etc/GMT+14",
        "posix/Europe/Berlin",
        "../etc/passwd",
        "Europe",
        "Europe/",
        "Europe Berlin",
    ],
)
def test_what_is_no_time_zone_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="name of a time zone"):
        ZONE.validate_python(text)
