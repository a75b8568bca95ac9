"""What generations of the ClearML server differ in, as data; no version stands anywhere else."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

Number = tuple[int, int]
"""Major and minor version."""

HALVES = ("key", "secret")  # of a user's credential


class Release(NamedTuple):
    """The image of a release: repository and tag."""

    repository: str
    tag: str


class SystemUser(NamedTuple):
    """A user that the servers or agents log in as, and whose credential comes from our Secret.

    Its keys there are `<secret_key>_key` and `<secret_key>_secret`. A user that the server does
    not know by itself has a role and a name to show.
    """

    name: str
    secret_key: str
    role: str | None = None
    display_name: str | None = None


class Generation(NamedTuple):
    """A generation of servers and what goes with it."""

    since: Number
    """The first version."""
    upgrades_from: Number
    """The oldest version whose data it takes over."""
    bridges_from: Number | None
    """The version whose stores it runs with too, for the step of an upgrade that keeps them."""
    version: str
    """The version that is installed."""
    server: Release
    tags: Sequence[str]
    """Known tags of the servers' image, the newest last."""
    agent_services: Release
    agent_group: Release
    agent_version: str
    """What is installed, as pip spells it, where an image has no agent."""
    newer_agent_version: str | None
    """What is installed instead by Python 3.8 or later."""
    mongodb: Release
    redis: Release
    elasticsearch: Release
    mongodb_exporter: Release
    """The newest that knows that MongoDB."""
    redis_exporter: Release
    elasticsearch_exporter: Release
    system_users: tuple[SystemUser, ...]

    apiserver_probe: str
    """Path that answers 200 once the API server serves requests."""
    fileserver_probe: str | None
    """Path for a GET that the file server answers with 200; None where only its port tells."""
    webserver_probe: str

    web_page_node_ports: Mapping[str, int]
    """Where the web page looks for the other servers if it was itself opened on port 30080."""
    web_page_ports: Mapping[str, int]
    """Where it looks for them if it was opened on port 8080."""

    elasticsearch_args: bool
    """Whether each request to Elasticsearch heeds `hosts.elastic.*.args`; where the first ones do
    not, TLS options must stand with the hosts, which servers from 1.15 on refuse.
    """
    web_page_file: str
    """Where the image of the web server expects a configuration of the page."""
    web_page_settings: bool
    """Whether the web page can be told where they are, by variables of the web server."""
    web_page_path: bool
    """Whether the web server can be told the path that it is below."""
    file_authentication: bool
    """Whether the file server asks for a login, which it has checked by the API server."""
    async_delete: bool
    """Whether files of deleted tasks are deleted by a program of its own."""
    batch_delete_off: bool
    """Whether the file server deletes several files at once, as that program asks, only if told to
    (fileserver/config/default/fileserver.conf).
    """
    gunicorn: bool
    """Whether the API server can be told how many processes answer."""

    mongodb_args: Sequence[str]
    elasticsearch_settings: Mapping[str, str]
    elasticsearch_files: Mapping[str, str]

    @property
    def credentials(self) -> list[str]:
        """What an API server reads of our Secret, by key."""
        halves = [f"{user.secret_key}_{half}" for user in self.system_users for half in HALVES]
        return ["http_session", "auth_token", *halves]

    def of(self, version: str) -> Self:
        """The same, with the servers' image of that version.

        Its tag is the newest known one of the version, or else the version itself.
        """
        known = (tag for tag in reversed(self.tags) if is_within(tag, version))
        image = Release(self.server.repository, next(known, version))
        return self._replace(version=version, server=image)


_1_0 = Generation(
    since=(1, 0),
    upgrades_from=(1, 0),
    bridges_from=None,
    version="1.0.2",
    server=Release("allegroai/clearml", "1.0.2"),
    tags=("1.0.2",),
    agent_services=Release("allegroai/clearml-agent-services", "latest"),
    agent_group=Release("nvidia/cuda", "11.0-base-ubuntu18.04"),
    agent_version="==1.9.3",  # the newest that Python 3.6 of the default images can run
    newer_agent_version=None,
    mongodb=Release("mongo", "4.4.30"),
    redis=Release("redis", "6.2.22"),
    elasticsearch=Release("docker.elastic.co/elasticsearch/elasticsearch", "7.17.29"),
    mongodb_exporter=Release("percona/mongodb_exporter", "0.47.1"),
    redis_exporter=Release("oliver006/redis_exporter", "v1.88.0"),
    elasticsearch_exporter=Release("quay.io/prometheuscommunity/elasticsearch-exporter", "v1.11.0"),
    system_users=(
        SystemUser("apiserver", "apiserver"),
        SystemUser("webserver", "webserver"),
        SystemUser("tests", "tests_user"),
        # The agents' own: fixed users revoke the tests user (clearml-server issue 75).
        SystemUser("services_agent", "services_agent", "user", "ClearML agents"),
    ),
    apiserver_probe="/debug.ping",
    fileserver_probe=None,
    webserver_probe="/",
    web_page_node_ports={"apiserver": 30008, "fileserver": 30081},
    web_page_ports={"apiserver": 8008, "fileserver": 8081},
    web_page_file="/usr/share/nginx/html/configuration.json",
    elasticsearch_args=False,
    web_page_settings=False,
    web_page_path=False,
    file_authentication=False,
    async_delete=False,
    batch_delete_off=False,
    gunicorn=False,
    mongodb_args=("--setParameter", "internalQueryMaxBlockingSortMemoryUsageBytes=196100200"),
    elasticsearch_settings={
        "bootstrap.memory_lock": "false",
        "cluster.routing.allocation.node_initial_primaries_recoveries": "500",
        "cluster.routing.allocation.disk.watermark.low": "500mb",
        "cluster.routing.allocation.disk.watermark.high": "500mb",
        "cluster.routing.allocation.disk.watermark.flood_stage": "500mb",
        "http.compression_level": "7",
        "reindex.remote.whitelist": "*.*",
        "xpack.monitoring.enabled": "false",
        "xpack.security.enabled": "false",
    },
    elasticsearch_files={"elasticsearch.yml": "xpack.security.enabled: false\n"},
)
_1_2 = _1_0._replace(since=(1, 2), version="1.2.0", tags=(), elasticsearch_args=True, gunicorn=True)
_1_3 = _1_2._replace(since=(1, 3), version="1.3.1", web_page_path=True)  # 1.3.0 lacks the path
_1_7 = _1_3._replace(
    since=(1, 7),
    version="1.8.0",
    fileserver_probe="/",
    async_delete=True,
    batch_delete_off=True,
)
_1_9 = _1_7._replace(
    since=(1, 9),
    version="1.14.1",
    tags=(
        "1.9.2-317",
        "1.10.0-357",
        "1.11.0-373",
        "1.12.0-393",
        "1.13.0-414",
        "1.14.0-431",
        "1.14.1-448",
    ),
    batch_delete_off=False,
)
_1_15 = _1_9._replace(
    since=(1, 15),
    version="1.15.1",
    tags=("1.15.0-472", "1.15.1-478"),
    web_page_settings=True,
    # The page's own file is written by the image, over what is there.
    web_page_file="/mnt/external_files/configs/configuration.json",
)
_1_16 = _1_15._replace(
    since=(1, 16),
    version="1.16.2",
    tags=("1.16.0-494", "1.16.1-499", "1.16.2-502"),
    file_authentication=True,
    system_users=(*_1_15.system_users, SystemUser("fileserver", "fileserver")),
)
_1_17 = _1_16._replace(
    since=(1, 17),
    bridges_from=(1, 16),
    version="1.17.1",
    tags=("1.17.1-554",),
    mongodb=Release("mongo", "5.0.32"),
    elasticsearch=Release("docker.elastic.co/elasticsearch/elasticsearch", "8.19.20"),
)
# Since 1.17 the API server raises the featureCompatibilityVersion of the MongoDB that it expects,
# from that of the major version before and no older one: 1.17 to 5.0, 2.0 and 2.1 to 6.0, 2.2 and
# later to 7.0 (apiserver/mongo/initialize/migration.py).
_2_0 = _1_17._replace(
    since=(2, 0),
    upgrades_from=(1, 17),
    bridges_from=None,
    version="2.0.0",
    tags=("2.0.0-613",),
    agent_group=Release("nvidia/cuda", "12.4.1-base-ubuntu22.04"),
    newer_agent_version="==2.0.7",
    mongodb=Release("mongo", "6.0.27"),
    redis=Release("redis", "7.4.9"),
    elasticsearch=Release("docker.elastic.co/elasticsearch/elasticsearch", "8.19.20"),
)
_2_1 = _2_0._replace(
    since=(2, 1),
    version="2.1.0",
    tags=("2.1.0",),
    server=Release("clearml/server", ""),
    agent_services=Release("clearml/clearml-agent-services", "latest"),
)
_2_2 = _2_1._replace(since=(2, 2), upgrades_from=(2, 0), version="2.2.0", tags=("2.2.0",))
_2_3 = _2_2._replace(
    since=(2, 3), version="2.3.0", tags=("2.3.0",), mongodb=Release("mongo", "7.0.41")
)
# From an older MongoDB than 7.0 nobody has seen 2.4 start, and its image neither.
_2_4 = _2_3._replace(since=(2, 4), upgrades_from=(2, 3), version="2.4.0", tags=())

# Settings that Elasticsearch does not know from that major version on, and does not start with.
REMOVED_SETTINGS = {8: ("xpack.monitoring.enabled",)}

GENERATIONS = (_1_0, _1_2, _1_3, _1_7, _1_9, _1_15, _1_16, _1_17, _2_0, _2_1, _2_2, _2_3, _2_4)
DEFAULT_GENERATION = _1_0
NEWEST = _2_4

VERSION = re.compile(r"v?([0-9]+)\.([0-9]+)(?![0-9])")


def number(version: str) -> Number | None:
    """The number that a version or a tag begins with; None if it tells none."""
    found = VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else None


def is_within(tag: str, version: str) -> bool:
    """Whether a tag is one of the version: `2.0.0-613` is one of `2.0.0` and of `2.0`."""
    return re.match(rf"{re.escape(version)}(?![0-9])", tag) is not None


def generation_of(version: Number) -> Generation:
    """The generation of a version, of the nearest known one if need be."""
    return next((g for g in reversed(GENERATIONS) if g.since <= version), DEFAULT_GENERATION)
