"""What Leiden finds in all cells over a range of resolutions, and how stable, beside clouds without structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scbench.graph.stable_k.cell_graph import CellGraph
from scbench.graph.stable_k.falling_apart import stability_of_clusters
from scbench.graph.stable_k.rule import N_NULL, RESOLUTIONS, neighbours_of
from scbench.graph.stable_k.split import subsampled
from scbench.graph.stable_k.structureless import structureless

__all__ = ["QUANTILES", "Curve", "curve_of"]

QUANTILES = (0.05, 0.5, 0.95)
_EVERY = 8  # of the rule's resolutions


@dataclass(frozen=True)
class Curve:
    """Partitions of all cells by resolution; no K is read from it.

    Attributes:
        resolutions: (n,) increasing.
        k: (n,) number of Leiden communities.
        stability: (n,) mean over the communities of the Jaccard index under subsampling, in [0, 1]; 0 for a single one,
            since a partition that splits nothing is found again always.
        null_k: (n,) median number of communities of the clouds.
        null_stability: (n, 3) quantiles 0.05, 0.5 and 0.95 over the clouds of the same stability.
    """

    resolutions: np.ndarray
    k: np.ndarray
    stability: np.ndarray
    null_k: np.ndarray
    null_stability: np.ndarray


def curve_of(points: np.ndarray, depth: np.ndarray, rng: np.random.Generator, seed: int) -> Curve:
    """Return the curve of (n_cells, n_components) points and (n_cells,) log totals; ``seed`` is that of Leiden."""
    found = _line(points, rng, seed)
    null = np.array([_line(structureless(points, depth, rng), rng, seed) for _ in range(N_NULL)])
    return Curve(
        resolutions=RESOLUTIONS[::_EVERY],
        k=found[0].astype(np.int64),
        stability=found[1],
        null_k=np.median(null[:, 0], axis=0),
        null_stability=np.quantile(null[:, 1], QUANTILES, axis=0).T,
    )


def _line(points: np.ndarray, rng: np.random.Generator, seed: int) -> np.ndarray:
    """Return (2, n): the number of communities and their mean stability at each resolution."""
    graph = CellGraph.of_points(points, neighbours_of(len(points)), seed)
    parts = subsampled(graph, len(points), rng)
    found = []
    for resolution in RESOLUTIONS[::_EVERY].tolist():
        labels = graph.communities(resolution)
        k = int(labels.max()) + 1
        found.append((k, stability_of_clusters(labels, resolution, parts).mean() if k > 1 else 0.0))
    return np.array(found).T
