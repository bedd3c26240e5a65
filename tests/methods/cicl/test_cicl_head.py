"""The projection head: oracle, gradients, and the same bits as torch's own layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scbench_methods.cicl.head import ProjectionHead, _Projected
from scbench_methods.cicl.workspace import Workspace
from torch import Tensor, nn
from torch.nn.functional import normalize

ORACLES = Path(__file__).parents[2] / "oracles" / "cicl"


def rows(n: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


def head_of(*widths: int) -> ProjectionHead:
    torch.manual_seed(0)
    return ProjectionHead(*widths, Workspace())


def test_head_is_that_of_the_oracle() -> None:
    with np.load(ORACLES / "projection_head.npz") as file:
        o = {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}
    head = head_of(12, 2048, 512)
    head.load_state_dict({f"{2 * i}.{kind}": o[f"w::fc{i + 1}.{kind}"] for i in (0, 1) for kind in ("weight", "bias")})
    found = head(o["h"])
    torch.testing.assert_close(found, o["out"], rtol=0, atol=2e-5)
    torch.testing.assert_close(normalize(found), o["out_normalized"], rtol=0, atol=2e-5)


@pytest.mark.parametrize("n_cells", [1, 37, 300])
def test_values_and_gradients_are_those_of_torchs_layers_to_the_last_bit(n_cells: int) -> None:
    head = head_of(50, 210, 31)
    plain = nn.Sequential(nn.Linear(50, 210), nn.ReLU(), nn.Linear(210, 31))
    plain.load_state_dict(head.state_dict())
    slope = rows(n_cells, 31, 1)
    for _ in range(2):  # the second time in used memory
        found: list[list[Tensor]] = []
        for network in (head, plain):
            x = rows(n_cells, 50).requires_grad_()
            out = network(x)
            found.append([out, *torch.autograd.grad(out, [x, *network.parameters()], slope)])
        for ours, theirs in zip(*found, strict=True):
            assert torch.equal(ours, theirs)


def test_gradients_are_those_of_finite_differences() -> None:
    parameters = [parameter.detach().double() for parameter in head_of(4, 6, 3).parameters()]
    inputs = [tensor.requires_grad_() for tensor in (rows(5, 4).double(), *parameters)]
    assert torch.autograd.gradcheck(lambda *given: _Projected.apply(*given, Workspace()), inputs)


def test_memory_that_a_gradient_still_needs_is_not_overwritten_in_silence() -> None:
    head = head_of(4, 6, 3)
    first = head(rows(5, 4).requires_grad_())
    head(rows(5, 4, 1))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        first.sum().backward()


def test_a_workspace_gives_the_same_memory_for_the_same_name_and_grows() -> None:
    workspace = Workspace()
    first = workspace.take("a", (3, 4), torch.float32)
    assert workspace.take("a", (2, 5), torch.float32).data_ptr() == first.data_ptr()
    assert workspace.take("b", (3, 4), torch.float32).data_ptr() != first.data_ptr()
    larger = workspace.take("a", (4, 4), torch.float32)
    assert (larger.shape, larger.is_contiguous()) == ((4, 4), True)
    assert workspace.take("a", (4, 4), torch.float64).dtype == torch.float64
