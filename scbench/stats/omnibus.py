"""Whether methods differ at all: Friedman's test, and Iman and Davenport's correction of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import f, friedmanchisquare

from scbench.stats.ranks import check_scores, rank_rows

__all__ = ["Omnibus", "omnibus"]


@dataclass(frozen=True)
class Omnibus:
    """Result of the two tests.

    Attributes:
        n_datasets, n_methods: size of the table.
        chi2, p: Friedman's statistic with n_methods - 1 degrees of freedom, corrected for ties, and its p-value.
        f, f_p: Iman and Davenport's statistic, and its p-value; infinite and 0 when all datasets agree wholly.
    """

    n_datasets: int
    n_methods: int
    chi2: float
    p: float
    f: float
    f_p: float


def omnibus(scores: pd.DataFrame) -> Omnibus | None:
    """Return both tests, or None where they are not defined: fewer than 3 methods or 2 datasets, or all scores tie.

    Args:
        scores: (n_datasets, n_methods) float, higher is better; a missing score ranks last.

    Raises:
        ValueError: see :func:`scbench.stats.ranks.check_scores`.

    Source: Friedman 1937; Iman and Davenport 1980; Demsar 2006, section 3.2.2.
    """
    check_scores(scores)
    n_datasets, n_methods = scores.shape
    if n_methods < 3 or n_datasets < 2:
        return None
    ranks = rank_rows(scores.to_numpy(float))  # only the order counts, and ranks have no gaps
    if np.all(ranks == ranks[0, 0]):
        return None
    chi2, p = (float(value) for value in friedmanchisquare(*ranks.T))
    most = n_datasets * (n_methods - 1)
    statistic = (n_datasets - 1) * chi2 / (most - chi2) if chi2 < most * (1 - 1e-12) else float("inf")
    f_p = float(f.sf(statistic, n_methods - 1, (n_methods - 1) * (n_datasets - 1)))
    return Omnibus(n_datasets, n_methods, chi2, p, statistic, f_p)
