"""Ranks of methods on datasets: 1 is best, ties share their mean rank, a missing score ranks last."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

__all__ = [
    "EXACT_DIGITS",
    "check_scores",
    "complete_blocks",
    "mean_ranks",
    "paired_differences",
    "rank_rows",
    "wins_ties_losses",
]

EXACT_DIGITS = 10  # what differs behind this many decimals is the rounding of means, not a score


def check_scores(scores: pd.DataFrame) -> None:
    """Check a table of scores.

    Args:
        scores: (n_datasets, n_methods) float, higher is better; NaN where a method failed. Names are unique.

    Raises:
        ValueError: fewer than two methods, no dataset, or a name that comes twice.
    """
    if scores.shape[1] < 2:
        raise ValueError(f"ranks need at least two methods, got {scores.shape[1]}; add methods or controls")
    if not len(scores):
        raise ValueError("ranks need at least one dataset, got none; run all methods on one")
    twice = sorted({str(name) for axis in scores.axes for name in axis[axis.duplicated()]})
    if twice:
        raise ValueError(f"names must be unique, but {', '.join(twice)} comes more than once; rename or average them")


def rank_rows(scores: np.ndarray) -> np.ndarray:
    """Return ranks along the last axis: 1 is best, ties share the mean of their ranks, NaN ranks last.

    Scores that agree to ten decimals tie: the mean of three equal numbers need not be that number.

    Args:
        scores: (..., n_methods) float, higher is better.

    Returns:
        Float array of the same shape; each row sums to n (n + 1) / 2.
    """
    worst = np.where(np.isnan(scores), -np.inf, np.round(scores, EXACT_DIGITS))
    ranks: np.ndarray = rankdata(-worst, method="average", axis=-1)
    return ranks


def mean_ranks(scores: pd.DataFrame) -> pd.Series:
    """Return the mean rank of each method, best first; a missing score ranks last on its dataset.

    Args:
        scores: as for :func:`check_scores`.

    Raises:
        ValueError: see :func:`check_scores`.
    """
    check_scores(scores)
    means = pd.Series(rank_rows(scores.to_numpy(float)).mean(axis=0), index=scores.columns, name="mean_rank")
    return means.sort_values(kind="stable")


def complete_blocks(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the datasets on which every method has a score."""
    return scores.dropna(axis=0, how="any")


def wins_ties_losses(scores: pd.DataFrame, tie: float = 0.0) -> pd.DataFrame:
    """Return for each pair on how many datasets the row's method is better, equal or worse.

    Args:
        scores: as for :func:`check_scores`. A score beats a missing one; two missing ones tie.
        tie: differences of at most this size are ties.

    Returns:
        One row per ordered pair: ``method``, ``other``, ``wins``, ``ties``, ``losses`` (datasets).

    Raises:
        ValueError: see :func:`check_scores`; or ``tie`` is negative.
    """
    check_scores(scores)
    if tie < 0:
        raise ValueError(f"tie must not be negative, got {tie}; give the largest difference that is a tie")
    lines = []
    for method in scores.columns:
        for other in scores.columns.drop(method):
            difference = paired_differences(scores, method, other)
            wins, losses = int((difference > tie).sum()), int((difference < -tie).sum())
            lines.append((method, other, wins, len(difference) - wins - losses, losses))
    return pd.DataFrame(lines, columns=["method", "other", "wins", "ties", "losses"])


def paired_differences(scores: pd.DataFrame, method: str, other: str) -> np.ndarray:
    """Return ``method`` minus ``other`` on each dataset, (n_datasets,) float64.

    Where one of the two is missing the difference has the sign that "failures rank last" gives it, and is larger
    than any between two scores, so that it also ranks last among signed ranks; two missing scores differ by zero.
    """
    left, right = (scores[name].to_numpy(float) for name in (method, other))
    values = scores.to_numpy(float)
    known = values[~np.isnan(values)]
    beyond = 2.0 * float(np.ptp(known)) + 1.0 if len(known) else 1.0
    by_failure = beyond * (np.isnan(right).astype(float) - np.isnan(left).astype(float))
    differences: np.ndarray = np.where(np.isnan(left) | np.isnan(right), by_failure, left - right)
    return np.asarray(np.round(differences, EXACT_DIGITS))
