"""Which of the values is to blame for a finding; only findings need it."""

from collections.abc import Iterator, Sequence
from typing import Any

from clearml_k8s.rules.manifests import Finding, Step, at, entries
from config.loading.reading import Source
from config.loading.wording import located

Path = tuple[Step, ...]

EXTRA_OBJECTS = "extraObjects"
# What an object names another one in, whose keys it reads.
REFERENCES = {"secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef", "secret", "configMap"}


def lines(findings: Sequence[Finding], sources: Sequence[Source]) -> Iterator[str]:
    """A line for each finding, with the file and path of the value that it comes from, if known.

    That is the value which reads the same as what stands at the finding, or nearest around it.
    A value that comes to several objects is told once. The sources stand in the order in which
    they were merged.
    """
    told: set[tuple[str, str]] = set()
    for finding in findings:
        origin = _origin(finding, sources)
        if origin is None:
            yield str(finding)
        elif (blamed := (located(*origin), finding.message)) not in told:
            told.add(blamed)
            yield f"{blamed[0]}: {finding}"


def _origin(finding: Finding, sources: Sequence[Source]) -> tuple[Path, Source] | None:
    return (
        _extra_object(finding, sources)
        or _same_value(finding, sources)
        or _name_of_reference(finding, sources)
    )


def _extra_object(finding: Finding, sources: Sequence[Source]) -> tuple[Path, Source] | None:
    """The place in the object of the values that is, or is called like, that of the finding."""
    for source in reversed(sources):
        manifests = entries(source.content, EXTRA_OBJECTS)
        for index, manifest in reversed([*enumerate(manifests)]):
            if _called(manifest) == _called(finding.root):
                return (EXTRA_OBJECTS, index, *finding.steps), source
        if manifests:
            break  # lists replace those of earlier sources
    return None


def _called(manifest: Any) -> tuple[str, str, Any]:
    group = str(at(manifest, "apiVersion")).rpartition("/")[0]
    return group, str(at(manifest, "kind")), at(manifest, "metadata", "name")


def _same_value(finding: Finding, sources: Sequence[Source]) -> tuple[Path, Source] | None:
    around: list[Any] = [finding.root]
    for step in finding.steps:
        try:
            around.append(around[-1][step])
        except (LookupError, TypeError):
            break
    for depth in range(len(around) - 1, 0, -1):
        steps = finding.steps[:depth]
        found = [
            ((*path, *finding.steps[depth:]), source)
            for source in reversed(sources)
            for path in _paths(source.content, around[depth], _key(steps))
            if path[:1] != (EXTRA_OBJECTS,)
        ]
        if found:
            return max(found, key=lambda origin: _nearness(origin[0], finding))
    return None


def _name_of_reference(finding: Finding, sources: Sequence[Source]) -> tuple[Path, Source] | None:
    """The value that names the Secret or ConfigMap that the finding is about."""
    node: Any = finding.root
    for step in finding.steps:
        try:
            node = node[step]
        except (LookupError, TypeError):
            break
        if step in REFERENCES and isinstance(node, dict):
            name = node.get("name") or node.get("secretName")
            found = [
                (path, source)
                for source in reversed(sources)
                for path in _scalars(source.content, name)
                if path[0] != EXTRA_OBJECTS
            ]
            return max(found, key=lambda at: _likely(at[0], finding), default=None)
    return None


def _likely(path: Path, finding: Finding) -> tuple[bool, int]:
    """How much tells that the value at the path names what the finding is about."""
    in_message = sum(len(str(step)) for step in path if str(step).lower() in finding.message)
    return "existing" in str(path[-1]), in_message + _nearness(path, finding)


def _scalars(content: Any, wanted: Any, *path: Step) -> Iterator[Path]:
    if _is_nested(content):
        for step, part in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _scalars(part, wanted, *path, step)
    elif content == wanted:
        yield path


def _paths(content: Any, wanted: Any, key: str, *path: Step) -> Iterator[Path]:
    """Where the wanted value stands; what is no mapping or list says little without its key."""
    if _same(content, wanted) and (_key(path) == key or (wanted and _is_nested(wanted))):
        yield path
    elif _is_nested(content):
        for step, part in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _paths(part, wanted, key, *path, step)


def _key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _same(given: Any, wanted: Any) -> bool:
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(_same(given[k], wanted[k]) for k in given)
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(_same, given, wanted))
    # Numbers become strings where Kubernetes wants those.
    return not _is_nested(given) and not _is_nested(wanted) and str(given) == str(wanted)


def _nearness(path: Path, finding: Finding) -> int:
    """How much of the path is in the name and labels of the object."""
    names = str(finding.root.get("metadata")).lower()
    return sum(len(str(step)) for step in path if str(step).lower() in names)
