"""Heat map of methods by datasets."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scbench.escape import figure_text
from scbench.report.entries import Entry
from scbench.report.figures.files import new_figure
from scbench.tables.measures import Measure

__all__ = ["heat_map"]


def heat_map(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure) -> Figure:
    """Return a map of means over seeds, best methods first; hatched cells were not run, crossed ones failed, and
    in white ones stands why there is no value.

    Methods are ordered by how far they are from each dataset's median over methods, on average over the datasets where
    they have a value: a plain average would favour a method that was run on easy datasets only.
    """
    values = np.array(
        [[_mean(entry, dataset, measure) for dataset in datasets] for entry in entries], dtype=float
    ).reshape(len(entries), len(datasets))
    tried = [column for column in values.T if not np.isnan(column).all()]
    apart = np.array([column - np.nanmedian(column) for column in tried]).reshape(len(tried), len(entries)).T
    typical = [np.nanmean(row) if not np.isnan(row).all() else -np.inf for row in apart]
    if not measure.higher_is_better:
        typical = [-value if np.isfinite(value) else value for value in typical]
    order = np.argsort(-np.array(typical), kind="stable")
    values, entries = values[order], [entries[position] for position in order]

    longest = max(len(entry.name) for entry in entries)
    figure = new_figure(
        2.2 + 0.072 * longest + 0.52 * len(datasets), 1.6 + 0.3 * len(entries) + 0.055 * max(map(len, datasets))
    )
    axes = figure.add_subplot()
    shown = values * measure.scale
    colours = mpl.colormaps["cividis"]
    finite = shown[np.isfinite(shown)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if measure.is_score:
        low, high = min(0.0, low), 100.0
    norm = mpl.colors.Normalize(low, high if high > low else low + 1)
    image = axes.imshow(shown, cmap=colours, norm=norm, aspect="auto")
    for row, entry in enumerate(entries):
        for column, dataset in enumerate(datasets):
            if np.isnan(values[row, column]):
                why = entry.cells[dataset].why_without(measure) if dataset in entry.cells else ""
                hatch = {"": "////", "failed": "xxxx"}.get(why, "")
                box = Rectangle((column - 0.5, row - 0.5), 1, 1, fc="white", ec="#9a9a9a", hatch=hatch, lw=0)
                axes.add_patch(box)
                if why not in ("", "failed"):
                    axes.text(
                        column, row, why.replace(" ", "\n"), ha="center", va="center", color="#6b6b6b", fontsize=6
                    )
                continue
            red, green, blue, _ = colours(norm(shown[row, column]))
            ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
            text = measure.shown(float(values[row, column]))
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=7)
    axes.set_xticks(
        range(len(datasets)), [*map(figure_text, datasets)], rotation=45, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(entries)), [figure_text(entry.name) for entry in entries])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{measure.title}, mean over seeds", loc="left")
    figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    if np.isnan(values).any():
        figure.supxlabel("hatched: not run; crossed: every run failed", fontsize=7, x=0.01, ha="left")
    return figure


def _mean(entry: Entry, dataset: str, measure: Measure) -> float:
    """Return a cell's mean; NaN without one."""
    return entry.cells[dataset].mean(measure).mean if dataset in entry.cells else float("nan")
