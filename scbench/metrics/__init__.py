"""Scores of a partition: against annotated types, and in spaces that no method owns.

What computes is imported when it is asked for: who shows stored scores needs :mod:`scbench.metrics.registry` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scbench.metrics.external import matching, score

__all__ = ["matching", "score"]


def __getattr__(name: str) -> Any:
    """Return a function of :mod:`scbench.metrics.external` (PEP 562)."""
    if name in __all__:
        from scbench.metrics import external

        return getattr(external, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
