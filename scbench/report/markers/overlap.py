"""Overlap of the markers of clusters with those of annotated types. Made with labels: for scoring only."""

from __future__ import annotations

import numpy as np

__all__ = ["best_shares", "shared_markers"]


def shared_markers(clusters: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Return how many markers each cluster shares with each type, (n_clusters, n_types) int64.

    Args:
        clusters, types: (n_clusters, n_top) and (n_types, n_top) int64 columns, the markers of each; within a row all
            different, in any order.

    Raises:
        ValueError: the numbers of markers differ, so that shares could not be compared.
    """
    if clusters.shape[1] != types.shape[1]:
        raise ValueError(
            f"clusters have {clusters.shape[1]} markers but types {types.shape[1]}; rank both on the same genes"
        )
    n_genes = int(max(clusters.max(), types.max())) + 1
    is_marker = [np.zeros((len(rows), n_genes), dtype=np.int64) for rows in (clusters, types)]
    for table, rows in zip(is_marker, (clusters, types), strict=True):
        np.put_along_axis(table, rows, 1, axis=1)
    return np.asarray(is_marker[0] @ is_marker[1].T)


def best_shares(shared: np.ndarray, n_top: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the type whose markers each cluster shares most, and the share in [0, 1], both (n_clusters,).

    Of equal types the first is taken: types are ordered by size. A cluster that shares none with any type has type -1.

    Args:
        shared: see :func:`shared_markers`.
        n_top: markers of each.
    """
    most = shared.max(axis=1)
    return np.where(most > 0, shared.argmax(axis=1), -1), most / n_top
