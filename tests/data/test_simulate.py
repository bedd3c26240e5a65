"""Simulated counts."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from scbench.data.config import SimulatedDataset
from scbench.data.labelled import LabelledCounts
from scbench.data.simulate import simulate, type_sizes

SMALL = SimulatedDataset(name="simulated", n_cells=600, n_genes=300, n_types=4)


def _labels(counts: LabelledCounts) -> np.ndarray:
    assert counts.labels is not None
    return counts.labels


def test_counts_are_whole_non_negative_and_sparse() -> None:
    counts = simulate(SimulatedDataset(name="simulated"))
    assert isinstance(counts.matrix, csr_matrix)
    assert counts.matrix.dtype == np.float32
    assert counts.matrix.shape == (2000, 2000)
    np.testing.assert_array_equal(counts.matrix.data, np.rint(counts.matrix.data))
    assert counts.matrix.data.min() >= 1
    assert 0.85 < 1 - counts.matrix.nnz / 4e6 < 0.95


def test_same_seed_gives_the_same_counts_and_another_seed_others() -> None:
    first, again = simulate(SMALL), simulate(SMALL)
    other = simulate(dataclasses.replace(SMALL, seed=1))
    assert abs(first.matrix - again.matrix).max() == 0
    np.testing.assert_array_equal(_labels(first), _labels(again))
    assert abs(first.matrix - other.matrix).max() > 0


def test_labels_are_shuffled_and_names_unique() -> None:
    counts = simulate(SMALL)
    labels = _labels(counts)
    assert labels.dtype == object
    assert set(labels) == {"type1", "type2", "type3", "type4"}
    assert np.mean(labels[1:] == labels[:-1]) < 0.5
    assert counts.genes is not None
    assert counts.cells is not None
    assert len(set(counts.genes)) == 300
    assert len(set(counts.cells)) == 600


@pytest.mark.parametrize(
    ("n_cells", "n_types", "imbalance", "expected"),
    [
        (30, 3, 1.0, [10, 10, 10]),
        (70, 3, 4.0, [40, 20, 10]),
        (5, 1, 9.0, [5]),
        (4, 4, 1000.0, [1, 1, 1, 1]),
        (6, 3, 1e9, [4, 1, 1]),
    ],
)
def test_sizes_by_hand(n_cells: int, n_types: int, imbalance: float, expected: list[int]) -> None:
    assert type_sizes(n_cells, n_types, imbalance).tolist() == expected


@given(st.integers(1, 40), st.integers(0, 5000), st.floats(1, 1e6))
def test_sizes_sum_up_decrease_and_are_never_zero(n_types: int, more: int, imbalance: float) -> None:
    sizes = type_sizes(n_types + more, n_types, imbalance)
    assert sizes.sum() == n_types + more
    assert sizes.min() >= 1
    assert (np.diff(sizes) <= 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 5))
def test_any_size_works(n_cells: int, n_genes: int, seed: int) -> None:
    config = SimulatedDataset(name="s", n_cells=n_cells, n_genes=n_genes, n_types=min(3, n_cells), seed=seed)
    counts = simulate(config)
    assert counts.matrix.shape == (n_cells, n_genes)
    assert len(set(_labels(counts))) == config.n_types


def test_dropout_removes_its_share_of_the_mean() -> None:
    config = dataclasses.replace(SMALL, n_cells=2000)
    full = simulate(dataclasses.replace(config, dropout=0.0)).matrix.sum()
    half = simulate(dataclasses.replace(config, dropout=0.5)).matrix.sum()
    assert half / full == pytest.approx(0.5, abs=0.03)


def test_variance_follows_the_negative_binomial() -> None:
    config = SimulatedDataset(name="s", n_cells=20000, n_genes=60, n_types=1, dropout=0.0, seed=3)
    dense = simulate(config).matrix.toarray().astype(np.float64)
    mean, variance = dense.mean(axis=0), dense.var(axis=0, ddof=1)
    # A log-normal library of mean m and second moment s: var = m r + (s (1 + 0.5) - m^2) r^2.
    m, s = np.exp(0.4**2 / 2), np.exp(2 * 0.4**2)
    rate = mean / m
    expected = m * rate + (s * 1.5 - m**2) * rate**2
    frequent = mean > 0.2
    assert frequent.sum() >= 5
    np.testing.assert_allclose(variance[frequent], expected[frequent], rtol=0.2)


def test_separation_moves_the_types_apart() -> None:
    distances = []
    for separation in (0.2, 1.0, 2.0):
        config = SimulatedDataset(name="s", n_cells=2000, n_genes=400, n_types=2, separation=separation)
        counts = simulate(config)
        means = [np.asarray(counts.matrix[_labels(counts) == t].mean(axis=0)).ravel() for t in ("type1", "type2")]
        distances.append(np.abs(np.log1p(means[0]) - np.log1p(means[1])).mean())
    assert distances[0] < distances[1] < distances[2]


def test_no_dense_matrix_is_held() -> None:
    tracemalloc.start()
    counts = simulate(SimulatedDataset(name="s", n_cells=20000, n_genes=1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    dense_bytes = 20000 * 1000 * 8
    assert counts.matrix.nnz < 20000 * 1000 * 0.15
    assert peak < dense_bytes / 2
