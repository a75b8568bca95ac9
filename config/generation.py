"""What generations of the ClearML server differ in, as data; no version stands anywhere else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HALVES = ("key", "secret")  # of a user's credential


@dataclass(frozen=True)
class Release:
    """The image of a release: repository and tag."""

    repository: str
    tag: str


@dataclass(frozen=True)
class SystemUser:
    """A user that the servers or agents log in as, and whose credential comes from our Secret.

    Its keys there are `<secret_key>_key` and `<secret_key>_secret`. A user that the server does
    not know by itself has a role and a name to show.
    """

    name: str
    secret_key: str
    role: str | None = None
    display_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A generation of servers and what goes with it."""

    version: str
    server: Release
    agent_services: Release
    agent_version: str
    """What is installed, as pip spells it, where an image has no agent."""
    mongodb: Release
    redis: Release
    elasticsearch: Release
    mongodb_exporter: Release
    """The newest that knows that MongoDB."""
    redis_exporter: Release
    elasticsearch_exporter: Release
    first_other_server: tuple[int, int]
    """The first release of the servers that does not run with these settings and stores."""
    why_other: str
    """What goes wrong with it."""

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
    not, TLS options must stand with the hosts, which later servers refuse.
    """
    web_page_settings: bool
    """Whether the web page can be told where they are, by variables of the web server."""
    web_page_path: bool
    """Whether the web server can be told the path that it is below."""
    file_cookies: bool
    """Whether the file server asks for the session's cookie."""

    mongodb_args: Sequence[str]
    elasticsearch_settings: Mapping[str, str]
    elasticsearch_files: Mapping[str, str]

    @property
    def credentials(self) -> list[str]:
        """What an API server reads of our Secret, by key."""
        halves = [f"{user.secret_key}_{half}" for user in self.system_users for half in HALVES]
        return ["http_session", "auth_token", *halves]

    def is_exceeded_by(self, tag: str) -> bool:
        """Whether a tag of the server's image names a release that these settings do not fit."""
        numbers = re.match(r"v?(\d+)\.(\d+)", tag)
        return tag == "latest" or (
            numbers is not None and (int(numbers[1]), int(numbers[2])) >= self.first_other_server
        )


GENERATIONS = {
    "1": Generation(
        version="1.0.2",
        server=Release("allegroai/clearml", "1.0.2"),
        agent_services=Release("allegroai/clearml-agent-services", "latest"),
        agent_version="==1.9.3",  # the newest that Python 3.6 of the default images can run
        mongodb=Release("mongo", "4.4.30"),
        redis=Release("redis", "6.2.22"),
        elasticsearch=Release("docker.elastic.co/elasticsearch/elasticsearch", "7.17.29"),
        mongodb_exporter=Release("percona/mongodb_exporter", "0.47.1"),
        redis_exporter=Release("oliver006/redis_exporter", "v1.88.0"),
        elasticsearch_exporter=Release(
            "quay.io/prometheuscommunity/elasticsearch-exporter", "v1.11.0"
        ),
        first_other_server=(1, 16),
        why_other="from 1.16 on the file server checks logins, and does not start without being "
        "told how; 2.x is made for other versions of MongoDB and Elasticsearch",
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
        elasticsearch_args=False,
        web_page_settings=False,
        web_page_path=False,
        file_cookies=False,
        mongodb_args=(
            "--setParameter",
            "internalQueryMaxBlockingSortMemoryUsageBytes=196100200",
        ),
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
}
DEFAULT_GENERATION = GENERATIONS["1"]

# Where the image of the web server expects a configuration of the page, by the version from which
# on that is so. Later ones write the file that the page reads themselves, over what is there.
WEB_PAGE_FILES = {
    (1, 15): "/mnt/external_files/configs/configuration.json",
    (0, 0): "/usr/share/nginx/html/configuration.json",
}


def web_page_file(tag: str) -> str:
    """Where the image of that tag expects it; a tag that tells no version is of a new one."""
    version = re.match(r"v?(\d+)\.(\d+)", tag)
    number = (int(version[1]), int(version[2])) if version else max(WEB_PAGE_FILES)
    return next(path for since, path in WEB_PAGE_FILES.items() if number >= since)
