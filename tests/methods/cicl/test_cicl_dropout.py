"""Dropout with cheap masks behaves as torch's own."""

from __future__ import annotations

import pytest
import torch
from scbench_methods.cicl.dropout import Dropout


def dropped(rate: float, shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return Dropout(rate, torch.Generator().manual_seed(seed))(torch.ones(shape))


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.9])
def test_share_and_scale_are_those_of_the_rate(rate: float) -> None:
    found = dropped(rate, (1000, 1000))
    assert sorted(found.unique().tolist()) == pytest.approx([0, 1 / (1 - rate)])
    assert float((found == 0).double().mean()) == pytest.approx(rate, abs=4 * (rate * (1 - rate)) ** 0.5 / 1000)


def test_every_place_of_a_word_is_dropped_alike() -> None:
    """Four masks come from one random word; torch leaves the top bit of a word at 0 unless told otherwise."""
    zeros = (dropped(0.5, (4_000_000,)).view(-1, 4) == 0).double()
    assert zeros.mean(dim=0).tolist() == pytest.approx([0.5] * 4, abs=0.002)
    together = (zeros.T @ zeros / len(zeros))[~torch.eye(4, dtype=torch.bool)]
    assert together.tolist() == pytest.approx([0.25] * 12, abs=0.002)


@pytest.mark.parametrize("shape", [(1,), (3, 7), (5, 4), (0, 4)])
def test_any_shape_is_kept(shape: tuple[int, ...]) -> None:
    assert dropped(0.3, shape).shape == shape


def test_gradient_flows_through_what_was_kept() -> None:
    x = torch.full((50, 40), 2.0, requires_grad=True)
    found = Dropout(0.4, torch.Generator().manual_seed(0))(x * 1)
    found.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, found.detach() / 2)
    assert 0 < int((found == 0).sum()) < found.numel()


def test_relu_may_follow_in_place() -> None:
    x = torch.randn(20, 30, generator=torch.Generator().manual_seed(0), requires_grad=True)
    found = Dropout(0.4, torch.Generator().manual_seed(0))(x * 1).relu_()
    found.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (found.detach() > 0) / 0.6)


@pytest.mark.parametrize("follows_relu", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_values_and_gradients_are_those_of_a_mask_to_the_last_bit(follows_relu: bool, dtype: torch.dtype) -> None:
    gen = torch.Generator().manual_seed(1)
    start, slope = (torch.randn(61, 47, generator=gen).to(dtype) for _ in range(2))
    words = torch.empty((start.numel() + 3) // 4, dtype=torch.int64)
    words.random_(-(2**63), None, generator=torch.Generator().manual_seed(0))
    mask = words.view(torch.int16)[: start.numel()].view(start.shape) >= round(0.2 * 2**16) - 2**15
    plain, x = start.clone().requires_grad_(), start.clone().requires_grad_()
    expected = plain * mask * (1 / (1 - 0.2))
    drop = Dropout(0.2, torch.Generator().manual_seed(0))
    found = drop.then_relu(x * 1) if follows_relu else drop(x * 1)
    assert torch.equal(found, expected.relu() if follows_relu else expected)
    found.backward(slope)
    (expected.relu() if follows_relu else expected).backward(slope)
    assert x.grad is not None
    assert plain.grad is not None
    assert torch.equal(x.grad, plain.grad)


def test_relu_after_dropout_draws_as_dropout_and_is_relu_in_evaluation() -> None:
    x = torch.randn(20, 30, generator=torch.Generator().manual_seed(2))
    drop = Dropout(0.3, torch.Generator().manual_seed(0))
    after = drop.then_relu(x.clone())
    drop = Dropout(0.3, torch.Generator().manual_seed(0))
    assert torch.equal(after, drop(x.clone()).relu())
    assert torch.equal(drop.eval().then_relu(x.clone()), x.relu())
    assert torch.equal(Dropout(0.0, torch.Generator()).then_relu(x.clone()), x.relu())


def test_the_generator_decides() -> None:
    assert torch.equal(dropped(0.5, (9, 9), 1), dropped(0.5, (9, 9), 1))
    assert not torch.equal(dropped(0.5, (9, 9), 1), dropped(0.5, (9, 9), 2))


def test_evaluation_and_rate_zero_change_nothing() -> None:
    x = torch.ones(5, 5)
    assert torch.equal(Dropout(0.5, torch.Generator()).eval()(x), torch.ones(5, 5))
    assert torch.equal(Dropout(0.0, torch.Generator())(x), torch.ones(5, 5))


@pytest.mark.parametrize("rate", [1 - 2**-17, 1 - 1e-9])
def test_a_rate_next_to_one_drops_nearly_everything(rate: float) -> None:
    found = dropped(rate, (1000, 1000))
    assert 0 < int((found != 0).sum()) < 60  # 15 are expected


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=rf"rate must be in \[0, 1\), got {rate}"):
        Dropout(rate, torch.Generator())
