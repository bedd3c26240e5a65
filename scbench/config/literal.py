"""A value written so that Hydra's grammar, and OmegaConf after it, give it back as it is."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["literal"]

_BEFORE_QUOTE = re.compile(r"(\\*)'")
_BEFORE_INTERPOLATION = re.compile(r"(\\*)\$\{")


def literal(value: Any) -> str:  # Any: as YAML has it
    """Return what stands for a value on Hydra's command line; a ``${...}`` in a text is no interpolation."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(literal(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{literal(item)}" for key, item in value.items()) + "}"
    # A backslash is itself, except to OmegaConf before an interpolation, and to Hydra's quotes before a quote.
    escaped = _BEFORE_INTERPOLATION.sub(r"\1\1\\${", str(value))
    return "'" + _BEFORE_QUOTE.sub(r"\1\1\\'", escaped + "'")[:-2] + "'"
