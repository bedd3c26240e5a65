"""Overlap of the best markers of clusters with those of annotated types."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scbench.escape import figure_text
from scbench.report.figures.files import new_figure
from scbench.report.figures.marker_dots import group_labels
from scbench.report.figures.palette import OKABE_ITO
from scbench.report.markers.collect import DatasetMarkers, Grouping

__all__ = ["marker_overlap"]

_ANNOTATED = 28  # types or clusters: beyond, numbers would be too small to read


def marker_overlap(dataset: DatasetMarkers, grouping: Grouping, title: str) -> Figure | None:
    """Return shares of markers (percent), types as rows, clusters as columns, each one's best type framed.

    None when there are no types to compare with.
    """
    if grouping.shared is None:
        return None
    n_top = grouping.markers.genes.shape[1]
    share = grouping.shared.T / n_top
    n_types, n_clusters = share.shape
    labels = group_labels(grouping)
    longest, deepest = max(map(len, dataset.types)), max(map(len, labels))
    figure = new_figure(
        1.6 + 0.075 * longest + max(2.4, 0.33 * n_clusters), 1.2 + 0.075 * deepest + max(1.4, 0.25 * n_types)
    )
    axes = figure.add_subplot()
    colours = mpl.colormaps["cividis"]
    image = axes.imshow(100 * share, cmap=colours, vmin=0, vmax=100, aspect="auto")
    if max(n_types, n_clusters) <= _ANNOTATED:
        for row, column in zip(*np.nonzero(share), strict=True):
            red, green, blue, _ = colours(share[row, column])
            ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
            text = f"{100 * share[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=6.5)
    best, of_best = grouping.best
    for column, row in ((column, row) for column, row in enumerate(best) if row >= 0):
        axes.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fc="none", ec=OKABE_ITO[5], lw=1.3))
    axes.set_xticks(range(n_clusters), labels, rotation=90, fontsize=8)
    axes.set_yticks(range(n_types), [*map(figure_text, dataset.types)], fontsize=8)
    axes.set_xlabel("cluster (cells); framed: its best type")
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label=f"% of {n_top} markers", shrink=0.8, aspect=30, pad=0.02)
    figure.suptitle(f"{title}: mean of best {100 * of_best.mean():.1f} %", x=0.01, ha="left", fontsize=10)
    return figure
