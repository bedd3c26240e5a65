from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scbench_methods.sccagn import inputs as inputs_module
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.inputs import Inputs, cell_graph, make_inputs, n_with_values, recipe_of
from scbench_methods.sccagn.reference import make_reference, on_the_scale_of
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.method import Counts
from scbench.preprocessing.prepare import Recipe, prepare
from scbench.testing import toy_counts

ORACLES = Path(__file__).parents[2] / "oracles" / "sccagn"
COUNTS = toy_counts(120, 150)
_TRANSFORMS = ("minmax_l2", "ceil_minmax_l2", "zscore_quantile_l2", "zscore")


def made(counts: Counts = COUNTS, **settings: Any) -> Inputs:
    return make_inputs(counts, ScCagnConfig(**settings), None)


def from_dense(dense: np.ndarray, **extra: Any) -> Counts:
    return Counts(csr_matrix(dense.astype(np.float32)), **extra)


@pytest.mark.parametrize("draw", [1, 2])
def test_the_programs_input_agrees_with_the_oracle(draw: int) -> None:
    with np.load(ORACLES / f"preprocess_draw{draw}.npz") as o:
        found = made(from_dense(o["X"]), variant="paper_code", n_top_genes=int(o["M"]))
        np.testing.assert_allclose(found.x, o["h5_final"], atol=1e-5)


@pytest.mark.parametrize("draw", [1, 2])
def test_the_graph_agrees_with_the_oracle(draw: int) -> None:
    with np.load(ORACLES / f"graph_draw{draw}.npz") as o:
        graph, n_directed = cell_graph(o["features"], ScCagnConfig())
        assert n_directed == len(o["kept_edges"])
        expected = o["adj_rownorm"] > 0
        np.fill_diagonal(expected, False)
        np.testing.assert_array_equal(graph.toarray() > 0, expected)


def test_rows_have_unit_length_and_genes_a_unit_range() -> None:
    found = made()
    assert found.x.dtype == np.float32
    assert found.x.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(found.x, axis=1), 1, rtol=1e-5)
    assert found.measured_on == "all variable genes"


def test_genes_have_to_be_found_in_more_than_one_cell_of_a_hundred() -> None:
    dense = COUNTS.matrix.toarray()[:100]
    dense[:, :2] = 0
    dense[0, :2] = 3
    dense[1, 1] = 3
    found = prepare(from_dense(dense), recipe_of(ScCagnConfig(), 100))
    assert 0 not in found.genes
    assert 1 in found.genes
    assert 0 in prepare(from_dense(dense), recipe_of(ScCagnConfig(variant="paper_code"), 100)).genes


def test_a_gene_of_zero_range_becomes_zero() -> None:
    values = np.log1p(COUNTS.matrix.toarray())
    values[:, 7] = 1.5
    found = made(from_dense(values, is_counts=False))
    assert not found.x[:, 7].any()
    assert np.isfinite(found.x).all()


def test_the_two_choices_of_genes_differ() -> None:
    by_dispersion, by_sd = (made(n_top_genes=40, gene_selection=how) for how in ("seurat_hvg", "std"))
    assert by_dispersion.x.shape == by_sd.x.shape == (120, 40)
    log_norm = np.asarray(prepare(COUNTS, Recipe(min_cells=2)).x.toarray())
    largest = np.sort(np.argsort(-log_norm.std(axis=0, ddof=1))[:40])
    values = log_norm[:, largest]
    values = (values - values.min(axis=0)) / (values.max(axis=0) - values.min(axis=0))
    np.testing.assert_allclose(by_sd.x, values / np.linalg.norm(values, axis=1, keepdims=True), atol=1e-5)
    assert not np.allclose(by_sd.x, by_dispersion.x)


@pytest.mark.parametrize("is_filtered", [False, True])
def test_an_empty_cell_has_no_part_in_anything(is_filtered: bool) -> None:
    dense = COUNTS.matrix.toarray()
    with_empty = np.insert(dense, [0, 60], 0, axis=0)
    alone, found = (
        made(from_dense(dense), filter_cells=is_filtered),
        made(from_dense(with_empty), filter_cells=is_filtered),
    )
    assert (~found.taught).sum() == 2 + (~alone.taught).sum()
    np.testing.assert_allclose(found.x[found.taught], alone.x[alone.taught], atol=1e-6)
    assert (found.graph != alone.graph).nnz == 0
    assert not found.x[~found.taught & (with_empty.sum(axis=1) == 0)].any()


def test_poor_cells_are_left_out_when_asked_for() -> None:
    dense = COUNTS.matrix.toarray()
    dense[5], dense[9] = 0, 0
    dense[5, :1] = 4  # 1 of 150 genes
    dense[9, :2] = 4  # 2 of 150
    found, plain = made(from_dense(dense), filter_cells=True), made(from_dense(dense))
    assert np.flatnonzero(~found.taught).tolist() == [5]
    assert plain.taught.all()
    assert found.graph.shape == (119, 119)
    np.testing.assert_allclose(np.linalg.norm(found.x[5]), 1, rtol=1e-5)
    without = made(from_dense(np.delete(dense, 5, axis=0)))
    np.testing.assert_allclose(np.delete(found.x, 5, axis=0), without.x, atol=1e-6)


def test_a_filter_that_leaves_no_cell_says_so() -> None:
    identity = np.eye(300)
    with pytest.raises(DataError, match=r"no cell shows more than 1% of the 300 genes; use method.filter_cells=false"):
        made(from_dense(identity), variant="paper_code", filter_cells=True)


@pytest.mark.parametrize("n_cells", [2, 10])
def test_too_few_cells_for_a_neighbourhood_are_refused(n_cells: int) -> None:
    with pytest.raises(DataError, match=f"needs 11 cells with counts, got {n_cells}; give more cells, or a smaller"):
        made(from_dense(COUNTS.matrix.toarray()[:n_cells]))
    few = made(from_dense(COUNTS.matrix.toarray()[:n_cells]), n_neighbors=1)
    assert few.graph.shape == (n_cells, n_cells)


def test_duplicates_are_neighbours() -> None:
    dense = np.repeat(COUNTS.matrix.toarray()[:10], 4, axis=0)
    found = made(from_dense(dense), n_neighbors=3)
    expected = np.kron(np.eye(10), np.ones((4, 4))) - np.eye(40)
    np.testing.assert_array_equal(found.graph.toarray(), expected)


def test_pruning_takes_the_far_neighbours_away() -> None:
    pruned, whole = made(), made(prune=False)
    assert whole.n_directed_edges == 1200
    assert 900 < pruned.n_directed_edges < 1200
    assert (pruned.graph != pruned.graph.T).nnz == 0
    assert pruned.graph.diagonal().sum() == 0


def test_many_cells_are_compared_by_their_components() -> None:
    found = made(exact_neighbour_cells=100, n_components=5)
    assert found.measured_on == "5 principal components"
    assert (found.graph != made().graph).nnz > 0


@pytest.mark.parametrize("values", [[], [0.0, 0.0, 0.0]])
def test_stored_zeros_are_no_values(values: list[float]) -> None:
    matrix = csr_matrix(
        (np.array([*values, 2.0]), (np.zeros(len(values) + 1, int), np.arange(len(values) + 1))), shape=(3, 5)
    )
    assert n_with_values(matrix) == 1
    assert n_with_values(csr_matrix((4, 5))) == 0


@pytest.mark.parametrize("transform", _TRANSFORMS)
def test_cells_on_their_own_scale_are_as_they_are(transform: str) -> None:
    config = ScCagnConfig(input_transform=transform, n_top_genes=60)
    recipe = recipe_of(config, 120)
    found = on_the_scale_of(make_reference(COUNTS, recipe), COUNTS)
    np.testing.assert_allclose(found, np.asarray(prepare(COUNTS, recipe).x), atol=2e-5)


def test_other_cells_get_the_library_and_the_ranges_of_the_first() -> None:
    dense = COUNTS.matrix.toarray()
    known, others = dense[:80], 3 * dense[80:]
    recipe = recipe_of(ScCagnConfig(min_cell_share=0.0), 80)
    found = on_the_scale_of(make_reference(from_dense(known), recipe), from_dense(others))
    genes = known.sum(axis=0) > 0
    median = np.median(known[:, genes].sum(axis=1))
    log_norm = [
        np.log1p(part[:, genes] / part[:, genes].sum(axis=1, keepdims=True) * median) for part in (known, others)
    ]
    low, high = log_norm[0].min(axis=0), log_norm[0].max(axis=0)
    expected = np.clip((log_norm[1] - low) / np.where(high > low, high - low, 1), 0, 1)
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_genes_are_matched_by_name() -> None:
    names = np.array([f"g{i}" for i in range(150)])
    order = np.random.default_rng(0).permutation(150)
    reference = make_reference(Counts(COUNTS.matrix, names), recipe_of(ScCagnConfig(n_top_genes=50), 120))
    moved = Counts(csr_matrix(COUNTS.matrix[:, order]), names[order])
    np.testing.assert_array_equal(
        on_the_scale_of(reference, moved), on_the_scale_of(reference, Counts(COUNTS.matrix, names))
    )


@pytest.mark.parametrize("transform", _TRANSFORMS)
def test_genes_are_scaled_some_at_a_time_as_all_at_once(transform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from scbench_methods.sccagn import reference as reference_module

    known, others = (Counts(csr_matrix(COUNTS.matrix[rows])) for rows in (slice(0, 80), slice(80, None)))
    reference = make_reference(known, recipe_of(ScCagnConfig(input_transform=transform, n_top_genes=60), 80))
    at_once = on_the_scale_of(reference, others)
    monkeypatch.setattr(reference_module, "_GENES_AT_ONCE", 7)
    np.testing.assert_array_equal(on_the_scale_of(reference, others), at_once)


def test_a_name_of_several_genes_is_refused_where_names_decide() -> None:
    names = np.array([f"g{i}" for i in range(150)], dtype=object)
    twice = names.copy()
    twice[20] = "g10"
    for known, other in ((names, twice), (twice, names), (twice, twice[::-1])):
        refused(Counts(COUNTS.matrix, other), "1 names of genes stand for several columns, g10 for one.*unique", known)
    dense = COUNTS.matrix.toarray()
    dense[:, [10, 20]] = 0  # not needed
    moved = np.random.default_rng(0).permutation(150)
    reference = make_reference(from_dense(dense, genes=twice), recipe_of(ScCagnConfig(), 120))
    np.testing.assert_array_equal(
        on_the_scale_of(reference, from_dense(dense[:, moved], genes=twice[moved])),
        on_the_scale_of(reference, from_dense(dense, genes=twice)),
    )


def refused(other: Counts, match: str, names: np.ndarray | None = None) -> None:
    reference = make_reference(Counts(COUNTS.matrix, names), recipe_of(ScCagnConfig(), 120))
    with pytest.raises(DataError, match=match):
        on_the_scale_of(reference, other)


def test_other_cells_that_do_not_fit_are_refused() -> None:
    names = np.array([f"g{i}" for i in range(150)])
    fewer = csr_matrix(COUNTS.matrix[:, 1:])
    refused(Counts(fewer), "the cells learnt from have 150 genes and the others 149")
    refused(Counts(fewer, names[1:]), "1 of .* genes of the cells learnt from are missing in the others, g0", names)
    refused(Counts(COUNTS.matrix, None, is_counts=False), "one set of cells is counts and the other log-normalised")
    broken = COUNTS.matrix.copy()
    broken.data[0] = -1
    refused(Counts(broken), "hold negative, NaN or infinite values")
    broken.data[0] = np.nan
    refused(Counts(broken), "hold negative, NaN or infinite values")


def test_the_cell_filter_is_the_papers() -> None:
    assert inputs_module.CELL_FILTER == 0.01
