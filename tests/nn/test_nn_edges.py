from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from scbench.nn import edges as edges_module
from scbench.nn.edges import Edges

N = 9


def graph() -> csr_matrix:
    dense = (np.random.default_rng(0).random((N, N)) < 0.35).astype(np.float32)
    dense[4] = 0  # gathers from nobody
    dense[:, 6] = 0
    return csr_matrix(dense)


def dense_weights(edges: Edges, weights: torch.Tensor) -> torch.Tensor:
    full = torch.zeros(N, N, dtype=weights.dtype)
    full[edges.rows, edges.columns] = weights
    return full


@pytest.mark.parametrize("heads", [None, 3])
def test_the_softmax_is_over_the_edges_of_a_row(heads: int | None) -> None:
    edges, gen = Edges(graph()), torch.Generator().manual_seed(0)
    shape = (len(edges.rows),) if heads is None else (len(edges.rows), heads)
    scores = 50 * torch.randn(shape, generator=gen, dtype=torch.float64)
    found = edges.softmax(scores)
    for row in range(N):
        torch.testing.assert_close(found[edges.rows == row], scores[edges.rows == row].softmax(dim=0))


def test_the_softmax_has_its_gradient() -> None:
    edges = Edges(graph())
    scores = torch.randn(len(edges.rows), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(edges.softmax, scores)


def test_the_weighted_sum_is_a_product_with_the_dense_matrix() -> None:
    edges, gen = Edges(graph()), torch.Generator().manual_seed(1)
    weights = torch.rand(len(edges.rows), generator=gen, dtype=torch.float64)
    values = torch.randn(N, 4, generator=gen, dtype=torch.float64)
    torch.testing.assert_close(edges.weighted_sum(weights, values), dense_weights(edges, weights) @ values)
    assert not edges.weighted_sum(weights, values)[4].any()


@pytest.mark.parametrize("at_once", [1, 10, 10**6])
def test_both_gradients_are_those_of_the_dense_product(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges_module, "_ENTRIES_AT_ONCE", at_once)
    edges, gen = Edges(graph()), torch.Generator().manual_seed(2)
    weights = torch.rand(len(edges.rows), generator=gen, dtype=torch.float64, requires_grad=True)
    values = torch.randn(N, 4, generator=gen, dtype=torch.float64, requires_grad=True)
    slope = torch.randn(N, 4, generator=gen, dtype=torch.float64)
    found = torch.autograd.grad((edges.weighted_sum(weights, values) * slope).sum(), (weights, values))
    expected = torch.autograd.grad(((dense_weights(edges, weights) @ values) * slope).sum(), (weights, values))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_order_of_stored_entries_does_not_count() -> None:
    tidy = graph()
    messy = tidy.copy()
    for row in range(N):
        part = slice(messy.indptr[row], messy.indptr[row + 1])
        messy.indices[part] = messy.indices[part][::-1]
    messy.has_sorted_indices = False
    for name in ("rows", "columns"):
        assert torch.equal(getattr(Edges(messy), name), getattr(Edges(tidy), name))


def test_a_graph_without_edges_gathers_zeros() -> None:
    edges = Edges(csr_matrix((N, N), dtype=np.float32))
    assert not edges.weighted_sum(edges.softmax(torch.zeros(0)), torch.ones(N, 2)).any()
