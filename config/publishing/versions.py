"""What differs between versions of the servers: a table in Markdown."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from config.generation import DEFAULT_GENERATION, GENERATIONS, NEWEST, Generation, Number, Release
from config.publishing.holes import holes
from config.publishing.markdown import table

OLDEST, LATEST = DEFAULT_GENERATION.version, NEWEST.version
SEEN = [generation.version for generation in GENERATIONS if generation.tags][-1]
INTRODUCTION = f"""\
# Versions of the server

`clearml.version` says which version of ClearML's servers is installed: {OLDEST} unless set, and
{LATEST} is the newest known. All that goes with it follows: images, stores, variables, probes,
components and agents. Everything else in the values means the same. Generated from
`config/generation.py` by `make docs`.

```yaml
clearml:
  version: {SEEN}
```

A tag of a server's image that begins with a version says the same: with
`apiserver.image.tag: 2.0.0-613` all three servers are 2.0.0. A tag such as `latest`, or a digest,
tells no version and needs `clearml.version`. A tag from another line of the table than the version,
or than the other servers, is a mistake. What you set yourself stays: the image of a store or of
agents, the version of `clearml-agent`. A synth warns of the image of a store that is of another
version than the table has, such as MongoDB 7.0 with server 1.0.2, or that tells none.

To bring data along, read [Upgrading](upgrading.md) first: a server takes over only the data of the
versions that the table says, and the stores have steps of their own.

"""

CLOSING = """
Where two versions of `clearml-agent` stand, the first is for Python 3.8 and later, the second for
older ones. An image that has an agent already keeps it. A † marks servers' images whose tag nobody
here has seen: look whether there is one.

"""

# What is written where a generation is the first to have it, by the field that says so.
NEWS: dict[str, Callable[[Any], str]] = {
    "bridges_from": lambda since: (
        f"runs with the stores of {_number(since)} too" if since else "wants the stores of its line"
    ),
    "web_page_path": lambda _: "web server below a path (`CLEARML_SERVER_SUB_PATH`)",
    "gunicorn": lambda _: "`apiserver.processes` (`CLEARML_GUNICORN_*`)",
    "fileserver_probe": lambda path: f"probes of the file server ask `GET {path}`, not its port",
    "async_delete": lambda _: (
        "`apiserver.asyncdelete`: a Deployment that deletes the files of "
        "deleted tasks (`CLEARML__SERVICES__ASYNC_URLS_DELETE__*`)"
    ),
    "batch_delete_off": lambda off: (
        "the file server is told to delete several files at once "
        "(`CLEARML__FILESERVER__DELETE__ALLOW_BATCH`)"
        if off
        else "the file server does so unasked"
    ),
    "web_page_settings": lambda _: "the web page is told all URLs (`WEBSERVER__*`)",
    "web_page_file": lambda path: f"its own file is at `{path}`",
    "file_authentication": lambda _: (
        "`fileserver.auth`: logins of the file server, which needs Redis and the API server for "
        "them (`CLEARML__HOSTS__API_SERVER`, `CLEARML_REDIS_SERVICE_*`)"
    ),
    "system_users": lambda users: f"credential of `{users[-1].name}`",
    "elasticsearch_args": lambda _: (
        "TLS of Elasticsearch is set for its cluster, not for each host"
    ),
}


def _release(part: str) -> Callable[[Generation], str]:
    def cell(generation: Generation) -> str:
        release: Release = getattr(generation, part)
        return f"`{release.repository}:{release.tag}`"

    return cell


def _tag(store: str) -> Callable[[Generation], str]:
    return lambda generation: str(getattr(generation, store).tag)


COLUMNS: dict[str, Callable[[Generation], str]] = {
    "Since": lambda generation: _number(generation.since),
    "Servers": lambda generation: (
        _release("server")(generation.of(generation.version)) + ("" if generation.tags else " †")
    ),
    "MongoDB": _tag("mongodb"),
    "Redis": _tag("redis"),
    "Elasticsearch": _tag("elasticsearch"),
    "Agent services": _release("agent_services"),
    "Agent groups": _release("agent_group"),
    "`clearml-agent`": lambda generation: _agents(generation),
    "Takes over data since": lambda generation: _number(generation.upgrades_from),
}


def versions(generations: Sequence[Generation] = GENERATIONS) -> str:
    """A line for each generation."""
    lines = [
        [*COLUMNS, "New"],
        ["---"] * (len(COLUMNS) + 1),
        *(
            [*(cell(new) for cell in COLUMNS.values()), "; ".join(_news(old, new)) or "—"]
            for old, new in pairwise((generations[0], *generations))
        ),
    ]
    return INTRODUCTION + table(lines) + CLOSING + holes(generations)


def _news(old: Generation, new: Generation) -> Iterator[str]:
    for name, told in NEWS.items():
        value = getattr(new, name)
        if value != getattr(old, name):
            yield told(value)


def _agents(generation: Generation) -> str:
    found = (generation.newer_agent_version, generation.agent_version)
    return ", ".join(version.removeprefix("==") for version in found if version)


def _number(number: Number) -> str:
    return ".".join(map(str, number))
