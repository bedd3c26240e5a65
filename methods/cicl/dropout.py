"""Dropout whose masks cost little on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

__all__ = ["Dropout"]

_LEVELS = 1 << 16


class Dropout(nn.Module):
    """Zero entries at random in training mode and scale the others by 1 / (1 - rate), as ``torch.nn.Dropout`` does.

    On the CPU a mask takes 16 random bits an entry instead of one number each (a quarter of the time), so the rate
    is met to 2^-17 (above 1 - 2^-17, one entry in 2^16 is kept). The bits are kept for the gradient, which is cheaper
    than a mask: bools become numbers four times as slowly. On a GPU torch's own fused kernel is used, which draws from
    the process-wide generator.

    Args:
        rate: in [0, 1).
        generator: CPU generator of the masks.

    Raises:
        ValueError: if ``rate`` is out of range.
    """

    def __init__(self, rate: float, generator: torch.Generator) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be in [0, 1), got {rate}")
        self.rate = rate
        self._generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with dropout; in training on the CPU the memory of ``x`` is used for it."""
        if not self._is_own(x):
            return dropout(x, self.rate, self.training)
        return _apply(_Dropped, x, self._lots(x), self.rate)

    def then_relu(self, x: Tensor) -> Tensor:
        """Return relu of ``x`` with dropout, in the memory of ``x``; no mask is kept for the gradient.

        Values are those of dropout after relu.
        """
        if not self._is_own(x):
            return dropout(x, self.rate, self.training).relu_()
        return _apply(_DroppedRelu, x, self._lots(x), self.rate)

    def _is_own(self, x: Tensor) -> bool:
        """Return whether there is something to drop, and not by torch's kernel."""
        return self.training and self.rate > 0 and x.device.type == "cpu"

    def _lots(self, x: Tensor) -> Tensor:
        """Draw an int16 for each entry of ``x``."""
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64)
        words.random_(-(2**63), None, generator=self._generator)  # all 64 bits; without bounds one would be constant
        return words.view(torch.int16)[: x.numel()].view(x.shape)


def _apply(function: type[torch.autograd.Function], x: Tensor, lots: Tensor, rate: float) -> Tensor:
    """Call an autograd function."""
    out: Tensor = function.apply(x, lots, rate)
    return out


def _kept(lots: Tensor, rate: float, dtype: torch.dtype) -> Tensor:
    """Return 1 where an entry is kept and 0 elsewhere."""
    n_dropped = min(round(rate * _LEVELS), _LEVELS - 1)  # of the levels; one more is no 16-bit number
    return torch.ge(lots, n_dropped - _LEVELS // 2, out=torch.empty(lots.shape, dtype=dtype))


class _Dropped(torch.autograd.Function):
    """Multiply by mask and scale, in place."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lots: Tensor, rate: float) -> Tensor:
        ctx.save_for_backward(lots)
        ctx.rate = rate
        ctx.mark_dirty(x)
        return x.mul_(_kept(lots, rate, x.dtype)).mul_(1 / (1 - rate))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (lots,) = ctx.saved_tensors
        (gradient,) = gradients
        return _kept(lots, ctx.rate, gradient.dtype).mul_(gradient).mul_(1 / (1 - ctx.rate)), None, None


class _DroppedRelu(torch.autograd.Function):
    """The same and relu. What was dropped is 0 afterwards, as what relu cut off, so the output tells both."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lots: Tensor, rate: float) -> Tensor:
        ctx.rate = rate
        ctx.mark_dirty(x)
        out = x.mul_(_kept(lots, rate, x.dtype)).mul_(1 / (1 - rate)).relu_()
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (out,) = ctx.saved_tensors
        slope = torch.ops.aten.threshold_backward(gradients[0], out, 0)
        return slope.mul_(1 / (1 - ctx.rate)), None, None
