"""Seed the process-wide generators of a run's own process.

Methods draw from ``RunContext``; but layers such as dropout, and libraries without a seed argument, draw from
process-wide generators. In a process that does one run these can be seeded without disturbing anyone.
"""

from __future__ import annotations

import random

import numpy as np

__all__ = ["row_order", "seed_process"]

_ORDER_STREAM = 0x5CBE  # keeps the permutation apart from the numbers a method draws with the same seed


def seed_process(seed: int, *, uses_torch: bool) -> None:
    """Seed python, numpy and (when the method uses it) torch."""
    random.seed(seed)
    np.random.seed(seed)
    if uses_torch:
        import torch

        torch.manual_seed(seed)


def row_order(n_cells: int, seed: int) -> np.ndarray:
    """Return the permutation of a run: row i of its counts is row ``order[i]`` of the file."""
    return np.random.default_rng([_ORDER_STREAM, seed]).permutation(n_cells)
