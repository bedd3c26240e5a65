"""Attention to all cells in a time that grows with n: the exponential of small scores as a series."""

from __future__ import annotations

import math
from functools import partial

import torch
from scbench_methods.sccagn.recompute import recomputed
from torch import Tensor

__all__ = ["attend_by_series", "degree_for"]

_LARGEST_WIDTH = 2  # of a head; the terms of a series grow as degree ** width
_LARGEST_DEGREE = 32
_TOLERANCE = 1e-7  # about the rounding of float32


def attend_by_series(query: Tensor, key: Tensor, value: Tensor) -> Tensor | None:
    """Return softmax(Q K^T / sqrt(width)) V without any score, or None where that would be no good.

    A softmax does not change when the mean is taken off the keys. With a the scaled query and b the key less the mean,
    exp(a . b) is the product over the width of exp(a_d b_d), each a Taylor series in (a_d)^p (b_d)^p / p!; so the sums
    over all keys are polynomials of a whose coefficients are moments of the keys, made once. Sums are in float64.

    Args:
        query: (n_heads, n_cells, width).
        key, value: (n_heads, n_others, width).

    Returns:
        Same shape and dtype as ``query``; the weights of a cell differ from those of the softmax by at most 2e-7 in all
        (see :func:`degree_for`). None when heads are wider than 2, or a score so large that the series is too long.

    Source: the expansion of the fast Gauss transform (Greengard & Strain 1991), with one box.
    """
    if query.shape[-1] > _LARGEST_WIDTH:
        return None
    scaled = query.double() * query.shape[-1] ** -0.5
    others = key.double()
    others = others - others.mean(dim=1, keepdim=True)
    with torch.no_grad():
        spread = others.abs().amax(dim=1)
        largest = scaled.abs().amax(dim=1) * spread
        degree = degree_for(largest.tolist())
    if degree is None:
        return None
    spread = spread.clamp(min=torch.finfo(spread.dtype).tiny)
    one_head = partial(_one_head, degree)
    parts = zip(scaled * spread[:, None], others / spread[:, None], value.double(), strict=True)
    return torch.stack([recomputed(one_head, part) for part in parts]).to(query.dtype)


def degree_for(largest: list[list[float]]) -> int | None:
    """Return the degree at which the error of every softmax is about the rounding of float32; None when too large.

    Args:
        largest: for each head and dimension R_d, the largest |a_d| times the largest |b_d|.

    The series of exp up to degree P misses at most t(R) = R^(P+1) / (P+1)! / (1 - R / (P+2)), so the product over d
    misses at most delta = sum_d t(R_d) exp(sum of the other R). The keys have mean 0, so the mean of exp(a . b) over
    them is at least 1 (Jensen), and the weights of a cell are off by at most 2 delta / (1 - delta) in all.
    """
    for degree in range(1, _LARGEST_DEGREE + 1):
        if all(_missed(head, degree) <= _TOLERANCE for head in largest):
            return degree
    return None


def _missed(largest: list[float], degree: int) -> float:
    """Return delta of :func:`degree_for` for one head."""
    if not all(size < degree + 2 for size in largest):  # also where one is not a number
        return math.inf
    total = sum(largest)
    tails = (
        size ** (degree + 1) / math.factorial(degree + 1) / (1 - size / (degree + 2)) * math.exp(total - size)
        for size in largest
    )
    return sum(tails)


def _one_head(degree: int, scaled: Tensor, others: Tensor, value: Tensor) -> Tensor:
    """Return what each cell gathers, (n_cells, width), of queries (n_cells, width) and keys in [-1, 1]."""
    of_cells = [_powers(column, degree, over_factorial=True) for column in scaled.unbind(dim=1)]
    of_others = [_powers(column, degree) for column in others.unbind(dim=1)]
    for powers in (of_cells, of_others):
        if len(powers) == 1:
            powers.append(torch.ones_like(powers[0][:, :1]))
    summed = torch.cat([value, torch.ones_like(value[:, :1])], dim=1)
    moments = (summed[:, :, None] * of_others[0][:, None]).flatten(1).T @ of_others[1]
    terms = (of_cells[1] @ moments.T).unflatten(1, (summed.shape[1], degree + 1))
    found = (terms * of_cells[0][:, None]).sum(dim=2)
    result: Tensor = found[:, :-1] / found[:, -1:]
    return result


def _powers(x: Tensor, degree: int, *, over_factorial: bool = False) -> Tensor:
    """Return x^p, or x^p / p!, for p from 0 to the degree, (len(x), degree + 1)."""
    found = [torch.ones_like(x)]
    for p in range(1, degree + 1):
        found.append(found[-1] * (x / p if over_factorial else x))
    return torch.stack(found, dim=1)
