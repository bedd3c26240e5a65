"""The neighbour graph of some cells, kept between many runs of Leiden on it and on parts of it."""

from __future__ import annotations

import random

import igraph
import numpy as np
from scipy.sparse import triu

from scbench.graph.neighbours import umap_connectivities

__all__ = ["CellGraph"]

_ITERATIONS = 2  # as scbench.graph.communities


class CellGraph:
    """UMAP weights of the nearest neighbours of points, and Leiden on them.

    ``communities`` is :func:`scbench.graph.communities.communities` of the same weights, without making the graph anew.
    """

    def __init__(self, graph: igraph.Graph, seed: int) -> None:
        self._graph, self._seed = graph, seed

    @classmethod
    def of_points(cls, points: np.ndarray, n_neighbors: int, seed: int) -> CellGraph:
        """Return the graph of (n_cells, n_components) points; ``n_neighbors`` counts the cell itself, at least 2."""
        upper = triu(umap_connectivities(points, n_neighbors), k=1, format="coo")
        edges = np.column_stack([upper.row, upper.col]).astype(np.int64)
        graph = igraph.Graph(n=len(points), edges=edges, directed=False)
        graph.es["weight"] = upper.data.astype(np.float64).tolist()
        return cls(graph, seed)

    @property
    def n_cells(self) -> int:
        """How many cells the graph has."""
        return int(self._graph.vcount())

    def part(self, cells: np.ndarray) -> CellGraph:
        """Return the graph of some of the cells, increasing, with the edges that they have in this one."""
        return CellGraph(self._graph.induced_subgraph(cells.tolist()), self._seed)

    def communities(self, resolution: float) -> np.ndarray:
        """Return Leiden's communities by modularity, (n_cells,) int64 from 0."""
        igraph.set_random_number_generator(random.Random(self._seed))
        try:
            found = self._graph.community_leiden(
                objective_function="modularity", weights="weight", resolution=resolution, n_iterations=_ITERATIONS
            )
        finally:
            igraph.set_random_number_generator(random)
        return np.asarray(found.membership, dtype=np.int64)
