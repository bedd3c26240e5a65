"""River plot: found clusters flow into annotated types. Own drawing: matplotlib's Sankey is for one chain of flows."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Curve

from scbench.escape import figure_text
from scbench.report.figures.declutter import spread_line
from scbench.report.figures.files import new_figure
from scbench.report.figures.matching import Matched
from scbench.report.figures.palette import palette
from scbench.report.figures.true_types import Truth

__all__ = ["river"]

_LABEL = 0.17  # inches for a line of text
_LEFT, _RIGHT, _BAR = 0.0, 1.0, 0.03


def river(truth: Truth, found: Matched, title: str) -> Figure:
    """Return the plot; flows have the colour of their type, bars are as high as they have cells."""
    table = found.table
    n_types, n_clusters = table.shape
    height = max(3.6, _LABEL * max(n_types, n_clusters) * 1.5 + 0.8)
    longest = max(map(len, truth.shown))
    figure = new_figure(5.6 + 0.075 * longest, height)
    axes = figure.add_subplot()
    axes.set_xlim(-0.16, 1.06 + 0.016 * longest)
    axes.set_ylim(0, 1)
    axes.axis("off")
    type_tops = _tops(truth.sizes.astype(float))
    cluster_tops = _tops(table.sum(axis=0).astype(float))
    unit = _unit(len(cluster_tops), table.sum()), _unit(len(type_tops), table.sum())
    colours = palette(n_types)
    left_used, right_used = np.zeros(n_clusters), np.zeros(n_types)
    for cluster in range(n_clusters):
        for kind in np.flatnonzero(table[:, cluster]):
            count = float(table[kind, cluster])
            start = cluster_tops[cluster] - left_used[cluster]
            end = type_tops[kind] - right_used[kind]
            _flow(axes, (start, count * unit[0]), (end, count * unit[1]), colours[kind])
            left_used[cluster] += count * unit[0]
            right_used[kind] += count * unit[1]
    label = _LABEL / (height - 0.6)
    _bars(
        axes,
        _LEFT - _BAR,
        cluster_tops,
        left_used,
        found.colours(n_types),
        [figure_text(f"cluster {name}") for name in found.names],
        label,
        to_left=True,
    )
    _bars(axes, _RIGHT, type_tops, right_used, colours, [*map(figure_text, truth.shown)], label, to_left=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _unit(n: int, total: float) -> float:
    """Return the height of one cell when n bars have gaps that take a fifth of the axis."""
    return float((0.8 if n > 1 else 1.0) / total)


def _tops(sizes: np.ndarray) -> np.ndarray:
    """Return the top of each bar, from the top of the axis down."""
    gap = 0.2 / max(len(sizes) - 1, 1) if len(sizes) > 1 else 0.0
    heights = sizes * _unit(len(sizes), float(sizes.sum()))
    return np.asarray(1.0 - np.concatenate([[0.0], np.cumsum(heights + gap)[:-1]]))


def _flow(axes: Axes, left: tuple[float, float], right: tuple[float, float], colour: str) -> None:
    """Draw one band from (top, height) at the left to (top, height) at the right."""
    (a, da), (b, db) = left, right
    middle = (_LEFT + _RIGHT) / 2
    corners = [
        (_LEFT, a), (middle, a), (middle, b), (_RIGHT, b),
        (_RIGHT, b - db), (middle, b - db), (middle, a - da), (_LEFT, a - da), (_LEFT, a),
    ]  # fmt: skip
    codes = [Curve.MOVETO, *[Curve.CURVE4] * 3, Curve.LINETO, *[Curve.CURVE4] * 3, Curve.CLOSEPOLY]
    axes.add_patch(PathPatch(Curve(corners, codes), fc=colour, ec="none", alpha=0.5))


def _bars(
    axes: Axes,
    x: float,
    tops: np.ndarray,
    heights: np.ndarray,
    colours: tuple[str, ...],
    names: list[str],
    label: float,
    *,
    to_left: bool,
) -> None:
    """Draw the bars of one side and their names, which are moved apart where bars are thin."""
    middles = tops - heights / 2
    places = spread_line(middles, label, label / 2, 1 - label / 2)
    edge, sign = (x, -1) if to_left else (x + _BAR, 1)
    for top, height, middle, place, colour, name in zip(tops, heights, middles, places, colours, names, strict=True):
        axes.add_patch(Rectangle((x, top - height), _BAR, height, fc=colour, ec="none"))
        axes.plot([edge, edge + sign * 0.02], [middle, place], color="#8a8a8a", lw=0.5)
        axes.text(edge + sign * 0.025, place, name, ha="right" if to_left else "left", va="center", fontsize=7.5)
