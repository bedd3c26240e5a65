from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from scbench.errors import ConfigError
from scbench.graph.neighbours import knn_graph, nearest_neighbours, neighbour_graph, normalize_adj, umap_connectivities
from scbench.inputs import Derived
from scbench.method import Counts
from scbench.preprocessing.prepare import STANDARD_RECIPE

ORACLES = Path(__file__).parents[1] / "oracles"


def points(n: int = 70, d: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def counts(n: int = 60, seed: int = 0) -> Counts:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.6, 2.0, 80) * rng.gamma(4, 0.25, (n, 1))
    rate[: n // 2, :10] *= 6
    return Counts(csr_matrix(rng.poisson(rate).astype(np.float32)))


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_neighbours_are_those_of_a_full_sort(metric: Any) -> None:
    x = points()
    every = cdist(x.astype(np.float64), x.astype(np.float64), metric)
    np.fill_diagonal(every, np.inf)
    indices, distances = nearest_neighbours(x, 9, metric)
    expected = np.argsort(every, axis=1)[:, :9]
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(distances, np.take_along_axis(every, expected, axis=1), rtol=1e-5, atol=1e-7)


def test_cells_without_direction_are_far_from_the_others() -> None:
    x = np.array([[0, 0, 0], [1, 0, 0], [2, 0.1, 0], [0, 0, 0]], dtype=np.float32)
    indices, distances = nearest_neighbours(x, 3, "cosine")
    assert indices[0, 0] == 3
    np.testing.assert_allclose(distances[0], [0, 1, 1], atol=1e-12)
    assert set(indices[1, 1:]) == {0, 3}
    constant = np.array([[5, 5, 5], [1, 2, 3], [2, 3, 4.5]], dtype=np.float32)
    np.testing.assert_allclose(nearest_neighbours(constant, 2, "correlation")[1][0], [1, 1], atol=1e-9)


def test_duplicates_are_neighbours_but_the_cell_itself_is_not() -> None:
    indices, distances = nearest_neighbours(np.zeros((5, 2), np.float32), 3)
    assert not (indices == np.arange(5)[:, None]).any()
    np.testing.assert_array_equal(np.sort(indices, axis=1), indices)
    np.testing.assert_array_equal(distances, 0)


def test_graph_of_a_case_done_by_hand() -> None:
    x = np.array([[0.0], [1.0], [3.0], [7.0]])
    directed = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    np.testing.assert_array_equal(knn_graph(x, 1).toarray(), directed)
    either = [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]
    np.testing.assert_array_equal(knn_graph(x, 1, symmetrize="max").toarray(), either)
    mean = [[0, 1, 0, 0], [1, 0, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0, 0.5, 0]]
    np.testing.assert_array_equal(knn_graph(x, 1, symmetrize="mean").toarray(), mean)
    np.testing.assert_array_equal(knn_graph(x, 1, include_self=True).toarray(), directed + np.eye(4))


def test_far_neighbours_are_pruned() -> None:
    x = np.array([[0.0], [1.0], [1.1], [1.2], [9.0]])
    # Cell 0: distances 1, 1.1, 1.2, 9; mean 3.075, sd 3.42: only 9 is farther than 6.5.
    assert knn_graph(x, 4, prune="mean+std").toarray()[0].tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize("draw", [1, 2])
def test_oracle_of_sccagn(draw: int) -> None:
    oracle = np.load(ORACLES / f"sccagn/graph_draw{draw}.npz")
    x, k, n = oracle["features"], int(oracle["k"]), len(oracle["features"])
    all_edges = np.zeros((n, n))
    all_edges[tuple(oracle["edges_with_flag"][:, :2].astype(int).T)] = 1
    np.testing.assert_array_equal(knn_graph(x, k).toarray(), all_edges)
    kept = np.zeros((n, n))
    kept[tuple(oracle["kept_edges"].T)] = 1
    np.testing.assert_array_equal(knn_graph(x, k, prune="mean+std").toarray(), kept)
    undirected = knn_graph(x, k, symmetrize="max", prune="mean+std")
    normalised = normalize_adj(undirected, "row", self_loops=True).toarray()
    np.testing.assert_allclose(normalised, oracle["adj_rownorm"], atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_cells_get_all_others_as_neighbours(n: int) -> None:
    x = points(n)
    for options in ({}, {"prune": "mean+std"}, {"symmetrize": "max"}, {"metric": "cosine"}):
        graph = knn_graph(x, 10, **options)  # type: ignore[arg-type]
        assert graph.shape == (n, n)
        assert graph.diagonal().sum() == 0
    np.testing.assert_array_equal(knn_graph(x, 10).toarray(), 1 - np.eye(n))
    weights = umap_connectivities(x, 20)
    assert weights.shape == (n, n)
    assert np.isfinite(weights.data).all()
    assert neighbour_graph(counts(n + 3), STANDARD_RECIPE, 20, 20).shape == (n + 3, n + 3)


def test_one_cell_has_an_empty_neighbour_graph() -> None:
    one = Counts(csr_matrix(np.array([[1, 2, 0, 4]], dtype=np.float32)))
    from dataclasses import replace

    graph = neighbour_graph(one, replace(STANDARD_RECIPE, min_cells=0), 20, 20)
    assert graph.shape == (1, 1)
    assert graph.nnz == 0


PATH = csr_matrix(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=np.float64))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sym", [[0.5, 0.408248, 0], [0.408248, 0.333333, 0.408248], [0, 0.408248, 0.5]]),
        ("row", [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]]),
        ("row_sqrt", [[0.5, 0.408248, 0], [0.408248, 0.333333, 0.408248], [0, 0.408248, 0.5]]),
    ],
)
def test_normalised_path_with_self_loops(mode: Any, expected: list[list[float]]) -> None:
    found = normalize_adj(PATH, mode, self_loops=True)
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-6)
    assert PATH.nnz == 4


def test_directed_graphs_are_normalised_by_rows_or_by_both_sides() -> None:
    a = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], dtype=np.float32)
    rows, columns = np.array([2, 1, 0.0]), np.array([0, 1, 2.0])
    with np.errstate(divide="ignore"):
        left, right = (np.where(d > 0, d**-0.5, 0) for d in (rows, columns))
    np.testing.assert_allclose(normalize_adj(csr_matrix(a), "sym").toarray(), left[:, None] * a * right, rtol=1e-6)
    np.testing.assert_allclose(normalize_adj(csr_matrix(a), "row_sqrt").toarray(), left[:, None] * a * left)
    row = normalize_adj(csr_matrix(a), "row")
    np.testing.assert_allclose(np.asarray(row.sum(axis=1)).ravel(), [1, 1, 0])
    assert row.dtype == np.float32


@pytest.mark.parametrize("n_neighbors", [5, 15])
def test_connectivities_are_those_of_scanpy(n_neighbors: int) -> None:
    stored = np.load(ORACLES / "scanpy" / "neighbours.npz")
    found = umap_connectivities(stored["x"], n_neighbors)
    np.testing.assert_allclose(found.toarray(), stored[f"connectivities_{n_neighbors}"], rtol=1e-4, atol=1e-5)
    assert abs(found - found.T).max() < 1e-6


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_permuted_cells_give_permuted_graphs(seed: int) -> None:
    x = points(seed=seed % 6)
    order = np.random.default_rng(seed).permutation(len(x))
    one, two = knn_graph(x, 8, symmetrize="max"), knn_graph(x[order], 8, symmetrize="max")
    np.testing.assert_array_equal(two.toarray(), one.toarray()[order][:, order])
    one, two = umap_connectivities(x, 8), umap_connectivities(x[order], 8)
    np.testing.assert_allclose(two.toarray(), one.toarray()[order][:, order], rtol=1e-4, atol=1e-6)


def test_neighbour_graph_is_served_by_the_cache_as_cells_by_cells() -> None:
    data = counts()
    seen: list[tuple[str, Mapping[str, Any]]] = []

    class Cache:
        def get(self, matrix: csr_matrix, kind: str, params: Mapping[str, Any], compute: Any) -> Derived:
            seen.append((kind, params))
            return compute(matrix, self)  # type: ignore[no-any-return]

    graph = neighbour_graph(data, STANDARD_RECIPE, 5, 10, Cache())
    assert [kind for kind, _ in seen] == ["neighbour_graph", "pca", "prepare"]
    assert seen[0][1]["n_neighbors"] == 10
    assert (graph != neighbour_graph(data, STANDARD_RECIPE, 5, 10)).nnz == 0


def test_input_is_not_changed() -> None:
    x = points()
    x.flags.writeable = False
    before = x.copy()
    for metric in ("euclidean", "cosine", "correlation"):
        knn_graph(x, 5, metric, include_self=True)  # type: ignore[arg-type]
    umap_connectivities(x, 5)
    np.testing.assert_array_equal(x, before)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        nearest_neighbours(points(), 0)
    with pytest.raises(ValueError, match=r"at least one row, got shape \(0, 3\)"):
        nearest_neighbours(np.zeros((0, 3)), 2)
    with pytest.raises(ConfigError, match="unknown metric 'manhattan'"):
        nearest_neighbours(points(), 2, "manhattan")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown symmetrize 'min'"):
        knn_graph(points(), 2, symmetrize="min")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown prune 'mean'"):
        knn_graph(points(), 2, prune="mean")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown mode 'column'"):
        normalize_adj(PATH, "column")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be at least 2, got 1"):
        umap_connectivities(points(), 1)
