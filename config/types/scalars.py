"""Texts, numbers and secrets as a values file may spell them."""

import re
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


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


Text = Annotated[str, BeforeValidator(_integer_as_text)]
OneLine = Annotated[Text, matching(r"^[^\r\n]*$", "must be a single line")]
NonEmpty = Annotated[
    Text, matching(r"^\S(.*\S)?$", "must be a single line, not empty, without spaces around it")
]
Secret = Annotated[SecretStr, BeforeValidator(_integer_as_text)]
Integer = Annotated[int, BeforeValidator(_no_boolean)]
