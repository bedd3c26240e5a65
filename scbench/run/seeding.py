"""Prepare the arithmetic of a run's own process: seed its generators, and treat denormal numbers as 0.

Methods draw from ``RunContext``; but layers such as dropout, and libraries without a seed argument, draw from
process-wide generators. In a process that does one run these can be seeded without disturbing anyone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["put_back", "row_order", "seed_process", "seeded"]

_ORDER_STREAM = 0x5CBE  # keeps the permutation apart from the numbers a method draws with the same seed


def seed_process(seed: int, *, uses_torch: bool) -> None:
    """Seed python, numpy and (when the method uses it) torch.

    With torch, denormal numbers (below 1e-38) count as 0 on the CPU from now on: a softmax over far-apart cells is full
    of them, and they made its backward pass up to seven times slower.
    """
    random.seed(seed)
    np.random.seed(seed)
    if uses_torch:
        import torch

        torch.manual_seed(seed)
        torch.set_flush_denormal(True)


@contextmanager
def seeded(seed: int, *, uses_torch: bool) -> Iterator[None]:
    """Do what :func:`seed_process` does, and put the caller's process back afterwards, all but a GPU's generator.

    That one stays where the block left it: to read its state would start CUDA in processes that never use it.
    """
    before_python, before_numpy = random.getstate(), np.random.get_state()
    before_torch, flushed = None, True
    if uses_torch:
        import torch

        before_torch = torch.get_rng_state()
        flushed = float(torch.tensor([1e-39]) * 1) == 0
    seed_process(seed, uses_torch=uses_torch)
    try:
        yield
    finally:
        random.setstate(before_python)
        np.random.set_state(before_numpy)
        if before_torch is not None:
            torch.set_rng_state(before_torch)
            torch.set_flush_denormal(flushed)


def row_order(n_cells: int, seed: int) -> np.ndarray:
    """Return the permutation of a run: row i of its counts is row ``order[i]`` of the counts as they are stored.

    A method can draw it anew, for it has the seed. That tells it nothing: the stored order is no order of the file (see
    ``scbench.data.stored_order``).
    """
    return np.random.default_rng([_ORDER_STREAM, seed]).permutation(n_cells)


def put_back(array: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return rows of a run (first axis: its permuted cells) in the order that they were taken from."""
    restored = np.empty_like(array)
    restored[order] = array
    return restored
