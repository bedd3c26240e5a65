"""The order in which counts lie in the cache, and are given to methods: one that tells nothing of the file's.

Files are often sorted by type or by plate, so a method that knew the place of a cell in the file could score without
looking at a count. A permutation drawn from the seed alone keeps nothing from it: it has the seed, and can draw it too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # who only names the rule needs nothing of scipy
    from scipy.sparse import csr_matrix

__all__ = ["ROW_ORDER_RULE", "stored_order"]

# What a record says of the row order of its run. 1 (records without the field): drawn from the seed alone.
ROW_ORDER_RULE = 2
_STREAM = 0x0DE5
_SPARSE = 0.9  # share of values that are not 0, up to which their positions alone tell orders apart


def stored_order(matrix: csr_matrix, *, is_counts: bool) -> np.ndarray:
    """Return the permutation from file to cache: row i in the cache is row ``order[i]`` of the file.

    It is drawn from the sha256 of the counts *in file order*. So it is the same on every machine, for every format of
    the file, and for ``scbench.cluster``, which has no file; and a method cannot draw it. A method has the same rows
    in another order: it can hash them as they come, or sorted, but only the order of the file gives this hash, which
    is what it would have to know already. It can test a guess of the whole order, one of n! (fewer by the ways to
    exchange identical cells); no part of a guess is confirmed by itself.

    Values that are no counts may be ln(1 + x), whose last digit differs among processors. Of these, only where they
    are not 0 is hashed, unless hardly any is 0, in which case the positions say too little.

    Args:
        matrix: (n_cells, n_genes) checked counts in file order: float32, sorted indices, no explicit zeros.
        is_counts: whether they are whole numbers.

    Returns:
        (n_cells,) int64.
    """
    n_cells, n_genes = matrix.shape
    digest = hashlib.sha256(np.array([n_cells, n_genes], dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(matrix.indptr, dtype="<i8").data)
    digest.update(np.ascontiguousarray(matrix.indices, dtype="<i8").data)
    if is_counts or matrix.nnz > _SPARSE * n_cells * n_genes:
        digest.update(np.ascontiguousarray(matrix.data, dtype="<f4").data)
    words = np.frombuffer(digest.digest(), dtype="<u4").tolist()
    return np.random.default_rng([_STREAM, *words]).permutation(n_cells)
