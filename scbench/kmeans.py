"""k-means with scikit-learn's defaults except more restarts."""

from __future__ import annotations

import logging
import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from scbench.inputs import Array

__all__ = ["kmeans"]

_log = logging.getLogger(__name__)


def kmeans(x: Array, n_clusters: int, seed: int, n_init: int = 20) -> tuple[np.ndarray, np.ndarray, float]:
    """Return labels, centroids and inertia of the best of ``n_init`` k-means runs (k-means++ starts, Lloyd).

    The same seed gives the same labels on one thread. With fewer distinct points than clusters some clusters stay
    empty, and their centroids repeat others.

    Args:
        x: (n_cells, n_features) dense or CSR, finite; not changed.
        n_clusters: between 1 and n_cells.
        seed: of the starts.
        n_init: number of runs, at least 1.

    Returns:
        (n_cells,) int64 labels, (n_clusters, n_features) centroids of the type of ``x``, sum of squared distances.

    Raises:
        ValueError: if ``n_clusters`` or ``n_init`` is out of range.
    """
    n_cells = x.shape[0]
    if not 1 <= n_clusters <= n_cells:
        raise ValueError(f"n_clusters must be between 1 and the {n_cells} cells, got {n_clusters}")
    if n_init < 1:
        raise ValueError(f"n_init must be at least 1, got {n_init}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one per run when points repeat
        model = KMeans(n_clusters, n_init=n_init, random_state=seed).fit(x)
    labels = model.labels_.astype(np.int64)
    n_found = len(np.unique(labels))
    if n_found < n_clusters:
        _log.debug("k-means filled %d of %d clusters: too few distinct points", n_found, n_clusters)
    return labels, model.cluster_centers_, float(model.inertia_)
