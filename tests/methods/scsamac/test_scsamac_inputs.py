from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.gene_filter import genes_by_zero_rate
from scbench_methods.scsamac.inputs import make_inputs
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.method import Counts, RunContext
from scbench.testing import toy_counts

ORACLES = Path(__file__).parents[2] / "oracles/scsamac"


def cells_of(counts: Counts, **settings: Any) -> Cells:
    config = ScSamacConfig(**settings)
    return Cells(make_inputs(counts, config, None), config, RunContext(0))


@pytest.mark.parametrize("draw", [0, 1])
def test_counts_are_scaled_as_in_the_oracle(draw: int) -> None:
    oracle = np.load(ORACLES / f"preprocess_{draw}.npz")
    cells = cells_of(Counts(csr_matrix(oracle["counts"], dtype=np.float32)), n_top_genes="all", precision="float64")
    np.testing.assert_array_equal(cells.taught, oracle["kept_cells"])
    batch = cells.batch(cells.taught)
    np.testing.assert_allclose(batch.size_factors, oracle["size_factors"], rtol=1e-6)
    np.testing.assert_allclose(cells.scaled(batch), oracle["x_scaled"], rtol=1e-5, atol=1e-6)
    dense = torch.zeros(batch.n_cells, batch.n_genes)
    dense.view(-1)[batch.where] = batch.gathered.values
    np.testing.assert_array_equal(dense, oracle["counts_kept"])


def test_z_scores_are_those_of_numpy() -> None:
    counts = toy_counts(60, 150)
    cells = cells_of(counts, n_top_genes="all", precision="float64")
    dense = counts.matrix.toarray().astype(np.float64)
    dense = dense[:, dense.sum(axis=0) >= 1]
    library = dense.sum(axis=1)
    log_norm = np.log1p(dense / (library / np.median(library))[:, None])
    expected = (log_norm - log_norm.mean(axis=0)) / log_norm.std(axis=0, ddof=1)
    chosen = torch.tensor([7, 3, 3, 59])
    np.testing.assert_allclose(cells.scaled(cells.batch(chosen)), expected[chosen.numpy()], rtol=1e-5, atol=1e-5)


def test_a_constant_gene_and_an_empty_cell_are_harmless() -> None:
    dense = np.random.default_rng(0).poisson(1.0, (50, 20)).astype(np.float32)
    dense[:, 0], dense[0] = 0, 0
    dense[:, 1] = 1
    cells = cells_of(Counts(csr_matrix(dense)), n_top_genes="all")
    assert cells.n_genes == 19
    x = cells.scaled(cells.batch(torch.arange(50)))
    assert torch.isfinite(x).all()
    dense[0] = 0
    cells = cells_of(Counts(csr_matrix(dense)), n_top_genes="all")
    assert cells.empty.tolist() == [0]
    dropped = cells_of(Counts(csr_matrix(dense[1:])), n_top_genes="all")
    np.testing.assert_allclose(
        cells.scaled(cells.batch(cells.taught)), dropped.scaled(dropped.batch(torch.arange(49))), rtol=1e-6
    )


def test_libraries_are_summed_before_variable_genes_are_chosen() -> None:
    counts = toy_counts(100, 150)
    config = ScSamacConfig(n_top_genes=30)
    few, everything = (make_inputs(counts, c, None) for c in (config, ScSamacConfig(n_top_genes="all")))
    assert few.counts.shape == (100, 30)
    np.testing.assert_array_equal(few.size_factors, everything.size_factors)


def test_libraries_are_summed_after_the_programs_filter() -> None:
    counts = toy_counts(100, 150)
    few = make_inputs(counts, ScSamacConfig(n_top_genes=30, gene_selection="zero_rate"), None)
    library = np.asarray(few.counts.sum(axis=1)).ravel()
    np.testing.assert_allclose(few.size_factors, library / np.median(library[library > 0]), rtol=1e-6)


def slow_zero_rate(dense: np.ndarray, n_genes: int) -> list[int]:
    low, high, b = 0.0, 10.0, 5.0
    for _ in range(100):
        kept = []
        for gene in range(dense.shape[1]):
            seen = dense[dense[:, gene] > 0, gene]
            if len(seen) >= 10 and 1 - len(seen) / len(dense) > np.exp(-1.5 * (np.log2(seen).mean() - b)) + 0.02:
                kept.append(gene)
        if len(kept) == n_genes:
            return kept
        if len(kept) > n_genes:
            low = b
        else:
            high = b
        b = (low + high) / 2
    return kept


@pytest.mark.parametrize("n_genes", [1, 20, 60])
def test_the_programs_filter_is_its_description(n_genes: int) -> None:
    dense = toy_counts(120, 100).matrix.toarray().astype(np.float64)
    found = genes_by_zero_rate(csr_matrix(dense), 120, n_genes)
    assert found.tolist() == slow_zero_rate(dense, n_genes)


def test_the_programs_filter_finds_as_many_as_it_is_asked_for() -> None:
    counts = toy_counts(300, 400).matrix
    smaller, larger = (set(genes_by_zero_rate(counts, 300, n).tolist()) for n in (40, 80))
    assert len(smaller) == 40
    assert len(larger) == 80
    assert smaller < larger


def test_a_gene_in_nine_cells_is_never_kept() -> None:
    dense = np.zeros((100, 2), dtype=np.float32)
    dense[:9, 0] = 500
    dense[:10, 1] = 500
    assert genes_by_zero_rate(csr_matrix(dense), 100, 1).tolist() == [1]


def test_a_filter_that_keeps_nothing_is_an_error() -> None:
    counts = Counts(csr_matrix(np.ones((30, 5), dtype=np.float32)))
    with pytest.raises(DataError, match="keeps no gene.*n_top_genes=all"):
        make_inputs(counts, ScSamacConfig(gene_selection="zero_rate", n_top_genes=3), None)


def test_log_normalised_values_are_refused_with_the_reason() -> None:
    counts = Counts(toy_counts(50, 40).matrix.log1p(), None, is_counts=False)
    with pytest.raises(DataError, match=r"negative binomial, which is defined for counts only.*log-normalised"):
        make_inputs(counts, ScSamacConfig(), None)


def test_noise_has_the_standard_deviation_that_is_asked_for() -> None:
    cells = cells_of(toy_counts(80, 120), noise_std=0.5)
    x = cells.scaled(cells.batch(torch.arange(80)))
    difference = cells.noisy(x) - x
    assert abs(float(difference.std()) - 0.5) < 0.02
    assert abs(float(difference.mean())) < 0.02
    assert not torch.equal(cells.noisy(x), cells.noisy(x))
