"""Agreement of repeated partitions of the same cells with each other, without annotated types."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from scbench.metrics.external import score

__all__ = ["stability"]


def stability(partitions: Sequence[np.ndarray]) -> float:
    """Return the mean ARI over all pairs of partitions, in [-0.5, 1].

    Partitions that are all one cluster agree perfectly by ARI; such a collapse gets 0 here, what unrelated
    partitions get, so that a search never takes it for a success.

    Args:
        partitions: at least two, each (n_cells,) labels of the same cells.

    Raises:
        ValueError: for fewer than two partitions, or partitions of different lengths.
    """
    if len(partitions) < 2:
        raise ValueError(f"stability compares partitions and needs at least two, got {len(partitions)}")
    sizes = sorted({len(labels) for labels in partitions})
    if len(sizes) > 1:
        raise ValueError(f"partitions must be of the same cells, got {sizes[0]} and {sizes[-1]} of them")
    return float(np.mean([_agreement(a, b) for a, b in combinations(partitions, 2)]))


def _agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Return the ARI of two partitions; 0 when both are one cluster."""
    if len(np.unique(a)) == len(np.unique(b)) == 1:
        return 0.0
    return score(a, b)["ari"]
