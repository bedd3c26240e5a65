"""Clusters matched to types, so that both can have the same colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from scbench.metrics.contingency import encode
from scbench.report.figures.palette import NOBODY, palette
from scbench.report.figures.true_types import Truth

__all__ = ["Matched", "match"]


@dataclass(frozen=True)
class Matched:
    """Clusters in the order of the types that they are matched to.

    Attributes:
        codes: (n_cells,) int64 position of each cell's cluster in this order.
        names: of the clusters, as the method numbered them.
        types: (n_clusters,) the type of each; -1 for a cluster that has none, at the end.
        table: (n_types, n_clusters) cells.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    types: np.ndarray
    table: np.ndarray

    def colours(self, n_types: int) -> tuple[str, ...]:
        """Return the colour of each cluster: that of its type, or grey."""
        of_type = palette(n_types)
        return tuple(of_type[kind] if kind >= 0 else NOBODY for kind in self.types)


def match(truth: Truth, labels: np.ndarray) -> Matched:
    """Return the one-to-one matching of clusters and types that agrees on most cells (Hungarian method).

    Args:
        truth: the annotated types.
        labels: (n_cells,) clusters.

    Raises:
        ValueError: the lengths differ.
    """
    if len(labels) != len(truth.codes):
        raise ValueError(
            f"there are {len(labels)} clustered cells but {len(truth.codes)} annotated ones; use one dataset"
        )
    codes, uniques = encode(labels, "clusters")
    table = np.bincount(truth.codes * len(uniques) + codes, minlength=len(truth.names) * len(uniques))
    table = table.reshape(len(truth.names), len(uniques))
    kinds, clusters = linear_sum_assignment(table, maximize=True)
    of_cluster = np.full(len(uniques), -1)
    shared = table[kinds, clusters] > 0
    of_cluster[clusters[shared]] = kinds[shared]
    order = sorted(
        range(len(uniques)), key=lambda one: (of_cluster[one] < 0, of_cluster[one], -table[:, one].sum(), one)
    )
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Matched(place[codes], tuple(str(uniques[one]) for one in order), of_cluster[order], table[:, order])
