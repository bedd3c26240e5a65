from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA

from scbench.method import Counts
from scbench.preprocessing import pca, scaling
from scbench.preprocessing.pca import pca_scores
from scbench.preprocessing.prepare import STANDARD_RECIPE, Recipe, prepare, principal_components


def simulated(n_cells: int = 80, n_genes: int = 60, seed: int = 0) -> csr_matrix:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.6, 2.0, n_genes) * rng.gamma(4, 0.25, (n_cells, 1))
    rate[: n_cells // 2, :10] *= 6
    rate[: n_cells // 3, 10:25] *= 4
    return csr_matrix(rng.poisson(rate).astype(np.float32))


def full(x: object, n: int) -> np.ndarray:
    return PCA(n, svd_solver="full").fit_transform(np.asarray(x, dtype=np.float64))


@pytest.mark.parametrize("rows_at_once", [7, 4096])
@pytest.mark.parametrize("clip", [None, 1.5, 10.0])
@pytest.mark.parametrize("solver", ["covariance", "lanczos"])
def test_components_are_those_of_a_full_decomposition(
    rows_at_once: int, clip: float | None, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pca, "_ROWS_AT_ONCE", rows_at_once)
    monkeypatch.setattr(scaling, "_ENTRIES_AT_ONCE", 100 * rows_at_once)
    monkeypatch.setattr(pca, "_GRAM_COLUMNS", 5000 if solver == "covariance" else 0)
    raw = simulated().toarray()
    raw[5] = 0  # an empty cell
    counts, recipe = Counts(csr_matrix(raw)), replace(STANDARD_RECIPE, clip=clip)
    expected = full(prepare(counts, recipe).x, 6)
    found = principal_components(counts, recipe, 6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(hvg=30, minmax="gene"), Recipe(scale=True, l2_cell=True)])
def test_every_recipe_has_components(recipe: Recipe) -> None:
    counts = Counts(simulated())
    x = prepare(counts, recipe).x
    expected = full(x.toarray() if not isinstance(x, np.ndarray) else x, 4)
    found = principal_components(counts, recipe, 4)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_permuted_cells_give_permuted_components(seed: int) -> None:
    raw = simulated(seed=seed % 5)
    order = np.random.default_rng(seed).permutation(raw.shape[0])
    one = principal_components(Counts(raw), STANDARD_RECIPE, 4)
    two = principal_components(Counts(raw[order]), STANDARD_RECIPE, 4)
    np.testing.assert_allclose(two, one[order], rtol=1e-3, atol=1e-3)


def test_same_input_gives_the_same_bits() -> None:
    one, two = (principal_components(Counts(simulated()), STANDARD_RECIPE, 10) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_largest_loading_is_positive() -> None:
    x = np.array([[0, 0], [-3, 1], [-6, 2], [-9, 3]], dtype=np.float32)
    scores = pca_scores(x, 1).ravel()  # the line (-3, 1): its largest loading belongs to the first column
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize(("n_cells", "n_genes", "expected"), [(1, 30, 1), (2, 30, 1), (5, 30, 4), (80, 6, 6)])
def test_number_of_components_is_capped(n_cells: int, n_genes: int, expected: int) -> None:
    raw = simulated(n_cells, n_genes).toarray() + 1
    scores = principal_components(Counts(csr_matrix(raw)), Recipe(scale=True), 50)
    assert scores.shape == (n_cells, expected)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("n_cells", [1, 2])
def test_lanczos_is_left_to_matrices_it_can_handle(n_cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pca, "_GRAM_COLUMNS", 0)
    assert pca_scores(np.eye(n_cells, 3, dtype=np.float32), 5).shape == (n_cells, 1)
    assert pca_scores(np.eye(4, 3, dtype=np.float32), 5).shape == (4, 3)


def test_single_cell_and_equal_cells_lie_at_zero() -> None:
    np.testing.assert_array_equal(pca_scores(np.ones((1, 3), np.float32), 2), np.zeros((1, 1)))
    scores = pca_scores(np.full((6, 3), 4, np.float32), 2)
    np.testing.assert_allclose(scores, np.zeros((6, 2)), atol=1e-6)


def test_input_is_not_changed() -> None:
    x = simulated().toarray()
    before = x.copy()
    x.flags.writeable = False
    pca_scores(x, 3)
    np.testing.assert_array_equal(x, before)


def test_number_of_components_must_be_positive() -> None:
    with pytest.raises(ValueError, match="n_components must be at least 1, got 0"):
        pca_scores(np.eye(3, dtype=np.float32), 0)


def test_equal_cells_with_many_genes_have_no_components() -> None:
    same = csr_matrix(np.ones((6, 5200), dtype=np.float32))
    assert not pca_scores(same, 3).any()
    assert not pca_scores(same.toarray(), 3).any()
