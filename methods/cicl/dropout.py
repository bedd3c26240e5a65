"""Dropout whose masks cost little on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

__all__ = ["Dropout"]

_LEVELS = 1 << 16


class Dropout(nn.Module):
    """Zero entries at random in training mode and scale the others by 1 / (1 - rate), as ``torch.nn.Dropout`` does.

    On the CPU a mask takes 16 random bits an entry instead of one number each (a quarter of the time), so the rate
    is met to 2^-17 (above 1 - 2^-17, one entry in 2^16 is kept), and the mask is kept as one byte an entry. On a GPU
    torch's own fused kernel is used, which draws from the process-wide generator.

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
        if not self.training or self.rate == 0:
            return x
        if x.device.type != "cpu":
            return dropout(x, self.rate)
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64)
        words.random_(-(2**63), None, generator=self._generator)  # all 64 bits; without bounds one would be constant
        lots = words.view(torch.int16)[: x.numel()].view(x.shape)
        n_dropped = min(round(self.rate * _LEVELS), _LEVELS - 1)  # of the levels; one more is no 16-bit number
        kept = lots >= n_dropped - _LEVELS // 2
        return x.mul_(kept).mul_(1 / (1 - self.rate))
