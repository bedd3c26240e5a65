"""The projection head of CICL, whose output is contrasted."""

from __future__ import annotations

from typing import Any

import torch
from scbench_methods.cicl.workspace import Workspace
from torch import Tensor, nn

__all__ = ["ProjectionHead"]


class ProjectionHead(nn.Sequential):
    """Linear, relu, linear; rows are scaled to unit length by whoever takes cosines.

    Args:
        width: of the representations.
        hidden_width: of the hidden layer.
        out_width: of the projections.
        workspace: holds the hidden layer of a float32 step on the CPU, the widest result of the network.

    Source: CICL (arXiv 2312.16600), Table 2 gives widths 1024 and 512; the released program has 2048 and 512.
    """

    def __init__(self, width: int, hidden_width: int, out_width: int, workspace: Workspace) -> None:
        super().__init__(nn.Linear(width, hidden_width), nn.ReLU(inplace=True), nn.Linear(hidden_width, out_width))
        self._workspace = workspace

    def forward(self, x: Tensor) -> Tensor:
        """Return the projections, (n_cells, out_width), of representations ``x``, (n_cells, width)."""
        device = x.device.type
        projected: Tensor
        if device == "cpu" and not torch.is_autocast_enabled(device):
            parameters = (self[0].weight, self[0].bias, self[2].weight, self[2].bias)
            projected = _Projected.apply(x, *parameters, self._workspace)  # type: ignore[no-untyped-call]
        else:
            projected = self[2](self[1](self[0](x)))
        return projected


class _Projected(torch.autograd.Function):
    """The products of the layers and of their gradients, the same to the last bit, in memory of the workspace."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w_1: Tensor, b_1: Tensor, w_2: Tensor, b_2: Tensor, workspace: Workspace
    ) -> Tensor:
        hidden = workspace.take("hidden", (len(x), len(w_1)), x.dtype)
        torch.addmm(b_1, x, w_1.t(), out=hidden).relu_()
        ctx.workspace = workspace
        ctx.save_for_backward(x, w_1, w_2, hidden)
        return torch.addmm(b_2, hidden, w_2.t())

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        x, w_1, w_2, hidden = ctx.saved_tensors
        (of_out,) = gradients
        of_hidden = ctx.workspace.take("hidden slope", hidden.shape, hidden.dtype)
        torch.mm(of_out, w_2, out=of_hidden)
        torch.ops.aten.threshold_backward.grad_input(of_hidden, hidden, 0, grad_input=of_hidden)
        of_x = of_hidden @ w_1 if ctx.needs_input_grad[0] else None
        return of_x, of_hidden.t() @ x, of_hidden.sum(0), of_out.t() @ hidden, of_out.sum(0), None
