"""Field types that the sections share, each with the limits that Kubernetes sets."""

import difflib
import re
import typing
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    core_schema,
)

QUANTITY = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$"
NOT_A_QUANTITY = "must be a Kubernetes quantity such as 500m or 50Gi"
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DNS_SUBDOMAIN = r"^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
LABEL_VALUE = r"^(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
QUALIFIED_NAME = (
    r"^((?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
UNITS = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("num", start=-3)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
ENV_NAME = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"
# All of Helm's template language that means anything in the values.
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
        defer_build=True,
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
    close = difflib.get_close_matches(str(given), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def section() -> Any:
    """A section that takes its own defaults where the values say nothing of it."""
    return Field(default={}, validate_default=True)


def merge(
    base: dict[str, Any], over: dict[str, Any], *, keep_nulls: bool = False
) -> dict[str, Any]:
    """Merge as Helm does: mappings merge, all else replaces, null takes the key out again.

    With `keep_nulls` the null itself stays.
    """
    merged = dict(base)
    for key, given in over.items():
        if given is None and not keep_nulls:
            merged.pop(key, None)
        elif isinstance(given, dict):
            below = merged.get(key)
            below = below if isinstance(below, dict) else {}
            merged[key] = merge(below, given, keep_nulls=keep_nulls)
        else:
            merged[key] = given
    return merged


def over(default: dict[str, Any]) -> BeforeValidator:
    """A mapping that the user's merges over, key by key, instead of being replaced by it."""
    return BeforeValidator(lambda raw: merge(default, raw) if isinstance(raw, dict) else raw)


class matching:  # noqa: N801  # reads as a function where a type is annotated
    """Annotation: a string that matches the pattern, or the mistake that the message words."""

    def __init__(self, pattern: str, message: str) -> None:
        self.pattern = pattern
        self.message = message

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"pattern": self.pattern}

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise PydanticCustomError("mistake", "{message}", {"message": self.message})
        return text


class SpelledInteger(int):
    """An integer that a values file spells in another way than Python: 0123, 0x7b, 1_000."""


def _integer_as_text(raw: object) -> object:
    return str(raw) if type(raw) is int else raw


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
NonEmpty = Annotated[
    Text, matching(r"^\S(.*\S)?$", "must be a single line, not empty, without spaces around it")
]
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
SecretKey = Annotated[
    Text,
    matching(
        r"^[-._a-zA-Z0-9]{1,253}$", "must be a key of a Secret: letters, digits, '-', '_', '.'"
    ),
]
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
    matching(QUANTITY, NOT_A_QUANTITY),
]


def amount(quantity: str) -> Decimal:
    """The number that a quantity stands for."""
    number, unit, exponent = re.findall(r"([-+.0-9]+)([A-Za-z]*)(.*)", quantity)[0]
    return Decimal(f"{number}e{exponent}") if exponent else Decimal(number) * UNITS[unit]


def _positive(quantity: str) -> str:
    if amount(quantity) <= 0:
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
        if not re.fullmatch(pattern, given)
    )
    return labels


def _annotation_mapping(annotations: dict[str, str]) -> dict[str, str]:
    refuse(
        Mistake((key,), "is not an annotation key", key)
        for key in annotations
        if not re.fullmatch(QUALIFIED_NAME, key.lower())
    )
    return annotations


NodeSelector = Annotated[dict[str, str], AfterValidator(_label_mapping)]
Annotations = Annotated[dict[str, str], AfterValidator(_annotation_mapping)]
