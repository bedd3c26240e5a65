"""The figure of an estimate of K; imports matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from scbench.graph.stable_k.result import KEstimate

__all__ = ["draw"]


def draw(estimate: KEstimate) -> Figure:
    """Return the curve, where there is one, and the stability of each cluster; the figure belongs to no window."""
    curve = estimate.curve
    figure = Figure(figsize=(9.0 if curve else 4.5, 3.4), layout="constrained")
    panels = figure.subplots(1, 2 if curve else 1, squeeze=False)[0]
    if curve is not None:
        axes = panels[0]
        low, middle, high = curve.null_stability.T
        axes.fill_between(curve.resolutions, low, high, alpha=0.3, color="grey", label="without structure, 5 to 95 %")
        axes.plot(curve.resolutions, middle, color="grey")
        axes.plot(curve.resolutions, curve.stability, marker="o", label="cells")
        for x, y, k in zip(curve.resolutions, curve.stability, curve.k, strict=True):
            axes.annotate(str(k), (x, y), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=7)
        axes.set(xscale="log", ylim=(0, 1.1), xlabel="resolution", ylabel="stability (number: communities)")
        axes.legend(fontsize=7)
    axes = panels[-1]
    heights = np.nan_to_num(estimate.stability)
    axes.bar(np.arange(estimate.k), heights, color="tab:blue")
    axes.set(ylim=(0, 1.05), xlabel="cluster, the largest first", ylabel="Jaccard stability", title=f"K = {estimate.k}")
    return figure
