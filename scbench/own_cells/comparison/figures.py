"""Figures of a comparison of methods on the same cells."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from scbench.errors import DataError
from scbench.escape import figure_text
from scbench.own_cells.comparison.tables import CONSENSUS, ComparisonTables
from scbench.report.figures.embedding import lay_out, sample_cells
from scbench.report.figures.files import new_figure
from scbench.report.figures.palette import palette

__all__ = ["agreement_figure", "stability_figure", "umap_figure"]

_CELLS = 3000  # drawn at most
_COLUMNS = 3
_MOST_COLOURS = 60  # more clusters share colours; numbers tell them apart no longer either
_LEAST_CELLS = 4  # a layout needs so many


def agreement_figure(comparison: ComparisonTables) -> Figure:
    """Return a map of the ARI between methods, alike beside alike."""
    table = comparison.agreement
    names = [figure_text(name) for name in table.index]
    size = 1.2 + 0.5 * len(names)
    figure = new_figure(size + 0.09 * max(map(len, names)) + 0.6, size + 0.05 * max(map(len, names)))
    axes = figure.add_subplot()
    image = axes.imshow(table.to_numpy(), cmap="cividis", vmin=min(0.0, float(table.to_numpy().min())), vmax=1)
    for row, values in enumerate(table.to_numpy()):
        for column, value in enumerate(values):
            ink = "black" if value > 0.6 else "white"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("ARI between methods", loc="left", fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    return figure


def stability_figure(comparison: ComparisonTables) -> Figure:
    """Return for each method the share of cells at each level of agreement between its seeds."""
    names = comparison.methods
    figure = new_figure(6.4, 0.9 + 0.42 * len(names))
    axes = figure.add_subplot()
    values = [comparison.cells[name].to_numpy() for name in names]
    for row, (name, of_cells) in enumerate(zip(names, values, strict=True)):
        if len(comparison.seeds[name]) < 2:
            axes.text(0.01, row, "one seed", va="center", fontsize=8)
            continue
        ordered = np.sort(of_cells)
        axes.fill_between(np.linspace(0, 1, len(ordered)), row - 0.4 * ordered, row + 0.4 * ordered, lw=0, alpha=0.8)
    axes.set_yticks(range(len(names)), [figure_text(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("cells, those that seeds agree on least first; a full band is full agreement")
    axes.set_title("agreement between the seeds of a method", loc="left", fontsize=10)
    return figure


def umap_figure(comparison: ComparisonTables) -> Figure:
    """Return one panel per method, one of the consensus, and one of the cells that methods disagree on.

    Raises:
        DataError: fewer than four cells.
    """
    if len(comparison.points) < _LEAST_CELLS:
        raise DataError(f"{len(comparison.points)} cells have no UMAP; at least {_LEAST_CELLS} are needed")
    cells = sample_cells(comparison.labels[CONSENSUS].to_numpy(), _CELLS)
    points = lay_out(comparison.points[cells], "umap")
    names = [*comparison.methods, CONSENSUS]
    n_rows = -(-(len(names) + 1) // _COLUMNS)
    figure = new_figure(3.6 * _COLUMNS, 3.4 * n_rows)
    panels = figure.subplots(n_rows, _COLUMNS, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        labels = comparison.labels[name].to_numpy()
        n = int(labels.max()) + 1
        colours = np.array(palette(min(n, _MOST_COLOURS)))[labels[cells] % _MOST_COLOURS]
        _draw(axes, points, colours, f"{name}, {len(np.unique(labels))} clusters")
        for cluster in range(n if n <= _MOST_COLOURS else 0):
            here = points[labels[cells] == cluster]
            if len(here):
                _number(axes, here, str(cluster))
    agreement = comparison.cells[CONSENSUS].to_numpy()[cells]
    image = _draw(panels[len(names)], points, agreement, "how far methods agree on a cell")
    figure.colorbar(image, ax=panels[len(names)], shrink=0.8, aspect=30, pad=0.02)
    for axes in panels[len(names) + 1 :]:
        axes.set_visible(False)
    if len(cells) < len(comparison.points):
        figure.supxlabel(f"{len(cells)} of {len(comparison.points)} cells are drawn", fontsize=8, x=0.01, ha="left")
    return figure


def _draw(axes: Axes, points: np.ndarray, colours: np.ndarray, title: str) -> PathCollection:
    """Draw one panel and return its points, for a colour bar."""
    order = np.random.default_rng(0).permutation(len(points))  # no group lies on top of all others
    size = float(np.clip(4000 / len(points), 2.0, 14.0))
    is_scale = colours.dtype.kind == "f"
    drawn = axes.scatter(
        points[order, 0], points[order, 1], c=colours[order], s=size, linewidths=0, rasterized=True,
        cmap="cividis" if is_scale else None, vmin=0 if is_scale else None, vmax=1 if is_scale else None,
    )  # fmt: skip
    axes.set_title(figure_text(title), loc="left", fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#d0d0d0")
    return drawn


def _number(axes: Axes, points: np.ndarray, text: str) -> None:
    """Write a cluster's number at the cell that is nearest to its middle."""
    middle = points[np.square(points - np.median(points, axis=0)).sum(axis=1).argmin()]
    box = {"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.75}
    axes.text(
        float(middle[0]), float(middle[1]), text, ha="center", va="center", fontsize=7.5, fontweight="bold", bbox=box
    )
