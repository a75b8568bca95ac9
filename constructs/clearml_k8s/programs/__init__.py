"""Programs that run in pods, of files that are linted and tested as any other."""

from importlib.resources import files


def text_of(name: str) -> str:
    """The text of the program `<name>.py`, for `python3 -c`."""
    return files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
