from __future__ import annotations

import subprocess
import sys

import torch
from scbench_methods.sccagn.recompute import recomputed


def test_value_and_gradients_are_the_functions_own() -> None:
    gen = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(4, 4, generator=gen).requires_grad_() for _ in range(2))
    fixed, unused = torch.randn(4, 4, generator=gen), torch.randn(3, requires_grad=True)

    def function(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.tanh(one @ weight) * other

    found, expected = recomputed(function, (x, fixed), (weight, unused)), function(x, fixed)
    torch.testing.assert_close(found, expected)
    slopes = [torch.autograd.grad(result.square().sum(), (x, weight)) for result in (found, expected)]
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other)
    again = recomputed(function, (x, fixed), (weight, unused))
    assert torch.autograd.grad(again.sum(), unused, allow_unused=True) == (None,)


def test_only_inputs_are_kept() -> None:
    kept: list[tuple[int, ...]] = []
    x, weight = torch.rand(5, 2, requires_grad=True), torch.rand(2, 7, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(tuple(t.shape)) or t, lambda t: t):
        recomputed(lambda rows: (rows @ weight).exp().sum(dim=1), (x,), (weight,))
    assert kept == [(5, 2), (2, 7)]


def test_torchs_compiler_is_not_imported() -> None:
    code = (
        "import sys, torch; from scbench_methods.sccagn.recompute import recomputed;"
        "x = torch.rand(3, requires_grad=True); recomputed(torch.exp, (x,)).sum().backward();"
        "sys.exit('torch._dynamo' in sys.modules or 'sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
