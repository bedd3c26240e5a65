"""Box and strip plots over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from scbench.report.entries import Entry
from scbench.report.figures.files import new_figure
from scbench.report.figures.palette import OKABE_ITO
from scbench.report.measures import Measure

__all__ = ["PANELS", "spread_over_seeds"]

PANELS = 12  # datasets in one figure
_COLUMNS = 3


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
                why = "not run" if dataset not in entry.cells else "failed"
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
                axes.boxplot(
                    values, positions=[place], vert=False, widths=0.62, showfliers=False, manage_ticks=False,
                    boxprops={"color": colour}, medianprops={"color": colour, "linewidth": 1.6},
                    whiskerprops={"color": colour}, capprops={"color": colour},
                )  # fmt: skip
            heights = np.linspace(-0.22, 0.22, len(values)) if len(values) > 1 else np.zeros(1)
            axes.plot(np.sort(values), place + heights, "o", ms=3.2, mec="white", mew=0.4, color=colour, alpha=0.9)
        axes.set_title(dataset, fontsize=9, loc="left")
        axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
    for axes in grid.flat[len(datasets) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_yticks(places, [entry.name for entry in entries])
        axes.set_ylim(-0.7, len(entries) - 0.3)
    figure.supxlabel(f"{measure.title}; each point is a seed, grey methods are controls", fontsize=8)
    return figure
