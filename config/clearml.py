"""What all ClearML servers agree on: company, credentials, users, watchdog."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic.alias_generators import to_camel, to_snake

from config.generation import DEFAULT_GENERATION
from config.secret_layout import LAYOUTS, OF_CHARTS, OURS, SecretKeys
from config.types.kubernetes import AtLeastOne, OptionalAddress, OptionalDnsSubdomain, SecretKey
from config.types.model import Mistake, Model, Section, section
from config.types.scalars import WITHOUT_COLON, NonEmpty, Password, Secret, Text, matching
from config.types.urls import OptionalFilesUrl, OptionalHttpUrl

# The server parses the value of each CLEARML__ variable as HOCON (apiserver/config/basic.py).
HOCON_TEXT = re.compile(
    r"(?!-?\d+([eE]-?\d+|[a-z]+)?$|(?i:true|false|null)\b)[A-Za-z0-9_-]{8,}", re.ASCII
)
HOCON_MESSAGE = (
    "must be 8 or more of letters, digits, '-' and '_', and not a number: the server would read "
    "something else"
)
UNSET = "unset, it is made in the cluster"
# The server decodes logins so (service_repo/auth/auth.py), and browsers send them so.
LATIN_1 = matching(
    r"^[\x00-\xff]*$", "must have no characters above U+00FF: the server takes logins for Latin-1"
)
VERSION = r"[0-9]+\.[0-9]+(\.[0-9]+)?(-[0-9A-Za-z.]+)?"
ServerVersion = Annotated[Text, matching(rf"^{VERSION}$", "must be a version such as 2.3.0")]
OptionalServerVersion = Annotated[
    Text, matching(rf"^$|^{VERSION}$", "must be empty or a version such as 2.3.0")
]
COMPANY_ID = re.compile(r"[0-9a-f]{32}")
BCRYPT = re.compile(rb"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}")


# What the servers, the values of Helm charts and earlier ones of ours say where nobody changes it.
PUBLISHED = frozenset(
    (
        "9Tw20RbhJ1bLBiHEOWXvhplKGUbTgLzAtwFN2oLQvWwS0uRpD5",
        "1SCf0ov3Nm544Td2oZ0gXSrsNx5XhMWdVlKz1tOgcx158bD5RV",
        "5442F3443MJMORWZA3ZH",
        "BxapIRo9ZINi8x25CRxz8Wdmr2pQjzuVVB4PNASZqCtTyWgWVQ",
        "BxapIRo9ZINi8x25CRxz8Wdmr2pQjzuWVB4PNASZqCtTyWgWVQ",
        "EYVQ385RW7Y2QQUH88CZ7DWIQ1WUHP",
        "XhkH6a6ds9JBnM_MrahYyYdO-wS2bqFSm8gl-V0UZXH26Ydd6Eyi28TeBEoSr6Z3Bes",
        "ENP39EQM4SLACGD5FXB7",
        "lPcm0imbcBZ8mwgO7tpadutiS3gnJD05x9j7afwXPS35IKbpiQ",
        "PUBLISHED-DEFAULT-AGENT-KEY",
        "PUBLISHED-DEFAULT-AGENT-SECRET",
        "GGS9F4M6XB2DXJ5AFT9F",
        "2oGujVFhPfaozhpuz2GzQfA5OyxmMsR3WVJpsCR5hrgHFs20PO",
        "ymLh1ok5k5xNUQfS944Xdx9xjf0wueokqKM2dMZfHuH9ayItG2",
        "XXCRJ123CEE2KSQ068WO",
        "YIy8EVAC7QCT4FtgitxAQGyW7xRHDZ4jpYlTE7HKiscpORl1hG",
    )
)


class Credentials(Model):
    """The secrets of the servers; what is unset is made in the cluster."""

    http_session: Secret | None = Field(
        default=None, description=f"Signs the session cookies; {UNSET}."
    )
    auth_token: Secret | None = Field(default=None, description=f"Signs the API tokens; {UNSET}.")
    apiserver_key: Secret | None = Field(
        default=None,
        description=f"Access key of the API server's own system user; {UNSET}.",
    )
    apiserver_secret: Secret | None = Field(
        default=None,
        description=f"Secret key of the API server's own system user; {UNSET}.",
    )
    webserver_key: Secret | None = Field(
        default=None, description=f"Access key of the web server's system user; {UNSET}."
    )
    webserver_secret: Secret | None = Field(
        default=None, description=f"Secret key of the web server's system user; {UNSET}."
    )
    fileserver_key: Secret | None = Field(
        default=None,
        description="Access key of the file server's system user, which servers before 1.16 do "
        f"not have; {UNSET}.",
    )
    fileserver_secret: Secret | None = Field(
        default=None,
        description="Secret key of the file server's system user, which servers before 1.16 do "
        f"not have; {UNSET}.",
    )
    tests_user_key: Secret | None = Field(
        default=None,
        description=f"Access key of the default user, revoked while fixed users are on; {UNSET}.",
    )
    tests_user_secret: Secret | None = Field(
        default=None,
        description=f"Secret key of the default user, revoked while fixed users are on; {UNSET}.",
    )
    services_agent_key: Secret | None = Field(
        default=None,
        description=f"Access key of the agents, which fixed users do not revoke; {UNSET}.",
    )
    services_agent_secret: Secret | None = Field(
        default=None,
        description=f"Secret key of the agents, which fixed users do not revoke; {UNSET}.",
    )

    @property
    def given(self) -> dict[str, str]:
        """What the values give, by field."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: given.get_secret_value() for name, given in fields.items() if given}

    @property
    def published(self) -> list[str]:
        """The fields whose value is public knowledge."""
        return [name for name, given in self.given.items() if given in PUBLISHED]

    def mistakes(self) -> Iterator[Mistake]:
        """Secrets that the server would misread."""
        for name, field in type(self).model_fields.items():
            given: SecretStr | None = getattr(self, name)
            if given is not None and not HOCON_TEXT.fullmatch(given.get_secret_value()):
                yield Mistake((str(field.alias),), HOCON_MESSAGE)


class FixedUser(Model):
    """A user who logs in with a password."""

    username: Annotated[NonEmpty, WITHOUT_COLON, LATIN_1] = Field(
        description="Login name, of characters up to U+00FF."
    )
    password: Annotated[Password, LATIN_1] = Field(
        description="Password, of characters up to U+00FF; with passHashed, the base64 form of its "
        "bcrypt hash."
    )
    name: NonEmpty = Field(description="Name that the user interface shows.")


class FixedUsers(Model):
    """Users from the values instead of a login form that takes any name."""

    enabled: bool = Field(
        default=False,
        description="Whether only the users listed here, or in existingSecret, may log in.",
    )
    pass_hashed: bool = Field(
        default=False,
        description="Whether the passwords are base64-encoded bcrypt hashes; holds for all users.",
    )
    users: list[Section[FixedUser]] = Field(
        default=[], description="The users: username, password and displayed name of each."
    )
    existing_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret that holds a configuration file with the users instead.",
    )
    existing_secret_key: SecretKey = Field(
        default="apiserver.conf",
        description="Key of that file in the Secret; the file sets `auth.fixed_users.users`.",
    )

    def mistakes(self) -> Iterator[Mistake]:
        """Users who could not log in."""
        if self.existing_secret and self.users:
            message = "are taken from clearml.fixedUsers.existingSecret: keep one of the two"
            yield Mistake(("users",), message)
        if self.enabled and not (self.users or self.existing_secret):
            yield Mistake(
                ("users",),
                "must list at least one user while fixed users are on, or name an existingSecret",
                [],
            )
        usernames: set[str] = set()
        for index, user in enumerate(self.users):
            if user.username in usernames:
                yield Mistake(("users", index, "username"), "is listed twice", user.username)
            usernames.add(user.username)
            if not user.password:
                yield Mistake(("users", index, "password"), "must not be empty")
            elif self.pass_hashed and not _is_encoded_bcrypt(user.password.get_secret_value()):
                yield Mistake(
                    ("users", index, "password"),
                    "must be the base64 form of a bcrypt hash while passHashed is on",
                )


def _is_encoded_bcrypt(password: str) -> bool:
    try:
        return bool(BCRYPT.fullmatch(base64.b64decode(password, validate=True)))
    except (binascii.Error, ValueError):
        return False


class Watchdog(Model):
    """Stops experiments that no longer report."""

    enabled: bool = Field(
        default=True, description="Whether experiments that stopped reporting are aborted."
    )
    threshold_sec: AtLeastOne = Field(
        default=7200, description="Seconds without a report after which an experiment is aborted."
    )
    watch_interval_sec: AtLeastOne = Field(
        default=900, description="Seconds between two looks for such experiments."
    )


class Clearml(Model):
    """Settings of the ClearML application as a whole."""

    version: ServerVersion = Field(
        default=DEFAULT_GENERATION.version,
        description="Version of the servers, such as 2.3.0. Images, stores and settings follow; "
        "left out, the tag of the servers' images says it.",
    )
    upgrading_from: OptionalServerVersion = Field(
        default="",
        description="Version of the servers that the data comes from: the synthesis warns of steps "
        "that the upgrade would skip, and Elasticsearch converts data of a former major version "
        "only where it goes with these servers.",
    )
    allow_unsafe_upgrade: bool = Field(
        default=False,
        description="Whether an upgrade may lose data or the way back: `make check-cluster` does "
        "not refuse it then, and Elasticsearch converts what it finds.",
    )
    default_company: Annotated[
        Text,
        matching(
            r"^[A-Za-z0-9_-]+$",
            "must be letters, digits, '-' and '_': an id, no name",
        ),
    ] = Field(
        default="d1bd92a3b039400cbafc60a7a5b1e52b",
        description="Id of the company (workspace) that users and data belong to.",
    )
    credentials: Section[Credentials] = section()
    existing_secret: OptionalDnsSubdomain = Field(
        default="", description="Name of a Secret that holds credentials instead."
    )
    existing_secret_keys: SecretKeys = Field(
        default={},
        description=f"What that Secret holds: {OURS} (all, the default), {OF_CHARTS}, or a "
        "mapping of names in clearml.credentials to keys; what it lacks is taken from there, or "
        "made in the cluster.",
    )
    fixed_users: Section[FixedUsers] = section()
    watchdog: Section[Watchdog] = section()
    check_for_updates: bool = Field(
        default=True,
        description="Whether the server asks its makers for newer versions; false where nothing "
        "may leave the cluster.",
    )
    client_configuration_web_url: OptionalHttpUrl = Field(
        default="",
        description="URL of the web server for browsers; empty takes what ingress, gateway or "
        "Services say.",
    )
    client_configuration_api_url: OptionalHttpUrl = Field(
        default="",
        description="URL of the API server for browsers and clients; empty takes what ingress, "
        "gateway or Services say. Without an API server here, that of the one elsewhere.",
    )
    client_configuration_files_url: OptionalFilesUrl = Field(
        default="",
        description="URL that files are uploaded to; empty takes what ingress, gateway or Services "
        "say. Without a file server here also that of a bucket, such as s3://bucket.",
    )
    url_scheme: Literal["http", "https"] | None = Field(
        default=None,
        description="Scheme of the URLs that follow from ingress, gateway and load balancers: "
        "https where TLS ends in front of them, http where it does not; unset, what their Secrets, "
        "annotations and ports tell. Node ports have http.",
    )
    node_address: OptionalAddress = Field(
        default="",
        description="Host name or IP address of any node, for the URLs of servers with node ports.",
    )
    cookie_name: Annotated[
        Text,
        matching(r"^[A-Za-z0-9_.-]*$", "must be empty or letters, digits, '-', '_' and '.'"),
    ] = Field(
        default="", description="Name of the session's cookie; empty means clearml_token_basic."
    )
    cookie_domain: OptionalDnsSubdomain = Field(
        default="",
        description="Domain whose hosts all get the session's cookie; empty means the API server's "
        "host alone, or the servers' domain where the file server asks for the cookie too.",
    )

    @property
    def existing_keys(self) -> Mapping[str, str]:
        """The credentials, by field, that the existing Secret holds, and their keys there."""
        if not self.existing_secret:
            return {}
        keys = self.existing_secret_keys or LAYOUTS[OURS]
        return {to_snake(name): key for name, key in keys.items()}

    @property
    def given(self) -> dict[str, str]:
        """The credentials, by field, that the values give and the existing Secret does not hold."""
        credentials = self.credentials.given.items()
        return {name: given for name, given in credentials if name not in self.existing_keys}

    def lacking(self, needed: Iterable[str]) -> list[str]:
        """The credentials, by field, that are to be made.

        All that are neither given nor in the existing Secret, unless none of them is needed.
        """
        placed = self.existing_keys.keys() | self.given.keys()
        if placed.issuperset(needed):
            return []
        return [name for name in Credentials.model_fields if name not in placed]

    def mistakes(self) -> Iterator[Mistake]:
        """Two sources of credentials."""
        if self.existing_secret_keys and not self.existing_secret:
            yield Mistake(("existingSecretKeys",), "needs clearml.existingSecret")
        # Values files of charts spell out what they do not use.
        published = self.credentials.published
        for name in self.credentials.given:
            if name in self.existing_keys and name not in published:
                message = "is taken from clearml.existingSecret: keep one of the two"
                yield Mistake(("credentials", to_camel(name)), message)

    def warnings(self) -> Iterator[str]:
        """What anyone knows, and what may not be what is expected of it."""
        if not COMPANY_ID.fullmatch(self.default_company):
            yield (
                "clearml.defaultCompany: is the id of a company here, and servers show nothing of "
                "other companies; its name, which later charts have here, is read by no server: "
                "leave it out"
            )
        if self.existing_secret and not self.existing_secret_keys:
            yield (
                f"clearml.existingSecret: must have the keys {', '.join(LAYOUTS[OURS].values())}; "
                f"for a Secret of a Helm chart set clearml.existingSecretKeys to {OF_CHARTS}, "
                f"otherwise to {OURS}"
            )
        published = [to_camel(n) for n in self.credentials.published if n in self.given]
        if published:
            yield (
                "clearml.credentials: published values, which anyone can sign in with; leave them "
                f"out ({', '.join(published)}), and new ones are made in the cluster"
            )
