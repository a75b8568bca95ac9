"""Programs that run in pods, with the Python that the server's image has (3.6 at least)."""

from importlib.resources import files


def source(name: str) -> str:
    """The source of the program of that name."""
    return files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")


def shell_source(name: str) -> str:
    """The source of the shell script of that name, for images without Python."""
    return files(__name__).joinpath(f"{name}.sh").read_text(encoding="utf-8")
