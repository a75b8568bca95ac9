"""What a user can set: types, defaults, limits, descriptions, and how values are loaded."""

from config.error import ValuesError
from config.loading import load, values_files
from config.values import Values

__all__ = ["Values", "ValuesError", "load", "values_files"]
