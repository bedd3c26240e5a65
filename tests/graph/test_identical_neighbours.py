"""Identical cells in the graph of the controls: one cluster for each profile, and the same graph in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scbench_methods.leiden.method import Leiden
from scbench_methods.louvain.method import Louvain
from scipy.sparse import csr_matrix, vstack

from scbench.graph.communities import communities
from scbench.graph.estimate_k import estimate_n_clusters
from scbench.graph.identical_neighbours import settle_identical
from scbench.graph.neighbours import nearest_neighbours, neighbour_graph, umap_connectivities
from scbench.method import Counts, RunContext
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components
from scbench.testing import toy_counts


def profiles(n: int = 12, n_genes: int = 300, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(0.6, 2.0, (n, n_genes))).astype(np.float32)


def copied(copies: int, n: int = 12, seed: int = 0) -> tuple[Counts, np.ndarray]:
    """Return counts of ``copies`` cells of each profile, in random order, and the profile of each cell."""
    of = np.random.default_rng(seed).permutation(np.repeat(np.arange(n), copies))
    return Counts(csr_matrix(profiles(n)[of])), of


def is_partition(labels: np.ndarray, of: np.ndarray) -> bool:
    pairs = {*zip(labels.tolist(), of.tolist(), strict=True)}
    return len(pairs) == len(set(labels.tolist())) == len(set(of.tolist()))


def scattered(n: int = 90, d: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def partly_copied(seed: int = 0) -> np.ndarray:
    """Return points of which some have a copy, some four and one has thirty: more than neighbours."""
    x = scattered(seed=seed)
    x[10:15] = x[0:5]
    x[20:24] = x[25]
    x[30:60] = x[60]
    return x


@pytest.mark.parametrize("copies", [10, 19, 20, 21, 50])
def test_each_profile_is_a_cluster_whatever_the_number_of_copies(copies: int) -> None:
    counts, of = copied(copies)
    for method in (Leiden(), Louvain()):
        assert is_partition(method.fit_predict(counts, 12, RunContext(0)).labels, of)
    assert estimate_n_clusters(counts) == 12
    graph = neighbour_graph(counts, STANDARD_RECIPE, 20, 20)
    assert is_partition(communities(graph, "leiden", 1.0, 0), of)


def test_identical_cells_are_as_many_clusters_as_with_a_jitter() -> None:
    for copies in (2, 3, 5, 10):
        counts, _ = copied(copies, n=20)
        scores = principal_components(counts, STANDARD_RECIPE, 20)
        moved = scores + np.random.default_rng(0).normal(scale=1e-3, size=scores.shape).astype(np.float32)
        found, expected = (communities(umap_connectivities(x), "leiden", 1.0, 0).max() for x in (scores, moved))
        assert abs(found - expected) <= 1


def test_a_cell_with_one_duplicate_by_hand() -> None:
    """Two pairs: 1 for the duplicate leaves w = log2(3) - 1 for the stranger, who is the first of the other pair."""
    graph = umap_connectivities(np.array([[0.0], [1.0], [0.0], [1.0]]), 3).toarray()
    w = np.log2(3) - 1
    both, one = w + w - w * w, w
    np.testing.assert_allclose(graph, [[0, both, 1, one], [both, 0, one, 1], [1, one, 0, 0], [one, 1, 0, 0]], atol=2e-5)


def test_copies_beyond_the_neighbours_are_connected_and_stay_together() -> None:
    graph = umap_connectivities(np.repeat(scattered(3), [200, 2, 1], axis=0), 20)
    copies = graph[:200, :200].toarray()
    assert (copies[:20, :20] == 1 - np.eye(20)).all()
    assert (copies[20:, :19] == 1).all()
    assert not copies[20:, 20:].any()
    assert len(set(communities(umap_connectivities(np.ones((2000, 3)), 20), "leiden", 1.0, 0))) == 1


@pytest.mark.parametrize("n_empty", [2, 5, 60])
def test_empty_cells_are_one_cluster(n_empty: int) -> None:
    toy = toy_counts(300).matrix
    counts = Counts(csr_matrix(vstack([toy, csr_matrix((n_empty, toy.shape[1]), dtype=np.float32)])))
    graph = neighbour_graph(counts, STANDARD_RECIPE, 20, 20)
    assert len(set(communities(graph, "leiden", 1.0, 0)[300:])) == 1


def test_components_of_identical_counts_are_equal_to_the_bit() -> None:
    counts, of = copied(10)
    for recipe in (STANDARD_RECIPE, replace(STANDARD_RECIPE, hvg=100)):
        scores = principal_components(counts, recipe, 20)
        assert len(np.unique(scores, axis=0)) == len(set(of)) == 12


@pytest.mark.parametrize("n_neighbors", [2, 5, 20])
@pytest.mark.parametrize("seed", range(5))
def test_another_order_of_rows_changes_nothing_but_which_copy_is_which(n_neighbors: int, seed: int) -> None:
    x = partly_copied(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    profile = np.unique(x, axis=0, return_inverse=True)[1].reshape(-1)
    graphs = []
    for rows in (np.arange(len(x)), order):
        canonical = np.argsort(profile[rows], kind="stable")
        graphs.append(umap_connectivities(x[rows], n_neighbors).toarray()[canonical][:, canonical])
    np.testing.assert_allclose(graphs[1], graphs[0], rtol=1e-4, atol=1e-6)


def settled_slowly(x: np.ndarray, indices: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the same with loops: each entry becomes the first copy by index that the list does not have yet."""
    all_indices, all_distances = [], []
    for cell, (row, gaps) in enumerate(zip(indices, distances, strict=True)):
        taken: list[int] = []
        settled = []
        for other, gap in zip(row, gaps, strict=True):
            copies = np.flatnonzero((x == x[other]).all(axis=1)).tolist()
            chosen = int(other) if len(copies) == 1 else next(c for c in copies if c != cell and c not in taken)
            taken.append(chosen)
            settled.append(0.0 if (x[chosen] == x[cell]).all() else float(gap))
        order = np.argsort(settled, kind="stable")
        all_indices.append(np.array(taken)[order])
        all_distances.append(np.array(settled)[order])
    return np.array(all_indices), np.array(all_distances)


@pytest.mark.parametrize("k", [1, 4, 19, 89])
@pytest.mark.parametrize("offset", [0.0, 100.0])  # far from the origin, distances between copies are not 0
def test_lists_are_those_of_a_slow_version(k: int, offset: float) -> None:
    x = partly_copied() + np.float32(offset)
    indices, distances = nearest_neighbours(x, k)
    found = settle_identical(x, indices, distances)
    for one, other in zip(found, settled_slowly(x, indices, distances), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (np.diff(found[1], axis=1) >= 0).all()
    assert all(len(set(row)) == k for row in found[0].tolist())
    assert not (found[0] == np.arange(len(x))[:, None]).any()


def test_without_identical_cells_the_lists_are_the_ones_given() -> None:
    x = scattered()
    x[1] = np.nextafter(x[0], np.float32(9))  # as near as can be, but another cell
    indices, distances = nearest_neighbours(x, 5)
    found = settle_identical(x, indices, distances)
    assert found[0] is indices
    assert found[1] is distances


@pytest.mark.parametrize("make", [np.zeros, np.ones])
def test_nothing_but_identical_cells_is_no_harm(make: Any) -> None:
    for n in (1, 2, 5):
        graph = umap_connectivities(make((n, 3), dtype=np.float32), 4)
        assert graph.shape == (n, n)
        assert set(graph.data) <= {np.float32(1)}


def test_input_is_not_changed() -> None:
    x = partly_copied()
    indices, distances = nearest_neighbours(x, 6)
    for array in (x, indices, distances):
        array.flags.writeable = False
    settle_identical(x, indices, distances)
