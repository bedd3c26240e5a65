"""Nemenyi's critical difference of mean ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import studentized_range

from scbench.stats.ranks import check_scores, mean_ranks

__all__ = ["critical_difference", "nemenyi_p"]


def critical_difference(n_methods: int, n_datasets: int, alpha: float = 0.05) -> float:
    """Return by how much two mean ranks must differ to differ at level ``alpha``.

    CD = q sqrt(k (k + 1) / (6 n)), q the quantile of the studentized range (infinite degrees of freedom) over sqrt(2).

    Raises:
        ValueError: fewer than 2 methods, no dataset, or ``alpha`` not in (0, 1).

    Source: Nemenyi 1963; Demsar 2006, section 3.2.2 and table 5.
    """
    if n_methods < 2 or n_datasets < 1 or not 0 < alpha < 1:
        raise ValueError(
            "a critical difference needs at least 2 methods, 1 dataset and alpha in (0, 1), "
            f"got {n_methods}, {n_datasets} and {alpha}"
        )
    q = float(studentized_range.ppf(1 - alpha, n_methods, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(n_methods * (n_methods + 1) / (6 * n_datasets)))


def nemenyi_p(scores: pd.DataFrame) -> pd.DataFrame:
    """Return Nemenyi's p-values, (n_methods, n_methods), with 1 on the diagonal; a missing score ranks last.

    Own code: scikit-posthocs refuses a table with missing scores, and its ranks rise with the score.

    Args:
        scores: (n_datasets, n_methods) float, higher is better.

    Raises:
        ValueError: see :func:`scbench.stats.ranks.check_scores`.
    """
    check_scores(scores)
    n_datasets, n_methods = scores.shape
    means = mean_ranks(scores)[scores.columns].to_numpy()
    standard = np.sqrt(n_methods * (n_methods + 1) / (6 * n_datasets))
    statistic = np.abs(means[:, None] - means) / standard * np.sqrt(2)
    p = studentized_range.sf(statistic, n_methods, np.inf)
    np.fill_diagonal(p, 1.0)
    return pd.DataFrame(np.clip(p, 0.0, 1.0), index=scores.columns, columns=scores.columns)
