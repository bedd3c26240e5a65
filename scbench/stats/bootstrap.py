"""Intervals of mean ranks by a hierarchical bootstrap: datasets are drawn, then seeds within each dataset."""

from __future__ import annotations

import numpy as np

from scbench.stats.ranks import rank_rows

__all__ = ["rank_intervals"]

_CHUNK_VALUES = 4_000_000  # values held at a time: 32 MB


def rank_intervals(
    values: np.ndarray, *, n_draws: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper bounds of each method's mean rank, (n_methods,) each.

    Each draw takes ``n_datasets`` datasets with replacement; on each of them every method's seeds are drawn with
    replacement, independently of other methods, and averaged; methods are then ranked (a method without any
    finished run last) and ranks averaged. The interval holds the central ``level`` of draws (percentiles).

    Args:
        values: (n_datasets, n_methods, n_seeds) float, higher is better; NaN where a run failed or was not made.
        n_draws: number of draws, at least 1.
        level: in (0, 1).
        seed: of the draws; the same seed gives the same interval.

    Raises:
        ValueError: a wrong shape or an option out of range.
    """
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(f"values must be (n_datasets, n_methods, n_seeds), none of them 0, got shape {values.shape}")
    if n_draws < 1 or not 0 < level < 1:
        raise ValueError(f"n_draws must be at least 1 and level in (0, 1), got {n_draws} and {level}")
    rng = np.random.default_rng(seed)
    packed, counts = _finished_first(values)
    n_datasets, n_methods, n_seeds = packed.shape
    per_chunk = max(1, _CHUNK_VALUES // packed.size)
    means = []
    for start in range(0, n_draws, per_chunk):
        shape = (min(per_chunk, n_draws - start), n_datasets)
        datasets = rng.integers(n_datasets, size=shape)
        of_draw = counts[datasets]
        picks = (rng.random((*shape, n_methods, n_seeds)) * np.maximum(of_draw, 1)[..., None]).astype(np.intp)
        drawn = np.take_along_axis(packed[datasets], picks, axis=-1)
        # As many seeds are drawn as there are finished runs.
        counted = np.arange(n_seeds) < of_draw[..., None]
        with np.errstate(invalid="ignore"):
            averages = np.where(counted, drawn, 0.0).sum(axis=-1) / of_draw
        means.append(rank_rows(averages).mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _finished_first(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values with NaN moved to the end of each cell, and how many are finished."""
    missing = np.isnan(values)
    order = np.argsort(missing, axis=-1, kind="stable")
    return np.take_along_axis(values, order, axis=-1), (~missing).sum(axis=-1)
