"""Mistakes that a user can mend: shown as one line, exit status 2, never a traceback."""

from __future__ import annotations

__all__ = ["ConfigError", "DataError", "ScbenchError", "StoreError"]


class ScbenchError(Exception):
    """Something the user can mend. The message says what was wrong, what was found and what to do."""


class ConfigError(ScbenchError, ValueError):
    """A command line or configuration that cannot be run."""


class DataError(ScbenchError, ValueError):
    """A data file that is missing, damaged, or not what its description says."""


class StoreError(ScbenchError, OSError):
    """A run store that cannot be written."""
