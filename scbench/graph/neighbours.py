"""Neighbour graphs of cells and their normalisations; no cell-by-cell matrix is dense.

Neighbours are exact, but for the graph of :func:`neighbour_graph` beyond so many cells as its caller says.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from sklearn.neighbors import NearestNeighbors

from scbench.graph.approximate_neighbours import approximate_neighbours
from scbench.graph.community_config import EXACT_NEIGHBOUR_CELLS
from scbench.graph.identical_neighbours import settle_identical
from scbench.graph.umap_weights import umap_weights
from scbench.inputs import Derived, InputCache, derive
from scbench.method import Counts
from scbench.names import check_choice
from scbench.preprocessing.prepare import Recipe, principal_components

__all__ = [
    "NeighbourGraph",
    "graph_of_points",
    "knn_graph",
    "nearest_neighbours",
    "neighbour_graph",
    "neighbour_graph_with_recall",
    "normalize_adj",
    "umap_connectivities",
]

Metric = Literal["euclidean", "cosine", "correlation"]

_METRICS = ("euclidean", "cosine", "correlation")


@dataclass(frozen=True)
class NeighbourGraph:
    """A neighbour graph, and how complete it is.

    Attributes:
        weights: (n_cells, n_cells) float32 CSR, as of :func:`umap_connectivities`.
        is_exact: whether all cells were compared.
        recall: share of the true neighbours that were found, measured on a sample of cells; 1 where it is exact.
    """

    weights: csr_matrix
    is_exact: bool
    recall: float


def nearest_neighbours(x: np.ndarray, k: int, metric: Metric = "euclidean") -> tuple[np.ndarray, np.ndarray]:
    """Return the ``k`` nearest other cells of each cell, and their distances.

    The cell itself is left out by its index, so duplicates are neighbours at distance 0. Cosine and correlation
    distances are 1 - similarity; a cell without direction (all zero, or constant for correlation) is at distance 1
    from every cell that has one, and at 0 from others like it.

    Args:
        x: (n_cells, n_features) dense, finite.
        k: at least 1; capped at ``n_cells - 1``.
        metric: the distance.

    Returns:
        (n_cells, k) int64 indices and float64 distances, by increasing distance, equal ones by index.

    Raises:
        ValueError: if ``x`` is not a matrix with a row or ``k`` is below 1; ConfigError for an unknown metric.
    """
    check_choice("metric", metric, _METRICS)
    if x.ndim != 2 or x.shape[0] < 1:
        raise ValueError(f"x must be a matrix with at least one row, got shape {x.shape}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    k = min(k, x.shape[0] - 1)
    if k == 0:
        return np.empty((1, 0), dtype=np.int64), np.empty((1, 0))
    points = x if metric == "euclidean" else _directions(x, centre=metric == "correlation")
    found = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors()
    distances = np.asarray(found[0], dtype=np.float64)
    indices = np.asarray(found[1], dtype=np.int64)
    if metric != "euclidean":
        distances = distances**2 / 2
    order = np.lexsort((indices, distances), axis=1)
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1)


def _directions(x: np.ndarray, *, centre: bool) -> np.ndarray:
    """Return unit rows, whose squared Euclidean distance is twice the cosine distance.

    A row without direction gets an axis of its own, at right angles to all others.
    """
    rows = np.asarray(x, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scale = lengths
    if centre:
        rows = rows - rows.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    none = lengths <= 1e-12 * scale
    units = np.where(none, 0, rows / np.where(none, 1, lengths))
    return np.hstack([units, none.astype(np.float64)])


def knn_graph(
    x: np.ndarray,
    k: int,
    metric: Metric = "euclidean",
    *,
    include_self: bool = False,
    symmetrize: Literal["none", "max", "mean"] = "none",
    prune: Literal["none", "mean+std"] = "none",
) -> csr_matrix:
    """Return the 0/1 adjacency of each cell (row) to its ``k`` nearest other cells.

    Args:
        x: (n_cells, n_features) dense, finite.
        k: neighbours besides the cell itself, at least 1; capped at ``n_cells - 1``.
        metric: the distance.
        include_self: put ones on the diagonal; they do not count in ``k``.
        symmetrize: "max" joins cells when either names the other, "mean" averages A and its transpose.
        prune: "mean+std" drops neighbours farther than the mean plus the standard deviation (ddof 0) of the cell's
            own ``k`` distances, before symmetrising.

    Returns:
        (n_cells, n_cells) float32 CSR with sorted indices.

    Raises:
        ValueError: as :func:`nearest_neighbours`; ConfigError for an unknown choice.
    """
    check_choice("symmetrize", symmetrize, ("none", "max", "mean"))
    check_choice("prune", prune, ("none", "mean+std"))
    indices, distances = nearest_neighbours(x, k, metric)
    n_cells, k = indices.shape
    keep = np.ones(indices.shape, dtype=bool)
    if prune == "mean+std" and k > 0:
        limit = distances.mean(axis=1, keepdims=True) + distances.std(axis=1, keepdims=True)
        keep = distances <= limit
    rows = np.repeat(np.arange(n_cells), keep.sum(axis=1))
    ones = np.ones(len(rows), dtype=np.float32)
    graph = csr_matrix((ones, (rows, indices[keep])), shape=(n_cells, n_cells))
    if symmetrize == "max":
        graph = csr_matrix(graph.maximum(graph.T))
    elif symmetrize == "mean":
        graph = csr_matrix((graph + graph.T) * np.float32(0.5))
    if include_self:
        graph = csr_matrix(graph + identity(n_cells, dtype=np.float32))
    graph.sort_indices()
    return graph


def normalize_adj(
    adjacency: csr_matrix, mode: Literal["sym", "row", "row_sqrt"] = "sym", *, self_loops: bool = False
) -> csr_matrix:
    """Return the adjacency divided by degrees; a cell without edges keeps an empty row.

    Args:
        adjacency: (n, n) CSR, non-negative, floating point.
        mode: "row" is D^-1 A, so rows sum to 1; "sym" is D^-1/2 A C^-1/2 with D the row and C the column sums (the
            same for an undirected graph); "row_sqrt" is D^-1/2 A D^-1/2 with row sums on both sides.
        self_loops: add the identity first.

    Returns:
        (n, n) CSR of the same type; the input is not changed.

    Raises:
        ConfigError: for an unknown mode.
    """
    check_choice("mode", mode, ("sym", "row", "row_sqrt"))
    a = adjacency + identity(adjacency.shape[0], dtype=adjacency.dtype) if self_loops else adjacency
    power = 1.0 if mode == "row" else 0.5
    left = _inverse(np.asarray(a.sum(axis=1, dtype=np.float64)).ravel(), power)
    scaled = diags(left) @ a
    if mode == "row_sqrt":
        scaled = scaled @ diags(left)
    elif mode == "sym":
        scaled = scaled @ diags(_inverse(np.asarray(a.sum(axis=0, dtype=np.float64)).ravel(), power))
    return csr_matrix(scaled, dtype=adjacency.dtype)


def _inverse(degrees: np.ndarray, power: float) -> np.ndarray:
    """Return degrees ** -power, 0 for a degree of 0."""
    return np.where(degrees > 0, np.where(degrees > 0, degrees, 1) ** -power, 0.0)


def umap_connectivities(x: np.ndarray, n_neighbors: int = 20) -> csr_matrix:
    """Return the UMAP weights of the neighbour graph, as scanpy's ``pp.neighbors`` gives with exact neighbours.

    scanpy itself searches approximately in larger datasets, which costs reproducibility. Cells with equal rows of ``x``
    are tied to each other as a jitter would do it, where scanpy ties them to strangers: see :func:`umap_weights`.

    Args:
        x: (n_cells, n_features) dense, finite.
        n_neighbors: neighbours counting the cell itself, as in scanpy, at least 2; capped at ``n_cells``.

    Returns:
        (n_cells, n_cells) float32 CSR, symmetric, weights in (0, 1], empty diagonal.

    Raises:
        ValueError: if ``n_neighbors`` is below 2.
    """
    return umap_weights(*settle_identical(x, *nearest_neighbours(x, _without_self(n_neighbors))))


def neighbour_graph(
    counts: Counts, recipe: Recipe, n_components: int, n_neighbors: int, cache: InputCache | None = None
) -> csr_matrix:
    """Return the weights of :func:`neighbour_graph_with_recall`, for who does not ask how complete they are."""
    return neighbour_graph_with_recall(counts, recipe, n_components, n_neighbors, cache).weights


def neighbour_graph_with_recall(
    counts: Counts,
    recipe: Recipe,
    n_components: int,
    n_neighbors: int,
    cache: InputCache | None = None,
    *,
    exact_cells: int = EXACT_NEIGHBOUR_CELLS,
) -> NeighbourGraph:
    """Return :func:`umap_connectivities` of the principal components of ``counts``.

    Args:
        counts, recipe, n_components, cache: as of ``principal_components``.
        n_neighbors: neighbours counting the cell itself, at least 2.
        exact_cells: with more cells neighbours are searched for by :func:`approximate_neighbours`.

    Raises:
        ValueError: as ``principal_components`` and :func:`umap_connectivities`.
    """
    is_exact = counts.matrix.shape[0] <= max(exact_cells, n_neighbors)

    def compute(matrix: csr_matrix, inner: InputCache | None) -> Derived:
        here = Counts(matrix, None, counts.is_counts)
        scores = principal_components(here, recipe, n_components, inner)
        graph = graph_of_points(scores, n_neighbors, exact_cells=exact_cells)
        return Derived(cell_by_cell={"weights": graph.weights}, shared={"recall": np.array(graph.recall)})

    params = {
        "recipe": asdict(recipe),
        "is_counts": counts.is_counts,
        "n_components": n_components,
        "n_neighbors": n_neighbors,
        "is_exact": is_exact,
    }
    found = derive(counts.matrix, "neighbour_graph", params, compute, cache)
    return NeighbourGraph(found.cell_by_cell["weights"], is_exact, float(found.shared["recall"]))


def graph_of_points(x: np.ndarray, n_neighbors: int, *, exact_cells: int = EXACT_NEIGHBOUR_CELLS) -> NeighbourGraph:
    """Return :func:`umap_connectivities` of any points, and how complete it is.

    Args:
        x: (n_cells, n_features) dense, finite.
        n_neighbors: counting the cell itself, at least 2.
        exact_cells: with more cells neighbours are searched for by :func:`approximate_neighbours`.

    Raises:
        ValueError: as :func:`umap_connectivities`.
    """
    if len(x) <= max(exact_cells, n_neighbors):
        return NeighbourGraph(umap_connectivities(x, n_neighbors), True, 1.0)
    indices, distances, recall = approximate_neighbours(x, _without_self(n_neighbors))
    return NeighbourGraph(umap_weights(*settle_identical(x, indices, distances)), False, recall)


def _without_self(n_neighbors: int) -> int:
    """Return a number of neighbours that counts the cell itself, without it."""
    if n_neighbors < 2:
        raise ValueError(f"n_neighbors counts the cell itself and must be at least 2, got {n_neighbors}")
    return n_neighbors - 1
