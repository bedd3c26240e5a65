"""Balanced assignment by Sinkhorn scaling."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["sinkhorn"]

_CHECK_EVERY = 10
_MASS_TOLERANCE = 1e-3


def sinkhorn(score: Tensor, rows: Tensor, cols: Tensor, lam: float, *, n_iter: int = 100, tol: float = 1e-6) -> Tensor:
    """Return ``score**lam`` scaled to the given row and column sums.

    At most ``n_iter`` rounds scale rows, then columns; rows are scaled once more at the end, so they sum to ``rows``
    exactly (up to rounding) and columns to ``cols`` as far as it has converged. Computed on logarithms: no power
    underflows.

    Args:
        score: (n_cells, n_clusters), > 0.
        rows: (n_cells,) wanted row sums, >= 0.
        cols: (n_clusters,) wanted column sums, >= 0, with the same total as ``rows``.
        lam: exponent, > 0; larger gives harder assignments.
        n_iter: most rounds, at least 1.
        tol: stop when no column misses its sum by more than ``tol`` times the total; looked at every 10 rounds.

    Returns:
        (n_cells, n_clusters), same dtype as ``score``.

    Raises:
        ValueError: if a shape, ``score``, ``lam``, ``n_iter`` or the totals are wrong.

    Source: Cuturi 2013, algorithm 1, with cost -log(score).
    """
    if rows.shape != score.shape[:1] or cols.shape != score.shape[1:]:
        raise ValueError(
            f"score of shape {tuple(score.shape)} needs as many row and column sums, "
            f"got {tuple(rows.shape)} and {tuple(cols.shape)}"
        )
    if lam <= 0 or n_iter < 1:
        raise ValueError(f"lam must be > 0 and n_iter at least 1, got {lam} and {n_iter}")
    if not bool((score > 0).all()):
        raise ValueError("score must be positive everywhere; clamp it")
    total = float(rows.sum())
    if abs(total - float(cols.sum())) > _MASS_TOLERANCE * total:
        raise ValueError(f"rows sum to {total:g} but cols to {float(cols.sum()):g}; the totals must agree")
    log_kernel = lam * score.log()
    wanted = cols.to(score)
    log_rows, log_cols = rows.to(score).log(), wanted.log()
    log_right = torch.zeros_like(log_cols)
    for i in range(n_iter):
        log_left = log_rows - torch.logsumexp(log_kernel + log_right, dim=1)
        previous = log_right
        log_right = log_cols - torch.logsumexp(log_kernel + log_left[:, None], dim=0)
        if (i + 1) % _CHECK_EVERY == 0:
            change = torch.where(wanted > 0, previous - log_right, 0)  # log of (sum reached / sum wanted)
            if float((wanted * torch.expm1(change.detach())).abs().max()) <= tol * total:
                break
    log_left = log_rows - torch.logsumexp(log_kernel + log_right, dim=1)
    return (log_kernel + log_left[:, None] + log_right).exp()
