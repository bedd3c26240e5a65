from pathlib import Path

import numpy as np
import pytest
from scbench_methods.scsiameseclu.program_graph import program_graph
from scbench_methods.scsiameseclu.views import (
    column_normalised,
    diffusion_matrix,
    prune_edges,
    prune_rows,
    random_walk,
    without_lowest,
)
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from scbench.errors import ConfigError
from scbench.graph.neighbours import knn_graph

ORACLES = Path(__file__).parents[2] / "oracles/scsiameseclu"


def features(n: int = 50, d: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("metric", ["heat", "p"])
def test_program_graphs_are_those_recorded(metric: str) -> None:
    oracle = np.load(ORACLES / "knn_graph.npz")
    found = program_graph(oracle["features"], metric, int(oracle["topk"]))
    np.testing.assert_array_equal(found.toarray(), oracle[f"adj_{metric}"])


@pytest.mark.parametrize("metric", ["heat", "p", "cos", "ncos"])
def test_program_graphs_are_those_of_the_whole_similarity_matrix(metric: str) -> None:
    x = 0.05 * features(40, 300)
    kept = x.copy()
    binary = (x > 0).astype(float)
    similarity = {
        "heat": np.exp(-0.5 * cdist(x, x, "cityblock") ** 2),
        "p": (x - x.mean()) @ (x - x.mean()).T,
        "cos": binary @ binary.T,
        "ncos": (binary / binary.sum(axis=1, keepdims=True)) @ (binary / binary.sum(axis=1, keepdims=True)).T,
    }[metric]
    found = program_graph(x, metric, 5).toarray().astype(bool)
    np.testing.assert_array_equal(x, kept)  # the program's cos and ncos overwrite it
    assert not found.diagonal().any()
    np.fill_diagonal(similarity, similarity.max() + 1)  # none of these cells is less like itself than like others
    for row, chosen in zip(similarity, found, strict=True):
        others = np.setdiff1d(np.arange(40), [row.argmax()])
        assert chosen.sum() == 5
        assert row[chosen].min() >= np.sort(row[others])[-5] - 1e-12


def test_heat_is_noise_on_wide_features() -> None:
    """On a thousand z-scored genes every similarity underflows, so all cells name the same few others."""
    found = program_graph(features(100, 1000), "heat", 10)
    assert (np.asarray(found.sum(axis=0)).ravel() > 0).sum() < 30


def test_k_is_capped_and_unknown_metrics_are_refused() -> None:
    assert program_graph(features(4), "p", 10).nnz == 12
    with pytest.raises(ConfigError, match="unknown metric 'heet'.*Did you mean 'heat'"):
        program_graph(features(4), "heet", 1)


def test_normalisation_by_columns_is_that_recorded() -> None:
    oracle = np.load(ORACLES / "normalise_adj.npz")
    for name in ("directed", "sym"):
        found = column_normalised(csr_matrix(oracle[f"A_{name}"])).toarray()
        np.testing.assert_allclose(found, oracle[f"norm_{name}"], rtol=1e-6, atol=1e-8)


def test_both_normalisations_agree_on_undirected_graphs_only() -> None:
    oracle = np.load(ORACLES / "normalise_adj.npz")
    mutual, directed = (csr_matrix(oracle[f"A_{name}"]) for name in ("sym", "directed"))
    np.testing.assert_allclose(random_walk(mutual).toarray(), column_normalised(mutual).toarray())
    np.testing.assert_allclose(random_walk(directed).sum(axis=1), 1)
    assert np.abs(column_normalised(directed).sum(axis=1) - 1).max() > 0.1


def test_the_diffusion_matrix_gives_the_recorded_inverse() -> None:
    oracle = np.load(ORACLES / "ppr.npz")
    for name in ("sym", "directed"):
        matrix = diffusion_matrix(csr_matrix(oracle[f"A_{name}"])).toarray()
        found = 0.2 * np.linalg.inv(np.eye(60) - 0.8 * matrix)
        np.testing.assert_allclose(found, oracle[f"ppr_{name}_0.2"], rtol=1e-8, atol=1e-12)


def test_row_pruning_is_that_recorded() -> None:
    oracle = np.load(ORACLES / "remove_edge.npz")
    graph = csr_matrix(oracle["A"])
    after = without_lowest(graph, oracle["similarity"], round(float(oracle["remove_rate"]) * 60))
    np.testing.assert_array_equal(after.toarray(), oracle["A_after"])
    np.testing.assert_array_equal(graph.toarray(), oracle["A"])
    np.testing.assert_allclose(column_normalised(after).toarray(), oracle["Am"], rtol=1e-4, atol=1e-5)


def test_row_pruning_goes_by_the_inner_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scbench_methods.scsiameseclu.views._ENTRIES_AT_ONCE", 150)  # three rows at once
    codes = features()
    graph = csr_matrix(np.ones((50, 50), dtype=np.float32))
    found = prune_rows(graph, codes, 0.1).toarray() == 0
    expected = np.argsort(codes @ codes.T, axis=1)[:, :5]
    assert (np.sort(np.nonzero(found)[1].reshape(50, 5)) == np.sort(expected)).all()
    assert prune_rows(graph, codes, 0.001) is graph


def test_edge_pruning_removes_the_least_similar_edges() -> None:
    codes = features()
    graph = knn_graph(features(seed=3), 6, symmetrize="max")
    before = graph.copy()
    pruned = prune_edges(graph, codes, 0.1)
    assert (graph != before).nnz == 0
    assert (pruned != pruned.T).nnz == 0
    assert pruned.nnz == graph.nnz - 2 * round(0.1 * graph.nnz / 2)
    similarity = 1 - cdist(codes, codes, "cosine")
    gone = (graph - pruned).toarray().astype(bool)
    assert similarity[gone].max() <= similarity[pruned.toarray().astype(bool)].min()


def test_edges_of_one_direction_are_pruned_one_by_one() -> None:
    graph = knn_graph(features(seed=3), 6)
    pruned = prune_edges(graph, features(), 0.2)
    n_pairs = graph.maximum(graph.T).nnz // 2
    assert pruned.maximum(pruned.T).nnz // 2 == n_pairs - round(0.2 * n_pairs)
    assert (pruned > graph).nnz == 0


@pytest.mark.parametrize("share", [0.0, 0.001])
def test_pruning_nothing_leaves_the_graph(share: float) -> None:
    graph = knn_graph(features(), 3, symmetrize="max")
    assert (prune_edges(graph, features(), share) != graph).nnz == 0


def test_an_isolated_cell_keeps_its_self_loop() -> None:
    graph = csr_matrix((np.ones(2, dtype=np.float32), ([0, 1], [1, 0])), shape=(3, 3))
    assert random_walk(graph)[2].toarray().tolist() == [[0, 0, 1]]
    assert prune_edges(graph, features(3), 0.9).nnz == 0
