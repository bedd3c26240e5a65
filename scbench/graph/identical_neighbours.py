"""Identical cells in lists of neighbours: at distance 0 exactly, and the same ones whatever the order of rows."""

from __future__ import annotations

import numpy as np

__all__ = ["settle_identical"]

_ROUNDING = 1e-5  # of a row's length: distances from dot products of float64 are off by 1e-7 of it


def settle_identical(x: np.ndarray, indices: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbours with identical cells at distance 0, and the first of them where not all fit into a list.

    Cells are identical when their rows of ``x`` are equal; rounding leaves up to 1e-7 of a row's length between some
    of them. Which copies of a profile a list names, and how near, is then rounding's choice, so the first by index are
    taken. The graph is the same for another order of the rows, but for which copy is which. And of more copies than
    neighbours all are tied to the same few: a star, which communities do not gain by splitting.

    Args:
        x: (n_cells, n_features) dense, finite.
        indices: (n_cells, k) int64, the other cells nearest to each row of ``x``.
        distances: (n_cells, k) float64 Euclidean distances, increasing.

    Returns:
        Indices and distances, increasing; the very arrays that were given when no two cells are identical.
    """
    suspects = np.flatnonzero((distances[:, :1] <= _ROUNDING * np.linalg.norm(x, axis=1, keepdims=True)).any(axis=1))
    _, found, sizes = np.unique(x[suspects], axis=0, return_inverse=True, return_counts=True)
    found = found.reshape(-1)  # numpy 2.0 gives it a second axis
    if sizes.max(initial=1) == 1:
        return indices, distances
    members = suspects[np.argsort(found, kind="stable")]  # one group after the other, each by index
    starts = np.cumsum(sizes) - sizes
    group, rank = np.full(len(x), -1), np.zeros(len(x), dtype=np.int64)
    group[suspects] = np.where(sizes[found] > 1, found, -1)
    rank[members] = np.arange(len(members)) - np.repeat(starts, sizes)

    rows = np.flatnonzero((group[indices] >= 0).any(axis=1))
    named = group[indices[rows]]
    is_own = (named == group[rows, None]) & (named >= 0)
    turn = _occurrences(named)
    turn += is_own & (turn >= rank[rows, None])  # a cell is not a neighbour of itself
    chosen = np.where(named >= 0, members[np.where(named >= 0, starts[named] + turn, 0)], indices[rows])
    settled = np.where(is_own, 0.0, distances[rows])
    order = np.argsort(settled, axis=1, kind="stable")
    indices, distances = indices.copy(), distances.copy()
    indices[rows] = np.take_along_axis(chosen, order, axis=1)
    distances[rows] = np.take_along_axis(settled, order, axis=1)
    return indices, distances


def _occurrences(values: np.ndarray) -> np.ndarray:
    """Return for each entry how often its value stands further left in its row."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    is_new = np.ones(values.shape, dtype=bool)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    columns = np.arange(values.shape[1])
    counted = np.empty(values.shape, dtype=np.int64)
    since = np.maximum.accumulate(np.where(is_new, columns, 0), axis=1)
    np.put_along_axis(counted, order, columns - since, axis=1)
    return counted
