"""Modularity and silhouette: hand-made cases, independent versions, limits."""

import igraph
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import silhouette_samples

from scbench.metrics.internal import modularity, silhouette


def random_graph(n: int = 60, seed: int = 0) -> csr_matrix:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((n, n)) < 0.15, k=1) * rng.random((n, n))
    return csr_matrix((upper + upper.T).astype(np.float32))


def test_two_pairs_joined_by_nothing_score_one_half() -> None:
    pairs = csr_matrix(np.kron(np.eye(2), [[0, 1], [1, 0]]).astype(np.float32))
    assert modularity(pairs, np.array([0, 0, 1, 1])) == pytest.approx(0.5)
    assert modularity(pairs, np.array([0, 1, 0, 1])) == pytest.approx(-0.5)


def test_modularity_is_that_of_igraph_and_of_the_double_sum() -> None:
    graph, labels = random_graph(), np.random.default_rng(1).integers(-2, 3, 60)
    dense = graph.toarray().astype(float)
    degrees, total = dense.sum(axis=1), dense.sum()
    same = labels[:, None] == labels
    assert modularity(graph, labels) == pytest.approx(
        ((dense - np.outer(degrees, degrees) / total) * same).sum() / total
    )
    upper = np.triu(dense)
    drawn = igraph.Graph(n=60, edges=np.argwhere(upper), directed=False)
    theirs = drawn.modularity(np.unique(labels, return_inverse=True)[1], weights=upper[upper > 0])
    assert modularity(graph, labels) == pytest.approx(theirs)


def test_modularity_ignores_names_order_and_scale() -> None:
    graph, labels = random_graph(), np.random.default_rng(2).integers(0, 4, 60)
    order = np.random.default_rng(3).permutation(60)
    expected = modularity(graph, labels)
    assert modularity(graph[order][:, order], 7 - labels[order]) == pytest.approx(expected)
    assert modularity(graph * 3, labels) == pytest.approx(expected)


def test_one_group_and_no_edges_score_zero() -> None:
    assert modularity(random_graph(), np.zeros(60, dtype=int)) == pytest.approx(0)
    assert modularity(csr_matrix((5, 5), dtype=np.float32), np.arange(5)) == 0


def test_modularity_needs_a_label_for_each_node() -> None:
    with pytest.raises(ValueError, match="60 nodes needs as many labels"):
        modularity(random_graph(), np.zeros(59, dtype=int))


def test_silhouette_of_all_cells_is_the_mean_of_the_samples() -> None:
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    assert silhouette(points, labels, 50, 0) == pytest.approx(silhouette_samples(points, labels).mean())


def test_silhouette_of_far_groups_is_near_one_also_from_a_sample() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 2)) + np.repeat([[0, 0], [100, 0]], 200, axis=0)
    labels = np.repeat([3, 5], 200)
    assert silhouette(points, labels, 100, 1) > 0.95
    assert silhouette(points, labels, 100, 1) == silhouette(points, labels, 100, 1)
    assert silhouette(points, labels, 100, 1) != silhouette(points, labels, 100, 2)


@pytest.mark.parametrize("labels", [np.zeros(6, dtype=int), np.arange(6)])
def test_silhouette_of_a_collapse_is_the_worst(labels: np.ndarray) -> None:
    assert silhouette(np.eye(6), labels, 100, 0) == -1


def test_silhouette_refuses_bad_input() -> None:
    with pytest.raises(ValueError, match="6 cells need as many labels"):
        silhouette(np.eye(6), np.zeros(5, dtype=int), 100, 0)
    with pytest.raises(ValueError, match="sample_size must be at least 2, got 1"):
        silhouette(np.eye(6), np.zeros(6, dtype=int), 1, 0)
