"""Balanced assignment by Sinkhorn scaling."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["sinkhorn"]

_CHECK_EVERY = 10
_MASS_TOLERANCE = 1e-3


def sinkhorn(score: Tensor, rows: Tensor, cols: Tensor, lam: float, *, n_iter: int = 100, tol: float = 1e-6) -> Tensor:
    """Return ``score**lam`` scaled to the given row and column sums.

    At most ``n_iter`` rounds scale rows, then columns; rows are scaled once more at the end, so they sum to ``rows``
    exactly (up to rounding) and columns to ``cols`` as far as it has converged. On logarithms, in float64: no power
    underflows. Between two rounds on logarithms some are plain products with the plan reached so far.

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
    log_kernel = lam * score.double().log()
    wanted = cols.to(log_kernel)
    log_rows, log_cols = rows.to(log_kernel).log(), wanted.log()
    log_right = torch.zeros_like(log_cols)
    done = 0
    while done < n_iter:
        log_left, previous, log_right = _log_round(log_kernel, log_rows, log_cols, log_right)
        done += 1
        if done % _CHECK_EVERY == 0:
            change = torch.where(wanted > 0, previous - log_right, 0)  # log of (sum reached / sum wanted)
            if _misses(wanted * change.detach().exp(), wanted) <= tol * total:
                break
        n_plain = min(_CHECK_EVERY - done % _CHECK_EVERY, n_iter - done)
        scaled = _plain_rounds((log_kernel + log_left[:, None] + log_right).exp(), rows, wanted, n_plain)
        if scaled is None:
            continue  # out of range: the next rounds go on logarithms, one by one
        done += n_plain
        log_right = log_right + scaled.right.log()
        if done % _CHECK_EVERY == 0 and _misses(scaled.reached, wanted) <= tol * total:
            break
    log_left = log_rows - torch.logsumexp(log_kernel + log_right, dim=1)
    return (log_kernel + log_left[:, None] + log_right).exp().to(score.dtype)


def _log_round(
    log_kernel: Tensor, log_rows: Tensor, log_cols: Tensor, log_right: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Scale rows, then columns; return the row scaling, and the column scaling before and after."""
    log_left = log_rows - torch.logsumexp(log_kernel + log_right, dim=1)
    return log_left, log_right, log_cols - torch.logsumexp(log_kernel + log_left[:, None], dim=0)


class _Scaled(NamedTuple):
    """What some rounds of plain scaling give: the factor of each column, and the column sums before the last one."""

    right: Tensor
    reached: Tensor


def _plain_rounds(plan: Tensor, rows: Tensor, cols: Tensor, n_rounds: int) -> _Scaled | None:
    """Scale rows and columns of a plan that is nearly balanced already; None when a number leaves the range.

    Two products with the plan a round, where logarithms take two exponentials of each entry.
    """
    rows, right, reached = rows.to(plan), torch.ones_like(cols), cols
    least = torch.finfo(plan.dtype).tiny
    for _ in range(n_rounds):
        left = rows / (plan @ right).clamp(min=least)
        column_sums = left @ plan
        reached = column_sums * right
        right = cols / column_sums.clamp(min=least)
    in_range = bool(torch.isfinite(right).all()) and bool((right[cols > 0] > 0).all())
    return _Scaled(right, reached) if in_range else None


def _misses(reached: Tensor, wanted: Tensor) -> float:
    """Return by how much the worst column misses its sum."""
    return float((torch.where(wanted > 0, reached, 0) - wanted).abs().max())
