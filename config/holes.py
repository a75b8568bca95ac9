"""Published holes of the servers and their stores, as data: who has them, and what helps."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from config.generation import Generation


class Affected(NamedTuple):
    """Versions that have a hole: from one on, up to the one that ends it."""

    since: str
    end: str


class Hole(NamedTuple):
    """A hole by its public number."""

    name: str
    part: str
    """`server`, or the store."""
    effect: str
    affected: Sequence[Affected]
    help: str
    """What to do about it, or what is done here where no version without it fits."""
    closed: bool = False
    """Whether it is closed here in versions that have it, by what `help` says."""

    def is_in(self, generation: Generation) -> bool:
        """Whether what goes with that generation of servers has it."""
        server = self.part == "server"
        version = generation.version if server else getattr(generation, self.part).tag
        return self.affects(version)

    def affects(self, version: str) -> bool:
        """Whether that version has it."""
        told = _numbers(version)
        return any(_numbers(since) <= told < _numbers(end) for since, end in self.affected)


HOLES = (
    Hole(
        "CVE-2024-24592",
        "server",
        "read, write and delete all files of the file server without a login",
        [Affected("1.0", "1.16")],
        "server 1.16, with `fileserver.auth` on as by default; before, let only those reach the "
        "file server who may do so",
    ),
    Hole(
        "CVE-2024-24593",
        "server",
        "act as a user who opens their web page (CSRF)",
        [Affected("1.0", "1.14.2")],
        "server 1.15",
    ),
    Hole(
        "CVE-2024-24594",
        "server",
        "run scripts in the browser of whoever looks at their debug samples (XSS)",
        [Affected("1.0", "1.17")],
        "server 1.17, as far as is known",
    ),
    Hole(
        "CVE-2025-14847",
        "mongodb",
        "read memory of MongoDB without a login",
        [
            Affected("4.4", "4.4.30"),
            Affected("5.0", "5.0.32"),
            Affected("6.0", "6.0.27"),
            Affected("7.0", "7.0.28"),
        ],
        "the images of the table",
    ),
    Hole(
        "CVE-2026-13074",
        "mongodb",
        "what the advisory says, without a login",
        [Affected("7.0", "7.0.39"), Affected("8.0", "8.0.28")],
        "the images of the table",
    ),
    Hole(
        "CVE-2026-82058",
        "mongodb",
        "what the advisory says",
        [Affected("7.0", "7.0.41")],
        "the images of the table",
    ),
    Hole(
        "several of May 2026",
        "redis",
        "run code in Redis",
        [Affected("7.4", "7.4.9")],
        "the images of the table",
    ),
    Hole(
        "CVE-2025-66566",
        "elasticsearch",
        "read memory of Elasticsearch through the transport between its nodes",
        [Affected("7.14", "8.19.10")],
        "8.19; before, `transport.compress: false`, which is set here unless "
        "`elasticsearch.extraEnvs` says something else",
        closed=True,
    ),
    Hole(
        "CVE-2026-72645, CVE-2026-72686",
        "elasticsearch",
        "what the advisories say",
        [Affected("8.0", "8.19.20")],
        "the images of the table",
    ),
)

# The month in which the makers of a version stop to mend it.
ENDS_OF_LIFE: Mapping[str, Mapping[str, str]] = {
    "MongoDB": {"4.4": "2024-02", "5.0": "2024-10", "6.0": "2025-07", "7.0": "2027-08"},
    "Elasticsearch": {"7.17": "2026-01", "8.19": "2027-07"},
}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.partition("-")[0].split(".")))
