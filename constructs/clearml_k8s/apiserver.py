"""The API server."""

import json

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.hocon import hocon
from clearml_k8s.naming import Address, Naming, SecretRef
from clearml_k8s.pod import EnvValue, checksums, container, deployment, http_probe
from clearml_k8s.secret import secret
from clearml_k8s.service import HTTP, service
from clearml_k8s.stores.address import StoreAddresses
from clearml_k8s.volume import claim, secret_volume
from clearml_k8s.wait import wait_for
from config.apiserver import GENERATED_CONFIG_DIR
from config.apiserver import Apiserver as ApiserverValues
from config.clearml import Clearml, FixedUsers, Watchdog

COMPONENT = "apiserver"
PORT = 8008
PING = "/debug.ping"


class Apiserver(Construct):
    """Deployment, Service and configuration Secret of the API server, and its claim if asked for.

    `address` is where it answers, `ping_url` what answers 200 once it serves requests.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        values: ApiserverValues,
        clearml: Clearml,
        credentials: SecretRef,
        stores: StoreAddresses,
    ) -> None:
        super().__init__(scope, COMPONENT)
        self.address: Address = service(self, naming, COMPONENT, values.service)
        self.ping_url: str = self.address.url + PING
        configuration = secret(
            self,
            naming.metadata(COMPONENT, naming.name("apiserver-conf")),
            _configuration_files(clearml.fixed_users, clearml.watchdog),
        )
        volumes = [secret_volume("generated-config", configuration.name)]
        directories = [values.config_dir]
        if values.storage.enable_config_volume:
            # Later directories win: the files on the volume overrule the generated ones.
            directories.insert(0, GENERATED_CONFIG_DIR)
            volumes.append(claim(self, naming, COMPONENT, "config", values.storage.config))
        deployment(
            self,
            naming,
            COMPONENT,
            values,
            replicas=values.replica_count,
            annotations=checksums(
                credentials=credentials, configuration=configuration, **stores.secrets
            ),
            init_containers=[wait_for(values.image, stores.targets)],
            volumes=volumes,
            recreate=values.storage.enable_config_volume and values.storage.config.single_node,
            container=container(
                COMPONENT,
                values,
                values.image,
                args=[COMPONENT],
                port=PORT,
                env={
                    **stores.environment,
                    "CLEARML_SERVER_DEPLOYMENT_TYPE": "kubernetes",
                    "CLEARML_CONFIG_DIR": ":".join(directories),
                    **_settings(values, clearml),
                    **_credentials(credentials),
                },
                startup=http_probe(PING, HTTP, period_seconds=10, failure_threshold=60),
                liveness=http_probe(
                    PING,
                    HTTP,
                    initial_delay_seconds=values.liveness_delay,
                    timeout_seconds=5,
                    failure_threshold=6,
                ),
                readiness=http_probe(
                    PING,
                    HTTP,
                    initial_delay_seconds=values.readiness_delay,
                    timeout_seconds=5,
                    failure_threshold=3,
                ),
                mounts=[
                    k8s.VolumeMount(name=volume.name, mount_path=directory, read_only=read_only)
                    for volume, directory, read_only in zip(
                        volumes, directories, (True, None), strict=False
                    )
                ],
            ),
        )


def _settings(values: ApiserverValues, clearml: Clearml) -> dict[str, EnvValue]:
    pre_populate = "CLEARML__APISERVER__PRE_POPULATE__"
    return {
        "CLEARML__APISERVER__DEFAULT_COMPANY": hocon(clearml.default_company),
        pre_populate + "ENABLED": hocon(values.prepopulate_enabled),
        pre_populate + "ZIP_FILES": hocon(values.prepopulate_zip_files),
        pre_populate + "ARTIFACTS_PATH": hocon(values.prepopulate_artifacts_path),
    }


def _credentials(secret: SecretRef) -> dict[str, EnvValue]:
    user = "CLEARML__SECURE__CREDENTIALS__"
    agent = user + "SERVICES_AGENT__"
    return {
        "CLEARML__SECURE__HTTP__SESSION_SECRET__APISERVER": secret.key("http_session"),
        "CLEARML__SECURE__AUTH__TOKEN_SECRET": secret.key("auth_token"),
        user + "APISERVER__USER_KEY": secret.key("apiserver_key"),
        user + "APISERVER__USER_SECRET": secret.key("apiserver_secret"),
        user + "WEBSERVER__USER_KEY": secret.key("webserver_key"),
        user + "WEBSERVER__USER_SECRET": secret.key("webserver_secret"),
        user + "TESTS__USER_KEY": secret.key("tests_user_key"),
        user + "TESTS__USER_SECRET": secret.key("tests_user_secret"),
        # A user of the agents' own: fixed users revoke the tests user (clearml-server issue 75).
        agent + "ROLE": "user",
        agent + "DISPLAY_NAME": hocon("ClearML agents"),
        agent + "USER_KEY": secret.key("services_agent_key"),
        agent + "USER_SECRET": secret.key("services_agent_secret"),
    }


def _configuration_files(fixed_users: FixedUsers, watchdog: Watchdog) -> dict[str, str]:
    """The server's *.conf files by name, in JSON, which is HOCON too."""
    files: dict[str, object] = {
        "services.conf": {
            "tasks": {
                "non_responsive_tasks_watchdog": {
                    "enabled": watchdog.enabled,
                    "threshold_sec": watchdog.threshold_sec,
                    "watch_interval_sec": watchdog.watch_interval_sec,
                }
            }
        }
    }
    if fixed_users.enabled:
        users = [
            {
                "username": user.username,
                "password": user.password.get_secret_value(),
                "name": user.name,
            }
            for user in fixed_users.users
        ]
        files["apiserver.conf"] = {
            "auth": {
                "fixed_users": {
                    "enabled": True,
                    "pass_hashed": fixed_users.pass_hashed,
                    "users": users,
                }
            }
        }
    return {name: json.dumps(content, indent=2) + "\n" for name, content in files.items()}
