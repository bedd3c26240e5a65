"""Average linkage of points that stand for several cells each."""

from __future__ import annotations

import numpy as np

__all__ = ["average_linkage"]


def average_linkage(distances: np.ndarray, sizes: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the clusters of average linkage (UPGMA) of weighted points, cut at a number of clusters.

    The distance of two clusters is the mean over the pairs of their cells, so the result is that of all cells when a
    point stands for cells at distance 0 from each other (scipy's linkage has no weights to say so). Time and memory go
    with the square of the points.

    Args:
        distances: (n, n) symmetric, non-negative, 0 on the diagonal; not changed.
        sizes: (n,) how many cells each point is, positive.
        n_clusters: from 1 to n.

    Returns:
        (n,) int64 labels, numbered by the first point of each cluster.

    Raises:
        ValueError: ``n_clusters`` is out of range.

    Source: Sokal & Michener 1958; the chain of nearest neighbours of Murtagh 1983, which gives the same tree.
    """
    n = len(sizes)
    if not 1 <= n_clusters <= n:
        raise ValueError(f"n_clusters must be between 1 and the {n} points, got {n_clusters}")
    merges = sorted(_merges(distances, sizes), key=lambda merge: merge[0])  # stable: a part stays before its whole
    parent = np.arange(n)
    for _, a, b in merges[: n - n_clusters]:
        parent[_root(parent, b)] = _root(parent, a)
    roots = np.array([_root(parent, point) for point in range(n)])
    _, first, inverse = np.unique(roots, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _merges(distances: np.ndarray, sizes: np.ndarray) -> list[tuple[float, int, int]]:
    """Return the height of each merge and a point of either side, in the order in which the chain finds them."""
    between = distances.astype(np.float64, copy=True)
    np.fill_diagonal(between, np.inf)
    weight = sizes.astype(np.float64)
    height = np.zeros(len(sizes))
    is_left = np.ones(len(sizes), dtype=bool)
    chain: list[int] = []
    merges: list[tuple[float, int, int]] = []
    while len(merges) < len(sizes) - 1:
        if not chain:
            chain = [int(np.argmax(is_left))]
        tip = chain[-1]
        nearest = int(np.argmin(between[tip]))
        if len(chain) > 1 and between[tip, chain[-2]] <= between[tip, nearest]:  # of equals the one it came from
            nearest = chain[-2]
        if len(chain) < 2 or nearest != chain[-2]:
            chain.append(nearest)
            continue
        chain = chain[:-2]
        height[nearest] = max(
            between[tip, nearest], height[nearest], height[tip]
        )  # rounding puts no whole below a part
        merges.append((float(height[nearest]), nearest, tip))
        joined = (weight[tip] * between[tip] + weight[nearest] * between[nearest]) / (weight[tip] + weight[nearest])
        between[nearest], between[:, nearest] = joined, joined
        between[tip], between[:, tip] = np.inf, np.inf
        between[nearest, nearest] = np.inf
        weight[nearest] += weight[tip]
        is_left[tip] = False
    return merges


def _root(parent: np.ndarray, point: int) -> int:
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = int(parent[point])
    return point
