"""Values of CLEARML__ variables: the server parses each one as HOCON."""

import json
import re

from clearml_k8s.parts.environment import Template

# Letters and paths are read back as they are; numbers, durations and operators are not, nor is
# what begins with the word true, false or null.
PLAIN = re.compile(r"(?!(?i:true|false|null)\b)(?!.*//)[A-Za-z/][A-Za-z0-9_./-]*$")


def hocon(value: str | int | bool) -> str:
    """The value, in double quotes where the server would read something else.

    The parsing is done in the server's apiserver/config/basic.py, which decodes no \\u escapes.
    A template stays one.
    """
    if isinstance(value, str) and PLAIN.match(value):
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return Template(quoted) if isinstance(value, Template) else quoted
