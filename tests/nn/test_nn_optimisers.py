"""Optimisers: the same as torch's classes, bit for bit, without the compiler that those import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from scbench.nn.optimisers import Adadelta, Adam, Adamax, Optimiser, ParameterGroup

PAIRS: dict[str, tuple[Callable[[Any], Optimiser], Callable[[Any], torch.optim.Optimizer]]] = {
    "adam": (lambda p: Adam(p, 1e-2), lambda p: torch.optim.Adam(p, 1e-2, fused=True)),
    "adam with decay": (
        lambda p: Adam(p, 1e-2, 1e-2),
        lambda p: torch.optim.Adam(p, 1e-2, weight_decay=1e-2, fused=True),
    ),
    "amsgrad": (lambda p: Adam(p, 1e-2, amsgrad=True), lambda p: torch.optim.Adam(p, 1e-2, amsgrad=True, fused=True)),
    "adam, not fused": (lambda p: Adam(p, 1e-2, fused=False), lambda p: torch.optim.Adam(p, 1e-2)),
    "adamax": (lambda p: Adamax(p, 1e-2, 1e-3), lambda p: torch.optim.Adamax(p, 1e-2, weight_decay=1e-3)),
    "adadelta": (lambda p: Adadelta(p, rho=0.95, eps=1e-6), lambda p: torch.optim.Adadelta(p, 1.0, rho=0.95, eps=1e-6)),
}


def network() -> nn.Module:
    """Return a network whose last layer gets no gradient in the first steps."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3), nn.Linear(3, 2))


def loss(model: Any, step: int) -> Tensor:
    x = torch.randn(11, 7, generator=torch.Generator().manual_seed(step))
    hidden = model[2](model[1](model[0](x)))
    result: Tensor = (hidden if step < 2 else model[3](hidden)).square().sum()
    return result


def assert_same(ours: nn.Module, mine: Optimiser, theirs: nn.Module, reference: torch.optim.Optimizer) -> None:
    """Train both and compare; learning rates fall on the way, as in a schedule."""
    for step in range(6):
        if step == 4:
            for group, other in zip(mine.groups, reference.param_groups, strict=True):
                group.lr /= 10
                other["lr"] /= 10
        for model, optimiser in ((ours, mine), (theirs, reference)):
            optimiser.zero_grad()
            loss(model, step).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("name", PAIRS)
def test_the_same_as_torch_bit_for_bit(name: str) -> None:
    ours, theirs = network(), network()
    assert_same(ours, PAIRS[name][0](ours.parameters()), theirs, PAIRS[name][1](theirs.parameters()))


def test_groups_have_settings_of_their_own() -> None:
    ours, theirs = network(), network()
    mine = Adam([ParameterGroup([*ours[:1].parameters()], 1e-3, 0.1), ParameterGroup([*ours[2:].parameters()], 1e-2)])
    reference = torch.optim.Adam(
        [
            {"params": [*theirs[:1].parameters()], "lr": 1e-3, "weight_decay": 0.1},
            {"params": [*theirs[2:].parameters()], "lr": 1e-2},
        ],
        fused=True,
    )
    assert_same(ours, mine, theirs, reference)


def test_first_step_of_adam_by_hand() -> None:
    values = torch.tensor([1.0, -2.0], requires_grad=True)
    values.grad = torch.tensor([0.5, -3.0])
    Adam([values], 0.1).step()  # mean and root of the mean square are |g|, bias taken out: a step of the size lr
    torch.testing.assert_close(values.detach(), torch.tensor([0.9, -1.9]))


def test_parameters_without_gradient_stay() -> None:
    values = torch.ones(3, requires_grad=True)
    Adamax([values], 0.1).step()
    assert values.tolist() == [1, 1, 1]


def test_no_parameters_and_parameters_twice_are_refused() -> None:
    values = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="needs parameters, each of them once; got 0 in all"):
        Adam([])
    with pytest.raises(ValueError, match="each of them once; got 2 in all"):
        Adam([ParameterGroup([values], 0.1), ParameterGroup([values], 0.2)])


def test_the_compiler_is_not_imported() -> None:
    code = """
import sys, torch
from scbench.nn.optimisers import Adadelta, Adam, Adamax
for kind in (Adam, Adamax, Adadelta):
    layer = torch.nn.Linear(3, 2)
    optimiser = kind(layer.parameters())
    layer(torch.ones(4, 3)).sum().backward()
    optimiser.step()
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
