"""The losses of the main training; those of the released program stand beside the ones they deviate from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize as unit_rows
from torch.nn.functional import one_hot

from scbench.nn.precomputed import with_gradients

__all__ = [
    "cross_view_correlation",
    "group_means",
    "program_clustering",
    "program_latent_level",
    "program_propagation",
    "program_propagation_slopes",
    "propagation",
    "propagation_slopes",
]

_ENTRIES_AT_ONCE = 2**15
_ENTRIES_AT_ONCE_GPU = 2**24


def cross_view_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Return mean_i (C_ii - 1)^2 + mean_{i != j} C_ij^2, C the cosine similarities between rows of two views.

    Exact without C: its sum of squares is the inner product of the two Gram matrices (width x width) of the unit
    rows. In float64, since the off-diagonal part is a small difference of large sums.

    Args:
        first, second: (n, width), row i of both belongs together. For cells pass the codes, for features their
            transposed group means.

    Source: DCRN (Liu et al. 2022), dual correlation reduction; kept by scSiameseClu.
    """
    a, b = unit_rows(first.double(), dim=1), unit_rows(second.double(), dim=1)
    diagonal = (a * b).sum(dim=1)
    all_squares = ((a.T @ a) * (b.T @ b)).sum()
    n = len(a)
    off_diagonal = (all_squares - diagonal.square().sum()) / max(1, n * (n - 1))
    return ((diagonal - 1).square().mean() + off_diagonal).to(first.dtype)


def group_means(codes: Tensor, membership: Tensor) -> Tensor:
    """Return the mean code of each group that has a cell, (n_groups, width).

    Args:
        codes: (n_cells, width).
        membership: (n_cells,) int64 group of each cell.
    """
    indicator = one_hot(membership).to(codes.dtype)
    sizes = indicator.sum(dim=0)
    filled = sizes > 0
    return (indicator.T @ codes)[filled] / sizes[filled, None]


def program_latent_level(first: Tensor, second: Tensor, n_clusters: int) -> Tensor:
    """Return the latent-level loss as the released program computes it: a number without a gradient.

    Groups are contiguous blocks of floor(n / K) cells in the order given (the runner's permutation), the last one
    longer. Their means are strung together to one row, so each "feature" is a single number with cosine +-1, and the
    loss is 1 + 4 * (share of features whose signs differ).

    Args:
        first, second: (n_cells, width) codes of two views.
        n_clusters: K, at most n_cells.
    """
    size = max(1, len(first) // n_clusters)
    n_groups = len(first) // size
    membership = (torch.arange(len(first), device=first.device) // size).clamp(max=n_groups - 1)
    signs = [group_means(codes.detach(), membership).sign() for codes in (first, second)]
    return 1 + 4 * (signs[0] != signs[1]).to(first.dtype).mean()


def propagation(propagated: Tensor, values: Tensor) -> Tensor:
    """Return the mean over cells of the Jensen-Shannon divergence between softmax(A H) and softmax(H), in nats.

    Args:
        propagated: (n_cells, width) A H.
        values: (n_cells, width) H.

    Source: DCRN (Liu et al. 2022), propagation regularisation.
    """
    value, slopes = propagation_slopes(propagated.detach(), values.detach())
    return with_gradients(value, (propagated, values), slopes)


def propagation_slopes(propagated: Tensor, values: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return what :func:`propagation` returns, and its slopes along both arguments, which have no gradient.

    The slope along the logits of p is p (log(p / m) - KL(p, m)) / 2, m the mean of p and q. A few rows at a time: on a
    CPU they stay in the cache for all the passes.
    """
    n_cells, width = values.shape
    n_rows = max(1, (_ENTRIES_AT_ONCE if values.device.type == "cpu" else _ENTRIES_AT_ONCE_GPU) // max(1, width))
    total = torch.zeros((), dtype=torch.float64, device=values.device)
    slopes = torch.empty_like(propagated), torch.empty_like(values)
    for start in range(0, n_cells, n_rows):
        rows = slice(start, start + n_rows)
        logs = [part[rows].log_softmax(dim=1) for part in (propagated, values)]
        p, q = (log.exp() for log in logs)
        log_middle = (p + q).mul_(0.5).clamp_(min=torch.finfo(p.dtype).tiny).log_()
        for slope, log, probability in zip(slopes, logs, (p, q), strict=True):
            gap = log.sub_(log_middle)
            divergence = (probability * gap).sum(dim=1, keepdim=True)
            total += divergence.sum(dtype=torch.float64)
            torch.mul(gap.sub_(divergence).mul_(probability), 0.5 / n_cells, out=slope[rows])
    return (0.5 * total / n_cells).to(values.dtype), slopes


def program_propagation_slopes(propagated: Tensor, values: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return what :func:`program_propagation` returns, and its slopes along both arguments, which have no gradient."""
    with torch.enable_grad():
        leaves = propagated.detach().requires_grad_(), values.detach().requires_grad_()
        value = program_propagation(*leaves)
        along_copy, along_values = torch.autograd.grad(value, leaves)
    return value.detach(), (along_copy, along_values)


def program_propagation(propagated: Tensor, values: Tensor) -> Tensor:
    """Return the released program's regulariser: KL(softmax(A H), m) counted twice by half, KL(softmax(H), m) never."""
    p, q = propagated.softmax(dim=1), values.softmax(dim=1)
    middle = (p + q) / 2
    return (torch.xlogy(p, p) - torch.xlogy(p, middle)).sum(dim=1).mean()


def program_clustering(target: Tensor, soft: Tensor) -> Tensor:
    """Return sum p (log p - q) / n: the released program gives a KL function probabilities in place of logarithms."""
    return (torch.xlogy(target, target) - target * soft).sum(dim=1).mean()
