"""Final labels from trained representations, on the CPU so that they do not depend on the device."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

__all__ = ["in_mini_batches", "kmeans_labels"]

# Above so many cells, k-means sees them in mini-batches.
_MOST_CELLS = 200_000
_RANDOM_START_ROUNDS = 100


def in_mini_batches(n_cells: int) -> bool:
    """Return whether :func:`kmeans_labels` sees so many cells in mini-batches."""
    return n_cells > _MOST_CELLS


def kmeans_labels(points: np.ndarray, n_clusters: int, seed: int, start: str, n_init: int) -> np.ndarray:
    """Return (n_cells,) int64 labels of k-means on representations.

    Args:
        points: (n_cells, n_features) float32; above 200 000 cells they are seen in mini-batches.
        n_clusters: between 1 and n_cells.
        seed: of the starts.
        start: "k-means++", or "random" cells as in the released program of CICL.
        n_init: starts, at least 1; the lowest sum of squared distances wins.
    """
    options = {"init": start, "n_init": n_init, "random_state": seed}
    kind = MiniBatchKMeans if in_mini_batches(len(points)) else KMeans
    if start == "random":
        options["max_iter"] = _RANDOM_START_ROUNDS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one per run when points repeat
        labels = kind(n_clusters, **options).fit_predict(points)
    return np.asarray(labels, dtype=np.int64)
