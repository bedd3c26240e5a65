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
    "propagation",
]


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

    Half of KL(p, m) plus half of KL(q, m), m the mean of p and q. The slope along the logits of p is
    p (log(p / m) - KL(p, m)) / 2, so it is computed beside the value.

    Args:
        propagated: (n_cells, width) A H.
        values: (n_cells, width) H.

    Source: DCRN (Liu et al. 2022), propagation regularisation.
    """
    logs = [part.detach().log_softmax(dim=1) for part in (propagated, values)]
    p, q = (log.exp() for log in logs)
    log_middle = (p + q).mul_(0.5).clamp_(min=torch.finfo(p.dtype).tiny).log_()
    total = torch.zeros((), dtype=torch.float64, device=p.device)
    slopes = []
    for log, probability in zip(logs, (p, q), strict=True):
        gap = log.sub_(log_middle)
        divergence = (probability * gap).sum(dim=1, keepdim=True)
        total += divergence.sum(dtype=torch.float64)
        slopes.append(gap.sub_(divergence).mul_(probability).mul_(0.5 / len(p)))
    return with_gradients((0.5 * total / len(p)).to(p.dtype), (propagated, values), slopes)


def program_propagation(propagated: Tensor, values: Tensor) -> Tensor:
    """Return the released program's regulariser: KL(softmax(A H), m) counted twice by half, KL(softmax(H), m) never."""
    p, q = propagated.softmax(dim=1), values.softmax(dim=1)
    middle = (p + q) / 2
    return (torch.xlogy(p, p) - torch.xlogy(p, middle)).sum(dim=1).mean()


def program_clustering(target: Tensor, soft: Tensor) -> Tensor:
    """Return sum p (log p - q) / n: the released program gives a KL function probabilities in place of logarithms."""
    return (torch.xlogy(target, target) - target * soft).sum(dim=1).mean()
