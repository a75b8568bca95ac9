"""Environment variables and arguments of containers, in which Kubernetes expands `$(VARIABLE)`."""

import re
from collections.abc import Mapping, Sequence

from cdk8s_plus_25 import k8s

EnvValue = str | k8s.EnvVarSource | None

# Where Kubernetes does not leave a $ alone; before a character outside ASCII it breaks that one.
EXPANDED = re.compile(r"\$(?=[$(]|[^\x00-\x7f])")


class Template(str):
    """A text in which Kubernetes expands `$(VARIABLE)`; every other text reaches the container as
    it is.
    """


def literal(text: str) -> Template:
    """The template that Kubernetes expands to the text."""
    return Template(EXPANDED.sub("$$", text))


def escaped(text: str) -> str:
    """What a manifest must say for a template to be expanded and any other text to be kept."""
    return str(text if isinstance(text, Template) else literal(text))


def environment(
    ours: Mapping[str, EnvValue], theirs: Sequence[k8s.EnvVar] = ()
) -> list[k8s.EnvVar] | None:
    """Our variables, unset ones left out, and the user's, which replace ours of the same name."""
    replaced = {variable.name: variable for variable in theirs}
    variables = {
        name: k8s.EnvVar(name=name, value=escaped(value))
        if isinstance(value, str)
        else k8s.EnvVar(name=name, value_from=value)
        for name, value in ours.items()
        if value is not None
    }
    return list((variables | replaced).values()) or None
