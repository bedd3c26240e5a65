"""Scores of a partition without annotated types, in spaces that no method owns."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

__all__ = ["modularity", "silhouette"]


def modularity(adjacency: csr_matrix, labels: np.ndarray) -> float:
    """Return the weighted modularity of a partition of a graph's nodes, in [-0.5, 1).

    The share of the edges' weight that lies within groups, minus what a random graph of the same degrees would have
    there. One group of all nodes scores 0, as does a graph without edges.

    Args:
        adjacency: (n, n) CSR, symmetric, non-negative weights, no diagonal.
        labels: (n,) integers.

    Raises:
        ValueError: if there is not one label for each node.

    Source: Newman & Girvan 2004; the weighted form of Newman 2004.
    """
    if labels.shape != (adjacency.shape[0],):
        raise ValueError(f"a graph of {adjacency.shape[0]} nodes needs as many labels, got shape {labels.shape}")
    groups = np.unique(labels, return_inverse=True)[1]
    edges = adjacency.tocoo()
    degrees = np.bincount(edges.row, weights=edges.data, minlength=len(groups))  # in float64
    twice_total = degrees.sum()
    if twice_total == 0:
        return 0.0
    within = edges.data[groups[edges.row] == groups[edges.col]].sum(dtype=np.float64)
    by_group = np.bincount(groups, weights=degrees)
    return float(within / twice_total - np.square(by_group / twice_total).sum())


def silhouette(points: np.ndarray, labels: np.ndarray, sample_size: int, seed: int) -> float:
    """Return the mean silhouette of a random sample of cells, in [-1, 1].

    A partition for which it is not defined (a single cluster, or a cluster for each cell of the sample) gets -1, so
    that a search never takes a collapse for a success.

    Args:
        points: (n_cells, n_features).
        labels: (n_cells,) integers.
        sample_size: most cells to use, at least 2; the pairwise distances of so many cells are computed in blocks.
        seed: of the sample.

    Raises:
        ValueError: if there is not one label for each cell, or the sample is too small.

    Source: Rousseeuw 1987, as scikit-learn computes it.
    """
    if labels.shape != (len(points),):
        raise ValueError(f"{len(points)} cells need as many labels, got shape {labels.shape}")
    if sample_size < 2:
        raise ValueError(f"sample_size must be at least 2, got {sample_size}")
    from sklearn.metrics import silhouette_score

    if sample_size < len(points):
        chosen = np.sort(np.random.default_rng(seed).choice(len(points), sample_size, replace=False))
        points, labels = points[chosen], labels[chosen]
    if not 2 <= len(np.unique(labels)) < len(labels):
        return -1.0
    return float(silhouette_score(points, labels))
