"""Raw Kubernetes fragments in the values: parsed into the cdk8s structs that they must fit."""

import functools
import re
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from cdk8s_plus_25 import k8s
from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, core_schema

from config.kubernetes import ENV_NAME, NOT_A_QUANTITY, QUANTITY, Mistake, amount, refuse


class Fragment:
    """Annotation for a raw Kubernetes fragment: it must fit the struct, and is parsed into it."""

    def __init__(self, struct: type) -> None:
        self.struct = struct

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(_struct_schema(self.struct)) | {"title": self.struct.__name__}

    def _parse(self, raw: object) -> Any:
        return raw if isinstance(raw, self.struct) else _validator(self.struct).validate_python(raw)


# Built on first use: most values files hold no fragment of most types.
@functools.cache
def _validator(struct: type) -> SchemaValidator:
    return SchemaValidator(_struct_schema(struct))


@functools.cache
def quantity(text: str) -> k8s.Quantity:
    """The struct of a Kubernetes quantity; cached, as each one costs a call into jsii."""
    return k8s.Quantity.from_string(text)


@functools.cache
def int_or_string(given: int | str) -> k8s.IntOrString:
    """The struct of a port or percentage; cached, as each one costs a call into jsii."""
    if isinstance(given, int):
        return k8s.IntOrString.from_number(given)
    return k8s.IntOrString.from_string(given)


def json_name(struct: type, field: str) -> str:
    """The name of a struct's field in a manifest."""
    # jsii turns hostIP into hostIp; the property's docstring still has Kubernetes' own spelling.
    documented = re.search(r":schema: \S+#(\w+)", getattr(struct, field).__doc__ or "")
    if documented is None:
        raise TypeError(f"{struct.__name__}.{field} does not say which field it is")
    return documented[1]


def _struct_schema(struct: type) -> CoreSchema:
    hints = typing.get_type_hints(struct.__init__)  # type: ignore[misc]  # read, not called
    hints.pop("return")
    fields = {
        name: core_schema.typed_dict_field(
            _schema_of(hint),
            required=type(None) not in typing.get_args(hint),
            validation_alias=json_name(struct, name),
        )
        for name, hint in hints.items()
    }
    build: Callable[[dict[str, Any]], Any] = lambda fields: struct(**fields)  # noqa: E731
    return core_schema.no_info_after_validator_function(
        build, core_schema.typed_dict_schema(fields, extra_behavior="forbid")
    )


def _schema_of(hint: Any) -> CoreSchema:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        # jsii spells a struct Union[Struct, Dict] and a number Union[int, float].
        arms = [arm for arm in arguments if arm is not type(None)]
        return _schema_of(int if float in arms else arms[0])
    if hint is k8s.Quantity:
        return core_schema.no_info_plain_validator_function(
            _parse_quantity, json_schema_input_schema=core_schema.str_schema(pattern=QUANTITY)
        )
    if hint is k8s.IntOrString:
        return core_schema.no_info_after_validator_function(
            int_or_string,
            core_schema.union_schema(
                [core_schema.int_schema(strict=True), core_schema.str_schema(strict=True)]
            ),
        )
    if hasattr(hint, "__jsii_type__"):
        return _struct_schema(hint)
    if origin is not None and issubclass(origin, typing.Mapping):
        return core_schema.dict_schema(core_schema.str_schema(), _schema_of(arguments[1]))
    if origin is not None and issubclass(origin, typing.Sequence):
        return core_schema.list_schema(_schema_of(arguments[0]))
    scalars: dict[Any, CoreSchema] = {
        str: core_schema.str_schema(strict=True),
        bool: core_schema.bool_schema(strict=True),
        int: core_schema.int_schema(strict=True),
    }
    return scalars.get(hint, core_schema.any_schema())


def _parse_quantity(raw: object) -> k8s.Quantity:
    text = str(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or not re.fullmatch(QUANTITY, text):
        raise PydanticCustomError("mistake", "{message}", {"message": NOT_A_QUANTITY})
    return quantity(text)


def _environment(variables: list[k8s.EnvVar]) -> list[k8s.EnvVar]:
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


@functools.cache
def _amount(struct: k8s.Quantity) -> Decimal:
    return amount(str(struct.value))


def _affordable(resources: k8s.ResourceRequirements | None) -> Any:
    limits = (resources and resources.limits) or {}
    requests = (resources and resources.requests) or {}
    refuse(
        Mistake((part, name), "must not be negative", given.value)
        for part, quantities in (("limits", limits), ("requests", requests))
        for name, given in quantities.items()
        if _amount(given) < 0
    )
    refuse(
        Mistake(
            ("requests", name),
            f"must not be more than the limit, {limits[name].value}",
            given.value,
        )
        for name, given in requests.items()
        if name in limits and _amount(given) > _amount(limits[name])
    )
    return resources


def _empty_as_none(raw: object) -> object:
    return None if raw == {} else raw


EMPTY_AS_NONE = BeforeValidator(_empty_as_none)

Affinity = Annotated[
    Annotated[k8s.Affinity, Fragment(k8s.Affinity)] | None,
    EMPTY_AS_NONE,
]
NodeAffinity = Annotated[
    Annotated[k8s.NodeAffinity, Fragment(k8s.NodeAffinity)] | None,
    EMPTY_AS_NONE,
]
Resources = Annotated[
    Annotated[k8s.ResourceRequirements, Fragment(k8s.ResourceRequirements)] | None,
    EMPTY_AS_NONE,
    AfterValidator(_affordable),
]
PodSecurityContext = Annotated[
    Annotated[k8s.PodSecurityContext, Fragment(k8s.PodSecurityContext)] | None,
    EMPTY_AS_NONE,
]
SecurityContext = Annotated[
    Annotated[k8s.SecurityContext, Fragment(k8s.SecurityContext)] | None,
    EMPTY_AS_NONE,
]
Tolerations = list[Annotated[k8s.Toleration, Fragment(k8s.Toleration)]]
ExtraEnvs = Annotated[
    list[Annotated[k8s.EnvVar, Fragment(k8s.EnvVar)]], AfterValidator(_environment)
]
LocalObjectReferences = list[
    Annotated[k8s.LocalObjectReference, Fragment(k8s.LocalObjectReference)]
]
Volumes = list[Annotated[k8s.Volume, Fragment(k8s.Volume)]]
VolumeMounts = list[Annotated[k8s.VolumeMount, Fragment(k8s.VolumeMount)]]
