"""Which datasets a study is made on, and which its result is evaluated on."""

from __future__ import annotations

__all__ = ["folds"]


def folds(n_datasets: int, *, leave_one_out: bool) -> list[tuple[list[int], list[int]]]:
    """Return for each study the indices of the datasets it searches on, and of those it is evaluated on.

    Args:
        n_datasets: at least 1; at least 2 to leave one out.
        leave_one_out: evaluate on one dataset what was searched on all others, for each in turn.
    """
    everything = list(range(n_datasets))
    if not leave_one_out:
        return [(everything, everything)]
    return [([index for index in everything if index != left], [left]) for left in everything]
