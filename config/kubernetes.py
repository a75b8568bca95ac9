"""Field types that several sections of the values share, each with the limits of its Kubernetes type."""

import difflib
import functools
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal, Self

from cdk8s_plus_25 import k8s
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

QUANTITY = r"^[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$"
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DNS_SUBDOMAIN = r"^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
LABEL_VALUE = r"^(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
QUALIFIED_NAME = (
    r"^((?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
ENV_NAME = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"
# Helm's own expressions in a values file; nothing else of its template language means anything here.
TEMPLATE_EXPRESSION = r"\{\{-?\s*\.Release\.(Name|Namespace)\s*-?\}\}"


class Mistake(typing.NamedTuple):
    """One thing wrong with the values: where, what, and what was given."""

    path: tuple[str | int, ...]
    message: str
    given: object = None


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise one ValidationError that carries all of the mistakes, if there are any."""
    errors = [
        InitErrorDetails(
            type=PydanticCustomError("mistake", "{message}", {"message": mistake.message}),
            loc=mistake.path,
            input=mistake.given,
        )
        for mistake in mistakes
    ]
    if errors:
        raise ValidationError.from_exception_data("values", errors)


class Model(BaseModel):
    """Base of every section: frozen, unknown keys refused, camelCase in YAML."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong between fields that are each right by themselves."""
        yield from ()

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        refuse(self.mistakes())
        return self


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """The nearest known key, worded as a question; empty when none is near."""
    close = difflib.get_close_matches(str(given), list(known), n=1, cutoff=0.5)
    return f'; did you mean "{close[0]}"?' if close else ""


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Merge as Helm does: mappings merge, everything else replaces; null takes the key out again."""
    merged = dict(base)
    for key, given in over.items():
        if given is None:
            merged.pop(key, None)
        elif isinstance(given, dict):
            below = merged.get(key)
            merged[key] = merge(below if isinstance(below, dict) else {}, given)
        else:
            merged[key] = given
    return merged


def over(default: dict[str, Any]) -> BeforeValidator:
    """A mapping that the user's merges over, key by key, instead of being replaced by it."""
    return BeforeValidator(lambda raw: merge(default, raw) if isinstance(raw, dict) else raw)


def matching(pattern: str, message: str) -> AfterValidator:
    """A string that matches the pattern, or the mistake that the message words."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.match(text):
            raise PydanticCustomError("mistake", "{message}", {"message": message})
        return text

    return AfterValidator(check)


def _integer_as_text(raw: object) -> object:
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw


def _no_boolean(raw: object) -> object:
    if isinstance(raw, bool):
        raise PydanticCustomError("mistake", "must be a whole number")
    return raw


def _node_port(port: int) -> int:
    if port != 0 and not 30000 <= port <= 32767:
        raise PydanticCustomError(
            "mistake", "must be 30000 to 32767, or 0 to let the cluster choose"
        )
    return port


Text = Annotated[str, BeforeValidator(_integer_as_text)]
OneLine = Annotated[Text, matching(r"^[^\r\n]*$", "must be a single line")]
NonEmpty = Annotated[Text, matching(r"^\S(.*\S)?$", "must not be empty or start with a space")]
Secret = Annotated[SecretStr, BeforeValidator(_integer_as_text)]
Integer = Annotated[int, BeforeValidator(_no_boolean)]
Port = Annotated[Integer, Field(ge=1, le=65535)]
NodePort = Annotated[Integer, AfterValidator(_node_port)]
Replicas = Annotated[Integer, Field(ge=0, le=1000)]
Seconds = Annotated[Integer, Field(ge=0)]
AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
AccessModes = Annotated[list[AccessMode], Field(min_length=1)]
PullPolicy = Literal["Always", "IfNotPresent", "Never"]
ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]

DnsLabel = Annotated[
    Text,
    matching(DNS_LABEL, "must be a DNS label: up to 63 lower-case letters, digits and '-'"),
]
DnsSubdomain = Annotated[
    Text,
    matching(DNS_SUBDOMAIN, "must be a DNS name: lower-case letters, digits, '-' and '.'"),
]
OptionalDnsLabel = Annotated[
    Text,
    matching(r"^$|" + DNS_LABEL, "must be empty or a DNS label: lower-case letters, digits, '-'"),
]
OptionalDnsSubdomain = Annotated[
    Text,
    matching(
        r"^$|" + DNS_SUBDOMAIN, "must be empty or a DNS name: lower-case letters, digits, '-', '.'"
    ),
]
StorageClass = OptionalDnsSubdomain
PortName = Annotated[
    Text,
    matching(
        r"^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "must be a port name: lower-case letters, digits and '-'",
    ),
]
AbsolutePath = Annotated[Text, matching(r"^/[^:\r\n]*$", "must be an absolute path without ':'")]
ServiceName = Annotated[
    Text,
    matching(
        rf"^({TEMPLATE_EXPRESSION}|[-a-z0-9.])+$",
        "must be a DNS name; of Helm's templates only {{ .Release.Name }} and "
        "{{ .Release.Namespace }} are known",
    ),
]
Quantity = Annotated[
    Text,
    matching(QUANTITY, "must be a Kubernetes quantity such as 500m or 50Gi"),
]


def _positive(quantity: str) -> str:
    if not re.search(r"[1-9]", re.split(r"[eE][+-]?\d", quantity)[0]) or quantity.startswith("-"):
        raise PydanticCustomError("mistake", "must be more than 0")
    return quantity


StorageSize = Annotated[Quantity, AfterValidator(_positive)]


def _label_mapping(labels: dict[str, str]) -> dict[str, str]:
    refuse(
        Mistake((key,), message, given)
        for key, value in labels.items()
        for pattern, given, message in (
            (QUALIFIED_NAME, key, "is not a label key"),
            (LABEL_VALUE, value, "must be a label value: up to 63 letters, digits, '-', '_', '.'"),
        )
        if not re.match(pattern, given)
    )
    return labels


def _annotation_mapping(annotations: dict[str, str]) -> dict[str, str]:
    refuse(
        Mistake((key,), "is not an annotation key", key)
        for key in annotations
        if not re.match(QUALIFIED_NAME, key)
    )
    return annotations


NodeSelector = Annotated[dict[str, str], AfterValidator(_label_mapping)]
Annotations = Annotated[dict[str, str], AfterValidator(_annotation_mapping)]


class Fragment:
    """Annotation for a raw Kubernetes fragment: it must fit the struct, and is parsed into it."""

    def __init__(self, struct: type) -> None:
        self.struct = struct

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        # Built on first use: most values files hold no fragment of most types.
        return core_schema.no_info_plain_validator_function(self._parse)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return _adapter(self.struct).json_schema() | {"title": self.struct.__name__}

    def _parse(self, raw: object) -> Any:
        return raw if isinstance(raw, self.struct) else _adapter(self.struct).validate_python(raw)


class _Struct:
    """Annotation whose core schema is the struct's, read from its own type hints."""

    def __init__(self, struct: type) -> None:
        self.struct = struct

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return _struct_schema(self.struct)


@functools.cache
def _adapter(struct: type) -> TypeAdapter[Any]:
    return TypeAdapter(Annotated[Any, _Struct(struct)])


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
    # jsii turns hostIP into hostIp; the property's docstring still names the field as Kubernetes does.
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
        # Optional[Union[Struct, Dict]]: jsii takes a dict for a struct, and spells a number int | float.
        arms = [arm for arm in arguments if arm is not type(None)]
        return _schema_of(int if float in arms else arms[0])
    if hint is k8s.Quantity:
        return core_schema.no_info_after_validator_function(
            quantity, TypeAdapter(Quantity).core_schema
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


def _environment(variables: list[k8s.EnvVar]) -> list[k8s.EnvVar]:
    names = [variable.name for variable in variables]
    refuse(
        Mistake((index, "name"), message, name)
        for index, name in enumerate(names)
        for wrong, message in (
            (not re.match(ENV_NAME, name), "is not a name for an environment variable"),
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
Volumes = list[Annotated[k8s.Volume, Fragment(k8s.Volume)]]
VolumeMounts = list[Annotated[k8s.VolumeMount, Fragment(k8s.VolumeMount)]]
