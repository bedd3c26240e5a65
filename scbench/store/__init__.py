"""Runs that have been made: one record each, its files, the index of a store, and archives of them.

``scbench.store.load(DIR)`` gives them as a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scbench.store.store import Store, load

__all__ = ["Store", "load"]


def __getattr__(name: str) -> Any:
    """Return what :mod:`scbench.store.store` has (PEP 562): with pandas, which reading one record does not need."""
    if name in __all__:
        from scbench.store import store

        return getattr(store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
