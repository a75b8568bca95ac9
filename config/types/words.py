"""Words of other charts: what becomes of each, and how a mapping is put into ours."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from config.types.model import Mistake

Path = tuple[str | int, ...]
Converter = Callable[[Any, Mapping[str, Any]], Any]
EMPTY: tuple[Any, ...] = (None, "", [], {})


def asks_for_nothing(value: Any) -> bool:
    """Whether the value is empty, or a mapping of nothing but such values."""
    return value in EMPTY or (
        isinstance(value, dict) and all(asks_for_nothing(part) for part in value.values())
    )


class Renamed(NamedTuple):
    """A word for something that has another name here, and perhaps another form.

    `to` is our path. `convert` takes the value and what all files together say, and hands back our
    value, or raises ValueError for what has no equivalent here. Without it what is empty resets to
    the default. The word counts only `if_` all files together fulfil a condition. Where our word is
    there too both must say the same; unless the word is only a `stopgap`, which counts in place of
    these values of ours alone.
    """

    to: str
    convert: Converter | None = None
    if_: Callable[[Mapping[str, Any]], bool] | None = None
    stopgap: Sequence[Any] | None = None


class Obsolete(NamedTuple):
    """A word for something without effect; a warning says why."""

    why: str


class Refused(NamedTuple):
    """A word for something that is not done here; the message says what to do instead.

    A value that is `idle` would have done nothing in the other chart either: it is left out, as is
    one that asks for nothing.
    """

    instead: str
    idle: Callable[[Any], bool] = asks_for_nothing


class Listed(NamedTuple):
    """A word for what may also be a list of mappings, each with its `name`, instead of a mapping.

    A list stands for itself alone: what there is by default comes in as it is `without`.
    """

    without: Mapping[str, Any]


Word = Renamed | Obsolete | Refused | Listed


class Translation(NamedTuple):
    """A mapping in our words, and what there is to say of the words that it had."""

    content: dict[str, Any]
    spelled: dict[Path, Path]
    """The user's path by ours, where they differ."""
    notices: list[tuple[Path, str]]
    """What has no effect, and why."""
    mistakes: list[Mistake]


def users_path(spelled: Mapping[Path, Path], path: Path) -> Path:
    """Where the user wrote what stands at our path."""
    for length in range(len(path), 0, -1):
        if path[:length] in spelled:
            written = (*spelled[path[:length]], *path[length:])
            return users_path(spelled, written)  # what is renamed may hold what has been before
    return path


def translate(
    words: Mapping[str, Word],
    content: dict[str, Any],
    whole: Mapping[str, Any],
    knows: Callable[[Path], bool],
    *,
    in_place: bool = False,
) -> Translation:
    """Put a mapping into our words.

    `words` is a table by dotted path, whose order counts; `whole` is what all files say, in any
    words; `knows` tells the paths of ours. The mapping is copied first unless it is to be changed
    `in_place`.
    """
    made = Translation(content if in_place else _copied(content), {}, [], [])
    for pattern, word in words.items():
        path = tuple(pattern.split("."))
        if _has(made.content, path):
            _translate(made, word, path, whole)
    for section in _sections(words):
        holder, key = _at(made.content, section[:-1]), section[-1]
        if key in holder and holder[str(key)] in EMPTY and not knows(section):
            _taken_out(made.content, section)
    return made


def _copied(value: Any) -> Any:
    """A copy in which nothing is in two places, as what an alias stands for is in a values file."""
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _sections(words: Mapping[str, Word]) -> list[Path]:
    """The paths of the sections that words are in, those inside others first."""
    paths = [tuple(pattern.split(".")) for pattern in words]
    sections = {path[:length] for path in paths for length in range(1, len(path))}
    return sorted(sections, key=len, reverse=True)


def _translate(made: Translation, word: Word, path: Path, whole: Mapping[str, Any]) -> None:
    if isinstance(word, Listed):
        _by_name(made, word, path)
        return
    value, origin = _taken_out(made.content, path), users_path(made.spelled, path)
    if isinstance(word, Obsolete):
        made.notices.append((origin, word.why))
    elif isinstance(word, Refused):
        if not asks_for_nothing(value) and not word.idle(value):
            made.mistakes.append(Mistake(origin, word.instead, value))
    else:
        try:
            _rename(made, word, path, value, whole)
        except ValueError as error:
            made.mistakes.append(Mistake(origin, str(error), value))


def _rename(
    made: Translation, word: Renamed, path: Path, value: Any, whole: Mapping[str, Any]
) -> None:
    if word.convert:
        value = word.convert(value, whole)
    elif value in ("", []):
        value = None
    if word.if_ is not None and not word.if_(whole):
        return
    target = tuple(word.to.split("."))
    if word.stopgap is not None and _has(made.content, target):
        if _at(made.content, target[:-1])[str(target[-1])] not in word.stopgap:
            return
        _taken_out(made.content, target)
    origin = users_path(made.spelled, path)
    _put(made, target, value, origin, verbatim=word.convert is None)


def _by_name(made: Translation, word: Listed, path: Path) -> None:
    section: Any = _at(made.content, path[:-1])
    items = section[path[-1]]
    if items == "":
        section[path[-1]] = None
    if not isinstance(items, list):
        return
    named: dict[str, Any] = {}
    for index, item in enumerate(items):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            made.mistakes.append(Mistake((*path, index), "needs a name"))
        elif name in named:
            made.mistakes.append(Mistake((*path, index, "name"), "is listed twice", name))
        else:
            named[name] = item
            made.spelled[(*path, name)] = (*path, index)
    section[path[-1]] = {**word.without, **named}


def _has(content: Any, path: Path) -> bool:
    """Whether something stands at the path."""
    for step in path:
        if not isinstance(content, dict) or step not in content:
            return False
        content = content[step]
    return True


def _at(content: Any, path: Path) -> Mapping[str, Any]:
    """The section at the path; empty where there is none."""
    for step in path:
        content = content.get(step) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _taken_out(content: dict[Any, Any], path: Path) -> Any:
    """The value, removed together with the sections that are empty without it."""
    value = content[path[0]]
    if len(path) == 1:
        return content.pop(path[0])
    inner = _taken_out(value, path[1:])
    if not value:
        del content[path[0]]
    return inner


def _put(made: Translation, target: Path, value: Any, origin: Path, *, verbatim: bool) -> None:
    """Set the value at our path unless another one is there; mappings are joined.

    What is in a mapping has the same keys at its origin if it is `verbatim`.
    """
    if value == {}:
        return
    section: Any = made.content
    for step in target[:-1]:
        if section.get(step) is None:
            section[step] = type(section)()
        section = section[step]
        if not isinstance(section, dict):
            return  # which is a mistake of its own
    ours = section.get(target[-1])
    if value is None and ours is not None:
        return
    if ours is not None and ours != value and not isinstance(value, dict):
        other = ".".join(map(str, users_path(made.spelled, target)))
        message = f"says something else than {other}: keep one of them"
        made.mistakes.append(Mistake(origin, message, value))
        return
    if not isinstance(ours, dict):
        made.spelled.setdefault(target, origin)
    if isinstance(value, dict) and (isinstance(ours, dict) or not verbatim):
        section.setdefault(target[-1], type(section)())
        for key, part in value.items():
            place = (*origin, key) if verbatim else origin
            _put(made, (*target, key), part, place, verbatim=verbatim)
    elif ours is None:
        section[target[-1]] = value
