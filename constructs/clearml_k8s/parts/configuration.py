"""Configuration files of the user's own: their Secret, and the volumes they are found in."""

from collections.abc import Mapping
from typing import NamedTuple

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.parts.naming import Component
from clearml_k8s.parts.secret import secret
from config.configuration import ADDITIONAL_CONFIGS_DIR, AdditionalConfigs


class ConfigDirectory(NamedTuple):
    """A directory that a server reads `*.conf` files from; the values mount one without volume."""

    path: str
    volume: k8s.Volume | None = None
    read_only: bool = True

    @property
    def mount(self) -> k8s.VolumeMount | None:
        """The volume, mounted at the path."""
        if self.volume is None:
            return None
        return k8s.VolumeMount(
            name=self.volume.name, mount_path=self.path, read_only=self.read_only or None
        )


class ConfigSources(NamedTuple):
    """Secrets and ConfigMaps with files, by what they are called here; later ones win."""

    sources: Mapping[str, k8s.VolumeProjection]

    @property
    def directories(self) -> list[ConfigDirectory]:
        """A directory for each source, for a server that merges files of one name."""
        return [
            ConfigDirectory(f"{ADDITIONAL_CONFIGS_DIR}/{name}", _volume(name, source))
            for name, source in self.sources.items()
        ]

    @property
    def volume(self) -> k8s.Volume | None:
        """The files of all sources in one place, if there are any; of one name the last."""
        return _volume("files", *self.sources.values()) if self.sources else None


def config_sources(
    scope: Construct, component: Component, values: AdditionalConfigs
) -> ConfigSources:
    """Make the Secret `<component>-additional-configs` for files in the values; find the others."""
    sources: dict[str, k8s.VolumeProjection] = {}
    if values.additional_configs:
        made = secret(
            scope,
            component,
            {name: text.get_secret_value() for name, text in values.additional_configs.items()},
            name=f"{component.name}-additional-configs",
            id="additional-configs",
        )
        sources["files"] = _of_secret(made.name)
    if existing := values.existing_additional_configs_secret:
        sources["secret"] = _of_secret(existing)
    if existing := values.existing_additional_configs_config_map:
        projection = k8s.ConfigMapProjection(name=existing)
        sources["config-map"] = k8s.VolumeProjection(config_map=projection)
    return ConfigSources(sources)


def _of_secret(name: str) -> k8s.VolumeProjection:
    return k8s.VolumeProjection(secret=k8s.SecretProjection(name=name))


def _volume(name: str, *sources: k8s.VolumeProjection) -> k8s.Volume:
    return k8s.Volume(
        name=f"additional-configs-{name}",
        projected=k8s.ProjectedVolumeSource(sources=list(sources)),
    )
