"""Requests and limits."""

from collections.abc import Iterator

from clearml_k8s.rules.formats import is_label_key, quantity
from clearml_k8s.rules.manifests import Bundle, Finding, Rule
from config.error import shape

CORE_RESOURCES = ("cpu", "memory", "ephemeral-storage")
HUGE_PAGES = "hugepages-"


def resource_names_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """A resource is one of Kubernetes' own, or has a domain."""
    for container in bundle.containers:
        for field in ("requests", "limits"):
            for name in container.fields("resources", field):
                known = name in CORE_RESOURCES or str(name).startswith(HUGE_PAGES)
                if not (known or ("/" in str(name) and is_label_key(name))):
                    message = "not a resource, those of plugins have a domain"
                    yield container.says(message, "resources", field, name)


def quantities_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Quantities are well formed and not negative, and no request exceeds its limit."""
    for container in bundle.containers:
        requests, limits = (container.fields("resources", f) for f in ("requests", "limits"))
        for field, amounts in (("requests", requests), ("limits", limits)):
            for name, value in amounts.items():
                if (amount := quantity(value)) is None or amount < 0:
                    yield container.says(
                        f"{shape(value)} is not a quantity", "resources", field, name
                    )
        for name, value in requests.items():
            amount, limit = quantity(value), quantity(limits.get(name))
            if amount is not None and limit is not None and amount > limit:
                yield container.says(f"{value} is above the limit", "resources", "requests", name)


def extended_resources_are_whole(bundle: Bundle) -> Iterator[Finding]:
    """Resources of plugins, and huge pages, are limited to what is requested; devices are whole."""
    for container in bundle.containers:
        requests, limits = (container.fields("resources", f) for f in ("requests", "limits"))
        for name in {**requests, **limits}:
            if name in CORE_RESOURCES:
                continue
            request, limit = (quantity(amounts.get(name)) for amounts in (requests, limits))
            if name in requests and request != limit:
                message = "a resource of this kind needs the same limit"
                yield container.says(message, "resources", "requests", name)
            for field, amount in (("requests", request), ("limits", limit)):
                if "/" in str(name) and amount is not None and amount % 1:
                    yield container.says("not a whole number", "resources", field, name)


def huge_pages_are_whole(bundle: Bundle) -> Iterator[Finding]:
    """Huge pages are whole ones, and stand beside cpu or memory."""
    for container in bundle.containers:
        requests, limits = (container.fields("resources", f) for f in ("requests", "limits"))
        if any(str(name).startswith(HUGE_PAGES) for name in (*requests, *limits)) and not (
            {"cpu", "memory"} & {*requests, *limits}
        ):
            yield container.says("huge pages need cpu or memory beside them", "resources")
        for field, amounts in (("requests", requests), ("limits", limits)):
            for name, value in amounts.items():
                if str(name).startswith(HUGE_PAGES):
                    size = quantity(str(name).removeprefix(HUGE_PAGES)) or 0
                    amount = quantity(value)
                    if size <= 0 or (amount is not None and amount % size):
                        message = f"{shape(value)} is not a multiple of the size of the pages"
                        yield container.says(message, "resources", field, name)


def volume_sizes_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """The size of an emptyDir is a quantity."""
    for pod in bundle.pods:
        for i, volume in pod.items("volumes"):
            if not isinstance(empty := volume.get("emptyDir"), dict):
                continue
            size = empty.get("sizeLimit")
            if size is not None and ((amount := quantity(size)) is None or amount < 0):
                yield pod.says(
                    f"{shape(size)} is not a quantity", "volumes", i, "emptyDir", "sizeLimit"
                )


RULES: tuple[Rule, ...] = (
    resource_names_are_valid,
    quantities_are_valid,
    extended_resources_are_whole,
    huge_pages_are_whole,
    volume_sizes_are_valid,
)
