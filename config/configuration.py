"""Configuration files of the user's own for the servers, beside what the values themselves say."""

import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from config.pod import Pod
from config.types.kubernetes import OptionalDnsSubdomain
from config.types.model import Mistake, Model, refuse
from config.types.scalars import Readable, Secret

# Where servers look for files unless they are told otherwise.
CONFIG_DIR = "/opt/clearml/config"
# Of the files made from clearml.fixedUsers and clearml.watchdog, where the user has that directory.
GENERATED_CONFIG_DIR = "/opt/clearml/generated-config"
# Of the other sources, with a directory for each.
ADDITIONAL_CONFIGS_DIR = "/opt/clearml/additional-configs"

WEB_PAGE_FILE = "configuration.json"
HOCON_NAME = re.compile(r"(?=.{1,253}$)[\w-]+(\.[\w-]+)*\.conf", re.ASCII)
# As pyhocon spells it.
INCLUDE = re.compile(r"\binclude\s*(required\s*\(\s*)?((url|file|package)\s*\(\s*)?\"", re.I)

Flaw = Callable[[str, str], str | None]


def _without(flaw: Flaw) -> AfterValidator:
    def check(files: dict[str, SecretStr]) -> dict[str, SecretStr]:
        refuse(
            Mistake((name,), message)
            for name, text in files.items()
            if (message := flaw(name, text.get_secret_value()))
        )
        return files

    return AfterValidator(check)


def _flaw_of_hocon(name: str, text: str) -> str | None:
    if "/" in name:
        return "must have no '/': write dots, which the server takes for folders too"
    if not HOCON_NAME.fullmatch(name):
        return "must be a file name that ends in .conf: the server reads no others"
    if INCLUDE.search(text):
        return None  # only the server has what is included
    from pyhocon import ConfigFactory, ConfigTree  # costs time that only such files are worth
    from pyparsing import ParseBaseException

    try:
        parsed = ConfigFactory.parse_string(text, resolve=False)
    except ParseBaseException as error:
        return f"is not HOCON: see its line {error.lineno}, column {error.column}"
    except Exception:  # such as a TypeError where it takes a list for a mapping
        return "is not HOCON"
    return None if isinstance(parsed, ConfigTree) else "must hold keys and values, not a list"


def _flaw_of_web_page(name: str, text: str) -> str | None:
    if name != WEB_PAGE_FILE:
        return f"must be called {WEB_PAGE_FILE}: the web server reads no other file"
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        return f"is not JSON: see its line {error.lineno}, column {error.colno}"
    except RecursionError:
        return "is nested too deep"
    return None if isinstance(parsed, dict) else "must be a JSON object"


HoconFiles = Annotated[dict[Readable, Secret], _without(_flaw_of_hocon)]
WebPageFiles = Annotated[dict[Readable, Secret], _without(_flaw_of_web_page)]


class AdditionalConfigs(Model):
    """Configuration files of a server, from up to three sources of which later ones win."""

    additional_configs: dict[Readable, Secret]
    existing_additional_configs_secret: OptionalDnsSubdomain = Field(
        default="",
        description="Name of a Secret with such files, which win over those of additionalConfigs.",
    )
    existing_additional_configs_config_map: OptionalDnsSubdomain = Field(
        default="", description="Name of a ConfigMap with such files, which win over both others."
    )


class HoconConfigs(AdditionalConfigs):
    """Files that the server merges over its own defaults."""

    additional_configs: HoconFiles = Field(
        default={},
        description="Configuration files of your own (HOCON) by name, such as services.conf or "
        "services.tasks.conf.",
    )


class WebPageConfigs(AdditionalConfigs):
    """The file that tells the web page how to look and where the servers are."""

    additional_configs: WebPageFiles = Field(
        default={},
        description=f"Configuration of the web page (JSON), under the name {WEB_PAGE_FILE}.",
    )


def mounts_below(pod: Pod, directory: str) -> bool:
    """Whether the values mount something of the user's at the directory or inside it."""
    return any(
        PurePosixPath(mount.mount_path).is_relative_to(directory)
        for mount in pod.additional_volume_mounts
    )
