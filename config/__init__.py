"""What a user can set: types, defaults, limits and descriptions of all values, and their loading."""

from config.loading import ValuesError, load
from config.values import Values

__all__ = ["Values", "ValuesError", "load"]
