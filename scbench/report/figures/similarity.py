"""Similarity of cells in a run's latent, ordered by their true type."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from scbench.escape import figure_text
from scbench.report.figures.declutter import spread_line
from scbench.report.figures.embedding import sample_cells
from scbench.report.figures.files import new_figure
from scbench.report.figures.palette import palette
from scbench.report.figures.true_types import Truth

__all__ = ["cosine", "similarity"]

_CELLS = 400  # on each side


def cosine(latent: np.ndarray) -> np.ndarray:
    """Return cosine similarities of the rows after centring the columns, (n, n) in [-1, 1]; zero rows give 0."""
    centred = np.asarray(latent, dtype=float) - latent.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return np.asarray(np.clip(unit @ unit.T, -1, 1))


def similarity(latent: np.ndarray, truth: Truth, title: str) -> Figure:
    """Return the heat map of at most 400 cells, types in the order of their size with coloured and numbered bars.

    Args:
        latent: (n_cells, d) of all cells.
        truth: their types.
        title: heading.
    """
    cells = sample_cells(truth.codes, _CELLS)
    cells = cells[np.argsort(truth.codes[cells], kind="stable")]
    codes = truth.codes[cells]
    n = len(cells)
    longest = max(map(len, truth.shown)) - 6
    present = np.unique(codes)
    height = max(5.2, 0.16 * len(present) + 1.0)
    figure = new_figure(height + 1.6 + 0.075 * longest, height)
    axes = figure.add_subplot()
    image = axes.imshow(cosine(latent[cells]), cmap="cividis", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    colours = palette(len(truth.names))
    bar = 0.02 * n
    middles, edges = [], []
    for code in present:
        first, last = np.flatnonzero(codes == code)[[0, -1]]
        middles.append((first + last) / 2)
        edges.append(last + 0.5)
        axes.fill_betweenx([first - 0.5, last + 0.5], n - 0.5, n - 0.5 + bar, color=colours[code], lw=0)
    for edge in edges[:-1]:
        axes.axhline(edge, xmax=n / (n + bar), color="white", lw=0.4)
        axes.axvline(edge, color="white", lw=0.4)
    gap = 0.155 / (height - 0.7) * n
    places = spread_line(np.array(middles), gap, 0, n - 1)
    for code, middle, place in zip(present, middles, places, strict=True):
        axes.plot([n + bar, n + 2.2 * bar], [middle, place], color="#8a8a8a", lw=0.5, clip_on=False)
        axes.text(n + 2.6 * bar, place, figure_text(truth.shown[code]), va="center", fontsize=7.5)
    axes.set_xlim(-0.5, n - 0.5 + bar)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(f"{n} cells, ordered by type")
    figure.colorbar(
        image, ax=axes, label="cosine similarity of the latent", location="left", shrink=0.6, aspect=30, pad=0.02
    )
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure
