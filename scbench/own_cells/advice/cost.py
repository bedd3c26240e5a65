"""Seconds and memory to be expected, from runs on other sets, and how far such estimates were off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scbench.own_cells.advice.measured import MeasuredRun

__all__ = ["Cost", "cost_of"]

_EXPONENTS = (0.0, 2.0)  # of the number of cells: no method gets faster, or is slower than all pairs of cells
_FEWEST = 3  # sets, for an exponent of a method's own


@dataclass(frozen=True)
class Cost:
    """What a run on so many cells may take.

    Attributes:
        seconds, memory_mib: expected.
        seconds_factor, memory_factor: the factor by which estimates of the same kind missed, root mean square of the
            logarithms when each set is left out in turn; NaN with fewer than four sets.
        n_sets: sets that the estimate is made of.
        is_beyond: more cells than twice the largest of these sets, or fewer than half of the smallest.
    """

    seconds: float
    memory_mib: float
    seconds_factor: float
    memory_factor: float
    n_sets: int
    is_beyond: bool


def cost_of(runs: Sequence[MeasuredRun], n_cells: int) -> Cost | None:
    """Return the cost of one method on ``n_cells`` cells; None without a run.

    The means of each set follow a power law in the number of cells, a line in logarithms by least squares, with an
    exponent from 0 to 2. Genes have no part: every method here starts from a fixed number of them.

    Args:
        runs: of that method.
        n_cells: at least 1.
    """
    sets = sorted({run.dataset for run in runs})
    if not sets:
        return None
    x = np.log([next(run.n_cells for run in runs if run.dataset == name) for name in sets])
    seconds = _means(runs, sets, "seconds")
    memory = _means(runs, sets, "memory_mib")
    wanted = np.log(n_cells)
    return Cost(
        float(np.exp(_line(x, seconds, wanted))),
        float(np.exp(_line(x, memory, wanted))),
        _missed_by(x, seconds),
        _missed_by(x, memory),
        len(sets),
        bool(wanted > x.max() + np.log(2) or wanted < x.min() - np.log(2)),
    )


def _means(runs: Sequence[MeasuredRun], sets: Sequence[str], name: str) -> np.ndarray:
    """Return the logarithm of the mean over seeds on each set."""
    return np.log([np.mean([getattr(run, name) for run in runs if run.dataset == dataset]) for dataset in sets])


def _line(x: np.ndarray, y: np.ndarray, wanted: float) -> float:
    """Return the value at ``wanted`` of the line through the points; of few points, of slope 1 through their mean."""
    slope = 1.0
    if len(x) >= _FEWEST and np.ptp(x) > 0:
        slope = float(np.clip(np.polyfit(x, y, 1)[0], *_EXPONENTS))
    return float(y.mean() + slope * (wanted - x.mean()))


def _missed_by(x: np.ndarray, y: np.ndarray) -> float:
    """Return the factor by which a set that is left out is missed."""
    if len(x) <= _FEWEST:
        return float("nan")
    kept = [np.arange(len(x)) != left for left in range(len(x))]
    missed = [y[left] - _line(x[keep], y[keep], x[left]) for left, keep in enumerate(kept)]
    return float(np.exp(np.sqrt(np.mean(np.square(missed)))))
