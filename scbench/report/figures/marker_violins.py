"""Violins of the best marker of each cluster in all clusters."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from scbench.escape import figure_text
from scbench.report.figures.files import new_figure
from scbench.report.figures.marker_dots import group_labels
from scbench.report.figures.palette import OKABE_ITO
from scbench.report.markers.collect import Grouping

__all__ = ["marker_violins", "outline"]

_POINTS = 30  # of an outline
_HIGH, _WIDE = 0.86, 0.43  # of a cell of the table: height, and half of the width
_OWN, _OTHER = OKABE_ITO[5], "#9fb4c4"


def marker_violins(grouping: Grouping, title: str) -> Figure | None:
    """Return a table of violins, the best marker of each cluster as a row, clusters as columns.

    A row goes from 0 to the gene's largest value; the cluster whose marker it is stands out. None when no gene is
    raised in any cluster.
    """
    panel = grouping.panel
    n_groups = len(grouping.markers.groups)
    owners, firsts = np.unique(panel.groups, return_index=True)
    if not len(firsts):
        return None
    labels = group_labels(grouping)
    names = [figure_text(gene) for gene in grouping.panel_genes[firsts]]
    width = 1.0 + 0.08 * max(map(len, names)) + max(2.4, 0.36 * n_groups)
    figure = new_figure(width, 0.9 + 0.075 * max(map(len, labels)) + 0.36 * len(firsts))
    axes = figure.add_subplot()
    shapes: dict[str, list[np.ndarray]] = {_OWN: [], _OTHER: []}
    for row, (owner, column) in enumerate(zip(owners, firsts, strict=True)):
        largest = float(panel.values[:, column].max())
        for group in range(n_groups):
            values = panel.values[panel.cells == group, column] / (largest if largest > 0 else 1.0)
            across, up = outline(values)
            place = np.stack([group + _WIDE * across, row + 0.45 - _HIGH * up], axis=1)
            shapes[_OWN if group == owner else _OTHER].append(place)
        axes.axhline(row + 0.45, color="#e4e4e4", lw=0.6, zorder=0)
    for colour, places in shapes.items():
        axes.add_collection(PolyCollection(places, facecolors=colour, edgecolors=colour, linewidths=0.7))
    axes.set_xlim(-0.6, n_groups - 0.4)
    axes.set_ylim(len(firsts) - 0.45, -0.6)
    is_short = max(map(len, labels)) <= 4
    axes.set_xticks(range(n_groups), labels, rotation=0 if is_short else 90, fontsize=8)
    axes.set_yticks(range(len(firsts)), names, fontsize=7.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.supxlabel("each row from 0 to the gene's largest value", fontsize=7, x=0.01, ha="left")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def outline(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outline of a violin: offsets across in [-1, 1] and heights, both (n_points,).

    A Gaussian kernel density between the smallest and the largest value; equal values are a line.

    Args:
        values: (n,) float, n at least 1.
    """
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return np.array([-1.0, 1.0, 1.0, -1.0]), np.full(4, low)
    heights = np.linspace(low, high, _POINTS)
    density = gaussian_kde(values)(heights)
    across = density / density.max()
    return np.concatenate([-across, across[::-1]]), np.concatenate([heights, heights[::-1]])
