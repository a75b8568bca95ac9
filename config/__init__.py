"""What a user can set: types, defaults, limits, descriptions, and how values are loaded."""

from config.loading import ValuesError, load, values_files
from config.values import Values

__all__ = ["Values", "ValuesError", "load", "values_files"]
