"""Approximate neighbours: against all distances by hand, with the recall that is promised, and in odd cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scbench_methods.leiden.config import LeidenConfig
from scbench_methods.leiden.method import Leiden
from threadpoolctl import threadpool_limits

from scbench.errors import ConfigError
from scbench.graph.approximate_neighbours import approximate_neighbours
from scbench.graph.neighbours import nearest_neighbours, neighbour_graph, neighbour_graph_with_recall
from scbench.method import RunContext
from scbench.preprocessing.prepare import STANDARD_RECIPE
from scbench.testing import toy_counts


def like_components(n_cells: int = 4000, n_types: int = 7, seed: int = 0) -> np.ndarray:
    """Return points as components are: types apart on some axes, noise of one size on all 20."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 3, (n_types, 20)) * np.linspace(1, 0.1, 20)
    return (centres[rng.integers(n_types, size=n_cells)] + rng.normal(size=(n_cells, 20))).astype(np.float32)


def recall_of(indices: np.ndarray, x: np.ndarray) -> float:
    """Return the share of the true neighbours, from all distances in float64."""
    wide = x.astype(np.float64)
    squared = ((wide[:, None, :8] - wide[None, :, :8]) ** 2).sum(axis=2)
    squared += ((wide[:, None, 8:] - wide[None, :, 8:]) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    true = np.argsort(squared, axis=1)[:, : indices.shape[1]]
    return float(np.mean([len(set(one) & set(other)) for one, other in zip(true, indices, strict=True)])) / len(true[0])


@pytest.mark.parametrize("seed", [0, 1])
def test_the_recall_that_is_told_is_the_recall_that_is_had(seed: int) -> None:
    x = like_components(3000, seed=seed)
    indices, _, told = approximate_neighbours(x, 19)
    assert told >= 0.98
    assert recall_of(indices, x) == pytest.approx(told, abs=0.01)


def test_a_lower_recall_is_less_work_and_is_told_so() -> None:
    x = like_components(3000)
    low, high = (approximate_neighbours(x, 19, recall)[2] for recall in (0.5, 0.999))
    assert 0.5 <= low < 0.9 < 0.999 <= high


def test_with_all_lists_it_is_the_exact_search() -> None:
    x = like_components(1500)
    indices, distances, recall = approximate_neighbours(x, 10, 1.0)
    exact, exact_distances = nearest_neighbours(x, 10)
    assert recall == 1.0
    assert (indices == exact).mean() > 0.999  # of neighbours at nearly the same distance either may come first
    np.testing.assert_allclose(distances, exact_distances, rtol=1e-4)


def test_distances_are_those_of_the_points_and_increase() -> None:
    x = like_components(2000) + np.float32(1000)  # far from the origin, where products lose digits
    indices, distances, _ = approximate_neighbours(x, 12)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(distances, np.linalg.norm(wide[indices] - wide[:, None], axis=2), rtol=1e-12)
    assert (np.diff(distances, axis=1) >= 0).all()


def test_neighbours_are_other_cells_and_each_once() -> None:
    x = np.repeat(like_components(400), 5, axis=0)  # copies, too
    indices, distances, _ = approximate_neighbours(x, 19)
    assert (indices != np.arange(len(x))[:, None]).all()
    assert all(len(set(row)) == 19 for row in indices)
    assert (distances[:, :4] == 0).all()


def test_lists_with_too_few_cells_are_made_up_for() -> None:
    x = np.concatenate([like_components(2000), np.full((3, 20), 1e4, dtype=np.float32) + np.arange(60).reshape(3, 20)])
    indices, distances, _ = approximate_neighbours(x.astype(np.float32), 19, 0.5)
    assert set(indices[2000, :2]) == {2001, 2002}
    assert all(len(set(row)) == 19 for row in indices)
    assert np.isfinite(distances).all()


def test_threads_and_repeats_change_nothing() -> None:
    x = like_components(2500)
    first = approximate_neighbours(x, 19)
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            again = approximate_neighbours(x, 19)
        np.testing.assert_array_equal(first[0], again[0])
        np.testing.assert_array_equal(first[1], again[1])


def test_the_graph_is_exact_up_to_the_limit_and_says_so_beyond() -> None:
    counts = toy_counts(400)
    exact = neighbour_graph_with_recall(counts, STANDARD_RECIPE, 10, 15, exact_cells=400)
    assert exact.is_exact
    assert exact.recall == 1.0
    assert (exact.weights != neighbour_graph(counts, STANDARD_RECIPE, 10, 15)).nnz == 0
    other = neighbour_graph_with_recall(counts, STANDARD_RECIPE, 10, 15, exact_cells=399)
    assert not other.is_exact
    assert other.recall >= 0.98
    assert abs(other.weights - other.weights.T).max() == 0
    shared = (exact.weights > 0).multiply(other.weights > 0).nnz
    assert shared / exact.weights.nnz > 0.95


def test_a_limit_below_the_number_of_neighbours_is_no_limit() -> None:
    assert neighbour_graph_with_recall(toy_counts(15), replace(STANDARD_RECIPE), 5, 20, exact_cells=1).is_exact


def test_leiden_says_that_neighbours_are_approximate() -> None:
    counts = toy_counts(400)
    info = Leiden(LeidenConfig(exact_neighbour_cells=300)).fit_predict(counts, 4, RunContext(0)).info
    assert info["neighbours"] == "approximate neighbours, as of more than 300 cells"
    assert 0.98 <= info["neighbour_recall"] <= 1
    assert "neighbours" not in Leiden().fit_predict(counts, 4, RunContext(0)).info
    with pytest.raises(ConfigError, match="exact_neighbour_cells must be at least 1"):
        LeidenConfig(exact_neighbour_cells=0)
