"""Dot plot of markers: how many cells of each cluster express a gene (size), and how strongly (colour)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scbench.escape import figure_text
from scbench.report.figures.files import new_figure
from scbench.report.markers.collect import Grouping

__all__ = ["group_labels", "marker_dots"]

_LARGEST = 9.5  # points across: dots of neighbours stay apart
_SHARES = (25, 50, 75, 100)
_CELL = (0.19, 0.2)  # inches for a gene and for a cluster


def group_labels(grouping: Grouping) -> list[str]:
    """Return the names of tested groups with their sizes: ``7 (120)``; long ones are cut."""
    named = [name if len(name) <= 30 else f"{name[:29]}…" for name in grouping.tested]
    return [
        figure_text(f"{name} ({grouping.sizes[code]})")
        for name, code in zip(named, grouping.markers.groups, strict=True)
    ]


def marker_dots(grouping: Grouping, title: str) -> Figure | None:
    """Return the plot, clusters as rows, their best markers as columns; None when no gene is raised in any."""
    panel = grouping.panel
    n_groups, n_genes = panel.mean.shape
    if not n_genes:
        return None
    labels = group_labels(grouping)
    longest, deepest = max(map(len, labels)), max(map(len, grouping.panel_genes))
    width = 2.1 + 0.075 * longest + max(1.2, _CELL[0] * n_genes)
    figure = new_figure(width, 0.95 + 0.075 * deepest + max(2.0, _CELL[1] * n_groups))
    axes = figure.add_subplot()
    largest = panel.mean.max(axis=0)
    scaled = np.divide(panel.mean, largest, out=np.zeros_like(panel.mean), where=largest > 0)
    rows, columns = np.nonzero(panel.share > 0)
    dots = axes.scatter(
        columns, rows, s=_LARGEST**2 * panel.share[rows, columns], c=scaled[rows, columns], cmap="cividis_r", vmin=0,
        vmax=1, linewidths=0.3, edgecolors="#5f5f5f",
    )  # fmt: skip
    for edge in np.flatnonzero(np.diff(panel.groups)):
        axes.axvline(edge + 0.5, color="#e4e4e4", lw=0.6, zorder=0)
    axes.set_xlim(-0.7, n_genes - 0.3)
    axes.set_ylim(n_groups - 0.4, -0.6)
    axes.set_xticks(range(n_genes), [*map(figure_text, grouping.panel_genes)], rotation=90, fontsize=7)
    axes.set_yticks(range(n_groups), labels, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#d0d0d0")
    handles = [
        Line2D([], [], marker="o", ls="none", ms=_LARGEST * np.sqrt(share / 100), mfc="#9a9a9a", mec="none",
               label=f"{share} %")
        for share in _SHARES
    ]  # fmt: skip
    figure.legend(
        handles=handles, title="cells that\nexpress it", loc="outside right upper", frameon=False, fontsize=8,
        title_fontsize=8,
    )  # fmt: skip
    bar = figure.colorbar(dots, ax=axes, shrink=0.9, aspect=25, pad=0.02)
    bar.set_label("mean, of the gene's largest", fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure
