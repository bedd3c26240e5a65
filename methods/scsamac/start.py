"""The clusters that stage 2 starts from: k-means on the pre-trained latent, or its communities."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from scbench_methods.scsamac.config import ScSamacConfig

from scbench.graph.communities import communities
from scbench.graph.neighbours import umap_connectivities
from scbench.kmeans import kmeans

__all__ = ["Start", "first_clusters"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """First clusters.

    Attributes:
        labels: (n_cells,) int64.
        centroids: (n_found, 32) float32.
        k_mode: "given", "latent communities", or "given: more communities than clusters" when these were too many.
        n_communities: communities of the latent, None when they were not looked for.
    """

    labels: np.ndarray
    centroids: np.ndarray
    k_mode: str
    n_communities: int | None


def first_clusters(latent: np.ndarray, n_clusters: int, config: ScSamacConfig, seed: int) -> Start:
    """Return the clusters of a latent.

    A method may not return more clusters than it was asked for, so ``n_clusters`` is the upper bound of an estimate.

    Args:
        latent: (n_cells, 32) float32.
        n_clusters: at most n_cells.
        config: how they are found.
        seed: of k-means and Leiden.
    """
    n_communities = None
    if config.estimate_k == "latent":
        graph = umap_connectivities(latent, config.n_neighbors)
        labels = communities(graph, "leiden", config.resolution, seed)
        n_communities = int(labels.max()) + 1
        if n_communities <= n_clusters:
            sums = np.zeros((n_communities, latent.shape[1]))
            np.add.at(sums, labels, latent)
            means = sums / np.bincount(labels)[:, None]
            return Start(labels, means.astype(latent.dtype), "latent communities", n_communities)
        _log.warning(
            "the latent has %d communities but at most %d clusters were asked for; k-means with %d instead",
            n_communities,
            n_clusters,
            n_clusters,
        )
    labels, centroids, _ = kmeans(latent, n_clusters, seed, n_init=config.n_init)
    k_mode = "given" if n_communities is None else "given: more communities than clusters"
    return Start(labels, centroids, k_mode, n_communities)
