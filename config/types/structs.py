"""cdk8s' structs: built from plain mappings, and spelled as plain mappings again.

The only module that looks into what jsii generates; importing it starts the engine of cdk8s.
"""

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cdk8s_plus_25 import k8s
from pydantic import BaseModel, SecretStr
from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, core_schema

from config.types.kubernetes import LARGEST_INTEGER, NOT_A_QUANTITY, QUANTITY, amount
from config.types.scalars import readable

# What quantities, ports and percentages were made from: to ask them is a call into jsii.
_made_from: dict[k8s.Quantity | k8s.IntOrString, int | str] = {}


@functools.cache
def quantity(text: str) -> k8s.Quantity:
    """The struct of a Kubernetes quantity; cached, as each one costs a call into jsii."""
    made = k8s.Quantity.from_string(text)
    _made_from[made] = text
    return made


@functools.cache
def int_or_string(given: int | str) -> k8s.IntOrString:
    """The struct of a port or percentage; cached, as each one costs a call into jsii."""
    if isinstance(given, int):
        made = k8s.IntOrString.from_number(given)
    else:
        made = k8s.IntOrString.from_string(given)
    _made_from[made] = given
    return made


def value_of(struct: k8s.Quantity | k8s.IntOrString) -> int | float | str:
    """What a quantity, port or percentage is as a values file spells it."""
    made_from = _made_from.get(struct)
    return struct.value if made_from is None else made_from


@functools.cache
def amount_of(struct: k8s.Quantity) -> Decimal:
    """The number that a quantity stands for."""
    return amount(str(value_of(struct)))


def fields_of(struct: Any) -> set[str]:
    """The names of a struct's fields, as Python spells them."""
    return set(struct.__jsii_name_mapping__)


def overlaid(ours: Any, theirs: Any) -> Any:
    """A struct with the fields of both; where both have one, theirs counts, but mappings merge.

    Either may be None; an empty struct of theirs takes ours away.
    """
    if ours is None or theirs is None:
        return theirs if ours is None else ours
    if not theirs._values:
        return None
    fields = ours._values | theirs._values
    for name in ours._values.keys() & theirs._values.keys():
        if isinstance(fields[name], dict):
            fields[name] = {**ours._values[name], **theirs._values[name]}
    return type(ours)(**fields)


@functools.cache
def validator(struct: str) -> SchemaValidator:
    """Builds the struct of that name from a mapping that is spelled as in a manifest."""
    return SchemaValidator(schema_of(struct))


def schema_of(struct: str) -> CoreSchema:
    """What a mapping must be that the struct of that name is built from."""
    return _struct_schema(getattr(k8s, struct))


def to_plain(value: Any, *, reveal: bool = False) -> Any:
    """Sections, structs and what is in them as a values file spells it.

    Secrets are masked unless they are to be revealed.
    """
    plain = functools.partial(to_plain, reveal=reveal)
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {str(field.alias): plain(getattr(value, name)) for name, field in fields.items()}
    if hasattr(value, "__jsii_name_mapping__"):
        fields = value._values
        return {_json_name(type(value), name): plain(part) for name, part in fields.items()}
    if hasattr(value, "__jsii_type__"):
        return value_of(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, SecretStr):
        return value.get_secret_value() if reveal else str(value)
    return value


def _json_name(struct: type, field: str) -> str:
    """The name of a struct's field in a manifest."""
    # jsii turns hostIP into hostIp; the property's docstring still has Kubernetes' own spelling.
    prop = getattr(struct, field)
    # Where PYTHONOPTIMIZE=2 has taken the docstring away, the source still has it.
    documented = re.search(r":schema: \S+#(\w+)", prop.__doc__ or inspect.getsource(prop.fget))
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
            validation_alias=_json_name(struct, name),
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
            core_schema.union_schema([core_schema.int_schema(strict=True), _text_schema()]),
        )
    if hasattr(hint, "__jsii_type__"):
        return _struct_schema(hint)
    if origin is not None and issubclass(origin, typing.Mapping):
        return core_schema.dict_schema(_text_schema(), _schema_of(arguments[1]))
    if origin is not None and issubclass(origin, typing.Sequence):
        return core_schema.list_schema(_schema_of(arguments[0]))
    scalars: dict[Any, CoreSchema] = {
        str: _text_schema(),
        bool: core_schema.bool_schema(strict=True),
        int: core_schema.int_schema(strict=True, le=LARGEST_INTEGER),
    }
    return scalars.get(hint, core_schema.any_schema())


def _text_schema() -> CoreSchema:
    return core_schema.no_info_after_validator_function(
        readable, core_schema.str_schema(strict=True)
    )


def _parse_quantity(raw: object) -> k8s.Quantity:
    text = str(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or not re.fullmatch(QUANTITY, text):
        raise PydanticCustomError("mistake", "{message}", {"message": NOT_A_QUANTITY})
    return quantity(text)
