"""The number of clusters with what speaks for it: parents and their parts, stability, the curve, a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scbench.graph.stable_k.curve import Curve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["KEstimate", "Parent"]

_SHOWN = 12


@dataclass(frozen=True)
class Parent:
    """Cells that were tried to split.

    Attributes:
        n_cells: how many.
        above: place in ``KEstimate.parents`` of the parent that they are a part of; None for all cells.
        stability: Jaccard index, in [0, 1], with which these cells were found again as a part; NaN for all cells.
        verdict: ``split``, ``not told apart from noise``, ``not stable``, or ``too few cells``.
        n_parts: of the split; 1 where there is none.
        parts_stability: mean Jaccard index of the parts, also of those that were ``not stable``; else NaN.
        lowest: the lowest resolution at which the cells fall apart; infinite above the highest tried.
        null: the same of each cloud without structure.
    """

    n_cells: int
    above: int | None
    stability: float
    verdict: str
    n_parts: int
    parts_stability: float
    lowest: float
    null: tuple[float, ...]


@dataclass(frozen=True, eq=False, repr=False)
class KEstimate(int):
    """How many clusters there are, a whole number, and what speaks for it; its ``repr`` tells it in a few lines.

    Attributes:
        k: the number, at least 1.
        rule: ``stability`` or ``resolution_1``.
        seed: of what is drawn.
        cells: (n_used,) rows that were looked at, increasing; all, unless there are more than 20 000.
        labels: (n_used,) cluster of each, 0 the largest.
        stability: (k,) Jaccard index of each cluster in the split that made it; NaN for all cells together, and by
            ``resolution_1``.
        parents: all that were tried to split, all cells first; none by ``resolution_1``.
        curve: Leiden over resolutions; None where it was not asked for.
    """

    k: int
    rule: str
    seed: int
    cells: np.ndarray
    labels: np.ndarray
    stability: np.ndarray
    parents: tuple[Parent, ...] = ()
    curve: Curve | None = None

    def __new__(cls, k: int, *_: Any, **__: Any) -> KEstimate:
        """Return the number; the fields are set as those of any dataclass."""
        return super().__new__(cls, k)

    @property
    def sizes(self) -> np.ndarray:
        """(k,) cells of each cluster."""
        return np.bincount(self.labels, minlength=self.k)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each parent, in the order of ``parents``, with the fields of :class:`Parent`.

        ``null`` is the geometric mean over clouds.
        """
        import pandas as pd

        rows = [
            {**vars(parent), "null": float(np.exp(np.log(parent.null).mean())) if parent.null else float("nan")}
            for parent in self.parents
        ]
        return pd.DataFrame(rows).rename_axis("parent")

    def evidence(self) -> dict[str, Any]:
        """Return what a record keeps: numbers and texts only."""
        verdicts = [parent.verdict for parent in self.parents]
        return {
            "rule": self.rule,
            "k": self.k,
            "seed": self.seed,
            "n_cells_used": len(self.cells),
            "cells": self.sizes.tolist(),
            "stability": [None if np.isnan(one) else round(float(one), 3) for one in self.stability],
            "verdicts": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
        }

    def __str__(self) -> str:
        """Return the number, as of any whole number."""
        return str(self.k)

    def __repr__(self) -> str:
        """Return K, each cluster's cells and stability, and how many splits were refused and why."""
        lines = [f"K = {self.k} by {self.rule}, from {len(self.cells)} cells (seed {self.seed})"]
        if len(self.parents) == 1:
            return f"{lines[0]}\n  all cells together: {self.parents[0].verdict}"
        if self.parents:
            told = [f"{size} ({one:.2f})" for size, one in zip(self.sizes, self.stability, strict=True)]
            more = f", and {self.k - _SHOWN} more" if self.k > _SHOWN else ""
            lines.append(f"  cells of each cluster (Jaccard stability): {', '.join(told[:_SHOWN])}{more}")
            refused = [parent.verdict for parent in self.parents if parent.verdict != "split"]
            counted = [f"{refused.count(verdict)} {verdict}" for verdict in sorted(set(refused))]
            lines.append(f"  {len(self.parents) - len(refused)} splits; parts left whole: {', '.join(counted)}")
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Return a figure: the curve beside its null, and each cluster's stability. Needs matplotlib.

        Raises:
            ImportError: when matplotlib is not installed.
        """
        from scbench.graph.stable_k.figure import draw

        return draw(self)
