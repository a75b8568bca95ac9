"""Environment variables of containers."""

from collections.abc import Mapping, Sequence

from cdk8s_plus_25 import k8s

EnvValue = str | k8s.EnvVarSource | None


def environment(
    ours: Mapping[str, EnvValue], theirs: Sequence[k8s.EnvVar] = ()
) -> list[k8s.EnvVar] | None:
    """Our variables, unset ones left out, and the user's, which replace ours of the same name."""
    replaced = {variable.name: variable for variable in theirs}
    variables = {
        name: k8s.EnvVar(name=name, value=value)
        if isinstance(value, str)
        else k8s.EnvVar(name=name, value_from=value)
        for name, value in ours.items()
        if value is not None
    }
    return list((variables | replaced).values()) or None
