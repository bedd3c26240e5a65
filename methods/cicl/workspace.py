"""Memory that a step takes again and again instead of asking for fresh pages."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["Workspace"]


class Workspace:
    """Named pieces of memory for the largest intermediate results of a training step on the CPU.

    glibc gives large blocks back to the system when they are freed, and the pages of the next step's are then made
    anew: for a result of 13 MiB that took three times as long as the matrix product that fills it. What was taken
    under a name is overwritten by whoever takes that name next; autograd notices when it still needed it.
    """

    def __init__(self) -> None:
        self._flat: dict[str, Tensor] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return a contiguous CPU tensor with arbitrary contents, valid until ``name`` is taken again."""
        n = math.prod(shape)
        flat = self._flat.get(name)
        if flat is None or len(flat) < n or flat.dtype != dtype:
            flat = self._flat[name] = torch.empty(n, dtype=dtype)
        return flat[:n].view(shape)
