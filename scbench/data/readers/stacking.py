"""Join blocks of a table into one sparse matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.sparse import csr_matrix

__all__ = ["BLOCK_BYTES", "stack", "transposed"]

BLOCK_BYTES = 32 * 2**20
"""Dense bytes that a reader holds at a time."""


def stack(blocks: Iterable[np.ndarray], *, shape: tuple[int, int], axis: Literal[0, 1] = 0) -> csr_matrix:
    """Return dense blocks, joined along ``axis``, as one CSR float32 matrix; each is made sparse as it comes.

    Args:
        blocks: parts of the table, in order.
        shape: of the whole, used when there are no blocks, that is when one of the two is 0.
        axis: 0 for blocks of rows, 1 for blocks of columns.
    """
    with np.errstate(over="ignore"):  # a value beyond float32 becomes inf, which the loader refuses
        parts = [csr_matrix(np.asarray(block, dtype=np.float32)) for block in blocks]
    if not parts:
        return csr_matrix(np.zeros(shape, dtype=np.float32))
    joined = sparse.vstack(parts, format="csr") if axis == 0 else sparse.hstack(parts, format="csr")
    return csr_matrix(joined, dtype=np.float32)


def transposed(matrix: csr_matrix) -> csr_matrix:
    """Return the transpose, again as CSR."""
    return csr_matrix(matrix.T)
