"""Heat map of markers in single cells, cluster by cluster."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from scbench.escape import figure_text
from scbench.report.figures.declutter import spread_line
from scbench.report.figures.files import new_figure
from scbench.report.figures.marker_dots import group_labels
from scbench.report.markers.collect import Grouping
from scbench.report.markers.panel import sample_per_group

__all__ = ["marker_heat"]

_CELLS = 900  # of all clusters together
_GREYS = ("#4a4a4a", "#a6a6a6")
_WIDTH = 7.0  # inches of all cells


def marker_heat(grouping: Grouping, title: str) -> Figure | None:
    """Return the map, genes as rows, a sample of cells as columns; None when no gene is raised in any cluster.

    A gene is scaled to its largest value among the shown cells; clusters are told apart by grey bars and names.
    """
    panel = grouping.panel
    n_groups, n_genes = panel.mean.shape
    if not n_genes:
        return None
    shown = sample_per_group(panel.cells, max(_CELLS // n_groups, 1))
    values, codes = panel.values[shown].T, panel.cells[shown]
    n_cells = len(shown)
    largest = values.max(axis=1, keepdims=True)
    scaled = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
    labels = group_labels(grouping)
    longest, widest = max(map(len, labels)), max(map(len, grouping.panel_genes))
    height = max(2.4, 0.135 * n_genes)
    figure = new_figure(_WIDTH + 1.5 + 0.07 * widest, height + 0.9 + 0.07 * longest)
    axes = figure.add_subplot()
    image = axes.imshow(scaled, cmap="cividis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    bar = 0.1 / height * n_genes
    middles = []
    for group in range(n_groups):
        first, last = np.flatnonzero(codes == group)[[0, -1]]
        middles.append((first + last) / 2)
        axes.fill_between([first - 0.5, last + 0.5], n_genes - 0.5, n_genes - 0.5 + bar, color=_GREYS[group % 2], lw=0)
        if group:
            axes.axvline(first - 0.5, color="white", lw=0.4)
    places = spread_line(np.array(middles), 0.15 / _WIDTH * n_cells, 0, n_cells - 1)
    for middle, place, label in zip(middles, places, labels, strict=True):
        low = n_genes - 0.5 + bar
        axes.plot([middle, place], [low, low + bar], color="#8a8a8a", lw=0.5, clip_on=False)
        axes.text(place, low + 1.3 * bar, label, rotation=90, ha="center", va="top", fontsize=7.5)
    axes.set_xlim(-0.5, n_cells - 0.5)
    axes.set_ylim(n_genes - 0.5 + bar, -0.5)
    axes.set_xticks([])
    axes.set_yticks(range(n_genes), [*map(figure_text, grouping.panel_genes)], fontsize=6.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    colours = figure.colorbar(image, ax=axes, shrink=0.6, aspect=30, pad=0.02)
    colours.set_label("of the gene's largest", fontsize=8)
    figure.suptitle(f"{title}: {n_cells} cells", x=0.01, ha="left", fontsize=10)
    return figure
