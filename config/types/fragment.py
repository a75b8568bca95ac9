"""Raw Kubernetes fragments in the values: parsed into the cdk8s structs that they must fit."""

import copy
import functools
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from config.types.kubernetes import ENV_NAME
from config.types.model import DEFINITION, EMPTY_AS_DEFAULT, Mistake, refuse

# What the names of fragments start with in the JSON schema of the values.
FRAGMENT = "k8s."

if TYPE_CHECKING:
    from cdk8s_plus_25 import k8s

    AnyStruct = TypeVar("AnyStruct")
    Struct = Annotated[AnyStruct, "what a mapping is parsed into"]
else:

    class Struct:
        """`Struct["k8s.Affinity"]`: a fragment that must fit that struct of cdk8s."""

        def __class_getitem__(cls, name: str) -> Any:
            return Annotated[Any, _Fragment(name.removeprefix(FRAGMENT))]


class _Fragment:
    """Annotation for a raw Kubernetes fragment; `structs` starts the engine of cdk8s."""

    def __init__(self, struct: str) -> None:
        self.struct = struct

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        from config.types import structs

        return handler(structs.schema_of(self.struct)) | {DEFINITION: FRAGMENT + self.struct}

    def _parse(self, raw: object) -> Any:
        if type(raw).__name__ == self.struct:
            return raw
        from config.types import structs

        return structs.validator(self.struct).validate_python(raw)


def _environment(variables: "list[k8s.EnvVar]") -> "list[k8s.EnvVar]":
    names = [variable.name for variable in variables]
    refuse(
        Mistake((index, "name"), message, name)
        for index, name in enumerate(names)
        for wrong, message in (
            (not re.fullmatch(ENV_NAME, name), "is not a name for an environment variable"),
            (name in names[:index], "is set twice"),
        )
        if wrong
    )
    refuse(
        Mistake((index,), "has both value and valueFrom", variable.name)
        for index, variable in enumerate(variables)
        if variable.value is not None and variable.value_from is not None
    )
    return variables


def _affordable(resources: "k8s.ResourceRequirements | None") -> Any:
    if resources is None:
        return None
    from config.types.structs import amount_of

    limits, requests = resources.limits or {}, resources.requests or {}
    refuse(
        Mistake((part, name), "must not be negative", given.value)
        for part, quantities in (("limits", limits), ("requests", requests))
        for name, given in quantities.items()
        if amount_of(given) < 0
    )
    refuse(
        Mistake(
            ("requests", name),
            f"must not be more than the limit, {limits[name].value}",
            given.value,
        )
        for name, given in requests.items()
        if name in limits and amount_of(given) > amount_of(limits[name])
    )
    return resources


def empty_as_list(raw: object) -> object:
    """An empty mapping, which charts have in the place of an empty list."""
    return [] if raw == {} else raw


def _empty_as_none(raw: object) -> object:
    """Return None for an empty mapping, which unlike EMPTY_AS_DEFAULT counts as set."""
    return None if raw == {} else raw


def type_alone(raw: object) -> object:
    """A strategy by its type, as charts spell it."""
    return {"type": raw} if isinstance(raw, str) else raw


def of_deployment(raw: object) -> object:
    """What a StatefulSet knows of a Deployment's strategy: `Recreate`, or one with `maxSurge`.

    Each of its pods goes before the one that takes its place in any case.
    """
    if isinstance(raw, dict) and raw.get("type") == "Recreate":
        raw = {key: part for key, part in raw.items() if key != "type"} or None
    rolling = raw.get("rollingUpdate") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(rolling, dict) or "maxSurge" not in rolling:
        return raw
    surge = ("maxSurge", "maxUnavailable")
    kept = {key: part for key, part in rolling.items() if key not in surge}
    strategy = {key: part for key, part in raw.items() if key != "rollingUpdate"}
    return strategy | {"rollingUpdate": kept} if kept else strategy or None


def _strategy_of(*types: str) -> AfterValidator:
    def check(strategy: Any) -> Any:
        if strategy is None:
            return None
        if strategy.type not in (None, *types):
            mistake = Mistake(("type",), f"must be {' or '.join(types)}", strategy.type)
        elif strategy.type not in (None, "RollingUpdate") and strategy.rolling_update is not None:
            mistake = Mistake(("rollingUpdate",), f"does not go with type {strategy.type}")
        else:
            return strategy
        refuse([mistake])

    return AfterValidator(check)


class _Switch:
    """Annotation: a fragment that `enabled: false` takes away, which an empty struct stands for."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._switched, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = handler(schema)
        described["properties"]["enabled"] = {"type": "boolean"}
        return described

    def _switched(self, raw: object) -> object:
        if not isinstance(raw, dict) or "enabled" not in raw:
            return raw
        if not isinstance(raw["enabled"], bool):
            refuse([Mistake(("enabled",), "must be true or false", raw["enabled"])])
        if not raw["enabled"]:
            return {}
        return {key: part for key, part in raw.items() if key != "enabled"} or None


class OverVariables:
    """Annotation: variables that the user's are merged over by name; a null as value drops one.

    An empty list drops all.
    """

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self.defaults = defaults

    @functools.cached_property
    def variables(self) -> "list[k8s.EnvVar]":
        """The variables, each always the same object, so that it is told from the user's."""
        from config.types import structs

        parse = structs.validator("EnvVar").validate_python
        return [parse({"name": name, "value": value}) for name, value in self.defaults.items()]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._merged, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = copy.deepcopy(handler(schema))
        described["items"][DEFINITION] += "OrNull"
        described["items"]["properties"]["value"]["type"] = ["string", "null"]
        return described

    def _merged(self, raw: Any, parse: Callable[[Any], "list[k8s.EnvVar]"]) -> "list[k8s.EnvVar]":
        if not isinstance(raw, list) or not raw:
            return parse(raw)
        dropped = [isinstance(item, dict) and item.get("value", "") is None for item in raw]
        given = parse(
            [
                {key: part for key, part in item.items() if key != "value"} if drop else item
                for item, drop in zip(raw, dropped, strict=True)
            ]
        )
        names = {variable.name for variable in given}
        kept = [variable for variable in self.variables if variable.name not in names]
        # With a source instead of the null it is a variable like any other.
        own = [v for v, drop in zip(given, dropped, strict=True) if not drop or v.value_from]
        return [*kept, *own]


EMPTY_AS_LIST = BeforeValidator(empty_as_list)

Affinity = Annotated[Struct["k8s.Affinity"] | None, BeforeValidator(_empty_as_none)]
NodeAffinity = Annotated[Struct["k8s.NodeAffinity"] | None, EMPTY_AS_DEFAULT]
Resources = Annotated[
    Struct["k8s.ResourceRequirements"] | None, EMPTY_AS_DEFAULT, AfterValidator(_affordable)
]
PodSecurityContext = Annotated[Struct["k8s.PodSecurityContext"] | None, _Switch(), EMPTY_AS_DEFAULT]
SecurityContext = Annotated[Struct["k8s.SecurityContext"] | None, _Switch(), EMPTY_AS_DEFAULT]
Lifecycle = Annotated[Struct["k8s.Lifecycle"] | None, EMPTY_AS_DEFAULT]
DnsConfig = Annotated[Struct["k8s.PodDnsConfig"] | None, EMPTY_AS_DEFAULT]
Tolerations = Annotated[list[Struct["k8s.Toleration"]], EMPTY_AS_LIST]
TopologySpreadConstraints = Annotated[list[Struct["k8s.TopologySpreadConstraint"]], EMPTY_AS_LIST]
HostAliases = Annotated[list[Struct["k8s.HostAlias"]], EMPTY_AS_LIST]
ExtraEnvs = Annotated[list[Struct["k8s.EnvVar"]], AfterValidator(_environment), EMPTY_AS_LIST]
EnvFrom = Annotated[list[Struct["k8s.EnvFromSource"]], EMPTY_AS_LIST]
Volumes = Annotated[list[Struct["k8s.Volume"]], EMPTY_AS_LIST]
VolumeMounts = Annotated[list[Struct["k8s.VolumeMount"]], EMPTY_AS_LIST]
ExtraContainers = Annotated[list[Struct["k8s.Container"]], EMPTY_AS_LIST]
IngressRules = Annotated[list[Struct["k8s.NetworkPolicyIngressRule"]], EMPTY_AS_LIST]
EgressRules = Annotated[list[Struct["k8s.NetworkPolicyEgressRule"]], EMPTY_AS_LIST]
AutoscalerBehavior = Annotated[
    Struct["k8s.HorizontalPodAutoscalerBehaviorV2"] | None, EMPTY_AS_DEFAULT
]
DeploymentStrategy = Annotated[
    Struct["k8s.DeploymentStrategy"] | None,
    _strategy_of("RollingUpdate", "Recreate"),
    EMPTY_AS_DEFAULT,
    BeforeValidator(type_alone),
]
StatefulSetStrategy = Annotated[
    Struct["k8s.StatefulSetUpdateStrategy"] | None,
    _strategy_of("RollingUpdate", "OnDelete"),
    EMPTY_AS_DEFAULT,
    BeforeValidator(of_deployment),
    BeforeValidator(type_alone),
]
