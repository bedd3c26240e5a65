import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

import scbench.nn.sparse_counts as module
from scbench.nn.likelihood import CountHeads, zinb_nll
from scbench.nn.sparse_counts import SparseCounts, zinb_loss


def counts(n: int = 70, genes: int = 40, seed: int = 0) -> csr_matrix:
    rng = np.random.default_rng(seed)
    return csr_matrix(rng.poisson(rng.gamma(0.3, 2.0, (n, genes))).astype(np.float32))


def parts(scale: float = 1.0, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, CountHeads, torch.Tensor]:
    torch.manual_seed(0)
    heads = CountHeads(6, 40).to(dtype)
    hidden = (scale * torch.randn(70, 6, dtype=dtype)).requires_grad_()
    return hidden, heads, torch.rand(70, dtype=dtype) + 0.5


@pytest.mark.parametrize("scale", [1.0, 5.0])
@pytest.mark.parametrize("block", [2**17, 100])
def test_is_the_dense_likelihood_with_its_gradient(scale: float, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", block)
    monkeypatch.setattr(module, "_EPS", 1e-16)  # the two forms add it in different places
    hidden, heads, size_factors = parts(scale)
    x = counts()
    value = zinb_loss(hidden, heads, SparseCounts(x, size_factors))
    (2 * value).backward()
    mine = [p.grad.clone() for p in (hidden, *heads.parameters()) if p.grad is not None]
    hidden.grad = None
    heads.zero_grad()
    mean, disp, pi = heads(hidden, size_factors)
    assert pi is not None
    expected = zinb_nll(torch.tensor(x.toarray(), dtype=torch.float64), mean, disp, pi, eps=1e-16)
    (2 * expected).backward()
    theirs = [p.grad for p in (hidden, *heads.parameters()) if p.grad is not None]
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=0)
    assert len(mine) == len(theirs) == 7
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-12)


def test_clipped_parameters_get_no_gradient() -> None:
    hidden, heads, size_factors = parts()
    with torch.no_grad():
        heads.mean.weight.zero_()
        heads.mean.bias.fill_(100.0)
    zinb_loss(hidden, heads, SparseCounts(counts(), size_factors)).backward()
    assert heads.mean.bias.grad is not None
    assert not heads.mean.bias.grad.any()


def test_a_certain_extra_zero_stays_finite_in_float32() -> None:
    hidden, heads, size_factors = parts(dtype=torch.float32)
    assert heads.pi is not None
    with torch.no_grad():
        heads.pi.bias.fill_(80.0)
    value = zinb_loss(hidden, heads, SparseCounts(counts(), size_factors))
    value.backward()
    assert torch.isfinite(value)
    assert all(torch.isfinite(p.grad).all() for p in (hidden, *heads.parameters()) if p.grad is not None)


def test_no_count_at_all_is_allowed() -> None:
    hidden, heads, size_factors = parts()
    value = zinb_loss(hidden, heads, SparseCounts(csr_matrix((70, 40), dtype=np.float32), size_factors))
    mean, disp, pi = heads(hidden, size_factors)
    assert pi is not None
    torch.testing.assert_close(value, zinb_nll(torch.zeros(70, 40, dtype=torch.float64), mean, disp, pi))


def test_other_heads_and_other_cells_are_refused() -> None:
    hidden, heads, size_factors = parts()
    target = SparseCounts(counts(), size_factors)
    with pytest.raises(ValueError, match="must be of kind 'zinb'"):
        zinb_loss(hidden, CountHeads(6, 40, kind="nb").double(), target)
    with pytest.raises(ValueError, match="69 rows but there are counts of 70 cells"):
        zinb_loss(hidden[1:], heads, target)
