"""The lowest resolution at which cells fall apart into communities, and how well a partition is found again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scbench.graph.stable_k.cell_graph import CellGraph
from scbench.graph.stable_k.jaccard import best_jaccard
from scbench.graph.stable_k.rule import RESOLUTIONS, SMALLEST_CLUSTER

__all__ = ["falls_apart", "lowest_resolution", "stability_of_clusters"]

_SCANNED = 100


def falls_apart(labels: np.ndarray) -> bool:
    """Return whether two or more communities have cells enough to count."""
    return int((np.bincount(labels) >= SMALLEST_CLUSTER).sum()) > 1


def lowest_resolution(graph: CellGraph) -> int:
    """Return the place in ``RESOLUTIONS`` of the lowest at which the graph falls apart; their number if at none.

    By bisection: a graph that falls apart at one resolution is taken to do so at every higher one. Fewer than
    ``_SCANNED`` cells are in communities too small to count before long, so for these each resolution is tried.
    """
    if graph.n_cells < _SCANNED:
        tried = (i for i, one in enumerate(RESOLUTIONS) if falls_apart(graph.communities(one)))
        return next(tried, len(RESOLUTIONS))
    whole, apart = -1, len(RESOLUTIONS) - 1
    if not falls_apart(graph.communities(RESOLUTIONS[apart])):
        return len(RESOLUTIONS)
    while apart - whole > 1:
        middle = (whole + apart) // 2
        if falls_apart(graph.communities(RESOLUTIONS[middle])):
            apart = middle
        else:
            whole = middle
    return apart


def stability_of_clusters(
    labels: np.ndarray, resolution: float, parts: Sequence[tuple[np.ndarray, CellGraph]]
) -> np.ndarray:
    """Return for each cluster the mean over subsamples of the Jaccard index with the community most like it there.

    Args:
        labels: (n_cells,) clusters 0, 1, ...
        resolution: of the communities of the subsamples.
        parts: for each subsample its cells, and the graph of these.

    Returns:
        (n_clusters,) float64 in [0, 1]; 0 for a cluster without a cell in any subsample.

    Source: Hennig 2007, with subsets in place of bootstrap samples, which would hold cells twice.
    """
    n_clusters = int(labels.max()) + 1
    found = np.array([best_jaccard(labels[cells], part.communities(resolution), n_clusters) for cells, part in parts])
    n_seen = (~np.isnan(found)).sum(axis=0)
    return np.asarray(np.nansum(found, axis=0) / np.maximum(n_seen, 1))
