"""The released program's choice of genes: expressed high in the few cells that express them."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["genes_by_zero_rate"]

_LEAST_CELLS = 10
_DECAY = 1.5
_OFFSET = 0.02
_HIGHEST = 10.0
_MOST_STEPS = 100


def genes_by_zero_rate(counts: csr_matrix, n_cells: int, n_genes: int) -> np.ndarray:
    """Return the genes with more zeros than genes of their mean have.

    With m the mean of log2(count) over the cells that have the gene, a gene in at least 10 cells is kept when its
    share of zeros is above exp(-1.5 (m - b)) + 0.02. Bisection of b between 0 and 10 from 5, at most 100 steps, looks
    for exactly ``n_genes``.

    Args:
        counts: (n, n_all) CSR, >= 0, without stored zeros.
        n_cells: cells that count; the others must be empty.
        n_genes: wanted number, at least 1.

    Returns:
        Increasing int64 indices; those of the last step when no b gives exactly ``n_genes``.

    Source: the filter of scSAMAC's released program; Kobak and Berens 2019 describe it.
    """
    n_all = counts.shape[1]
    n_found = np.bincount(counts.indices, minlength=n_all)
    total = np.bincount(counts.indices, weights=np.log2(counts.data, dtype=np.float64), minlength=n_all)
    mean = total / np.maximum(n_found, 1)
    zeros = 1 - n_found / n_cells
    enough = n_found >= _LEAST_CELLS
    low, high, b = 0.0, _HIGHEST, _HIGHEST / 2
    for _ in range(_MOST_STEPS):
        kept = enough & (zeros > np.exp(-_DECAY * (mean - b)) + _OFFSET)
        n_kept = int(kept.sum())
        if n_kept == n_genes:
            break
        low, high = (b, high) if n_kept > n_genes else (low, b)
        b = (low + high) / 2
    return np.flatnonzero(kept)
