"""Losses whose gradient is cheaper to compute beside the value than to record and replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["with_gradients"]


class _WithGradients(torch.autograd.Function):
    """Return a number whose gradient is already known."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, n_inputs: int, *inputs_and_gradients: Tensor) -> Tensor:
        ctx.save_for_backward(*inputs_and_gradients[n_inputs:])
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        gradients = ctx.saved_tensors
        return None, None, *(g * outputs[0] for g in gradients), *(None for _ in gradients)


def with_gradients(value: Tensor, inputs: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """Return ``value`` with its place in the graph: its gradient with respect to ``inputs[i]`` is ``gradients[i]``.

    For sums over blocks that would need the whole n x n array (or all of a wide layer) to be kept for the backward
    pass: the gradient of each block is added up while the block is at hand. There is no second derivative.

    Args:
        value: a scalar without a graph.
        inputs: the tensors that it was computed from.
        gradients: same shapes as ``inputs``.

    Raises:
        ValueError: if a gradient is missing or has another shape than its input.
    """
    if [tuple(i.shape) for i in inputs] != [tuple(g.shape) for g in gradients]:
        raise ValueError("every input needs a gradient of its own shape")
    result: Tensor = _WithGradients.apply(value.detach(), len(inputs), *inputs, *gradients)  # type: ignore[no-untyped-call]
    return result
