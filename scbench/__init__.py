"""scbench: a benchmark of single-cell clustering that labs can believe."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scbench.cluster import cluster

__all__ = ["__version__", "cluster"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import ``scbench.cluster`` when it is first used: a command must not wait for array libraries."""
    if name == "cluster":
        return importlib.import_module("scbench.cluster")  # callable; see there
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
