"""Which clusters come back when a clustering is repeated: one number for each cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scbench.graph.stable_k.jaccard import best_jaccard

__all__ = ["cluster_stability"]


def cluster_stability(labels: np.ndarray, partitions: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over partitions of :func:`scbench.graph.stable_k.jaccard.best_jaccard`.

    Args:
        labels: (n_cells,) integers, 0 to the last cluster without a gap.
        partitions: at least one, each (n_cells,) integers of at least 0.

    Returns:
        (n_clusters,) float64 in (0, 1].

    Raises:
        ValueError: the lengths differ, there are no cells, or there is no partition.

    Source: Hennig 2007, cluster-wise stability; there over bootstrap samples, here over whatever is repeated.
    """
    if not partitions:
        raise ValueError("stability needs at least one partition to look for the clusters in")
    found: np.ndarray = np.mean([best_jaccard(labels, other, int(labels.max()) + 1) for other in partitions], axis=0)
    return found
