"""How well the clusters of some cells are found again among other clusters of the same cells."""

from __future__ import annotations

import numpy as np

__all__ = ["best_jaccard"]


def best_jaccard(reference: np.ndarray, found: np.ndarray, n_reference: int) -> np.ndarray:
    """Return for each cluster of a partition the Jaccard index with the cluster of another that is most like it.

    The Jaccard index of two sets of cells is the size of what they share over the size of their union.

    Args:
        reference: (n_cells,) whole numbers in 0 to ``n_reference`` - 1.
        found: (n_cells,) whole numbers of at least 0, of the same cells.
        n_reference: number of clusters of the reference, some of which may have no cell here.

    Returns:
        (n_reference,) float64 in (0, 1]; NaN for a cluster without a cell.

    Raises:
        ValueError: when the two are not of the same cells, or there is none.

    Source: Hennig 2007, section 2.
    """
    if len(reference) != len(found) or not len(found):
        raise ValueError(f"two partitions of the same cells are needed, got {len(reference)} and {len(found)} cells")
    n_found = int(found.max()) + 1
    shared = np.bincount(reference * n_found + found, minlength=n_reference * n_found).reshape(n_reference, n_found)
    sizes = shared.sum(axis=1)
    union = sizes[:, None] + shared.sum(axis=0)[None, :] - shared
    best = (shared / np.maximum(union, 1)).max(axis=1)
    return np.asarray(np.where(sizes > 0, best, np.nan))
