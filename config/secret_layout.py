"""Under which keys a Secret holds the credentials of the servers."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from config.types.kubernetes import SecretKey
from config.types.model import Mistake, did_you_mean, refuse

OURS = "clearml-conf"
# Credentials by name -> key. What a layout lacks is given in clearml.credentials, or made.
LAYOUTS: Mapping[str, Mapping[str, str]] = {
    OURS: {
        "httpSession": "http_session",
        "authToken": "auth_token",
        "apiserverKey": "apiserver_key",
        "apiserverSecret": "apiserver_secret",
        "webserverKey": "webserver_key",
        "webserverSecret": "webserver_secret",
        "fileserverKey": "fileserver_key",
        "fileserverSecret": "fileserver_secret",
        "testsUserKey": "tests_user_key",
        "testsUserSecret": "tests_user_secret",
        "servicesAgentKey": "services_agent_key",
        "servicesAgentSecret": "services_agent_secret",
    },
    "chart-2": {
        "httpSession": "http_session",
        "authToken": "auth_token",
        "apiserverKey": "apiserver_key",
        "apiserverSecret": "apiserver_secret",
        "testsUserKey": "tests_user_key",
        "testsUserSecret": "tests_user_secret",
    },
    "chart-5": {
        "authToken": "secure_auth_token_secret",
        "apiserverKey": "apiserver_key",
        "apiserverSecret": "apiserver_secret",
        "fileserverKey": "fileserver_key",
        "fileserverSecret": "fileserver_secret",
        "testsUserKey": "test_user_key",
        "testsUserSecret": "test_user_secret",
    },
}
OF_CHARTS = "chart-2 (charts 2.0 to 4.x) or chart-5 (5.0 and later)"


class _Layout:
    """Annotation: in a values file the name of a layout may stand for its keys."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"type": ["object", "string"]}


def _keys(raw: object) -> object:
    if isinstance(raw, str):
        if not raw:
            return {}
        if raw not in LAYOUTS:
            message = f"must be {', '.join(LAYOUTS)}, or a mapping of credentials to keys"
            refuse([Mistake((), message + did_you_mean(raw, LAYOUTS), raw)])
        return dict(LAYOUTS[raw])
    if isinstance(raw, dict):
        known = LAYOUTS[OURS]
        refuse(
            Mistake((name,), f"is none of clearml.credentials{did_you_mean(name, known)}")
            for name in raw
            if name not in known
        )
    return raw


SecretKeys = Annotated[dict[str, SecretKey], BeforeValidator(_keys), _Layout()]
