"""Communities of a weighted graph: Leiden and Louvain on modularity, at a resolution or near a wanted number."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import igraph
import numpy as np
from scipy.sparse import csr_matrix, triu

from scbench.names import check_choice

__all__ = ["Algorithm", "communities", "communities_matching_k"]

Algorithm = Literal["leiden", "louvain"]

_LEIDEN_ITERATIONS = 2
_LOWEST_RESOLUTION, _HIGHEST_RESOLUTION = 1e-3, 8.0
_MOST_STEPS = 25


def communities(adjacency: csr_matrix, method: Algorithm, resolution: float, seed: int) -> np.ndarray:
    """Return the community of each node.

    Args:
        adjacency: (n, n) CSR, symmetric, non-negative weights; the diagonal is ignored.
        method: "leiden" (two iterations) or "louvain" (multilevel), both on weighted modularity.
        resolution: positive; higher gives more communities.
        seed: of igraph's generator during this call; the global ``random`` is not touched.

    Returns:
        (n,) int64 labels 0, 1, ...

    Raises:
        ValueError: if ``resolution`` is not positive; ConfigError for an unknown method.
    """
    check_choice("community method", method, ("leiden", "louvain"))
    if not (resolution > 0 and math.isfinite(resolution)):
        raise ValueError(f"resolution must be a positive number, got {resolution}")
    return _partition(_graph(adjacency), method, resolution, seed)


def communities_matching_k(
    adjacency: csr_matrix, k: int, method: Algorithm, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the partition whose number of communities is nearest to ``k``, and how it was found.

    Bisects the logarithm of the resolution between 0.001 and 8, at most 25 steps, each with the same seed. Stops
    early at ``k``, or when each connected component is one community and fewer cannot be had.

    Args:
        adjacency: as :func:`communities`.
        k: wanted number, at least 1.
        method: as :func:`communities`.
        seed: as :func:`communities`.

    Returns:
        (n,) int64 labels, and ``resolution``, ``n_found``, ``steps``.

    Raises:
        ValueError: if ``k`` is below 1; ConfigError for an unknown method.
    """
    check_choice("community method", method, ("leiden", "louvain"))
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    graph = _graph(adjacency)
    n_components = len(graph.connected_components())
    low, high = math.log(_LOWEST_RESOLUTION), math.log(_HIGHEST_RESOLUTION)
    labels = np.zeros(adjacency.shape[0], dtype=np.int64)
    info: dict[str, Any] = {}
    smallest_gap = math.inf
    steps = 0
    while steps < _MOST_STEPS:
        steps += 1
        middle = (low + high) / 2
        candidate = _partition(graph, method, math.exp(middle), seed)
        n_found = int(candidate.max()) + 1
        if abs(n_found - k) < smallest_gap:
            smallest_gap = abs(n_found - k)
            labels, info = candidate, {"resolution": math.exp(middle), "n_found": n_found}
        if n_found == k or k < n_found == n_components:
            break
        low, high = (middle, high) if n_found < k else (low, middle)
    return labels, info | {"steps": steps}


def _graph(adjacency: csr_matrix) -> igraph.Graph:
    """Return the undirected igraph of the upper triangle."""
    upper = triu(adjacency, k=1, format="coo")
    edges = np.column_stack([upper.row, upper.col]).astype(np.int64)
    graph = igraph.Graph(n=adjacency.shape[0], edges=edges, directed=False)
    graph.es["weight"] = upper.data.astype(np.float64).tolist()
    return graph


def _partition(graph: igraph.Graph, method: Algorithm, resolution: float, seed: int) -> np.ndarray:
    """Run one algorithm once."""
    with _igraph_seed(seed):
        if method == "leiden":
            found = graph.community_leiden(
                objective_function="modularity",
                weights="weight",
                resolution=resolution,
                n_iterations=_LEIDEN_ITERATIONS,
            )
        else:
            found = graph.community_multilevel(weights="weight", resolution=resolution)
    return np.asarray(found.membership, dtype=np.int64)


@contextmanager
def _igraph_seed(seed: int) -> Iterator[None]:
    """Let igraph draw from a generator of its own, then from Python's again (its default)."""
    igraph.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        igraph.set_random_number_generator(random)
