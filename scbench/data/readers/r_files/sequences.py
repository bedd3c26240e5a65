"""Sequences such as 1:n, of which R files since version 3.5 store only start, step and length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scbench.data.readers.declared import refuse_unstored

__all__ = ["bounded_sequences"]

_SEQUENCES = (b"compact_intseq", b"compact_realseq")
_VALUE_BYTES = 8
_Constructor = Callable[[Any], tuple[Any, Any]]  # Any: objects of rdata, which is optional


def bounded_sequences(path: Path) -> Mapping[bytes, _Constructor]:
    """Return what ``rdata`` expands compact vectors with, stopping at lengths that a file of this size never means.

    Sequences number the rows of tables and the like, whose other columns are stored; the sum over a file is looked at.

    The constructors raise DataError then.
    """
    from rdata.parser import DEFAULT_ALTREP_MAP

    n_stored, n_values = path.stat().st_size, 0

    def bounded(expand: _Constructor) -> _Constructor:
        def expanded(state: Any) -> tuple[Any, Any]:
            nonlocal n_values
            n_values += max(0, int(state.value[0]))
            refuse_unstored(path.name, "a sequence", (n_values,), _VALUE_BYTES, n_stored)
            return expand(state)

        return expanded

    return {**DEFAULT_ALTREP_MAP, **{name: bounded(DEFAULT_ALTREP_MAP[name]) for name in _SEQUENCES}}
