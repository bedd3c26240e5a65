from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

import scbench.nn.sparse_counts as module
from scbench.nn import count_batch
from scbench.nn.count_batch import CountBatch
from scbench.nn.likelihood import CountHeads, nb_nll, zinb_nll
from scbench.nn.sparse_counts import SparseCounts, nb_loss, zinb_loss


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


Loss = Callable[[torch.Tensor, CountHeads, SparseCounts | CountBatch], torch.Tensor]
LOSSES: dict[str, Loss] = {"nb": nb_loss, "zinb": zinb_loss}
ORACLES = Path(__file__).parents[1] / "oracles/scsamac"


def nb_parts(scale: float = 1.0, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, CountHeads, torch.Tensor]:
    torch.manual_seed(0)
    heads = CountHeads(6, 40, kind="nb").to(dtype)
    return (scale * torch.randn(70, 6, dtype=dtype)).requires_grad_(), heads, torch.rand(70, dtype=dtype) + 0.5


def gradients(loss: torch.Tensor, hidden: torch.Tensor, heads: CountHeads) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, [hidden, *heads.parameters()]))


@pytest.mark.parametrize("scale", [1.0, 5.0, 200.0])
@pytest.mark.parametrize("block", [2**17, 100])
def test_nb_is_the_dense_likelihood_with_its_gradient(
    scale: float, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the largest scale both clips cut."""
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", block)
    hidden, heads, size_factors = nb_parts(scale)
    x = counts()
    value = nb_loss(hidden, heads, SparseCounts(x, size_factors))
    mean, disp, _ = heads(hidden, size_factors)
    expected = nb_nll(torch.tensor(x.toarray(), dtype=torch.float64), mean, disp, eps=0)
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=0)
    for a, b in zip(gradients(3 * value, hidden, heads), gradients(3 * expected, hidden, heads), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-10)


def by_parameters(oracle: dict[str, np.ndarray], kind: str) -> tuple[CountHeads, torch.Tensor]:
    """Return heads and activations that give the oracle's parameters: one hidden unit for each cell."""
    n_cells, n_genes = oracle["counts"].shape
    wide = {"mean_clip": (1e-6, 1e7), "disp_clip": (1e-5, 1e5)}  # the oracle has parameters on the usual bounds
    heads = CountHeads(n_cells, n_genes, kind, **wide).double()  # type: ignore[arg-type]
    wanted = {"mean": np.log(oracle["mean"]), "disp": oracle["disp"] + np.log(-np.expm1(-oracle["disp"]))}
    if kind == "zinb":
        wanted["pi"] = np.log(oracle["pi"] / (1 - oracle["pi"]))
    with torch.no_grad():
        for name, values in wanted.items():
            getattr(heads, name).weight.copy_(torch.tensor(values.T))
            getattr(heads, name).bias.zero_()
    return heads, torch.eye(n_cells, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["nb", "zinb"])
@pytest.mark.parametrize("draw", [0, 1])
def test_loss_and_slopes_are_those_of_the_oracle(kind: str, draw: int) -> None:
    oracle = dict(np.load(ORACLES / f"{kind}_{draw}.npz"))
    heads, hidden = by_parameters(oracle, kind)
    target = SparseCounts(csr_matrix(oracle["counts"]), torch.tensor(oracle["size_factors"]))
    value = LOSSES[kind](hidden, heads, target)
    np.testing.assert_allclose(value.item(), oracle["loss"], rtol=1e-6)
    slopes = torch.autograd.grad(value, [heads.mean.weight, heads.disp.weight])  # type: ignore[union-attr]
    chained = {"mean": oracle["mean"], "disp": -np.expm1(-oracle["disp"])}  # slopes of exp and softplus
    for (name, slope), found in zip(chained.items(), slopes, strict=True):
        np.testing.assert_allclose(found.numpy().T, oracle[f"grad_{name}"] * slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", ["nb", "zinb"])
@pytest.mark.parametrize("least_width", [7, 40])
def test_a_batch_is_the_loss_of_those_cells(kind: str, least_width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch goes by blocks of genes, all cells by blocks of 64 cells."""
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", 100)
    monkeypatch.setattr(count_batch, "_LEAST_WIDTH", least_width)
    hidden, heads, size_factors = parts() if kind == "zinb" else nb_parts()
    cells = torch.randperm(70, generator=torch.Generator().manual_seed(1)).repeat(2)[:130]
    x = counts()
    found = LOSSES[kind](hidden[cells], heads, SparseCounts(x, size_factors).batch(cells))
    expected = LOSSES[kind](hidden[cells], heads, SparseCounts(x[cells.numpy()], size_factors[cells]))
    torch.testing.assert_close(found, expected)
    for a, b in zip(gradients(found, hidden, heads), gradients(expected, hidden, heads), strict=True):
        torch.testing.assert_close(a, b)


def test_the_zero_inflated_loss_becomes_the_other_without_extra_zeros() -> None:
    hidden, heads, size_factors = parts()
    assert heads.pi is not None
    with torch.no_grad():
        heads.pi.weight.zero_()
        heads.pi.bias.fill_(-40.0)
    plain = CountHeads(6, 40, kind="nb").double()
    plain.load_state_dict({name: value for name, value in heads.state_dict().items() if not name.startswith("pi")})
    target = SparseCounts(counts(), size_factors)
    torch.testing.assert_close(zinb_loss(hidden, heads, target), nb_loss(hidden, plain, target), rtol=1e-8, atol=0)


@pytest.mark.parametrize("kind", ["nb", "zinb"])
def test_float32_is_near_float64(kind: str) -> None:
    make = parts if kind == "zinb" else nb_parts
    values = []
    for dtype in (torch.float32, torch.float64):
        _, heads, _ = make(dtype=torch.float64)
        hidden, _, size_factors = make(dtype=torch.float64)
        target = SparseCounts(counts(), size_factors.to(dtype))
        values.append(LOSSES[kind](hidden.detach().to(dtype), heads.to(dtype), target).double())
    torch.testing.assert_close(values[0], values[1], rtol=1e-4, atol=0)


@pytest.mark.parametrize("kind", ["nb", "zinb"])
def test_autocast_narrows_the_products_only(kind: str) -> None:
    hidden, heads, size_factors = parts(dtype=torch.float32) if kind == "zinb" else nb_parts(dtype=torch.float32)
    target = SparseCounts(counts(), size_factors)
    wide = LOSSES[kind](hidden, heads, target)
    with torch.autocast("cpu", torch.bfloat16):
        narrow = LOSSES[kind](hidden, heads, target)
    assert narrow.dtype == torch.float32
    assert narrow != wide
    torch.testing.assert_close(narrow, wide, rtol=2e-2, atol=0)
    for a, b in zip(gradients(narrow, hidden, heads), gradients(wide, hidden, heads), strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a, b, rtol=0, atol=float(b.abs().max()) * 0.05)


def test_the_counts_are_not_copied_for_a_batch() -> None:
    """A batch of ten cells is made from their entries alone."""
    x = counts(2000, 40)
    target = SparseCounts(x, torch.ones(2000))
    cells = torch.arange(10)
    target.batch(cells)
    with torch.profiler.profile(profile_memory=True) as seen:
        target.batch(cells)
    allocated = sum(
        max(0, event.self_device_memory_usage, event.self_cpu_memory_usage) for event in seen.key_averages()
    )
    assert allocated < 40 * 8 * x[:10].nnz


def test_nb_heads_of_another_kind_are_refused() -> None:
    hidden, heads, size_factors = parts()
    with pytest.raises(ValueError, match="must be of kind 'nb'"):
        nb_loss(hidden, heads, SparseCounts(counts(), size_factors))
    with pytest.raises(ValueError, match="must be of kind 'nb'"):
        nb_loss(hidden, CountHeads(6, 40, kind="nb_const").double(), SparseCounts(counts(), size_factors))


def test_blocks_hold_all_counts_at_once_made_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", 100)
    x = counts(200)
    target = SparseCounts(x, torch.ones(200)).made_ready()
    assert "blocks" in vars(target)
    whole = torch.zeros(x.shape)
    for block in target.blocks:
        assert block.where.dtype == torch.int32
        whole[block.rows].view(-1)[block.where.long()] = block.values
    np.testing.assert_array_equal(whole.numpy(), x.toarray())
    everything = torch.lgamma(torch.tensor(x.data, dtype=torch.float64) + 1).sum()
    assert sum(block.log_factorials for block in target.blocks) == pytest.approx(float(everything))
