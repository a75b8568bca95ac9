"""Values of CLEARML__ variables: the server parses each one as HOCON."""

import json


def hocon(value: str | int | bool) -> str:
    """The value so that it is read back as it is: strings in quotes (apiserver/config/basic.py)."""
    return json.dumps(value)
