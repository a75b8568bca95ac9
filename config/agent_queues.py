"""The queues that agents take tasks from."""

import functools
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError

from config.types.scalars import NonEmpty, readable


def _no_option(queue: str) -> str:
    if queue.startswith("-"):
        raise ValueError("a queue's name must not start with '-'")
    return queue


QueueName = Annotated[NonEmpty, AfterValidator(_no_option)]


@functools.cache
def _names() -> TypeAdapter[list[str]]:
    return TypeAdapter(Annotated[list[QueueName], Field(min_length=1)])


def _queues(raw: object) -> str | list[str]:
    if isinstance(raw, list):
        return _names().validate_python(raw)
    text = str(raw) if type(raw) is int else raw
    if not isinstance(text, str):
        raise PydanticCustomError("mistake", "must be a list, or a string of names")
    if not text.split():
        raise ValueError("must name at least one queue")
    for name in text.split():
        _no_option(readable(name))
    return text


# A list of names, or a string of names that have no spaces in them.
Queues = Annotated[
    str | list[str],
    PlainValidator(_queues),
    WithJsonSchema({"type": ["string", "integer", "array"], "items": {"type": "string"}}),
]
