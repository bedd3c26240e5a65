"""Cells with the same values in every gene, found without comparing each with each."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["n_identical", "profile_of"]

_BLOCK = 2**16  # stored values that are hashed at a time: half a megabyte, which the allocator keeps
_SEED = 0x1DC


def profile_of(matrix: csr_matrix) -> np.ndarray:
    """Return the first cell that each cell is identical to, itself where it is the first.

    Rows are hashed to 64 bits, and those with one hash are compared.

    Args:
        matrix: (n_cells, n_genes) CSR float32 with sorted indices and no stored zeros.

    Returns:
        (n_cells,) int64.
    """
    hashes = _hashes(matrix)
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    same = first[group]
    twins = np.flatnonzero(same != np.arange(len(same)))
    if len(twins):
        differs = np.diff(csr_matrix(matrix[twins] - matrix[same[twins]]).tocsr().indptr) > 0
        same[twins[differs]] = twins[differs]
    return same


def n_identical(matrix: csr_matrix) -> tuple[int, int]:
    """Return how many cells are identical to another, and how many profiles these have; cells without a value aside.

    Args:
        matrix: as :func:`profile_of`.
    """
    same = profile_of(matrix)[np.diff(matrix.indptr) > 0]
    counts = np.unique(same, return_counts=True)[1]
    return int(counts[counts > 1].sum()), int((counts > 1).sum())


def _hashes(matrix: csr_matrix) -> np.ndarray:
    """Return a hash of each row, (n_rows,) uint64: the sum of its values' bits, each times a random odd number."""
    rng = np.random.default_rng(_SEED)
    factors = rng.integers(2**63, size=matrix.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = rng.integers(2**63, size=matrix.shape[1], dtype=np.uint64)
    hashes = np.zeros(matrix.shape[0], dtype=np.uint64)
    starts = np.searchsorted(matrix.indptr[:-1], np.arange(0, matrix.nnz, _BLOCK))
    edges = np.unique([0, *starts, matrix.shape[0]])
    for low, high in pairwise(edges):
        part = slice(matrix.indptr[low], matrix.indptr[high])
        columns = matrix.indices[part]
        bits = matrix.data[part].astype(np.float32).view(np.uint32).astype(np.uint64)
        terms = (bits + offsets[columns]) * factors[columns]
        terms ^= terms >> np.uint64(29)
        filled = np.flatnonzero(np.diff(matrix.indptr[low : high + 1]))
        if len(filled):
            hashes[low + filled] = np.add.reduceat(terms, matrix.indptr[low:high][filled] - matrix.indptr[low])
    return hashes
