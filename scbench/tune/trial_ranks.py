"""How trials on several datasets are compared: by their mean rank, so that no dataset counts more than another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

__all__ = ["trial_ranks"]


def trial_ranks(values: Sequence[Mapping[str, float]], *, maximize: bool) -> list[float]:
    """Return the mean rank of each trial over the datasets; 1 is the best, equal values share their mean rank.

    Args:
        values: of each trial, by dataset; the same datasets everywhere, all finite.
        maximize: whether more is better.

    Raises:
        ValueError: when the trials have not the same datasets.
    """
    if not values:
        return []
    names = sorted(values[0])
    if any(sorted(of_trial) != names for of_trial in values):
        raise ValueError("trials must have values on the same datasets to be ranked")
    table = np.array([[of_trial[name] for name in names] for of_trial in values], dtype=float)
    ranks = rankdata(-table if maximize else table, axis=0)
    return [float(rank) for rank in ranks.mean(axis=1)]
