"""Fit a method to cells with one seed or several, in the order of rows that the benchmark uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.stored_order import stored_order
from scbench.graph.communities import communities
from scbench.graph.estimate_k import k_with_evidence
from scbench.graph.neighbours import umap_connectivities
from scbench.method import Clustering, Counts, EmbeddingMethod, MethodConfig, RunContext
from scbench.metrics import score
from scbench.metrics.consensus import consensus, spread
from scbench.own_cells.shared_inputs import SharedInputs
from scbench.plugins import Plugin
from scbench.result_check import check_clustering
from scbench.run.seeding import put_back, row_order, seeded

__all__ = ["CountCells", "EmbeddedCells", "several"]

_NEIGHBOURS_OF_ESTIMATE = 20  # as scbench.graph.estimate_k has them
Log = Callable[[int, dict[str, float]], None]


class CountCells:
    """Cells as counts (or log-normalised values), ready for one fit after the other.

    They are kept once, in the order that the first seed is given, which then needs no copy of its own.

    Args:
        counts: of which the caller need not keep the matrix.
        first_seed: see above; any other works as well.
    """

    def __init__(self, counts: Counts, first_seed: int) -> None:
        self.n_cells = counts.matrix.shape[0]
        self._stored_order = stored_order(counts.matrix, is_counts=counts.is_counts)
        self._order = self._order_of(first_seed)
        self._counts = dataclasses.replace(counts, matrix=csr_matrix(counts.matrix[self._order]))
        self._inputs = SharedInputs(self._counts.matrix)

    def estimated_k(self, rule: str) -> int:
        """Return the number of clusters that ``scbench.estimate_k`` gives by a rule."""
        counts, place = self._in_order(np.arange(self.n_cells))
        return k_with_evidence(counts, rule, self._inputs.serving(counts.matrix, place))[0]

    def fit(
        self, plugin: Plugin, config: MethodConfig, n_clusters: int, seed: int, device: str, log: Log
    ) -> Clustering:
        """Return the checked clustering, in the order that the cells came in."""
        order = self._order_of(seed)
        counts, place = self._in_order(order)
        run = RunContext(seed, device, cache=self._inputs.serving(counts.matrix, place), on_log=log)
        method = plugin.create(config)
        with seeded(seed, uses_torch=config.USES_TORCH):
            fitted = check_clustering(method.fit_predict(counts, n_clusters, run), self.n_cells)
        return _put_back(fitted, order)

    def fit_some(self, plugin: Plugin, config: MethodConfig, n_clusters: int, n_cells: int) -> None:
        """Fit to the first of the kept cells, which are in a random order, and keep nothing."""
        counts = dataclasses.replace(self._counts, matrix=csr_matrix(self._counts.matrix[:n_cells]))
        with seeded(0, uses_torch=config.USES_TORCH):
            plugin.create(config).fit_predict(counts, min(n_clusters, n_cells), RunContext(0))

    def _order_of(self, seed: int) -> np.ndarray:
        """Return the order of the benchmark: row i of a run is cell ``order[i]``."""
        order: np.ndarray = self._stored_order[row_order(self.n_cells, seed)]
        return order

    def _in_order(self, order: np.ndarray) -> tuple[Counts, np.ndarray]:
        """Return counts whose row i is cell ``order[i]``, and which of the kept rows that is."""
        place = np.argsort(self._order)[order]
        if np.array_equal(order, self._order):
            return self._counts, place
        return dataclasses.replace(self._counts, matrix=csr_matrix(self._counts.matrix[place])), place


class EmbeddedCells:
    """Cells as points of an embedding.

    Args:
        points: (n_cells, d) float32.
    """

    def __init__(self, points: np.ndarray) -> None:
        self._points = points
        self.n_cells = len(points)

    def estimated_k(self, _rule: str) -> int:
        """Return the number of Leiden communities at resolution 1 of the graph of 20 neighbours of these points."""
        graph = umap_connectivities(self._points, _NEIGHBOURS_OF_ESTIMATE)
        return len(np.unique(communities(graph, "leiden", 1.0, 0)))

    def fit_some(self, plugin: Plugin, config: MethodConfig, n_clusters: int, n_cells: int) -> None:
        """Fit to some cells, chosen at random, and keep nothing."""
        method = plugin.create(config)
        rows = row_order(self.n_cells, 0)[:n_cells]
        if isinstance(method, EmbeddingMethod):
            method.cluster_embedding(self._points[rows], min(n_clusters, n_cells), RunContext(0))

    def fit(
        self, plugin: Plugin, config: MethodConfig, n_clusters: int, seed: int, device: str, log: Log
    ) -> Clustering:
        """Return the checked clustering, in the order of the points.

        Raises:
            TypeError: the method says that it clusters embeddings, and does not.
        """
        rows = row_order(self.n_cells, seed)
        method = plugin.create(config)
        if not isinstance(method, EmbeddingMethod):
            raise TypeError(f"method {plugin.name} has CLUSTERS_EMBEDDINGS and no cluster_embedding")
        with seeded(seed, uses_torch=config.USES_TORCH):
            fitted = method.cluster_embedding(self._points[rows], n_clusters, RunContext(seed, device, on_log=log))
        return _put_back(check_clustering(fitted, self.n_cells), rows)


def several(fit: Callable[[int], Clustering], seeds: Sequence[int]) -> tuple[Clustering, np.ndarray]:
    """Return the consensus of several seeds as a clustering, and the agreement of each cell.

    Args:
        fit: gives the clustering of a seed.
        seeds: at least two.

    Returns:
        The consensus (:func:`scbench.metrics.consensus.consensus`, with as many clusters as the seeds' median) with the
        embedding of the seed whose labels are nearest to it, and no memberships; ``info`` has the seeds, mean and
        sample sd of the ARI between them, the mean ARI of the consensus with them, and the seed of the embedding. And
        (n_cells,) float64 in [0, 1].
    """
    fitted = []
    for seed in seeds:
        one = fit(seed)
        fitted.append(dataclasses.replace(one, soft=None))
    partitions = [one.labels for one in fitted]
    together, between = consensus(partitions), spread(partitions)
    nearest = int(np.argmax([score(together.labels, labels)["ari"] for labels in partitions]))
    info: dict[str, Any] = {
        "seeds": list(seeds),
        "ari_between_seeds_mean": between.mean_ari,
        "ari_between_seeds_sd": between.sd_ari,
        "ari_of_consensus_with_seeds": together.mean_ari,
        "n_clusters_of_seeds": [len(np.unique(labels)) for labels in partitions],
        "embedding_of_seed": seeds[nearest],
        "consensus_from": "tree" if together.taken is None else f"seed {seeds[together.taken]}",
    }
    return Clustering(together.labels, fitted[nearest].embedding, None, info), together.agreement


def _put_back(fitted: Clustering, order: np.ndarray) -> Clustering:
    """Return the arrays of a fit in the order that its rows were taken from."""
    return dataclasses.replace(
        fitted,
        labels=put_back(fitted.labels, order),
        embedding=None if fitted.embedding is None else put_back(fitted.embedding, order),
        soft=None if fitted.soft is None else put_back(fitted.soft, order),
    )
