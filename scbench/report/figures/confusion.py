"""Confusion table: which clusters the cells of each type are in."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.figure import Figure

from scbench.escape import figure_text
from scbench.report.figures.files import new_figure
from scbench.report.figures.matching import Matched
from scbench.report.figures.true_types import Truth

__all__ = ["confusion"]

_ANNOTATED = 25  # types or clusters: beyond, numbers would be too small to read


def confusion(truth: Truth, found: Matched, title: str) -> Figure:
    """Return shares of each type (rows) in clusters (columns, in the order of their types), with numbers of cells."""
    n_types, n_clusters = found.table.shape
    share = found.table / truth.sizes[:, None]
    longest = max(map(len, truth.shown)) - 6
    width = max(len(name) for name in found.names)
    figure = new_figure(
        1.9 + 0.08 * longest + max(2.2, 0.36 * n_clusters), 1.3 + 0.07 * width + max(1.2, 0.27 * n_types)
    )
    axes = figure.add_subplot()
    image = axes.imshow(100 * share, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    if max(n_types, n_clusters) <= _ANNOTATED:
        for row, column in zip(*found.table.nonzero(), strict=True):
            count = int(found.table[row, column])
            red, green, blue, _ = mpl.colormaps["cividis"](share[row, column])
            ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
            axes.text(column, row, str(count), ha="center", va="center", color=ink, fontsize=6.5)
    axes.set_xticks(range(n_clusters), [*map(figure_text, found.names)], rotation=0 if width <= 2 else 90, fontsize=8)
    axes.set_yticks(range(n_types), [*map(figure_text, truth.shown)], fontsize=8)
    axes.set_xlabel("cluster")
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="% of the type", shrink=0.8, aspect=30, pad=0.02)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure
