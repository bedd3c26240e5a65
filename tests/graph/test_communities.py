import random
from typing import Any

import igraph
import numpy as np
import pytest
from scipy.sparse import block_diag, csr_matrix

from scbench.errors import ConfigError
from scbench.graph.communities import communities, communities_matching_k

METHODS = ["leiden", "louvain"]


def cliques(sizes: list[int], bridge: float = 0.01) -> csr_matrix:
    """Return fully connected groups, each joined to the next by one weak edge."""
    a = block_diag([np.ones((s, s)) - np.eye(s) for s in sizes]).toarray()
    for end in np.cumsum(sizes)[:-1]:
        a[end - 1, end] = a[end, end - 1] = bridge
    return csr_matrix(a.astype(np.float32))


def noisy(n: int = 150, seed: int = 0) -> csr_matrix:
    rng = np.random.default_rng(seed)
    a = np.triu(rng.random((n, n)) < 0.08, k=1) * rng.random((n, n))
    return csr_matrix((a + a.T).astype(np.float32))


@pytest.mark.parametrize("method", METHODS)
def test_cliques_are_found(method: Any) -> None:
    labels = communities(cliques([5, 8, 6]), method, 1.0, seed=0)
    assert labels.dtype == np.int64
    assert labels.tolist() == [labels[0]] * 5 + [labels[5]] * 8 + [labels[13]] * 6
    assert len(set(labels)) == 3


@pytest.mark.parametrize("method", METHODS)
def test_higher_resolution_gives_more_communities(method: Any) -> None:
    found = [len(set(communities(noisy(), method, r, seed=0))) for r in (0.01, 1.0, 8.0)]
    assert found == sorted(found)
    assert found[0] < found[2]


@pytest.mark.parametrize("method", METHODS)
def test_seed_decides_and_global_randomness_is_left_alone(method: Any) -> None:
    graph = noisy()
    random.seed(5)
    state = random.getstate()
    first = communities(graph, method, 1.0, seed=1)
    assert random.getstate() == state
    random.seed(99)
    np.testing.assert_array_equal(first, communities(graph, method, 1.0, seed=1))
    assert any((communities(graph, method, 1.0, seed=s) != first).any() for s in range(2, 8))
    # igraph draws from Python's own generator again.
    draws = []
    for _ in range(2):
        random.seed(3)
        draws.append(igraph.Graph.Erdos_Renyi(n=30, m=40).get_edgelist())
    assert draws[0] == draws[1]


def test_generator_is_given_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr(igraph.Graph, "community_multilevel", fail)
    with pytest.raises(RuntimeError, match="inside"):
        communities(noisy(), "louvain", 1.0, seed=1)
    random.seed(3)
    state = random.getstate()
    igraph.Graph.Erdos_Renyi(n=30, m=40)
    assert random.getstate() != state


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, 2, 4, 5])
def test_wanted_number_is_met_when_it_can_be(method: Any, k: int) -> None:
    labels, info = communities_matching_k(cliques([6, 6, 6, 6, 6], bridge=0.5), k, method, seed=0)
    assert len(set(labels)) == info["n_found"]
    assert abs(info["n_found"] - k) <= (0 if k in (1, 5) else 1)
    assert 1e-3 <= info["resolution"] <= 8
    assert 1 <= info["steps"] <= 25


def test_partition_is_that_of_its_resolution() -> None:
    labels, info = communities_matching_k(noisy(), 9, "leiden", seed=4)
    np.testing.assert_array_equal(labels, communities(noisy(), "leiden", info["resolution"], seed=4))


def test_search_stops_when_components_are_too_many() -> None:
    labels, info = communities_matching_k(csr_matrix(block_diag([cliques([4])] * 6)), 2, "leiden", seed=0)
    assert info["n_found"] == len(set(labels)) == 6
    assert info["steps"] < 5


def test_search_ends_when_the_number_is_out_of_reach() -> None:
    labels, info = communities_matching_k(cliques([3, 3]), 6, "louvain", seed=0)
    assert info["steps"] <= 25
    assert abs(len(set(labels)) - 6) == abs(info["n_found"] - 6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2])
def test_cells_without_edges_stand_alone(method: Any, n: int) -> None:
    empty = csr_matrix((n, n), dtype=np.float32)
    assert sorted(communities(empty, method, 1.0, seed=0)) == list(range(n))
    assert sorted(communities_matching_k(empty, 1, method, seed=0)[0]) == list(range(n))


def test_adjacency_is_not_changed() -> None:
    graph = noisy()
    before = graph.copy()
    for part in (graph.data, graph.indices, graph.indptr):
        part.flags.writeable = False
    communities(graph, "leiden", 1.0, seed=0)
    assert (graph != before).nnz == 0


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown community method 'leidn'\. Did you mean 'leiden'"):
        communities(noisy(), "leidn", 1.0, seed=0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown community method"):
        communities_matching_k(noisy(), 3, "walktrap", seed=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="resolution must be a positive number, got 0"):
        communities(noisy(), "leiden", 0.0, seed=0)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        communities_matching_k(noisy(), 0, "leiden", seed=0)
