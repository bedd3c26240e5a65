"""Community detection on the neighbour graph as a method; Leiden and Louvain differ in the algorithm only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from scbench.graph.communities import Algorithm, communities, communities_matching_k
from scbench.graph.community_config import CommunityConfig
from scbench.graph.neighbours import neighbour_graph
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
        graph = neighbour_graph(counts, recipe, config.n_components, config.n_neighbors, run.cache)
        resolution = config.fixed_resolution
        info: dict[str, Any] = {"match_k": resolution is None}
        if resolution is None:
            labels, found = communities_matching_k(graph, n_clusters, self.algorithm, run.seed)
            info |= found
        else:
            labels = communities(graph, self.algorithm, resolution, run.seed)
            info |= {"resolution": resolution}
        return Clustering(labels, embedding=components, info=info)
