"""What is computed from counts without a seed (normalised values, components, neighbours), and who may cache it.

The rows of a dataset are permuted with each run's seed, so a cache holds file order and permutes on the way out.
A cache therefore has to know how each array follows the cells; :class:`Derived` says it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["Array", "Derived", "InputCache", "derive"]

Array = np.ndarray | csr_matrix


@dataclass(frozen=True)
class Derived:
    """Arrays computed from one counts matrix.

    Attributes:
        per_cell: first axis runs over cells (dense or CSR).
        cell_by_cell: (n_cells, n_cells) CSR; both axes run over cells.
        shared: does not depend on the order of the cells (gene indices, component loadings, ...).
    """

    per_cell: Mapping[str, Array] = field(default_factory=dict)
    cell_by_cell: Mapping[str, csr_matrix] = field(default_factory=dict)
    shared: Mapping[str, np.ndarray] = field(default_factory=dict)


Compute = Callable[[csr_matrix, "InputCache | None"], Derived]


class InputCache(Protocol):
    """Serves derived arrays of the one matrix it was made for."""

    def get(self, matrix: csr_matrix, kind: str, params: Mapping[str, Any], compute: Compute) -> Derived:
        """Return the stored result of ``compute`` for ``matrix``, in the row order of ``matrix``.

        ``compute`` is called with the matrix in file order and with a cache that serves that order. A matrix other
        than the run's own is never looked up: it is computed afresh and not stored.
        """
        ...


def derive(
    matrix: csr_matrix, kind: str, params: Mapping[str, Any], compute: Compute, cache: InputCache | None
) -> Derived:
    """Return ``compute(matrix, cache)``, through ``cache`` when there is one.

    Args:
        matrix: (n_cells, n_genes) CSR counts.
        kind: name of the computation; together with ``params`` it identifies the result.
        params: everything that changes the result, as JSON-able scalars, lists and mappings.
        compute: the computation; gets the matrix (in any row order) and the cache to use for what it builds on.
        cache: the run's cache, or None.
    """
    if cache is None:
        return compute(matrix, None)
    return cache.get(matrix, kind, params, compute)
