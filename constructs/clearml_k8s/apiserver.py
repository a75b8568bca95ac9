"""The API server."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.credentials import CredentialRefs
from clearml_k8s.parts.configuration import ConfigDirectory, config_sources
from clearml_k8s.parts.container import Container
from clearml_k8s.parts.environment import EnvValue
from clearml_k8s.parts.hocon import hocon
from clearml_k8s.parts.naming import Component, Naming
from clearml_k8s.parts.need import Endpoint, Need, ServerAddress
from clearml_k8s.parts.probe import Timing, exec_probe, http_probe
from clearml_k8s.parts.secret import secret
from clearml_k8s.parts.service import HTTP, PAUSE, server_service
from clearml_k8s.parts.volume import secret_volume, volume
from clearml_k8s.parts.workload import Workload, deployment
from clearml_k8s.programs import served_by_image, text_of
from clearml_k8s.stores.address import StoreAddresses
from config.apiserver import Apiserver as ApiserverValues
from config.apiserver import Processes
from config.clearml import Clearml, FixedUsers, Watchdog
from config.configuration import ADDITIONAL_CONFIGS_DIR, GENERATED_CONFIG_DIR
from config.generation import Generation, SystemUser
from config.image import PulledImage

COMPONENT = "apiserver"
PORT = 8008
HTTPS = 443


class Program(NamedTuple):
    """What all that runs the API server's program has: settings, and what they are read from.

    `config_dir` is where files of the user's own may be mounted.
    """

    image: PulledImage
    needs: Mapping[str, Need]
    environment: Mapping[str, EnvValue]
    directories: Sequence[ConfigDirectory]
    config_dir: str
    stores: StoreAddresses

    def environment_with(self, *more: ConfigDirectory) -> dict[str, EnvValue]:
        """Variables, of which one names the directories; later ones count more."""
        paths = [directory.path for directory in (*self.directories, *more)]
        return {**self.environment, "CLEARML_CONFIG_DIR": ":".join(dict.fromkeys(paths))}

    @property
    def volumes(self) -> list[k8s.Volume]:
        """The volumes with the settings."""
        volumes = [directory.volume for directory in self.directories]
        return [*(volume for volume in volumes if volume), *self.stores.volumes]

    @property
    def mounts(self) -> list[k8s.VolumeMount]:
        """Where they are."""
        mounts = [directory.mount for directory in self.directories]
        return [*(mount for mount in mounts if mount), *self.stores.mounts]


class Apiserver(Construct):
    """Deployment, Service and configuration Secrets of the API server, and its claim if asked for.

    `program` is what others need that run the same program. `url_prefixes` is what the URLs of
    files begin with that asynchronous delete deletes; without any it is off.
    """

    @staticmethod
    def address(naming: Naming, generation: Generation, values: ApiserverValues) -> ServerAddress:
        """Where the API server answers."""
        component = naming.component(COMPONENT)
        pods = Endpoint(component.selector, PORT)
        return ServerAddress(component.name, values.service.port, generation.apiserver_probe, pods)

    def __init__(
        self,
        scope: Construct,
        *,
        naming: Naming,
        generation: Generation,
        values: ApiserverValues,
        clearml: Clearml,
        cookie_domain: str,
        credentials: CredentialRefs,
        stores: StoreAddresses,
        url_prefixes: Sequence[str],
    ) -> None:
        super().__init__(scope, COMPONENT)
        component = naming.component(COMPONENT)
        server_service(self, component, values.service)
        configuration = secret(
            self,
            component,
            _configuration_files(clearml.fixed_users, clearml.watchdog),
            name=f"{component.name}-conf",
        )
        additional = config_sources(self, component, values)
        by_hand = [self._files_by_hand(component, values)] if values.has_files_by_hand else []
        self.program = Program(
            image=values.pulled_image(generation),
            needs=stores.needs,
            environment={
                **stores.environment,
                "CLEARML_SERVER_DEPLOYMENT_TYPE": "kubernetes",
                "CLEARML_CONFIG_DIR": None,  # its place; who has which directories is said later
                **_settings(values, clearml),
                **_addresses(values, clearml.cookie_name, cookie_domain),
                **_credentials(credentials, generation.system_users),
                **(_deletion(url_prefixes) if generation.async_delete else {}),
            },
            directories=[
                ConfigDirectory(
                    GENERATED_CONFIG_DIR if by_hand else values.config_dir,
                    secret_volume("generated-config", configuration.name),
                ),
                *_fixed_users_by_hand(clearml.fixed_users),
                *additional.directories,
            ],
            config_dir=values.config_dir,
            stores=stores,
        )
        program, probe = self.program, generation.apiserver_probe
        workload = Workload(
            component=component,
            needs=program.needs,
            wait_image=program.image,
            peers=[Endpoint(port=HTTPS)] if clearml.check_for_updates else [],
            volumes=[*program.volumes, *(d.volume for d in by_hand if d.volume)],
            public=[HTTP],
            main=Container(
                name=COMPONENT,
                image=program.image,
                command=served_by_image(),
                args=[COMPONENT],
                pause=PAUSE,
                ports={HTTP: PORT},
                env={
                    **program.environment_with(*by_hand),
                    **(_processes(values.processes) if generation.gunicorn else {}),
                },
                startup=http_probe(probe, HTTP, period_seconds=2, failure_threshold=300),
                liveness=http_probe(
                    probe,
                    HTTP,
                    initial_delay_seconds=values.liveness_delay,
                    timeout_seconds=5,
                    failure_threshold=6,
                ),
                readiness=_readiness(probe, values),
                mounts=[*program.mounts, *(d.mount for d in by_hand if d.mount)],
            ),
        )
        self.workload = deployment(
            self,
            workload,
            values,
            replicas=values.replica_count,
        )

    def _files_by_hand(self, component: Component, values: ApiserverValues) -> ConfigDirectory:
        if not values.storage.enable_config_volume:
            return ConfigDirectory(values.config_dir)
        files = volume(self, component, "config", values.storage.config, name="apiserver-config")
        return ConfigDirectory(values.config_dir, files, read_only=False)


def _readiness(ping: str, values: ApiserverValues) -> k8s.Probe:
    timing = Timing(
        initial_delay_seconds=values.readiness_delay,
        timeout_seconds=5 if values.readiness == "ping" else 10,
        failure_threshold=3,
    )
    if values.readiness == "ping":
        return http_probe(ping, HTTP, **timing)
    ask = ("python3", "-c", text_of("ask_stores.py"), f"http://127.0.0.1:{PORT}")
    return exec_probe(*ask, **timing)


def _settings(values: ApiserverValues, clearml: Clearml) -> dict[str, EnvValue]:
    pre_populate = "CLEARML__APISERVER__PRE_POPULATE__"
    return {
        "CLEARML__APISERVER__DEFAULT_COMPANY": hocon(clearml.default_company),
        "CLEARML__APISERVER__CHECK_FOR_UPDATES__ENABLED": None
        if clearml.check_for_updates
        else hocon(False),
        pre_populate + "ENABLED": hocon(values.prepopulate_enabled),
        pre_populate + "ZIP_FILES": hocon(values.prepopulate_zip_files),
        pre_populate + "ARTIFACTS_PATH": hocon(values.prepopulate_artifacts_path),
    }


def _processes(values: Processes) -> dict[str, EnvValue]:
    """What the image's entrypoint starts the API server with (docker/build/internal_files)."""
    names = {
        "count": "WORKERS",
        "timeout": "TIMEOUT",
        "max_requests": "MAX_REQUESTS",
        "max_requests_jitter": "MAX_REQUESTS_JITTER",
    }
    given = {f"CLEARML_GUNICORN_{names[key]}": str(n) for key, n in values.given.items()}
    return {"CLEARML_USE_GUNICORN": "true", **given} if given else {}


def _deletion(url_prefixes: Sequence[str]) -> dict[str, EnvValue]:
    """Whether the files of deleted tasks are deleted, and what their URLs begin with."""
    prefix = "CLEARML__SERVICES__ASYNC_URLS_DELETE__"
    return {
        prefix + "ENABLED": hocon(bool(url_prefixes)),
        prefix + "FILESERVER__URL_PREFIXES": json.dumps(url_prefixes) if url_prefixes else None,
    }


def _addresses(values: ApiserverValues, cookie_name: str, domain: str) -> dict[str, EnvValue]:
    """What the server is told of the way that requests and cookies take."""
    prefix, max_age = values.ingress.prefix, values.auth_cookies_max_age
    return {
        "CLEARML__APISERVER__REQUEST__STRIP_PREFIX": hocon(prefix) if prefix else None,
        "CLEARML__APISERVER__AUTH__SESSION_AUTH_COOKIE_NAME": hocon(cookie_name)
        if cookie_name
        else None,
        "CLEARML__APISERVER__AUTH__COOKIES__DOMAIN": hocon(domain) if domain else None,
        "CLEARML__APISERVER__AUTH__COOKIES__MAX_AGE": hocon(max_age) if max_age else None,
    }


def _credentials(credentials: CredentialRefs, users: Iterable[SystemUser]) -> dict[str, EnvValue]:
    variables: dict[str, EnvValue] = {
        "CLEARML__SECURE__HTTP__SESSION_SECRET__APISERVER": credentials.key("http_session"),
        "CLEARML__SECURE__AUTH__TOKEN_SECRET": credentials.key("auth_token"),
    }
    for user in users:
        prefix = f"CLEARML__SECURE__CREDENTIALS__{user.name.upper()}__"
        if user.role and user.display_name:
            variables[prefix + "ROLE"] = user.role
            variables[prefix + "DISPLAY_NAME"] = hocon(user.display_name)
        variables[prefix + "USER_KEY"] = credentials.key(f"{user.secret_key}_key")
        variables[prefix + "USER_SECRET"] = credentials.key(f"{user.secret_key}_secret")
    return variables


def _fixed_users_by_hand(values: FixedUsers) -> Iterator[ConfigDirectory]:
    if values.enabled and values.existing_secret:
        file = k8s.KeyToPath(key=values.existing_secret_key, path="apiserver.conf")
        source = k8s.SecretVolumeSource(secret_name=values.existing_secret, items=[file])
        yield ConfigDirectory(
            f"{ADDITIONAL_CONFIGS_DIR}/fixed-users", k8s.Volume(name="fixed-users", secret=source)
        )


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
        settings: dict[str, object] = {"enabled": True, "pass_hashed": fixed_users.pass_hashed}
        if not fixed_users.existing_secret:
            settings["users"] = [
                {
                    "username": user.username,
                    "password": user.password.get_secret_value(),
                    "name": user.name,
                }
                for user in fixed_users.users
            ]
        files["apiserver.conf"] = {"auth": {"fixed_users": settings}}
    # In UTF-8: the server's parser does not decode \u escapes.
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in files.items()
    }
