import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix, random

import scbench.nn.adjacency_error as module
from scbench.graph.neighbours import normalize_adj
from scbench.nn.adjacency_error import AdjacencyError


def graph(n: int, seed: int = 0) -> csr_matrix:
    """Return a directed, row-normalised graph with self loops."""
    edges = csr_matrix(random(n, n, min(1, 8 / n), random_state=seed) > 0, dtype=np.float32)
    return normalize_adj(edges, "row", self_loops=True)


def codes(n: int, widths: tuple[int, ...] = (5, 5, 9), dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    gen = torch.Generator().manual_seed(1)
    return [(0.4 * torch.randn(n, w, generator=gen, dtype=dtype)).requires_grad_() for w in widths]


def dense(latents: list[torch.Tensor], weights: list[float], adjacency: csr_matrix) -> torch.Tensor:
    estimate = torch.stack([w * torch.sigmoid(h @ h.T) for h, w in zip(latents, weights, strict=True)]).sum(dim=0)
    return (estimate - torch.tensor(adjacency.toarray(), dtype=estimate.dtype)).square().mean()


WEIGHTS = [0.5, 0.5, 1.0]


@pytest.mark.parametrize("n", [1, 3, 64, 65, 500])
@pytest.mark.parametrize("block", [2**18, 2**12])
def test_blocks_give_the_dense_value_and_gradient(n: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", block)
    adjacency = graph(n)
    error = AdjacencyError(adjacency)
    mine, theirs = codes(n), codes(n)
    value, expected = error.exact(mine, WEIGHTS), dense(theirs, WEIGHTS, adjacency)
    (3 * value).backward()
    (3 * expected).backward()
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=0)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-5, atol=1e-9)


def test_one_code_with_weight_one_is_left_as_it_is() -> None:
    (code,) = codes(70, (4,))
    before = code.detach().clone()
    value = AdjacencyError(graph(70)).exact([code], [1.0])
    value.backward()
    torch.testing.assert_close(value, dense([code], [1.0], graph(70)), rtol=1e-6, atol=0)
    torch.testing.assert_close(code.detach(), before, rtol=0, atol=0)


def test_done_by_hand() -> None:
    """Two cells, codes 0: every estimate is 1/2; A = I: errors -1/2, 1/2, 1/2, -1/2."""
    error = AdjacencyError(csr_matrix(np.eye(2, dtype=np.float32)))
    zero = [torch.zeros(2, 3)]
    assert error.exact(zero, [1.0]).item() == pytest.approx(0.25)
    assert error.exact([zero[0], zero[0]], [1.0, 1.0]).item() == pytest.approx((0 + 1 + 1 + 0) / 4)


@pytest.mark.parametrize("n", [200, 130])
def test_samples_are_unbiased(n: int) -> None:
    """The mean of 200 draws lies within three standard errors of the exact value, and so does its gradient."""
    adjacency = graph(n)
    error = AdjacencyError(adjacency)
    latents = codes(n)
    exact = dense(latents, WEIGHTS, adjacency)
    exact_slope = torch.autograd.grad(exact, latents[2])[0]
    direction = torch.randn(latents[2].shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    gen = torch.Generator().manual_seed(0)
    drawn, slopes = [], []
    for _ in range(200):
        value = error.sampled(latents, WEIGHTS, gen)
        drawn.append(value.item())
        slopes.append((torch.autograd.grad(value, latents[2])[0] * direction).sum().item())
    for sample, truth in ((drawn, exact.item()), (slopes, (exact_slope * direction).sum().item())):
        assert np.std(sample) > 0
        assert abs(np.mean(sample) - truth) < 3 * np.std(sample, ddof=1) / np.sqrt(200)


def test_samples_follow_the_generator() -> None:
    error, latents = AdjacencyError(graph(300)), codes(300)
    first, again, other = (
        error.sampled(latents, WEIGHTS, torch.Generator().manual_seed(seed)).item() for seed in (0, 0, 1)
    )
    assert first == again != other


@pytest.mark.parametrize("n", [1, 2, 10])
def test_samples_of_few_cells_are_the_whole(n: int) -> None:
    """Up to 64 cells one tile holds all pairs."""
    adjacency, latents = graph(n), codes(n)
    found = AdjacencyError(adjacency).sampled(latents, WEIGHTS, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, dense(latents, WEIGHTS, adjacency), rtol=1e-6, atol=1e-8)


def test_mismatches_are_refused() -> None:
    error = AdjacencyError(graph(10))
    with pytest.raises(ValueError, match="10 cells but a code has 9 rows"):
        error.exact([torch.zeros(9, 2)], [1.0])
    with pytest.raises(ValueError, match="got 1 codes and 2 weights"):
        error.sampled([torch.zeros(10, 2)], [1.0, 1.0], torch.Generator())
