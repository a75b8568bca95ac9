"""jsii checks the types of all arguments at run time; here mypy and the tests have done so."""

import typing
from collections import defaultdict
from types import ModuleType

import cdk8s
from cdk8s_plus_25 import k8s


def skip_type_checks() -> None:
    """Leave out the checks of the generated structs, which take longer than making them."""
    without_hints = ModuleType("typing")
    vars(without_hints).update(vars(typing), get_type_hints=lambda _: defaultdict(lambda: None))
    # The modules themselves are hidden behind a façade of public names.
    for struct in (cdk8s.ChartProps, k8s.Container):
        struct.__init__.__globals__.update(typing=without_hints, check_type=lambda **_: None)
