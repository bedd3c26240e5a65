"""Box and strip plots over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import cbook
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scbench.escape import figure_text
from scbench.report.entries import Entry
from scbench.report.figures.files import new_figure
from scbench.report.figures.palette import OKABE_ITO
from scbench.tables.measures import Measure

__all__ = ["PANELS", "spread_over_seeds", "spread_pages"]

PANELS = 12  # datasets in one figure
_COLUMNS = 3


def spread_pages(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure) -> list[Figure]:
    """Return :func:`spread_over_seeds` of every ``PANELS`` datasets."""
    starts = range(0, len(datasets), PANELS)
    return [spread_over_seeds(entries, datasets[start : start + PANELS], measure) for start in starts]


def spread_over_seeds(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure) -> Figure:
    """Return one panel per dataset (at most ``PANELS``): a box per method, and a point for every seed.

    Points of a method lie side by side in the order of their values, so that none hides another by chance.
    """
    columns = min(_COLUMNS, len(datasets))
    rows = -(-len(datasets) // columns)
    longest = max(len(entry.name) for entry in entries)
    figure = new_figure(0.08 * longest + 3.0 * columns, rows * (0.9 + 0.24 * len(entries)))
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    places = np.arange(len(entries))[::-1]
    for axes, dataset in zip(grid.flat, datasets, strict=False):
        for place, entry in zip(places, entries, strict=True):
            values = entry.cells[dataset].values(measure) * measure.scale if dataset in entry.cells else np.empty(0)
            if not len(values):
                why = entry.cells[dataset].why_without(measure) if dataset in entry.cells else "not run"
                axes.text(
                    0.5,
                    place,
                    why,
                    transform=axes.get_yaxis_transform(),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="#6b6b6b",
                )
                continue
            colour = "#6b6b6b" if entry.is_control else OKABE_ITO[0]
            if len(values) > 2:
                _box(axes, values, float(place), colour)
            heights = np.linspace(-0.22, 0.22, len(values)) if len(values) > 1 else np.zeros(1)
            axes.plot(np.sort(values), place + heights, "o", ms=3.2, mec="white", mew=0.4, color=colour, alpha=0.9)
        axes.set_title(figure_text(dataset), fontsize=9, loc="left")
        axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
    for axes in grid.flat[len(datasets) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_yticks(places, [figure_text(entry.name) for entry in entries])
        axes.set_ylim(-0.7, len(entries) - 0.3)
    figure.supxlabel(f"{measure.title}; each point is a seed, grey methods are controls", fontsize=8)
    return figure


def _box(axes: Axes, values: np.ndarray, place: float, colour: str) -> None:
    """Draw a lying box; drawn from its statistics, as the name of the option that lays boxes differs by version."""
    (found,) = cbook.boxplot_stats(values)
    box = Rectangle((found["q1"], place - 0.31), found["q3"] - found["q1"], 0.62, fc="none", ec=colour)
    axes.add_patch(box)
    axes.plot([found["med"]] * 2, [place - 0.31, place + 0.31], color=colour, lw=1.6)
    for inner, outer in ((found["q1"], found["whislo"]), (found["q3"], found["whishi"])):
        axes.plot([inner, outer], [place, place], color=colour, lw=1)
        axes.plot([outer, outer], [place - 0.15, place + 0.15], color=colour, lw=1)
