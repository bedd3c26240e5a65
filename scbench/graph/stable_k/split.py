"""Whether some cells are more than one cluster: they fall apart sooner than a cloud without structure, and stably."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from scbench.graph.stable_k.cell_graph import CellGraph
from scbench.graph.stable_k.falling_apart import falls_apart, lowest_resolution, stability_of_clusters
from scbench.graph.stable_k.rule import (
    DEVIATIONS,
    LEAST_STABILITY,
    MARGIN,
    N_NULL,
    N_SUBSAMPLES,
    RESOLUTIONS,
    SHARE,
    SMALLEST_CLUSTER,
    neighbours_of,
)
from scbench.graph.stable_k.structureless import structureless

__all__ = ["Trial", "Verdict", "subsampled", "try_split"]

Verdict = Literal["split", "not told apart from noise", "not stable", "too few cells"]
_MOST_CANDIDATES = 4


@dataclass(frozen=True)
class Trial:
    """What came of trying to split a parent.

    Attributes:
        verdict: ``split``, or why not.
        children: (n_cells,) int64 from 0, the part that each cell goes to; all 0 without a split.
        stability: (n_children,) mean Jaccard index of each part under subsampling; of the best candidate where that is
            ``not stable``; empty where none was tried.
        lowest: the lowest resolution at which the cells fall apart; infinite where they do not up to the highest.
        null: that of clouds without structure, (``N_NULL``,), decreasing evidence as it nears ``lowest``.
        resolution: at which the parts were taken; None without a candidate.
    """

    verdict: Verdict
    children: np.ndarray
    stability: np.ndarray
    lowest: float
    null: np.ndarray
    resolution: float | None = None


def try_split(points: np.ndarray, depth: np.ndarray, rng: np.random.Generator, seed: int) -> Trial:
    """Split cells in two or more parts, or say why they stay together.

    1. The cells' graph falls apart at a lowest resolution g. Clouds without structure (see :func:`structureless`) of
       these cells fall apart at g_1 to g_R. With m and d the mean and the standard deviation (ddof 1) of their
       logarithms, the cells are told apart from noise when log g <= m - max(-log ``MARGIN``, ``DEVIATIONS`` d).
    2. Between g and that limit the cells fall apart and clouds do not. Of at most four resolutions there, that
       counts whose parts have the highest mean stability. Parts below ``LEAST_STABILITY`` are no split.

    Communities of fewer cells than count go to the part with the nearest centre.

    Args:
        points: (n_cells, n_components) float32.
        depth: (n_cells,) float, log of each cell's total.
        rng: draws clouds and subsamples.
        seed: of Leiden.
    """
    n_cells = len(points)
    together = np.zeros(n_cells, dtype=np.int64)
    if n_cells < 2 * SMALLEST_CLUSTER:
        return Trial("too few cells", together, np.empty(0), np.inf, np.empty(0))
    k = neighbours_of(n_cells)
    graph = CellGraph.of_points(points, k, seed)
    clouds = (CellGraph.of_points(structureless(points, depth, rng), k, seed) for _ in range(N_NULL))
    steps = np.append(RESOLUTIONS, np.inf)
    lowest = lowest_resolution(graph)
    null = steps[[lowest_resolution(cloud) for cloud in clouds]]
    logs = np.log(np.minimum(null, RESOLUTIONS[-1]))
    limit = float(np.exp(logs.mean() - max(-np.log(MARGIN), DEVIATIONS * logs.std(ddof=1))))
    tried = Trial("not told apart from noise", together, np.empty(0), float(steps[lowest]), null)
    if steps[lowest] > limit:
        return tried
    candidates = np.arange(lowest, np.searchsorted(RESOLUTIONS, limit, side="right"))
    chosen = candidates[np.unique(np.linspace(0, len(candidates) - 1, _MOST_CANDIDATES).round().astype(int))]
    parts = subsampled(graph, n_cells, rng)
    best = tried
    for resolution in RESOLUTIONS[chosen].tolist():
        labels = graph.communities(resolution)
        if not falls_apart(labels):  # bisection has assumed that it does
            continue
        children = _without_small(labels, points)
        stability = stability_of_clusters(children, resolution, parts)
        if not len(best.stability) or stability.mean() > best.stability.mean():
            best = Trial("split", children, stability, tried.lowest, null, resolution)
    if len(best.stability) and best.stability.mean() < LEAST_STABILITY:
        return Trial("not stable", together, best.stability, best.lowest, null, best.resolution)
    return best


def subsampled(graph: CellGraph, n_cells: int, rng: np.random.Generator) -> list[tuple[np.ndarray, CellGraph]]:
    """Return the cells of each subsample, increasing, and their graph."""
    drawn = [np.sort(rng.choice(n_cells, round(SHARE * n_cells), replace=False)) for _ in range(N_SUBSAMPLES)]
    return [(cells, graph.part(cells)) for cells in drawn]


def _without_small(labels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return labels 0, 1, ... in which communities too small to count have gone to the nearest centre of others."""
    large = np.flatnonzero(np.bincount(labels) >= SMALLEST_CLUSTER)
    centres = np.array([points[labels == one].mean(axis=0) for one in large])
    place = np.searchsorted(large, labels)
    for cell in np.flatnonzero(~np.isin(labels, large)):
        place[cell] = int(((centres - points[cell]) ** 2).sum(axis=1).argmin())
    return np.asarray(place, dtype=np.int64)
