"""Labels, annotations, data and sizes."""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from clearml_k8s.rules.formats import DATA_KEY, fits, is_label_key, is_label_value
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, Step, entries
from config.error import shape
from config.types.scalars import is_misread

DATA_FIELDS = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}
KEYS_OF_TYPE = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
JSON_KEYS = {".dockerconfigjson", ".dockercfg"}
# What each of these is in all kinds of Kubernetes' own groups that have it.
SHAPES: dict[tuple[str, ...], type] = {
    ("metadata", "finalizers"): list,
    **dict.fromkeys((("data",), ("stringData",), ("binaryData",)), dict),
    **dict.fromkeys((("roleRef",), ("spec",), ("spec", "template"), ("spec", "selector")), dict),
    **dict.fromkeys((("rules",), ("subjects",), ("spec", "ports"), ("spec", "rules")), list),
    **dict.fromkeys((("spec", "accessModes"), ("spec", "containers"), ("spec", "volumes")), list),
    ("spec", "template", "metadata"): dict,
    ("spec", "template", "spec"): dict,
    ("spec", "template", "spec", "containers"): list,
    ("spec", "template", "spec", "initContainers"): list,
    ("spec", "template", "spec", "volumes"): list,
}
SHAPE_NAMES: dict[type, str] = {dict: "a mapping", list: "a list"}
FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
KIB = 1024
# As kubectl writes the annotation of the last applied configuration.
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def label_maps(bundle: Bundle) -> Iterator[Place]:
    """Every mapping of labels, selectors included."""
    yield from bundle.walked("labels", "matchLabels", "nodeSelector")
    for service in bundle.of("Service"):
        yield service.below(service.at("spec", "selector"), "spec", "selector")


def data_maps(place: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    """The data of a ConfigMap or Secret by field."""
    for field in DATA_FIELDS.get(place.kind, ()):
        yield field, place.fields(field)


def text_maps(bundle: Bundle) -> Iterator[Place]:
    """Every mapping of texts: labels, annotations and data."""
    yield from label_maps(bundle)
    yield from bundle.walked("annotations")
    for place in bundle.of(*DATA_FIELDS):
        for field, data in data_maps(place):
            yield place.below(data, field)


def labels_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Labels have valid keys and values."""
    for labels in label_maps(bundle):
        for key, value in labels.fields().items():
            if not is_label_key(key):
                yield labels.says("not a label key", key)
            if isinstance(value, str) and not is_label_value(value):
                yield labels.says(f"{shape(value)} is not a label value", key)


def annotations_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Annotations have valid keys, and 256 KiB in all."""
    for notes in bundle.walked("annotations"):
        for key in notes.fields():
            if not is_label_key(str(key).lower()):
                yield notes.says("not an annotation key", key)
        if (size := notes_size(notes.fields())) > 256 * KIB:
            yield notes.says(f"{size} bytes, more than 256 KiB")


def shapes_are_right(bundle: Bundle) -> Iterator[Finding]:
    """What is a mapping or a list in Kubernetes' own kinds is one."""
    for place in bundle.objects:
        group, _, _ = str(place.at("apiVersion")).rpartition("/")
        if "." in group and not group.endswith(".k8s.io"):
            continue
        for path, shape_ in SHAPES.items():
            given = place.at(*path)
            if given is not None and not isinstance(given, shape_):
                yield place.says(f"not {SHAPE_NAMES[shape_]}", *path)


def finalizers_are_named(bundle: Bundle) -> Iterator[Finding]:
    """A finalizer is one of Kubernetes' own, or has a domain."""
    for place in bundle.objects:
        for i, name in enumerate(entries(place.value, "metadata", "finalizers")):
            if name not in FINALIZERS and not ("/" in str(name) and is_label_key(name)):
                yield place.says(f"{shape(name)} is not a finalizer", "metadata", "finalizers", i)


def notes_size(notes: dict[str, Any]) -> int:
    """The bytes of annotations, as the API server counts them."""
    return sum(len(f"{key}{value}".encode()) for key, value in notes.items())


def data_is_valid(bundle: Bundle) -> Iterator[Finding]:
    """ConfigMap and Secret keys are valid, binary values base64, the whole up to 1 MiB."""
    for place in bundle.of(*DATA_FIELDS):
        size = 0
        for field, data in data_maps(place):
            encoded = (place.kind, field) in (("ConfigMap", "binaryData"), ("Secret", "data"))
            for key, value in data.items():
                if not fits(key, DATA_KEY, 253):
                    yield place.says("not a data key", field, key)
                content = str(value).encode()
                if encoded:
                    try:
                        # Line breaks are allowed.
                        lines = content.translate(None, b"\r\n")
                        content = base64.b64decode(lines, validate=True)
                    except binascii.Error:
                        yield place.says("not base64", field, key)
                size += len(content)
        if size > KIB * KIB:
            yield place.says(f"{size} bytes, more than 1 MiB", "data")


def typed_secrets_have_their_keys(bundle: Bundle) -> Iterator[Finding]:
    """A Secret of a type of Kubernetes has the keys of that type, and what must be JSON is."""
    for place in bundle.of("Secret"):
        content = {**place.fields("data"), **place.fields("stringData")}
        for key in KEYS_OF_TYPE.get(str(place.at("type")), ()):
            if key not in content:
                yield place.says(f"type {place.at('type')} needs the key", "data", key)
            elif key in JSON_KEYS and not _is_json(place, key):
                yield place.says("not JSON", "data", key)


def _is_json(secret: Place, key: str) -> bool:
    try:
        text = secret.fields("stringData").get(key)
        json.loads(base64.b64decode(secret.fields("data")[key]) if text is None else text)
    except (ValueError, TypeError):
        return False
    return True


def nulls(value: Any, *steps: Step) -> Iterator[tuple[Step, ...]]:
    """The ways to all nulls in a value."""
    if value is None:
        yield steps
    elif isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nulls(child, *steps, key)


def no_field_is_null(bundle: Bundle) -> Iterator[Finding]:
    """A null would take away a default of Kubernetes."""
    for place in bundle.objects:
        for steps in nulls(place.value):
            yield place.says("null", *steps)


def objects_fit_an_annotation(bundle: Bundle) -> Iterator[Finding]:
    """`kubectl apply` can keep each object in an annotation."""
    for place in bundle.objects:
        # Quick to tell that all is well with most objects.
        if len(repr(place.root)) > 256 * KIB // 6:
            text = compact(place.root)
            # kubectl escapes these to six characters each.
            size = len(text.encode(errors="replace")) + 5 * sum(map(text.count, "<>&"))
            size += notes_size(place.fields("metadata", "annotations"))
            if size > 256 * KIB:
                yield place.says(
                    f"{size} bytes of JSON, more than the 256 KiB that `kubectl apply` keeps in"
                    " an annotation: only `kubectl apply --server-side` can apply it",
                    "metadata",
                    "annotations",
                )


def texts_are_read_back(bundle: Bundle) -> Iterator[Finding]:
    """kubectl takes no text for a number because cdk8s writes it without quotes."""
    message = "kubectl would read this text as something else"
    for text in bundle.numerals:
        if is_misread(text.value):
            yield text.says(message)
    for texts in text_maps(bundle):
        for key in texts.fields():
            if isinstance(key, str) and is_misread(key):
                yield texts.says(message, key)


def texts_are_strings(bundle: Bundle) -> Iterator[Finding]:
    """Labels, annotations, data and environment values are strings."""
    for place in text_maps(bundle):
        for key, text in place.fields().items():
            if not isinstance(text, str | None):
                yield place.says("not a string", key)
    for container in bundle.containers:
        for i, variable in container.items("env"):
            if not isinstance(text := variable.get("value"), str | None):
                yield container.says("not a string", "env", i, "value")


RULES: tuple[Rule, ...] = (
    labels_are_valid,
    annotations_are_valid,
    shapes_are_right,
    finalizers_are_named,
    data_is_valid,
    typed_secrets_have_their_keys,
    texts_are_read_back,
    texts_are_strings,
)
CONVENTIONS: tuple[Rule, ...] = (no_field_is_null,)
