"""PCA + k-means: the floor that a deep method has to beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scbench_methods.pca_kmeans.config import PcaKmeansConfig

from scbench.kmeans import kmeans
from scbench.method import Clustering, Counts, RunContext, check_n_clusters
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components

__all__ = ["PcaKmeans"]


class PcaKmeans:
    """K-means on principal components of the standard recipe (``scbench.preprocessing.prepare.STANDARD_RECIPE``)."""

    def __init__(self, config: PcaKmeansConfig | None = None) -> None:
        self.config = config or PcaKmeansConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Return k-means labels and the components.

        The components do not depend on the seed; the seed decides the starts of k-means only.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
        """
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        recipe = replace(STANDARD_RECIPE, hvg=self.config.n_top_genes)
        components = principal_components(counts, recipe, self.config.n_components, run.cache)
        labels, _, inertia = kmeans(components, n_clusters, run.seed, n_init=self.config.n_init)
        return Clustering(labels, embedding=components, info={"inertia": inertia, "n_components": components.shape[1]})

    def cluster_embedding(self, points: np.ndarray, n_clusters: int, run: RunContext) -> Clustering:
        """Return k-means labels of (n_cells, d) points; ``n_components`` and ``n_top_genes`` are not used.

        Raises:
            ValueError: as :meth:`fit_predict`.
        """
        check_n_clusters(n_clusters, len(points))
        labels, _, inertia = kmeans(points, n_clusters, run.seed, n_init=self.config.n_init)
        return Clustering(labels, info={"inertia": inertia})
