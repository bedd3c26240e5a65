"""A random partition: what a score is worth nothing below."""

from __future__ import annotations

import numpy as np
from scbench_methods.random.config import RandomConfig

from scbench.method import Clustering, Counts, RunContext, check_n_clusters

__all__ = ["RandomPartition"]


class RandomPartition:
    """Give every cell a cluster drawn uniformly from ``n_clusters``, whatever its counts."""

    def __init__(self, config: RandomConfig | None = None) -> None:
        self.config = config or RandomConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Return the random partition.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
        """
        n_cells = counts.matrix.shape[0]
        check_n_clusters(n_clusters, n_cells)
        return Clustering(labels=run.rng.integers(n_clusters, size=n_cells, dtype=np.int64))
