"""Two-dimensional embedding of a run's latent: true types beside found clusters, in matched colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scbench.errors import ConfigError
from scbench.escape import figure_text
from scbench.names import check_choice
from scbench.report.figures.declutter import spread_boxes
from scbench.report.figures.files import new_figure
from scbench.report.figures.matching import Matched
from scbench.report.figures.palette import palette
from scbench.report.figures.true_types import Truth

__all__ = ["LAYOUTS", "embedding_figure", "lay_out", "sample_cells"]

LAYOUTS = ("umap", "tsne")
_CELLS = 2000  # drawn at most
_LEAST = 5  # cells of every type
_PER_COLUMN = 20  # lines of the legend


def sample_cells(codes: np.ndarray, at_most: int = _CELLS) -> np.ndarray:
    """Return the sorted positions of the cells to draw: all, or a random choice that is always the same.

    Up to five cells of every type are in it, so that no small type disappears (unless five of each are too many).

    Args:
        codes: (n_cells,) int, the cells' types.
        at_most: how many to draw.
    """
    if len(codes) <= at_most:
        return np.arange(len(codes))
    order = np.random.default_rng(0).permutation(len(codes))
    seen = np.empty(len(codes), dtype=np.int64)  # how many of its type come before a cell
    by_type = np.argsort(codes[order], kind="stable")
    sizes = np.bincount(codes[order])
    seen[by_type] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = np.argsort(np.where(seen < _LEAST, seen, _LEAST), kind="stable")
    return np.sort(order[first[:at_most]])


def lay_out(latent: np.ndarray, layout: str) -> np.ndarray:
    """Return two coordinates per cell, (n, 2) float; a latent of two columns is shown as it is.

    Args:
        latent: (n, d) finite float, n at least 4.
        layout: ``umap`` or ``tsne``; one thread and a fixed seed, so the result does not change.

    Raises:
        ConfigError: an unknown layout.
    """
    check_choice("embedding", layout, LAYOUTS)
    if latent.shape[1] == 2:
        return np.asarray(latent, dtype=float)
    if latent.shape[1] < 2 or len(latent) < 4:
        raise ConfigError(
            f"a latent of shape {latent.shape} has no two-dimensional layout; at least 4 cells and 2 columns are needed"
        )
    if layout == "umap":
        from umap import UMAP

        neighbours = min(15, len(latent) - 1)
        model = UMAP(n_neighbors=neighbours, random_state=0, n_jobs=1, init="pca")
    else:
        from sklearn.manifold import TSNE

        model = TSNE(perplexity=min(30.0, (len(latent) - 1) / 3), random_state=0, init="pca", n_jobs=1)
    return np.asarray(model.fit_transform(np.ascontiguousarray(latent, dtype=np.float32)), dtype=float)


def embedding_figure(points: np.ndarray, truth: Truth, found: Matched, cells: np.ndarray, title: str) -> Figure:
    """Return two panels of the same points; numbers name types left and clusters right, the legend names types.

    Args:
        points: (n_shown, 2) from :func:`lay_out`.
        truth, found: of all cells.
        cells: (n_shown,) positions of the shown cells.
        title: heading.
    """
    n_types = len(truth.names)
    n_columns = -(-n_types // _PER_COLUMN)
    longest = max(map(len, truth.shown))
    height = max(4.2, 0.19 * min(n_types, _PER_COLUMN) + 0.9)
    figure = new_figure(8.6 + n_columns * (0.4 + 0.07 * longest), height)
    panels = figure.subplots(1, 2)
    colours = palette(n_types)
    _panel(
        panels[0], points, truth.codes[cells], colours, [str(code + 1) for code in range(n_types)], "annotated types"
    )
    _panel(panels[1], points, found.codes[cells], found.colours(n_types), list(found.names), "found clusters")
    handles = [
        Line2D([], [], marker="o", ls="none", ms=6, mec="none", color=colour, label=figure_text(name))
        for name, colour in zip(truth.shown, colours, strict=True)
    ]
    figure.legend(handles=handles, loc="outside right center", ncols=n_columns, frameon=False, fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _middle(points: np.ndarray) -> np.ndarray:
    """Return the point that is nearest to the median of all, so that a number never stands where no cell is."""
    middle = np.median(points, axis=0)
    nearest: np.ndarray = points[np.square(points - middle).sum(axis=1).argmin()]
    return nearest


def _panel(
    axes: Axes, points: np.ndarray, codes: np.ndarray, colours: Sequence[str], names: Sequence[str], title: str
) -> None:
    """Draw one panel with a number at the cell in the middle of each group."""
    size = float(np.clip(4000 / max(len(points), 1), 2.0, 14.0))
    order = np.random.default_rng(0).permutation(len(points))  # no group lies on top of all others
    axes.scatter(
        points[order, 0], points[order, 1], s=size, c=np.array(colours)[codes[order]], linewidths=0, rasterized=True
    )
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#d0d0d0")
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    axes.set_xlim(low[0] - 0.05 * span[0], high[0] + 0.05 * span[0])
    axes.set_ylim(low[1] - 0.05 * span[1], high[1] + 0.05 * span[1])
    here = [code for code in range(len(names)) if (codes == code).any()]
    wanted = np.array([(_middle(points[codes == code] / span) - low / span) for code in here])
    # Fractions of a panel about 4 inches wide and high: a character of 8 points is 0.02 of it.
    sizes = np.array([[0.022 * len(names[code]) + 0.022, 0.05] for code in here])
    for code, place in zip(here, spread_boxes(wanted, sizes), strict=True):
        x, y = low + place * span
        axes.text(
            x, y, figure_text(names[code]), ha="center", va="center", fontsize=8, fontweight="bold",
            bbox={"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.75},
        )  # fmt: skip
