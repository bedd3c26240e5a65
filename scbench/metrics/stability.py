"""Agreement of repeated partitions of the same cells with each other, without annotated types."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from scbench.metrics.external import score

__all__ = ["stability"]


def stability(partitions: Sequence[np.ndarray], cells: Sequence[np.ndarray] | None = None) -> float:
    """Return the mean ARI over all pairs of partitions, in [-0.5, 1].

    Partitions that are all one cluster agree perfectly by ARI; such a collapse gets 0 here, what unrelated
    partitions get, so that a search never takes it for a success.

    Args:
        partitions: at least two, each (n_cells,) labels of the same cells; or each of cells of its own.
        cells: for each partition (n_cells,) different numbers that name its cells, when these are not all the same:
            two partitions are then compared on the cells that both have.

    Raises:
        ValueError: for fewer than two partitions, partitions of different lengths without ``cells``, names that are
            not one for each label, or two partitions that share no cell.
    """
    if len(partitions) < 2:
        raise ValueError(f"stability compares partitions and needs at least two, got {len(partitions)}")
    if cells is not None:
        named = list(zip(partitions, cells, strict=True))
        return float(np.mean([_agreement(*_on_shared_cells(*a, *b)) for a, b in combinations(named, 2)]))
    sizes = sorted({len(labels) for labels in partitions})
    if len(sizes) > 1:
        raise ValueError(f"partitions must be of the same cells, got {sizes[0]} and {sizes[-1]} of them")
    return float(np.mean([_agreement(a, b) for a, b in combinations(partitions, 2)]))


def _agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Return the ARI of two partitions; 0 when both are one cluster."""
    if len(np.unique(a)) == len(np.unique(b)) == 1:
        return 0.0
    return score(a, b)["ari"]


def _on_shared_cells(
    a: np.ndarray, cells_of_a: np.ndarray, b: np.ndarray, cells_of_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of two partitions on the cells that both have, in the same order."""
    for labels, cells in ((a, cells_of_a), (b, cells_of_b)):
        if len(labels) != len(cells):
            raise ValueError(f"every label needs the name of its cell, got {len(labels)} labels and {len(cells)} names")
    shared, in_a, in_b = np.intersect1d(cells_of_a, cells_of_b, assume_unique=True, return_indices=True)
    if not len(shared):
        raise ValueError("two partitions have no cell in common, so they cannot be compared; use larger subsamples")
    return a[in_a], b[in_b]
