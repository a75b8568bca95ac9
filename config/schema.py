"""The JSON schema of the values, for editors, for messages and for the reference."""

from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.json_schema import GenerateJsonSchema

from config.fragment import json_name
from config.values import Values


class _Generator(GenerateJsonSchema):
    def encode_default(self, default: Any) -> Any:
        return to_yaml(default)


def to_yaml(value: Any) -> Any:
    """A value as a values file spells it; secrets are masked."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {str(field.alias): to_yaml(getattr(value, name)) for name, field in fields.items()}
    if hasattr(value, "__jsii_name_mapping__"):
        return {
            json_name(type(value), name): to_yaml(given) for name, given in value._values.items()
        }
    if hasattr(value, "__jsii_type__"):
        return value.value
    if isinstance(value, dict):
        return {key: to_yaml(given) for key, given in value.items()}
    if isinstance(value, list):
        return [to_yaml(given) for given in value]
    return str(value) if isinstance(value, SecretStr) else value


def json_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a values file."""
    return Values.model_json_schema(schema_generator=_Generator)
