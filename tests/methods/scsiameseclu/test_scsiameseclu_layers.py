"""Layers by hand against torch's own."""

from __future__ import annotations

import pytest
import torch
from scbench_methods.scsiameseclu.layers import apply_layers
from torch import Tensor, nn

from scbench.nn.blocks import mlp

STACKS = {
    "bare last": mlp([9, 12, 500, 4], "leaky_relu"),
    "rectified last": mlp([9, 12, 4], "leaky_relu", act_last=True),
    "one": nn.Sequential(nn.Linear(9, 4)),
}


def results(found: Tensor, x: Tensor, layers: nn.Module) -> list[Tensor]:
    """Return the values and all slopes of a weighted sum of squares."""
    weights = torch.linspace(-1, 2, found.numel()).view_as(found)
    return [found, *torch.autograd.grad((weights * found.square()).sum(), [x, *layers.parameters()])]


@pytest.mark.parametrize("name", STACKS)
def test_float32_has_the_bits_of_torchs_layers(name: str) -> None:
    layers = STACKS[name]
    x = torch.randn(40, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    before = x.detach().clone()
    mine, theirs = (results(y, x, layers) for y in (apply_layers(layers, x, rows_kept=40), layers(x)))
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("rows_kept", [1, 15, 39])
def test_rows_in_pieces_give_the_same_values_and_slopes(name: str, rows_kept: int) -> None:
    layers = STACKS[name]
    x = torch.randn(40, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    mine, theirs = (results(y, x, layers) for y in (apply_layers(layers, x, rows_kept=rows_kept), layers(x)))
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_an_input_without_slopes_is_left_alone() -> None:
    layers, x = STACKS["bare last"], torch.randn(40, 9)
    apply_layers(layers, x, rows_kept=15).sum().backward()
    assert x.grad is None
    assert all(p.grad is not None for p in layers.parameters())


def test_narrow_products_stay_near_and_give_float32() -> None:
    layers = STACKS["bare last"]
    x = torch.randn(40, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    narrow, wide = (
        results(apply_layers(layers, x, rows_kept=40, product_type=kind), x, layers)
        for kind in (torch.bfloat16, torch.float32)
    )
    assert not torch.equal(narrow[0], wide[0])
    for a, b in zip(narrow, wide, strict=True):
        assert a.dtype == torch.float32
        # In the norm: a unit near 0 may be on one side of the ReLU in one of the two, and its slopes differ by themselves.
        assert float((a - b).detach().norm() / b.detach().norm()) < 0.1
