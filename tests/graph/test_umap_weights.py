from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.graph.neighbours import nearest_neighbours
from scbench.graph.umap_weights import umap_weights


def scattered(n: int = 150) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 6))


def with_duplicates() -> np.ndarray:
    x = scattered()
    x[:40] = x[0]  # more copies than neighbours
    x[50:53] = x[50]
    return x


def jittered(distances: np.ndarray, size: float) -> np.ndarray:
    """Return distances whose zeros are small: different ones, but where a cell has identical neighbours only."""
    different = np.linspace(1, 2, distances.shape[1])
    return np.maximum(distances, size * np.where(distances.any(axis=1, keepdims=True), different, 1))


def of_very_different_density() -> np.ndarray:
    x = scattered()
    x[:75] *= 1e-4
    x[75] = 1e3
    return x


def oracle(indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap.umap_ import fuzzy_simplicial_set
    n, k = indices.shape
    weights, _, _ = fuzzy_simplicial_set(
        csr_matrix((n, 1)),
        k + 1,
        None,
        None,
        knn_indices=np.hstack([np.arange(n)[:, None], indices]),
        knn_dists=np.hstack([np.zeros((n, 1)), distances]).astype(np.float32),
    )
    return weights.toarray()


@pytest.mark.slow  # umap compiles itself for half a minute; tests/test_graph.py compares with stored weights of scanpy
@pytest.mark.parametrize("make", [scattered, with_duplicates, of_very_different_density])
@pytest.mark.parametrize("k", [1, 4, 19])
def test_weights_are_those_of_umap_which_sees_a_jitter_for_identical_cells(make: object, k: int) -> None:
    indices, distances = nearest_neighbours(make(), k)  # type: ignore[operator]
    found = umap_weights(indices, distances)
    assert found.dtype == np.float32
    expected = oracle(indices, jittered(distances, 1e-7))
    np.testing.assert_allclose(found.toarray(), expected, rtol=2e-4, atol=2e-5)


def test_three_cells_on_a_line_by_hand() -> None:
    """Each cell has both others: the nearer at rho has weight 1, the farther w with 1 + w = log2(3)."""
    indices = np.array([[1, 2], [0, 2], [1, 0]])
    distances = np.array([[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]])
    far = np.log2(3) - 1
    expected = np.array([[0, 1, far + far - far**2], [1, 0, 1], [far + far - far**2, 1, 0]])
    np.testing.assert_allclose(umap_weights(indices, distances).toarray(), expected, atol=2e-5)


@pytest.mark.parametrize("k", [1, 4, 19])
def test_identical_cells_get_the_limit_of_a_jitter(k: int) -> None:
    indices, distances = nearest_neighbours(with_duplicates(), k)
    limit = umap_weights(indices, distances).toarray()
    for size in (1e-4, 1e-6):
        found = umap_weights(indices, jittered(distances, size)).toarray()
        np.testing.assert_allclose(found, limit, atol=1e-4 + 100 * size)


def weights_one_by_one(indices: np.ndarray, distances: np.ndarray) -> csr_matrix:
    """Return umap-learn's weights, rho the nearest distance above 0, with a loop over the cells."""
    n_cells, k = indices.shape
    directed = np.zeros((n_cells, n_cells))
    for cell in range(n_cells):
        gaps = np.maximum(distances[cell] - distances[cell][distances[cell] > 0].min(), 0)
        low, high, sigma = 0.0, np.inf, 1.0
        for _ in range(64):
            total = np.exp(-gaps / sigma).sum()
            if abs(total - np.log2(k + 1)) < 1e-5:
                break
            low, high = (low, sigma) if total > np.log2(k + 1) else (sigma, high)
            sigma = (low + high) / 2 if np.isfinite(high) else sigma * 2
        sigma = max(sigma, 1e-3 * (distances[cell].sum() / (k + 1)))
        directed[cell, indices[cell]] = np.where(gaps > 0, np.exp(-gaps / sigma), 1.0)
    weights = csr_matrix((directed + directed.T - directed * directed.T).astype(np.float32))
    weights.eliminate_zeros()
    return weights


@pytest.mark.parametrize("make", [scattered, of_very_different_density])
@pytest.mark.parametrize("k", [1, 4, 19])
def test_without_identical_cells_weights_are_those_of_a_slow_version_to_the_bit(make: object, k: int) -> None:
    indices, distances = nearest_neighbours(make(), k)  # type: ignore[operator]
    found, expected = umap_weights(indices, distances), weights_one_by_one(indices, distances)
    for part in ("data", "indices", "indptr"):
        assert getattr(found, part).tobytes() == getattr(expected, part).tobytes()


def test_weights_are_symmetric_with_an_empty_diagonal_and_at_most_one() -> None:
    weights = umap_weights(*nearest_neighbours(with_duplicates(), 7))
    assert abs(weights - weights.T).max() < 1e-6
    assert weights.diagonal().sum() == 0
    assert 0 < weights.data.min() <= weights.data.max() <= 1 + 1e-6


def test_equal_cells_and_a_single_cell_do_no_harm() -> None:
    same = umap_weights(*nearest_neighbours(np.zeros((5, 2)), 3))
    assert np.isfinite(same.data).all()
    assert umap_weights(np.empty((1, 0), dtype=np.int64), np.empty((1, 0))).shape == (1, 1)
