"""Programs that run in pods, of files that are linted and tested as any other.

Those in Python run on 3.6 too, which the oldest image of the servers has.
"""

from importlib.resources import files


def text_of(file: str) -> str:
    """The text of a program, such as `copies.py`, for `python3 -c` or `sh -c`."""
    return files(__name__).joinpath(file).read_text(encoding="utf-8")
