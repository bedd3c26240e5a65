"""UMAP's weights of a neighbour graph, for all cells at once.

The umap-learn package computes the same; it is the oracle of the test. It is not called here because each process that
needs a graph would import and compile it: version 0.5.12 takes 12 s for that on one x86_64 thread, and then 20 ms for
4271 cells with 20 neighbours each, which take 17 ms here.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["umap_weights"]

_BISECTIONS = 64
_TOLERANCE = 1e-5
_SMALLEST_SCALE = 1e-3  # of the mean distance


def umap_weights(indices: np.ndarray, distances: np.ndarray) -> csr_matrix:
    """Return the symmetric membership weights of each cell's neighbours.

    A cell's weight for a neighbour at distance d is exp(-(d - rho) / sigma), rho being the distance of its nearest
    neighbour, and sigma such that its weights sum to log2(k + 1). The two directions a, b of an edge become
    a + b - a b.

    Identical cells are neighbours at distance 0, so rho is 0 for them: they get what a jitter gives them as it goes
    to zero (1 for each neighbour where all are identical). This departs from umap-learn, whose rho is the nearest
    distance above 0: there the nearest stranger of a cell gets weight 1 however far it is, and strangers share half of
    the weight. Of 12 profiles with 10 copies each, Leiden at resolution 1 finds 4 to 8 on such weights, and all 12 on
    these or with a jitter of 0.001. Without identical cells the two are the same.

    Args:
        indices: (n_cells, k) int, the other cells nearest to each cell.
        distances: (n_cells, k) their distances, increasing.

    Returns:
        (n_cells, n_cells) float32 CSR, symmetric, weights in (0, 1], empty diagonal.

    Source: McInnes, Healy and Melville 2018 (arXiv 1802.03426), algorithms 1 to 3, with local connectivity 1. As
    in umap-learn, sigma is at least a thousandth of the cell's mean distance (the cell itself counted in the mean).
    """
    n_cells, k = indices.shape
    if k == 0:
        return csr_matrix((n_cells, n_cells), dtype=np.float32)
    beyond = distances - distances[:, :1]
    own_mean = distances.sum(axis=1) / (k + 1)
    scale = np.maximum(_scales(beyond, np.log2(k + 1)), _SMALLEST_SCALE * own_mean)
    memberships = np.exp(-beyond / scale[:, None])
    starts = np.arange(0, n_cells * k + 1, k)
    directed = csr_matrix((memberships.ravel(), indices.ravel(), starts), shape=(n_cells, n_cells))
    reverse = directed.T.tocsr()
    weights = csr_matrix(directed + reverse - directed.multiply(reverse), dtype=np.float32)
    weights.eliminate_zeros()
    weights.sort_indices()
    return weights


def _scales(beyond: np.ndarray, target: float) -> np.ndarray:
    """Return sigma of each cell by bisection; a cell that cannot reach ``target`` gets what the last step gave."""
    n_cells = len(beyond)
    low, high, middle = np.zeros(n_cells), np.full(n_cells, np.inf), np.ones(n_cells)
    searching = np.arange(n_cells)
    for _ in range(_BISECTIONS):
        sums = np.exp(-beyond[searching] / middle[searching, None]).sum(axis=1)
        is_off = np.abs(sums - target) >= _TOLERANCE
        searching, sums = searching[is_off], sums[is_off]
        if not len(searching):
            break
        too_wide = searching[sums > target]
        too_narrow = searching[sums <= target]
        high[too_wide] = middle[too_wide]
        low[too_narrow] = middle[too_narrow]
        bounded = np.isfinite(high[searching])
        middle[searching] = np.where(bounded, (low[searching] + high[searching]) / 2, middle[searching] * 2)
    return middle
