from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.profiler import ProfilerActivity, profile

import scbench.nn.cell_attention as module
from scbench.nn.cell_attention import CellAttention, dropout_attention

ORACLES = Path(__file__).parents[1] / "oracles/scsamac"


def parts(n: int = 6, cells: int = 20, others: int = 20, width: int = 4) -> list[torch.Tensor]:
    gen = torch.Generator().manual_seed(0)
    return [
        torch.randn(n, m, width, generator=gen, dtype=torch.float64).requires_grad_() for m in (cells, others, others)
    ]


def from_oracle(oracle: dict[str, np.ndarray], width: int) -> CellAttention:
    layer = CellAttention(width, 8, residual=True).double()
    tensors = {key: torch.tensor(oracle[f"{key}{width}"]) for key in ("wq", "wk", "wv", "wo", "bq", "bk", "bv", "bo")}
    with torch.no_grad():
        layer.project.weight.copy_(torch.cat([tensors["wq"], tensors["wk"], tensors["wv"]]))
        layer.project.bias.copy_(torch.cat([tensors["bq"], tensors["bk"], tensors["bv"]]))
        layer.combine.weight.copy_(tensors["wo"])
        layer.combine.bias.copy_(tensors["bo"])
    return layer


@pytest.mark.parametrize("draw", [0, 1])
@pytest.mark.parametrize("width", [64, 32])
def test_is_the_attention_of_the_oracle(draw: int, width: int) -> None:
    oracle = dict(np.load(ORACLES / f"attention_{draw}.npz"))
    layer, x = from_oracle(oracle, width), torch.tensor(oracle[f"x{width}"])
    torch.testing.assert_close(layer(x), torch.tensor(oracle[f"y{width}"]), rtol=1e-6, atol=1e-9)
    first = torch.tensor(oracle[f"y{width}_first8_only"])
    torch.testing.assert_close(layer(x[:8]), first, rtol=1e-6, atol=1e-9)
    assert not torch.allclose(layer(x)[:8], first)


def test_is_the_sum_over_heads_written_out() -> None:
    torch.manual_seed(0)
    layer = CellAttention(6, 3).double()
    cells, others = torch.randn(5, 6, dtype=torch.float64), torch.randn(7, 6, dtype=torch.float64)
    weight, bias = layer.project.weight, layer.project.bias
    expected = torch.zeros(5, 6, dtype=torch.float64)
    for i in range(5):
        for head in range(3):
            at = slice(2 * head, 2 * head + 2)
            q = (weight[:6] @ cells[i] + bias[:6])[at]
            k = torch.stack([(weight[6:12] @ other + bias[6:12])[at] for other in others])
            v = torch.stack([(weight[12:] @ other + bias[12:])[at] for other in others])
            expected[i, at] = (k @ q / 2**0.5).softmax(dim=0) @ v
    torch.testing.assert_close(layer(cells, others), expected @ layer.combine.weight.T + layer.combine.bias)


@pytest.mark.parametrize("training", [True, False])
def test_sets_do_not_see_each_other(training: bool) -> None:
    layer = CellAttention(8, 2, residual=True).train(training)
    x = torch.randn(3, 5, 8)
    torch.testing.assert_close(layer(x), torch.stack([layer(one) for one in x]))


def test_the_order_of_the_cells_does_not_matter() -> None:
    layer, x = CellAttention(8, 2).double(), torch.randn(9, 8, dtype=torch.float64)
    order = torch.randperm(9)
    torch.testing.assert_close(layer(x[order]), layer(x)[order])
    torch.testing.assert_close(layer(x, x), layer(x))


@pytest.mark.parametrize("block", [2**17, 500, 1])
@pytest.mark.parametrize("others", [20, 13])
def test_without_dropout_it_is_torchs_attention(block: int, others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_SCORES", block)
    mine, theirs = parts(others=others), parts(others=others)
    weights = torch.randn(6, 20, 4, dtype=torch.float64)
    found, expected = dropout_attention(*mine, 0.0), scaled_dot_product_attention(*theirs)
    torch.testing.assert_close(found, expected)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize("block", [2**17, 900])
def test_the_gradient_is_that_of_the_dropped_attention(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that are unit vectors show the attention with its zeros; a dense attention with those zeros has the slope."""
    monkeypatch.setattr(module, "_BLOCK_SCORES", block)
    queries, keys, _ = parts(others=4)
    unit = torch.eye(4, dtype=torch.float64).expand(6, 4, 4).clone().requires_grad_()
    found = dropout_attention(queries, keys, unit, 0.3, torch.Generator().manual_seed(1))
    kept = (found != 0).double() / 0.7
    assert 0.1 < float((found == 0).double().mean()) < 0.5
    weights = torch.randn(6, 20, 4, dtype=torch.float64)
    mine = torch.autograd.grad((found * weights).sum(), (queries, keys, unit))
    dense = ((queries @ keys.mT / 2).softmax(dim=-1) * kept) @ unit
    torch.testing.assert_close(found, dense)
    for a, b in zip(mine, torch.autograd.grad((dense * weights).sum(), (queries, keys, unit)), strict=True):
        torch.testing.assert_close(a, b)


def test_each_score_is_dropped_with_the_rate() -> None:
    """With equal scores the attention is 1 / n_others; values that are unit vectors show it score by score."""
    n, width, rate = 200, 50, 0.1
    zeros = torch.zeros(8, n, width)
    found = dropout_attention(zeros, zeros, torch.eye(n)[:, :width].repeat(8, 1, 1), rate)
    dropped = (found == 0).double()
    assert abs(float(dropped.mean()) - rate) < 5 * (rate * (1 - rate) / dropped.numel()) ** 0.5
    for axis in (0, 1, 2):
        share, size = dropped.mean(dim=[i for i in range(3) if i != axis]), dropped.numel() / dropped.shape[axis]
        assert float((share - rate).abs().max()) < 5 * (rate * (1 - rate) / size) ** 0.5
    torch.testing.assert_close(found[found != 0], torch.full_like(found[found != 0], 1 / (0.9 * n)))


def test_the_same_generator_gives_the_same_dropout() -> None:
    q, k, v = (part.detach() for part in parts())
    draws = [dropout_attention(q, k, v, 0.2, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_dropout_is_on_in_training_only() -> None:
    layer, x = CellAttention(8, 2, dropout=0.5, generator=torch.Generator().manual_seed(0)), torch.randn(30, 8)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_no_scores_are_kept_for_the_backward_pass() -> None:
    saved = []
    q, k, v = parts(n=2, cells=300, others=300)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        dropout_attention(q, k, v, 0.1)
    assert sum(saved) < 0.2 * 2 * 300 * 300


def test_evaluation_runs_on_the_kernel_that_holds_no_square_array() -> None:
    layer, x = CellAttention(8, 2, dropout=0.1).eval(), torch.randn(50, 8)
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU]) as seen:
        layer(x)
    names = {event.key for event in seen.key_averages()}
    assert "aten::_scaled_dot_product_flash_attention_for_cpu" in names
    assert not names & {"aten::softmax", "aten::_softmax", "aten::_safe_softmax"}


@pytest.mark.parametrize(("width", "heads"), [(10, 4), (8, 0)])
def test_heads_that_do_not_divide_the_width_are_refused(width: int, heads: int) -> None:
    with pytest.raises(ValueError, match=f"width must be a multiple of n_heads, got {width} and {heads}"):
        CellAttention(width, heads)


def test_a_dropout_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got 1"):
        CellAttention(8, 2, dropout=1)
    with pytest.raises(ValueError, match=r"rate must be in \[0, 1\), got -0.1"):
        dropout_attention(*parts(), -0.1)
