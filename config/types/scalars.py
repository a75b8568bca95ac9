"""Texts, numbers and secrets as a values file may spell them."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from config.types.model import Mistake, refuse

# What people write around a name, address or URL, in the order in which it is taken off.
AROUND = {
    "quotes": r"^[\"']+|[\"']+$",
    "a scheme": r"^[a-z][a-z0-9+.-]*://",
    "a slash at the end": r"/+$",
    "a port": r"(?<!sha256):([1-9][0-9]{0,3}|[1-5][0-9]{4})$",  # but no digest
    "a dot in front": r"^\.",
    "a dot at the end": r"\.$",
}


def without_hint(text: str, fits: Callable[[str], object]) -> str:
    """Return what to leave out, to be put behind a message, if the rest then fits; else nothing.

    It shows nothing of the text, which may be a secret.
    """
    left_out = []
    for name, pattern in AROUND.items():
        rest = re.sub(pattern, "", text)
        if rest == text:
            continue
        left_out.append(name)
        text = rest
        if text and fits(text):
            return f"; write it without {' and '.join(left_out)}"
    return ""


class matching:  # noqa: N801  # reads as a function where a type is annotated
    """Annotation: a string or secret that matches the pattern, or the mistake with the message."""

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
        inner, ours = handler(schema), {"pattern": self.pattern}
        return inner | ({"allOf": [*inner.get("allOf", []), ours]} if "pattern" in inner else ours)

    def _check(self, given: str | SecretStr) -> str | SecretStr:
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if not re.fullmatch(self.pattern, text):
            hint = without_hint(text, re.compile(self.pattern).fullmatch)
            raise PydanticCustomError("mistake", "{message}", {"message": self.message + hint})
        return given


# What kubectl takes for a number once it has dropped all '_', and what cdk8s writes in quotes.
GO_NUMBER = re.compile(
    r"[-+]?(0([oO][0-7]+|[xX][0-9a-fA-F]+|[bB][-+]?[01]+)"
    r"|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?)"
)
QUOTED_NUMBER = re.compile(
    r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|([0-9][0-9_]*)?(\.[0-9_]*)?([eE][-+]?[0-9]+)?)"
)
# Not quoted either, though operators to most YAML parsers.
OPERATORS = ("=", "<<")
MISREAD = "cannot be used: kubectl would not read it back as a string"
# What YAML does not allow, what cdk8s forgets to quote, and what no variable can hold.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


def is_misread(text: str) -> bool:
    """Whether cdk8s writes the text so that kubectl takes it for something else."""
    number = GO_NUMBER.fullmatch(text.replace("_", ""))
    return text in OPERATORS or bool(number and not QUOTED_NUMBER.fullmatch(text))


def readable(text: str) -> str:
    """The text, if kubectl reads it back from the manifests as it is; else a mistake.

    The mistake does not show the text, which may be a whole file with secrets in it.
    """
    if CONTROL.search(text):
        refuse([Mistake((), "must have no control characters")])
    if is_misread(text):
        refuse([Mistake((), MISREAD)])
    return text


class SpelledInteger(int):
    """An integer that a values file spells in another way than Python: 0123, 0x7b, 1_000."""


def _integer_as_text(raw: object) -> object:
    return str(raw) if type(raw) is int else raw


def _readable_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if "\0" in text:
        refuse([Mistake((), "must have no null bytes")])
    if is_misread(text):
        refuse([Mistake((), MISREAD)])
    return secret


def _no_boolean(raw: object) -> object:
    if isinstance(raw, bool):
        raise PydanticCustomError("mistake", "must be a whole number")
    return raw


Readable = Annotated[str, AfterValidator(readable)]
Text = Annotated[Readable, BeforeValidator(_integer_as_text)]
OneLine = Annotated[Text, matching(r"^[^\r\n]*$", "must be a single line")]
NonEmpty = Annotated[
    Text, matching(r"^\S(.*\S)?$", "must be a single line, not empty, without spaces around it")
]
Secret = Annotated[SecretStr, BeforeValidator(_integer_as_text), AfterValidator(_readable_secret)]
# A login is user and password with a ':' between them (RFC 7617).
WITHOUT_COLON = matching(r"^[^:]*$", "must have no ':', at which a login is split")
Token = Annotated[
    Secret,
    matching(r"^[!-~]*$", "must be ASCII characters without spaces: it is sent in headers of HTTP"),
]
Password = Annotated[
    Secret, matching(r"^[^\x00-\x1f\x7f]*$", "must be a single line without control characters")
]
Integer = Annotated[int, BeforeValidator(_no_boolean)]
