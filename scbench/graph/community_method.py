"""Community detection on the neighbour graph as a method; Leiden and Louvain differ in the algorithm only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from scbench.graph.communities import Algorithm, communities, communities_matching_k
from scbench.graph.community_config import CommunityConfig
from scbench.graph.neighbours import NeighbourGraph, graph_of_points, neighbour_graph_with_recall
from scbench.method import Clustering, Counts, RunContext, check_n_clusters
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components

__all__ = ["CommunityMethod"]


class CommunityMethod:
    """Communities of the 20-nearest-neighbour graph of the standard recipe's principal components."""

    algorithm: ClassVar[Algorithm]

    def __init__(self, config: CommunityConfig) -> None:
        self.config = config

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Return the communities and the components.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
        """
        config = self.config
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        recipe = replace(STANDARD_RECIPE, hvg=config.n_top_genes)
        components = principal_components(counts, recipe, config.n_components, run.cache)
        graph = neighbour_graph_with_recall(
            counts,
            recipe,
            config.n_components,
            config.n_neighbors,
            run.cache,
            exact_cells=config.exact_neighbour_cells,
        )
        labels, info = self._communities(graph, n_clusters, run.seed)
        return Clustering(labels, embedding=components, info=info)

    def cluster_embedding(self, points: np.ndarray, n_clusters: int, run: RunContext) -> Clustering:
        """Return the communities of the neighbour graph of (n_cells, d) points.

        ``n_components`` and ``n_top_genes`` are not used.

        Raises:
            ValueError: as :meth:`fit_predict`.
        """
        check_n_clusters(n_clusters, len(points))
        graph = graph_of_points(points, self.config.n_neighbors, exact_cells=self.config.exact_neighbour_cells)
        labels, info = self._communities(graph, n_clusters, run.seed)
        return Clustering(labels, info=info)

    def _communities(self, graph: NeighbourGraph, n_clusters: int, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the communities of a graph, how the resolution was come by, and how complete the graph is."""
        resolution = self.config.fixed_resolution
        info: dict[str, Any] = {"match_k": resolution is None}
        if not graph.is_exact:
            limit = self.config.exact_neighbour_cells
            info["neighbours"] = f"approximate neighbours, as of more than {limit} cells"
            info["neighbour_recall"] = graph.recall
        if resolution is None:
            labels, found = communities_matching_k(graph.weights, n_clusters, self.algorithm, seed)
            info |= found
        else:
            labels = communities(graph.weights, self.algorithm, resolution, seed)
            info |= {"resolution": resolution}
        return labels, info
