"""An order of cells that follows from their counts alone, so that no result depends on the order of the rows."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["canonical_order"]

_STREAM = 0x5AB1E


def canonical_order(matrix: csr_matrix) -> np.ndarray:
    """Return the permutation that sorts cells by a hash of their counts: the same cells for any order of the rows.

    The hash is the sum over a cell's genes of (bits of the value) x (random odd 64-bit number of the gene), modulo
    2^64: exact, so it does not depend on the order of summation. Identical cells stay in the order that they have.

    Args:
        matrix: (n_cells, n_genes) float32 CSR.

    Returns:
        (n_cells,) int64.
    """
    n_genes = matrix.shape[1]
    of_gene = np.random.default_rng(_STREAM).integers(0, 2**63, n_genes, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    bits = np.ascontiguousarray(matrix.data, dtype=np.float32).view(np.uint32).astype(np.uint64)
    running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(bits * of_gene[matrix.indices])])
    hashes = running[matrix.indptr[1:]] - running[matrix.indptr[:-1]]
    return np.argsort(hashes, kind="stable")
