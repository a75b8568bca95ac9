"""Programs that run in pods, of files that are linted and tested as any other.

Those in Python run on 3.6 too, which the oldest image of the servers has.

Each is the first process of its container, for which Linux ignores SIGTERM unless the process
handles it: without that a pod takes its whole grace period to end. So all of them handle it.
"""

from collections.abc import Sequence
from importlib.resources import files

PYTHON = """\
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
"""
# A shell handles a signal between its commands only, or while it waits.
SHELL = """\
trap 'kill "$program"; wait "$program" 2>/dev/null; exit 143' TERM
(
%s
) &
program=$!
wait "$program" || exit
"""


def text_of(file: str) -> str:
    """Return the text of a program, such as `snapshots.py`, for `python3 -c` or `sh -c`."""
    text = _content(file)
    if file.endswith(".py"):
        return python(text)
    first_line, _, rest = text.partition("\n")  # says which shell
    return f"{first_line}\n{shell(rest)}"


def python(text: str) -> str:
    """Return a program in Python that ends on SIGTERM, with status 143."""
    return PYTHON + text


def shell(text: str) -> str:
    """Return a shell program that passes SIGTERM on to the one given, which dies of it.

    What the program runs at that moment dies with its container. More commands may follow.
    """
    return SHELL % text.rstrip("\n")


def served(*command: str, signal: str = "TERM") -> Sequence[str]:
    """Return the command of a container that runs a server, to which SIGTERM is that signal.

    All processes of the server get it, and the container lives until they have ended.
    """
    return ["bash", "-c", _content("serve.sh"), "serve", signal, *command]


def served_by_image(signal: str = "TERM") -> Sequence[str]:
    """Return the same for what the image of the ClearML servers starts, by its arguments."""
    return served("bash", "-c", _content("entrypoint.sh"), "clearml", signal=signal)


def _content(file: str) -> str:
    return files(__name__).joinpath(file).read_text(encoding="utf-8")
