from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, issparse

from scbench.errors import ConfigError, DataError
from scbench.inputs import Derived
from scbench.method import Counts
from scbench.preprocessing.prepare import STANDARD_RECIPE, Recipe, prepare, principal_components
from scbench.testing import toy_counts

ORACLES = Path(__file__).parents[1] / "oracles"
PLAIN = Recipe(target=None, log1p=False)


def simulated(n_cells: int = 60, n_genes: int = 90, seed: int = 0) -> csr_matrix:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.6, 2.0, n_genes) * rng.gamma(4, 0.25, (n_cells, 1))
    rate[: n_cells // 2, :10] *= 6
    return csr_matrix(rng.poisson(rate).astype(np.float32))


def dense(x: object) -> np.ndarray:
    return x.toarray() if issparse(x) else np.asarray(x)  # type: ignore[attr-defined]


def matrix(rows: object) -> Counts:
    return Counts(csr_matrix(np.array(rows, dtype=np.float32)))


class PermutingCache:
    """A cache in file order, for a run that sees permuted rows."""

    def __init__(self, file_order: csr_matrix, order: np.ndarray) -> None:
        self.file_order, self.order, self.kinds = file_order, order, list[str]()

    def get(self, matrix: csr_matrix, kind: str, params: Mapping[str, Any], compute: Callable[..., Derived]) -> Derived:
        self.kinds.append(kind)
        found = compute(self.file_order, None)
        return Derived(
            per_cell={name: value[self.order] for name, value in found.per_cell.items()},
            cell_by_cell={n: v[self.order][:, self.order] for n, v in found.cell_by_cell.items()},
            shared=found.shared,
        )


def test_values_of_a_case_done_by_hand() -> None:
    # Libraries 2, 4, 6: median 4, size factors 0.5, 1, 1.5.
    found = prepare(matrix([[2, 0, 0], [1, 3, 0], [0, 6, 0]]), Recipe())
    np.testing.assert_allclose(found.size_factors, [0.5, 1, 1.5])
    np.testing.assert_allclose(dense(found.x), np.log1p([[4, 0], [1, 3], [0, 4]]), rtol=1e-6)
    np.testing.assert_array_equal(dense(found.counts), [[2, 0], [1, 3], [0, 6]])
    np.testing.assert_array_equal(found.genes, [0, 1])
    assert (found.genes.dtype, found.size_factors.dtype, found.x.dtype) == (np.int64, np.float32, np.float32)


def test_total_can_be_fixed() -> None:
    found = prepare(matrix([[2, 0], [1, 3]]), Recipe(target=1e4, log1p=False))
    np.testing.assert_allclose(dense(found.x), [[1e4, 0], [2500, 7500]])
    np.testing.assert_allclose(found.size_factors, [2 / 3, 4 / 3])


@pytest.mark.parametrize(("how", "expected"), [("round", [[2, 1], [1, 0]]), ("ceil", [[3, 1], [1, 1]])])
def test_counts_are_made_whole(how: Any, expected: list[list[int]]) -> None:
    found = prepare(matrix([[2.2, 0.7], [1.0, 0.3]]), replace(PLAIN, round_counts=how))
    np.testing.assert_array_equal(dense(found.x), expected)
    np.testing.assert_array_equal(dense(found.counts), expected)
    assert found.counts.data.all()


def test_rare_and_empty_genes_go() -> None:
    counts = matrix([[1, 0, 5, 0.2], [1, 0, 0, 0.2], [1, 0, 0, 0.2]])
    assert prepare(counts, PLAIN).genes.tolist() == [0, 2]
    assert prepare(counts, replace(PLAIN, min_cells=2)).genes.tolist() == [0]


def test_library_is_summed_after_the_gene_filter_and_before_the_choice_of_genes() -> None:
    counts = Counts(simulated())
    few, all_genes = (prepare(counts, Recipe(hvg=hvg)) for hvg in (20, None))
    np.testing.assert_array_equal(few.size_factors, all_genes.size_factors)
    assert few.x.shape[1] == 20
    filtered = prepare(matrix([[1, 1], [1, 0], [2, 0]]), Recipe(min_cells=2))
    np.testing.assert_array_equal(filtered.size_factors, [1, 1, 2])


def test_empty_cells_stay_and_change_nothing() -> None:
    full = simulated()
    lines = np.insert(np.arange(60), 7, 60)  # a row of zeros at position 7
    with_empty = csr_matrix(np.vstack([full.toarray(), np.zeros((1, 90), np.float32)])[lines])
    for recipe in (
        STANDARD_RECIPE,
        Recipe(hvg=30, hvg_flavor="std"),
        Recipe(hvg=30, minmax="gene", l2_cell=True),
        Recipe(quantile=True),
    ):
        one, two = prepare(Counts(full), recipe), prepare(Counts(with_empty), recipe)
        np.testing.assert_array_equal(one.genes, two.genes)
        np.testing.assert_allclose(np.delete(dense(two.x), 7, axis=0), dense(one.x), rtol=1e-6, atol=1e-6)
        assert two.size_factors[7] == 1
        assert not two.nonempty[7]
        assert two.nonempty.sum() == 60
        assert np.isfinite(dense(two.x)).all()


def test_log_normalised_input_is_taken_as_it_is() -> None:
    values = np.log1p(simulated().toarray() / 3).astype(np.float32)
    recipe = Recipe(round_counts="ceil", min_cells=2, target=1e4)
    found = prepare(Counts(csr_matrix(values), is_counts=False), recipe)
    np.testing.assert_array_equal(dense(found.x), values[:, found.genes])
    np.testing.assert_array_equal(dense(found.counts), values[:, found.genes])
    np.testing.assert_array_equal(found.size_factors, np.ones(60))
    negative = prepare(Counts(csr_matrix(values - 0.5), is_counts=False), STANDARD_RECIPE)
    assert np.isfinite(dense(negative.x)).all()


@pytest.mark.parametrize("flavor", ["seurat", "seurat_v3"])
def test_variable_genes_are_those_of_scanpy(flavor: Any) -> None:
    stored = np.load(ORACLES / "scanpy" / "genes.npz")
    recipe = Recipe(min_cells=3, target=1e4, hvg=50, hvg_flavor=flavor)
    np.testing.assert_array_equal(prepare(Counts(csr_matrix(stored["counts"])), recipe).genes, stored[flavor])


def test_standard_matrix_is_that_of_scanpy() -> None:
    stored = np.load(ORACLES / "scanpy" / "standard.npz")
    found = prepare(Counts(csr_matrix(stored["counts"])), replace(STANDARD_RECIPE, hvg=40, clip=2.0))
    np.testing.assert_allclose(found.x, stored["z_scores"], rtol=1e-4, atol=1e-5)


def test_std_flavor_takes_the_largest_standard_deviations() -> None:
    found = prepare(Counts(simulated()), Recipe())
    sd = dense(found.x).std(axis=0, ddof=1)
    top = prepare(Counts(simulated()), Recipe(hvg=12, hvg_flavor="std"))
    np.testing.assert_array_equal(top.genes, np.sort(found.genes[np.argsort(-sd)[:12]]))


def test_unlogged_values_are_ranked_by_their_logarithm() -> None:
    genes = [prepare(Counts(simulated()), Recipe(hvg=20, log1p=log)).genes for log in (True, False)]
    np.testing.assert_array_equal(*genes)


def test_fewer_genes_than_asked_are_all_kept() -> None:
    assert prepare(Counts(simulated()), Recipe(hvg=5000)).x.shape == prepare(Counts(simulated()), Recipe()).x.shape


@pytest.mark.parametrize("flavor", ["seurat", "std"])
def test_constant_data_have_no_variable_gene_but_do_not_fail(flavor: Any) -> None:
    found = prepare(matrix(np.ones((5, 4))), Recipe(hvg=2, hvg_flavor=flavor, scale=True))
    assert found.x.shape[1] in (2, 4)
    np.testing.assert_allclose(found.x, 0, atol=1e-6)


def test_scaled_genes_have_unit_variance() -> None:
    x = dense(prepare(Counts(simulated()), Recipe(scale=True)).x)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0, ddof=1), 1, rtol=1e-5)
    clipped = dense(prepare(Counts(simulated()), Recipe(scale=True, clip=1.5)).x)
    np.testing.assert_array_equal(clipped, np.clip(x, -1.5, 1.5))


def test_constant_gene_scales_to_zero() -> None:
    found = prepare(matrix([[7, 0], [7, 3], [7, 1]]), Recipe(target=None, scale=True))
    np.testing.assert_allclose(dense(found.x)[:, 0], 0, atol=1e-6)


def test_ceiling_keeps_the_matrix_sparse() -> None:
    plain, levels = prepare(Counts(simulated()), Recipe()), prepare(Counts(simulated()), Recipe(ceil_log=True))
    assert issparse(levels.x)
    np.testing.assert_array_equal(dense(levels.x), np.ceil(dense(plain.x)))


@pytest.mark.parametrize(("which", "axis"), [("gene", 0), ("cell", 1)])
def test_unit_range(which: Any, axis: int) -> None:
    x = dense(prepare(Counts(simulated()), Recipe(minmax=which)).x)
    np.testing.assert_allclose(x.min(axis=axis), 0)
    np.testing.assert_allclose(x.max(axis=axis), 1)
    flat = dense(prepare(matrix([[2, 2], [2, 2]]), replace(PLAIN, minmax=which)).x)
    np.testing.assert_array_equal(flat, 0)


@pytest.mark.parametrize("scale", [False, True])
def test_unit_cells(scale: bool) -> None:
    raw = simulated().toarray()
    raw[3] = 0
    found = prepare(Counts(csr_matrix(raw)), Recipe(l2_cell=True, scale=scale))
    assert issparse(found.x) is not scale
    lengths = np.linalg.norm(dense(found.x), axis=1)
    np.testing.assert_allclose(np.delete(lengths, 3), 1, rtol=1e-5)
    assert lengths[3] == pytest.approx(float(scale))


def test_quantiles_are_uniform() -> None:
    x = dense(prepare(matrix([[1], [2], [3], [4], [9]]), replace(PLAIN, quantile=True)).x)
    np.testing.assert_allclose(x.ravel(), [0, 0.25, 0.5, 0.75, 1], atol=1e-6)


def test_input_is_never_changed_or_shared() -> None:
    raw = simulated()
    before = raw.copy()
    for part in (raw.data, raw.indices, raw.indptr):
        part.flags.writeable = False
    for recipe in (PLAIN, STANDARD_RECIPE, Recipe(round_counts="round", ceil_log=True, l2_cell=True)):
        found = prepare(Counts(raw), recipe)
        assert not np.shares_memory(found.counts.data, raw.data)
        if issparse(found.x):
            assert not np.shares_memory(found.x.data, raw.data)
    assert (raw != before).nnz == 0


def test_repeated_unsorted_and_zero_entries_are_read_as_their_sum() -> None:
    odd = csr_matrix((np.array([1, 2, 4, 0], np.float32), np.array([1, 1, 0, 1]), np.array([0, 3, 4])), shape=(2, 2))
    found = prepare(Counts(odd), PLAIN)
    np.testing.assert_array_equal(dense(found.counts), [[4, 3], [0, 0]])
    assert odd.nnz == 4


@pytest.mark.parametrize(
    "recipe",
    [
        STANDARD_RECIPE,
        Recipe(),
        Recipe(hvg=25),
        Recipe(hvg=25, hvg_flavor="std", minmax="cell"),
        Recipe(quantile=True, l2_cell=True),
    ],
)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_permuted_cells_give_permuted_results(recipe: Recipe, seed: int) -> None:
    raw = simulated(seed=seed % 7)
    order = np.random.default_rng(seed).permutation(raw.shape[0])
    one, two = prepare(Counts(raw), recipe), prepare(Counts(raw[order]), recipe)
    np.testing.assert_array_equal(one.genes, two.genes)
    np.testing.assert_allclose(dense(one.x)[order], dense(two.x), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(one.size_factors[order], two.size_factors)
    np.testing.assert_array_equal(dense(one.counts)[order], dense(two.counts))


def test_cache_serves_the_order_of_the_run() -> None:
    raw = simulated()
    order = np.random.default_rng(3).permutation(raw.shape[0])
    cache = PermutingCache(raw, order)
    found = prepare(Counts(raw[order]), STANDARD_RECIPE, cache)
    np.testing.assert_array_equal(found.x, dense(prepare(Counts(raw), STANDARD_RECIPE).x)[order])
    scores = principal_components(Counts(raw[order]), STANDARD_RECIPE, 5, cache)
    np.testing.assert_array_equal(scores, principal_components(Counts(raw), STANDARD_RECIPE, 5)[order])
    assert cache.kinds == ["prepare", "pca"]


@pytest.mark.parametrize("recipe", [STANDARD_RECIPE, Recipe(hvg=2), Recipe(minmax="gene", quantile=True, l2_cell=True)])
def test_one_cell_is_prepared(recipe: Recipe) -> None:
    found = prepare(matrix([[3, 1, 4, 0]]), replace(recipe, min_cells=0))
    assert found.x.shape == (1, 3)
    assert np.isfinite(dense(found.x)).all()
    assert found.size_factors.tolist() == [1]


@pytest.mark.parametrize(
    ("rows", "recipe", "message"),
    [
        (np.zeros((3, 4)), Recipe(), "zero genes left of 4"),
        (np.eye(3), Recipe(min_cells=2), "at least 2 of 3 cells with a total of at least 1; lower min_cells"),
        ([[1, np.nan]], Recipe(), "NaN or infinite"),
        ([[1, np.inf]], Recipe(), "NaN or infinite"),
        ([[1, -2]], Recipe(), r"must not be negative, the smallest is -2; .*is_counts=False"),
    ],
)
def test_unusable_counts_are_refused(rows: object, recipe: Recipe, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepare(matrix(rows), recipe)


def test_values_that_do_not_fit_the_flavor_are_refused() -> None:
    logged = Counts(csr_matrix(np.random.default_rng(0).random((9, 9), dtype=np.float32)), is_counts=False)
    with pytest.raises(DataError, match="seurat_v3' needs raw counts"):
        prepare(logged, Recipe(hvg=3, hvg_flavor="seurat_v3"))
    with pytest.raises(DataError, match="cannot be the logarithm"):
        prepare(replace(logged, matrix=logged.matrix * 500), Recipe(hvg=3))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("round_counts", "floor", "unknown round_counts 'floor'"),
        ("hvg_flavor", "seurat3", "unknown hvg_flavor 'seurat3'. Did you mean 'seurat"),
        ("minmax", "row", "unknown minmax 'row'"),
        ("target", "mean", "unknown target 'mean'"),
        ("target", 0.0, "target must be 'median', a positive number or None, got 0"),
        ("min_cells", -1, "min_cells must be at least 0, got -1"),
        ("hvg", 0, "hvg must be at least 1, or None for all genes, got 0"),
        ("clip", -1.0, "clip must be positive"),
        ("clip", 3.0, "cuts z-scores; set scale=True"),
    ],
)
def test_wrong_recipes_are_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Recipe(**{field: value})  # type: ignore[arg-type]


def test_oracle_of_cicl() -> None:
    oracle = np.load(ORACLES / "cicl/preprocess.npz")
    raw = Counts(csr_matrix(oracle["counts"].astype(np.float32)))
    cells, genes = oracle["kept_cells"], oracle["kept_genes"]
    found = prepare(raw, Recipe(hvg=int(oracle["n_top"]), scale=True))
    np.testing.assert_array_equal(found.genes, genes[oracle["hvg_mask"]])
    np.testing.assert_allclose(found.size_factors[cells], oracle["size_factors"], rtol=1e-6)
    np.testing.assert_allclose(dense(found.x)[cells], oracle["scaled"], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(np.flatnonzero(found.nonempty), cells)
    logged = dense(prepare(raw, Recipe()).x)[cells]
    np.testing.assert_allclose(logged, oracle["log1p"], rtol=1e-6, atol=1e-8)


def test_oracle_of_scsiameseclu() -> None:
    oracle = np.load(ORACLES / "scsiameseclu/normalise_counts.npz")
    raw, cells = Counts(csr_matrix(oracle["counts"].astype(np.float32))), oracle["kept_cells"]
    found = prepare(raw, Recipe(scale=True))
    np.testing.assert_array_equal(found.genes, oracle["kept_genes_after_filter"])
    np.testing.assert_allclose(found.size_factors[cells], oracle["size_factors"], rtol=1e-6)
    np.testing.assert_allclose(dense(found.x)[cells], oracle["X_scaled_all"], atol=1e-5)
    found = prepare(raw, Recipe(hvg=int(oracle["hvg_n"]), scale=True))
    np.testing.assert_array_equal(found.genes, oracle["hvg_genes"])
    np.testing.assert_allclose(dense(found.x)[cells], oracle["X_scaled_hvg"], atol=1e-5)


@pytest.mark.parametrize("draw", [0, 1])
def test_oracle_of_scsamac(draw: int) -> None:
    oracle = np.load(ORACLES / f"scsamac/preprocess_{draw}.npz")
    found = prepare(Counts(csr_matrix(oracle["counts"].astype(np.float32))), Recipe(scale=True))
    cells = oracle["kept_cells"]
    np.testing.assert_array_equal(found.genes, oracle["kept_genes"])
    np.testing.assert_array_equal(dense(found.counts)[cells], oracle["counts_kept"])
    np.testing.assert_allclose(found.size_factors[cells], oracle["size_factors"], rtol=1e-6)
    np.testing.assert_allclose(dense(found.x)[cells], oracle["x_scaled"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("draw", [1, 2])
def test_oracle_of_sccagn(draw: int) -> None:
    oracle = np.load(ORACLES / f"sccagn/preprocess_draw{draw}.npz")
    raw, hvg = Counts(csr_matrix(oracle["X"].astype(np.float32))), int(oracle["M"])
    logged = prepare(raw, Recipe(hvg=hvg))
    np.testing.assert_allclose(dense(logged.x), oracle["h5_lognorm_hvg"], atol=1e-5)
    levels = prepare(raw, Recipe(hvg=hvg, ceil_log=True))
    np.testing.assert_allclose(dense(levels.x), oracle["h5_ceil"], atol=1e-5)
    final = prepare(raw, Recipe(hvg=hvg, ceil_log=True, minmax="gene", l2_cell=True))
    np.testing.assert_allclose(dense(final.x), oracle["h5_final"], atol=1e-5)
    scaled = prepare(raw, Recipe(hvg=hvg, scale=True))
    np.testing.assert_allclose(dense(scaled.x), oracle["csv_scaled"], atol=1e-5)
    ranked = prepare(raw, Recipe(hvg=hvg, scale=True, quantile=True, l2_cell=True))
    np.testing.assert_allclose(dense(ranked.x), oracle["csv_final"], atol=5e-3)


def test_constant_genes_are_the_last_to_be_variable() -> None:
    rng = np.random.default_rng(0)
    x = np.hstack([np.full((30, 5), 3.0), rng.poisson(2.0, size=(30, 20))]).astype(np.float32)
    data = Counts(csr_matrix(x))
    chosen = prepare(data, Recipe(target=None, log1p=False, hvg=5, hvg_flavor="std")).genes
    assert chosen.min() >= 5
    sds = x.std(axis=0, ddof=1)
    np.testing.assert_array_equal(chosen, np.sort(np.argsort(-sds, kind="stable")[:5]))


def test_choosing_variable_genes_leaves_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        prepare(toy_counts(100, 80), Recipe(hvg=20))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["scaling._ENTRIES_AT_ONCE", "scaling._FEW_ENTRIES", "prepare._ROWS_AT_ONCE"])
def test_pieces_of_a_large_matrix_give_what_the_whole_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = Counts(simulated())
    recipes = (STANDARD_RECIPE, replace(STANDARD_RECIPE, scale=False, clip=None), PLAIN)
    before = [prepare(raw, recipe) for recipe in recipes], principal_components(raw, STANDARD_RECIPE, 5)
    monkeypatch.setattr(f"scbench.preprocessing.{name}", 7)
    after = [prepare(raw, recipe) for recipe in recipes], principal_components(raw, STANDARD_RECIPE, 5)
    for one, other in zip(before[0], after[0], strict=True):
        np.testing.assert_array_equal(one.genes, other.genes)
        for part in ("x", "counts"):
            dense = [
                np.asarray(value.todense() if issparse(value) else value)
                for value in (getattr(one, part), getattr(other, part))
            ]
            np.testing.assert_allclose(*dense, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(before[1], after[1], atol=1e-3)


def test_components_of_a_matrix_that_is_not_cached_are_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = simulated()
    for part in (raw.data, raw.indices, raw.indptr):
        part.flags.writeable = False
    before = principal_components(Counts(raw), STANDARD_RECIPE, 5)
    monkeypatch.setattr("scbench.preprocessing.prepare._MOST_CACHED_ENTRIES", 0)
    np.testing.assert_array_equal(before, principal_components(Counts(raw), STANDARD_RECIPE, 5))
