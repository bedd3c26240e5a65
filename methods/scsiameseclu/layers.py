"""Stacks of linear layers with leaky rectifiers, forward and backward by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["apply_layers"]

_SLOPE = 0.2
_ONE_PANEL = 384  # up to so many addends a product is one sum, and a bias added after it gives the same bits
_backward_of_rectifier = torch.ops.aten.leaky_relu_backward


def apply_layers(
    layers: nn.Sequential, x: Tensor, *, rows_kept: int, product_type: torch.dtype = torch.float32
) -> Tensor:
    """Return ``layers(x)`` for linear layers, each followed by a leaky rectifier of slope 0.2 or by nothing.

    In float32 bit for bit what torch's layers give, and the same gradients. Biases are added where the product lies
    instead of being spread out first, and slopes are rectified where they lie: each of these passes costs as much as a
    fifth of the product. Beyond ``rows_kept`` rows the activations of a piece of the rows are computed again for the
    backward pass instead of kept for all; sums over rows then go piece by piece, which changes their last digits.

    Args:
        layers: made of ``nn.Linear`` and ``nn.LeakyReLU``.
        x: (n_cells, width) float32.
        rows_kept: whose activations are kept, at least 1.
        product_type: of the products; their results are float32.
    """
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    is_last_bare = isinstance(layers[-1], nn.Linear)
    parameters = [p for layer in linear for p in (layer.weight, layer.bias)]
    n_rectified = len(linear) - is_last_bare
    result: Tensor = _Stack.apply(x, n_rectified, rows_kept, product_type, *parameters)  # type: ignore[no-untyped-call]
    return result


def _outputs(x: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], n_rectified: int) -> list[Tensor]:
    """Return what each layer gives; weights are of the products' type."""
    outputs: list[Tensor] = []
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if weight.dtype == bias.dtype and weight.shape[1] > _ONE_PANEL:
            x = torch.addmm(bias, x, weight.T)
        else:
            x = (x.to(weight.dtype) @ weight.T).to(bias.dtype).add_(bias)
        if i < n_rectified:
            torch.nn.functional.leaky_relu_(x, _SLOPE)
        outputs.append(x)
    return outputs


class _Stack(torch.autograd.Function):
    """All layers as one node, with or without their activations kept."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, n_rectified: int, rows_kept: int, product_type: torch.dtype, *parameters: Tensor
    ) -> Tensor:
        weights, biases = [weight.to(product_type) for weight in parameters[::2]], parameters[1::2]
        ctx.n_rectified, ctx.rows_kept = n_rectified, rows_kept
        if len(x) <= rows_kept:
            outputs = _outputs(x, weights, biases, n_rectified)
            ctx.save_for_backward(x, *weights, *biases, *outputs)
            return outputs[-1]
        ctx.save_for_backward(x, *weights, *biases)
        return torch.cat([_outputs(piece, weights, biases, n_rectified)[-1] for piece in x.split(rows_kept)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, *saved = ctx.saved_tensors
        n_layers = (len(ctx.needs_input_grad) - 4) // 2
        weights, biases, kept = saved[:n_layers], saved[n_layers : 2 * n_layers], saved[2 * n_layers :]
        slope_of_x: list[Tensor] = []
        total: list[Tensor] = []
        for piece, slope in zip(x.split(ctx.rows_kept), gradients[0].split(ctx.rows_kept), strict=True):
            outputs = kept or _outputs(piece, weights, biases, ctx.n_rectified)
            found = _slopes([piece, *outputs], weights, slope, ctx.n_rectified, for_input=ctx.needs_input_grad[0])
            slope_of_x.extend(found[:1] if ctx.needs_input_grad[0] else [])
            of_parameters = found[1:]
            total = [a.add_(b) for a, b in zip(total, of_parameters, strict=True)] if total else of_parameters
        return torch.cat(slope_of_x) if len(slope_of_x) > 1 else next(iter(slope_of_x), None), None, None, None, *total


def _slopes(
    values: Sequence[Tensor], weights: Sequence[Tensor], slope: Tensor, n_rectified: int, *, for_input: bool
) -> list[Tensor]:
    """Return the slopes along the input (along the first layer's output when not asked for), weights and biases.

    Args:
        values: the input and what each layer gives.
        weights: of the products' type.
        slope: along the last output; not changed.
        n_rectified: layers with a rectifier.
        for_input: whether the slope along the input is wanted.
    """
    parameters: list[Tensor] = []
    is_ours = False
    for i in reversed(range(len(weights))):
        if i < n_rectified:
            if is_ours:
                _backward_of_rectifier.grad_input(slope, values[i + 1], _SLOPE, True, grad_input=slope)
            else:
                slope = _backward_of_rectifier(slope, values[i + 1], _SLOPE, True)
        narrow = slope.to(weights[i].dtype)
        of_weight = (narrow.T @ values[i].to(narrow.dtype)).to(slope.dtype)
        parameters[:0] = [of_weight, slope.sum(dim=0)]
        if i or for_input:
            slope, is_ours = (narrow @ weights[i]).to(slope.dtype), True
    return [slope, *parameters]
