"""scbench: a benchmark of single-cell clustering that labs can believe."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # editors complete and type checkers see what __getattr__ finds
    from scbench.own_cells.cluster import cluster
    from scbench.own_cells.compare import compare
    from scbench.own_cells.estimate_k import estimate_k

__all__ = ["__version__", "cluster", "compare", "estimate_k"]
__version__ = "0.1.0"

_OWN_CELLS = ("cluster", "compare", "estimate_k")


def __getattr__(name: str) -> Any:
    """Import a function for one's own cells when it is first used: a command must not wait for array libraries.

    No file of this folder may have the name of one of them: to import it would put the module in the function's place.
    """
    if name not in _OWN_CELLS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = getattr(importlib.import_module(f"{__name__}.own_cells.{name}"), name)
    globals()[name] = function
    return function


def __dir__() -> list[str]:
    """Return the names of this package, with those that are not imported yet."""
    return sorted({*globals(), *__all__})
