from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, identity, random

import scbench.nn.diffusion as module
from scbench.graph.neighbours import normalize_adj
from scbench.nn.diffusion import DirectedPpr, Ppr
from scbench.nn.propagate import Propagator, SparseGraph, sparse_product, to_torch

ORACLE = Path(__file__).parents[1] / "oracles/scsiameseclu/ppr.npz"


def directed(n: int = 40, seed: int = 0) -> csr_matrix:
    graph = csr_matrix(random(n, n, 0.1, random_state=seed, dtype=np.float64) > 0, dtype=np.float64)
    graph.setdiag(0)
    graph.eliminate_zeros()
    return graph


def undirected(n: int = 40, seed: int = 0) -> csr_matrix:
    graph = directed(n, seed)
    return normalize_adj(csr_matrix(graph.maximum(graph.T)), "sym", self_loops=True)


def values(n: int = 40, width: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def matrix_of(graph: Propagator, n: int) -> np.ndarray:
    return graph.once(torch.eye(n, dtype=torch.float64)).numpy()


def test_csr_tensors_hold_the_same_numbers() -> None:
    graph = directed()
    found = to_torch(graph, dtype=torch.float64)
    np.testing.assert_array_equal(found.to_dense().numpy(), graph.toarray())
    assert found.crow_indices().dtype == torch.int32


def test_a_sparse_graph_multiplies_once_and_twice() -> None:
    graph, h = directed(), values()
    once, twice = SparseGraph(graph, dtype=torch.float64).twice(h)
    np.testing.assert_allclose(once, graph @ h.numpy())
    np.testing.assert_allclose(twice, graph @ (graph @ h.numpy()))


@pytest.fixture(params=[0, 1500], ids=["expanded", "formed"])
def dense_cells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with the inverse expanded, and with the inverse formed."""
    monkeypatch.setattr(module, "_DENSE_CELLS", request.param)


@pytest.mark.usefixtures("dense_cells")
@pytest.mark.parametrize("kind", ["graph", "ppr", "directed_ppr"])
def test_gradients_of_both_products_are_exact(kind: str) -> None:
    graph: Propagator
    if kind == "graph":
        graph = SparseGraph(directed(), dtype=torch.float64)
    elif kind == "ppr":
        graph = Ppr(undirected(), 0.3, dtype=torch.float64)
    else:
        graph = DirectedPpr(normalize_adj(directed(), "row", self_loops=True), 0.3, dtype=torch.float64)
    h = values().requires_grad_()
    assert torch.autograd.gradcheck(graph.twice, (h,))
    assert torch.autograd.gradcheck(graph.once, (h,))


@pytest.mark.usefixtures("dense_cells")
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("n", [40, 500])
def test_diffusion_is_the_inverse(alpha: float, n: int) -> None:
    matrix = undirected(n)
    exact = alpha * np.linalg.inv(np.eye(n) - (1 - alpha) * matrix.toarray())
    graph = Ppr(matrix, alpha, dtype=torch.float64)
    h = values(n)
    once, twice = graph.twice(h)
    scale = np.linalg.norm(h.numpy(), axis=0)
    assert (np.linalg.norm(once.numpy() - exact @ h.numpy(), axis=0) <= 1e-4 * scale).all()
    assert (np.linalg.norm(twice.numpy() - exact @ exact @ h.numpy(), axis=0) <= 1e-4 * scale).all()
    np.testing.assert_allclose(matrix_of(graph, n), exact, atol=1e-4)


@pytest.mark.usefixtures("dense_cells")
@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.5])
def test_diffusion_gives_the_recorded_matrices(alpha: float) -> None:
    oracle = np.load(ORACLE)
    for name, kind in (("sym", Ppr), ("sym", DirectedPpr), ("directed", DirectedPpr)):
        looped = csr_matrix(oracle[f"A_{name}"]) + identity(60)
        root = np.asarray(looped.sum(axis=0)).ravel() ** -0.5
        matrix = csr_matrix(looped.multiply(root[:, None]).multiply(root[None, :]))
        graph = kind(matrix, alpha, tol=1e-11, dtype=torch.float64)
        np.testing.assert_allclose(matrix_of(graph, 60), oracle[f"ppr_{name}_{alpha}"], rtol=1e-8, atol=1e-11)


def test_the_expansion_takes_half_the_products_of_the_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DENSE_CELLS", 0)
    matrix = undirected()
    steps = DirectedPpr(matrix, 0.2, tol=1e-4)._steps
    terms = len(Ppr(matrix, 0.2, tol=1e-4)._only_first)
    assert steps == 42
    assert terms <= steps // 2


@pytest.mark.usefixtures("dense_cells")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.02, 1.0), st.integers(0, 50))
def test_diffusion_keeps_the_stationary_vector(alpha: float, seed: int) -> None:
    """S has eigenvalue 1 for the square root of the degrees; diffusion must keep that vector."""
    graph = directed(30, seed)
    looped = csr_matrix(graph.maximum(graph.T) + identity(30))
    root = torch.tensor(np.sqrt(np.asarray(looped.sum(axis=1))))
    matrix = normalize_adj(looped, "sym")
    for found in Ppr(matrix, alpha, tol=1e-6, dtype=torch.float64).twice(root):
        torch.testing.assert_close(found, root, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1])
@pytest.mark.parametrize("kind", [Ppr, DirectedPpr])
def test_alpha_out_of_range_is_refused(kind: type[Ppr], alpha: float) -> None:
    with pytest.raises(ValueError, match=f"probability above 0, at most 1; got {alpha}"):
        kind(undirected(), alpha)


@pytest.mark.usefixtures("dense_cells")
def test_an_isolated_cell_keeps_its_own_value() -> None:
    graph = csr_matrix((4, 4), dtype=np.float64)
    matrix = normalize_adj(graph, "sym", self_loops=True)
    h = values(4)
    torch.testing.assert_close(Ppr(matrix, 0.2, dtype=torch.float64).once(h), h, rtol=0, atol=1e-3)


@pytest.mark.usefixtures("dense_cells")
@pytest.mark.parametrize("kind", ["graph", "ppr", "directed_ppr"])
@pytest.mark.parametrize("columns_at_once", [2, 64])
def test_slopes_are_those_of_the_backward_pass(
    kind: str, columns_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COLUMNS_AT_ONCE", columns_at_once)
    graph: Propagator = {
        "graph": lambda: SparseGraph(directed(), dtype=torch.float64),
        "ppr": lambda: Ppr(undirected(), 0.2, dtype=torch.float64),
        "directed_ppr": lambda: DirectedPpr(directed() * 0.1, 0.2, dtype=torch.float64),
    }[kind]()
    first, second = values(width=5, seed=1), values(width=5, seed=2)
    before = first.clone(), second.clone()
    x = values(width=5).requires_grad_()
    (one,) = torch.autograd.grad(graph.once(x), x, first)
    (both,) = torch.autograd.grad(graph.twice(x), x, (first, second))
    torch.testing.assert_close(graph.slopes(first), one, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(graph.slopes(first, second), both, rtol=1e-10, atol=1e-12)
    assert torch.equal(first, before[0])
    assert torch.equal(second, before[1])


def test_columns_in_pieces_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DENSE_CELLS", 0)
    graph, x = Ppr(undirected(), 0.2), values(width=7).float()
    whole = graph.twice(x)
    monkeypatch.setattr(module, "_COLUMNS_AT_ONCE", 3)
    for a, b in zip(whole, graph.twice(x), strict=True):
        assert torch.equal(a, b)


def test_a_product_is_written_over_whatever_lay_there(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, h = directed(), values()
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda self, *size: self.new_full(size, torch.nan))
    np.testing.assert_allclose(sparse_product(to_torch(graph, dtype=torch.float64), h), graph @ h.numpy())
