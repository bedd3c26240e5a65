"""Score against cost: seconds and memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from scbench.escape import figure_text
from scbench.report.entries import Entry
from scbench.report.figures.files import new_figure
from scbench.report.figures.palette import palette
from scbench.tables.measures import MEASURES, Measure

__all__ = ["cost"]

_MARKERS = "osD^v<>Php*X"
_FINE_TICKS = 100  # ticks at 2 and 5 as well where the axis spans less than this ratio, or they would overlap


def cost(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure) -> Figure | None:
    """Return two panels, a score against seconds and against memory; None of a cost, and when nothing was measured.

    A faint point is a dataset, a large one the mean over datasets (of the logarithm of the cost) on which every shown
    method has a value; methods differ in colour and in marker, and the legend names them.
    """
    shown = [entry for entry in entries if any(len(cell.values(measure)) for cell in entry.cells.values())]
    if not shown or not measure.is_score:
        return None
    common = [name for name in datasets if all(name in e.cells and len(e.cells[name].values(measure)) for e in shown)]
    figure = new_figure(10.0, max(3.6, 0.21 * len(shown) + 1.0))
    panels = figure.subplots(1, 2, sharey=True)
    colours = palette(len(shown))
    for axes, against in zip(panels, (MEASURES["seconds"], MEASURES["memory"]), strict=True):
        for number, entry in enumerate(shown):
            points = {
                name: (cell.mean(against).mean * against.scale, cell.mean(measure).mean * measure.scale)
                for name, cell in entry.cells.items()
                if len(cell.values(measure)) and len(cell.values(against))
            }
            look = {"color": colours[number], "marker": _MARKERS[number % len(_MARKERS)], "linestyle": "none"}
            both = np.array([points[name] for name in points])
            if len(both):
                axes.plot(both[:, 0], both[:, 1], ms=4, alpha=0.35, mew=0, **look)
            of_all = np.array([points[name] for name in common if name in points])
            x, y = (np.exp(np.log(of_all[:, 0]).mean()), of_all[:, 1].mean()) if len(of_all) else (np.nan, np.nan)
            axes.plot([x], [y], ms=10, mec="black", mew=0.8, label=figure_text(entry.name), **look)
        axes.set_xscale("log")
        least, most = axes.get_xlim()
        steps = (1.0, 2.0, 5.0) if most < _FINE_TICKS * least else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=8))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(against.title)
        axes.grid(color="#e4e4e4", linewidth=0.6)
    panels[0].set_ylabel(measure.title)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right upper", frameon=False, fontsize=8, markerscale=0.7)
    figure.supxlabel(
        f"large: mean over {len(common)} common datasets (of the cost, the geometric mean); faint: single datasets",
        fontsize=7,
        x=0.01,
        ha="left",
    )
    return figure
