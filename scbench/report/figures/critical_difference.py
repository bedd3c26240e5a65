"""Critical-difference diagram of mean ranks."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from scbench.escape import figure_text
from scbench.report.figures.files import new_figure
from scbench.stats.comparison import ALPHA, Comparison
from scbench.tables.measures import Measure

__all__ = ["cliques", "critical_difference_diagram"]

_LINE = 0.34  # inches between labels


def cliques(ranks: np.ndarray, difference: float) -> list[tuple[int, int]]:
    """Return first and last position of each largest run of sorted ranks that lie within ``difference``."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = int(np.searchsorted(ranks, ranks[first] + difference, side="right")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def critical_difference_diagram(result: Comparison, measure: Measure) -> Figure:
    """Return the diagram: mean ranks on a line, and bars that join methods not told apart by Nemenyi's test.

    Own drawing: that of scikit-posthocs puts labels of close ranks on one another when there are many methods.

    Source: Demsar 2006, figure 1; bars join ranks within one critical difference.
    """
    ranks = result.ranks["mean_rank"].to_numpy()
    names = [figure_text(name) for name in result.ranks.index]
    n = len(names)
    bars = cliques(ranks, result.critical_difference)
    left = (n + 1) // 2
    widest = max(map(len, names)) * 0.085 + 0.6
    top = 0.8 + 0.16 * len(bars)
    axis_width = max(4.0, 0.45 * n)
    figure = new_figure(axis_width + 2 * widest, 0.7 + top + _LINE * left)
    axes = figure.add_subplot()
    axes.set_xlim(0, axis_width + 2 * widest)
    axes.set_ylim(0.4 - top - _LINE * left - 0.05, 0.65)
    axes.axis("off")

    def x(rank: float) -> float:
        return widest + (rank - 1) / max(n - 1, 1) * axis_width

    axes.plot([x(1), x(n)], [0, 0], color="black", lw=1)
    for tick in range(1, n + 1):
        axes.plot([x(tick)] * 2, [0, 0.08], color="black", lw=0.8)
        axes.text(x(tick), 0.12, str(tick), ha="center", va="bottom", fontsize=8)
    for level, (first, last) in enumerate(bars):
        y = -0.22 - 0.16 * level
        axes.plot([x(ranks[first]) - 0.05, x(ranks[last]) + 0.05], [y, y], color="black", lw=3.2, solid_capstyle="butt")
    for position, (name, rank) in enumerate(zip(names, ranks, strict=True)):
        is_left = position < left
        row = position if is_left else n - 1 - position
        y = -top + 0.4 - _LINE * (row + 0.5)
        side = widest - 0.15 if is_left else widest + axis_width + 0.15
        axes.plot([x(rank), x(rank), side], [0, y, y], color="#5f5f5f", lw=0.8)
        axes.plot([x(rank)], [0], "o", color="black", ms=4)
        text = f"{name}  {rank:.2f}" if is_left else f"{rank:.2f}  {name}"
        axes.text(
            side + (-0.06 if is_left else 0.06), y, text, ha="right" if is_left else "left", va="center", fontsize=8.5
        )
    width = result.critical_difference / max(n - 1, 1) * axis_width
    if width <= axis_width:
        axes.plot([x(1), x(1) + width], [0.45, 0.45], color="#0072b2", lw=1.6, marker="|", ms=7)
        note_at = x(1) + width + 0.12
    else:
        note_at = x(1)
    note = f"critical difference {result.critical_difference:.2f} (level {ALPHA:g})"
    axes.text(note_at, 0.45, note, fontsize=8, va="center", color="#0072b2")
    title = f"Mean ranks by {measure.title}, {result.analysis.replace('_', ' ')}: {len(result.datasets)} datasets"
    axes.set_title(title, loc="left", fontsize=9)
    return figure
