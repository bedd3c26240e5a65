"""Which clusters come back when a clustering is repeated: one number for each cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scbench.metrics.contingency import cross_tabulate

__all__ = ["best_jaccard", "cluster_stability"]


def best_jaccard(labels: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how well each cluster is found again in another partition of the same cells.

    For a cluster C, the largest of ``|C and D| / |C or D|`` over all clusters D of the other partition.

    Args:
        labels: (n_cells,) integers, 0 to the last cluster without a gap.
        other: (n_cells,) integers.

    Returns:
        (n_clusters,) float64 in (0, 1].

    Raises:
        ValueError: the lengths differ, or there are no cells.
    """
    if labels.shape != other.shape or not len(labels):
        raise ValueError(f"partitions must be of the same cells, got {len(labels)} and {len(other)} of them")
    table = cross_tabulate(labels, np.unique(other, return_inverse=True)[1])
    union = table.type_sizes[table.types] + table.cluster_sizes[table.clusters] - table.counts
    found = np.zeros(len(table.type_sizes))
    np.maximum.at(found, table.types, table.counts / union)
    return found


def cluster_stability(labels: np.ndarray, partitions: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over partitions of :func:`best_jaccard`, (n_clusters,) float64 in (0, 1].

    Raises:
        ValueError: as there, or no partition.

    Source: Hennig 2007, cluster-wise stability; there over bootstrap samples, here over whatever is repeated.
    """
    if not partitions:
        raise ValueError("stability needs at least one partition to look for the clusters in")
    found: np.ndarray = np.mean([best_jaccard(labels, other) for other in partitions], axis=0)
    return found
