"""Inputs that do not depend on the seed, kept in memory for the runs of one call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.cache import permuted
from scbench.inputs import Compute, Derived, InputCache

__all__ = ["SharedInputs"]

_LARGE = "prepare"  # what only other inputs are made of is as large as the counts, and not kept


class SharedInputs:
    """Components, neighbour graphs and the like of one matrix, each computed once.

    Args:
        stored: (n_cells, n_genes) counts; what is kept has its order.
    """

    def __init__(self, stored: csr_matrix) -> None:
        self._stored = stored
        self._kept: dict[str, Derived] = {}

    def serving(self, matrix: csr_matrix, order: np.ndarray) -> InputCache:
        """Return the cache of a run, whose row i of ``matrix`` is row ``order[i]`` of the stored counts."""
        return _Serving(self, matrix, order)

    def entry(self, kind: str, params: Mapping[str, Any], compute: Compute, *, is_inner: bool) -> Derived:
        """Return an entry in stored order."""
        name = json.dumps([kind, params, compute.__module__, compute.__qualname__], sort_keys=True)
        if name in self._kept:
            return self._kept[name]
        computed = compute(self._stored, _Serving(self, self._stored, np.arange(self._stored.shape[0]), is_inner=True))
        if not (is_inner and kind == _LARGE):
            self._kept[name] = computed
        return computed


class _Serving:
    """See :class:`scbench.inputs.InputCache`."""

    def __init__(self, inputs: SharedInputs, matrix: csr_matrix, order: np.ndarray, *, is_inner: bool = False) -> None:
        self._inputs, self._matrix, self._order, self._is_inner = inputs, matrix, order, is_inner

    def get(self, matrix: csr_matrix, kind: str, params: Mapping[str, Any], compute: Compute) -> Derived:
        """Return the derived arrays for ``matrix``, in its row order."""
        if matrix is not self._matrix:
            return compute(matrix, None)
        return permuted(self._inputs.entry(kind, params, compute, is_inner=self._is_inner), self._order)
