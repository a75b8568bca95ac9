"""The images of an installation, and how they get into a registry of one's own."""

import shlex

import yaml
from cdk8s import App

from clearml_k8s.clearml import install
from clearml_k8s.rules import Bundle
from config import Values
from config.global_ import Global


def image_list(values: Values) -> list[str]:
    """The images of all containers, each once.

    Raises ValuesError for Helm charts that cannot be had or rendered.
    """
    return sorted(set(_images(values)))


def copy_commands(values: Values, target: Global) -> list[str]:
    """A command of crane for each image that `target` takes from its registry: it copies it there.

    Where the values have a registry for all images already, the images come from their origins.
    """
    origins, copies = (
        _images(values.model_copy(update={"global_": part})) for part in (Global.default(), target)
    )
    pairs = set(zip(origins, copies, strict=True))
    return sorted(
        shlex.join(("crane", "copy", origin, _tagged(copy)))
        for origin, copy in pairs
        if copy != origin
    )


def _images(values: Values) -> list[str]:
    app = App()
    install(app, values)
    bundle = Bundle(list(yaml.load_all(app.synth_yaml(), yaml.CSafeLoader)))
    return [container.at("image") for pod in bundle.pods for container in pod.containers]


def _tagged(reference: str) -> str:
    """The reference with its tag alone, if it has one: registries drop what has none."""
    name, _, digest = reference.partition("@")
    return name if ":" in name.rpartition("/")[2] or not digest else reference
