"""What sections of the values are made of, and how they say what is wrong."""

import difflib
import functools
import re
import typing
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

# Key in a part of the JSON schema: the name of the definition that the part is to become.
DEFINITION = "definition"
# Annotation of a field: an empty mapping, or null, is as if the key was not there.
EMPTY_AS_DEFAULT = object()


# The type of the errors that an unknown key ends in, beside pydantic's own.
UNKNOWN_KEY = "unknown_key"


class Mistake(typing.NamedTuple):
    """One thing wrong with the values: where, what, and what was given."""

    path: tuple[str | int, ...]
    message: str
    given: object = None


class UnknownKey(Mistake):
    """A key that the section does not have; what it may have meant is said with the message."""


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise one ValidationError that carries all of the mistakes, if there are any."""
    errors = [
        InitErrorDetails(
            type=PydanticCustomError(
                UNKNOWN_KEY if isinstance(mistake, UnknownKey) else "mistake",
                "{message}",
                {"message": mistake.message},
            ),
            loc=mistake.path,
            input=mistake.given,
        )
        for mistake in mistakes
    ]
    if errors:
        raise ValidationError.from_exception_data("values", errors)


# Words that look alike, and mean different things.
UNLIKE = frozenset(
    ("internal", "external", "http", "https", "api", "app", "cpu", "gpu", "min", "max", "in", "on")
)


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """The nearest known key, worded as a question; empty when none is near.

    One is near if it differs in the spelling of its words: not if it has more or fewer of them,
    which would make it another thing.
    """
    close = [key for key in known if _alike(str(given), key)]
    nearest = max(close, key=lambda key: _likeness(plain(str(given)), plain(key)), default=None)
    return f'; did you mean "{nearest}"?' if nearest else ""


def plain(key: str) -> str:
    """The key without what people spell differently: capitals, hyphens and underscores."""
    return key.replace("-", "").replace("_", "").lower()


def _alike(given: str, known: str) -> bool:
    if plain(given) == plain(known):
        return True
    words, theirs = _words_of(given), _words_of(known)
    if len(words) == 1 != len(theirs):
        return _likeness(plain(given), plain(known)) >= 0.9
    return len(words) == len(theirs) and all(map(_misspelled, words, theirs))


def _misspelled(word: str, known: str) -> bool:
    """Whether both are one word, perhaps with a letter or so that is wrong."""
    if word == known or {word, known} <= UNLIKE:
        return word == known
    one_letter = len(word) == len(known) == 3 and sum(map(str.__ne__, word, known)) == 1
    return one_letter or sorted(word) == sorted(known) or _likeness(word, known) >= 0.8


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _words_of(key: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", key)]


class Model(BaseModel):
    """Base of every section: frozen, unknown keys refused.

    Keys of a mapping are spelled in camelCase as in YAML, keyword arguments in snake_case.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=functools.cache(to_camel),  # subclasses ask again for each field
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    @classmethod
    def default(cls, **fields: Any) -> Self:
        """The section as it is where the values say nothing of it but these fields.

        Nothing is validated, so that no validator is built for what nobody has set.
        """
        return cls.model_construct(set(), **_defaults_of(cls) | fields)  # type: ignore[return-value]  # plugin forgets Self

    @classmethod
    def read(cls, mapping: object) -> Self:
        """The section that a mapping, spelled as in YAML, describes; else pydantic's error."""
        return cls.model_validate(mapping, by_alias=True, by_name=False)

    def filled_from(self, other: "Model", fields: Collection[str] | None = None) -> Self:
        """Return the section with the values that only the other section sets, of these fields.

        None stands for all fields. Sections in it are filled in the same way.
        """
        update: dict[str, Any] = {}
        for name in other.model_fields_set.intersection(fields or type(self).model_fields):
            own, theirs = getattr(self, name), getattr(other, name)
            if isinstance(own, Model):
                update[name] = own.filled_from(theirs)
            elif name not in self.model_fields_set:
                update[name] = theirs
        return self.model_copy(update=update)

    @classmethod
    def knows(cls, path: Sequence[str | int]) -> bool:
        """Whether the path, spelled as in YAML, is that of a field, or leads into one."""
        first, *below = path
        for field in cls.model_fields.values():
            if field.alias == first:
                inner = field.annotation
                if below and isinstance(inner, type) and issubclass(inner, Model):
                    return inner.knows(below)
                return True
        return False

    def mistakes(self) -> Iterator[Mistake]:
        """What is wrong between fields that are each right by themselves."""
        yield from ()

    @model_validator(mode="before")
    @classmethod
    def _without_emptiness(cls, raw: Any) -> Any:
        """Take out what gives way to the default while it is empty, lest it count as set."""
        if not isinstance(raw, dict):
            return raw
        yielding = _yielding_to_defaults(cls)
        return {k: part for k, part in raw.items() if k not in yielding or part not in (None, {})}

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        refuse(self.mistakes())
        return self


@functools.cache  # sections are frozen, and many pods have the same ones
def _defaults_of(model: type[Model]) -> dict[str, Any]:
    return {
        name: _default_of(field)
        for name, field in model.model_fields.items()
        if not field.is_required()
    }


@functools.cache
def _requires_some(model: type[Model]) -> bool:
    """Whether an empty mapping is too little for the section."""
    return any(field.is_required() for field in model.model_fields.values())


@functools.cache
def _yielding_to_defaults(model: type[Model]) -> frozenset[str]:
    """The keys, in both spellings, of the fields that emptiness leaves at their default."""
    return frozenset(
        key
        for name, field in model.model_fields.items()
        if EMPTY_AS_DEFAULT in field.metadata
        for key in (name, str(field.alias))
    )


def _default_of(field: FieldInfo) -> Any:
    if isinstance(field.annotation, type) and issubclass(field.annotation, Model):
        return field.annotation.default()
    if field.validate_default:
        return _adapter(field.rebuild_annotation()).validate_python(field.default)
    return field.get_default()


_adapter = functools.cache(TypeAdapter)  # many fields are of the same type


class _Section:
    """Annotation: a section whose validator is built only if the values say something of it."""

    def __get_pydantic_core_schema__(
        self, source: type[Model], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def read(raw: object) -> Model:
            if isinstance(raw, source):
                return raw
            return source.read(raw) if raw != {} or _requires_some(source) else source.default()

        return core_schema.no_info_plain_validator_function(read, metadata={"section": source})

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        source = schema["metadata"]["section"]
        source.model_rebuild()
        return handler(source.__pydantic_core_schema__) | {DEFINITION: source.__name__}


SomeModel = TypeVar("SomeModel", bound=Model)
Section = Annotated[SomeModel, _Section()]


def section() -> Any:
    """A section that takes its own defaults where the values say nothing of it."""
    return Field(default={}, validate_default=True)
