"""One partition of several of the same cells, such as those of ten seeds, and how far they agree on each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scbench.metrics.average_linkage import average_linkage
from scbench.metrics.external import Agreement, ari

__all__ = ["Consensus", "Spread", "consensus", "spread"]

_MOST_ANCHORS = 2000
_MOST_STEPS = 20
_AT_ONCE = 1 << 22  # values made together


class Consensus(NamedTuple):
    """What several partitions come to.

    Attributes:
        labels: (n_cells,) int64, 0 for the largest cluster, 1 for the next, ...
        agreement: (n_cells,) float64 in [0, 1]: with how many of the other cells of its cluster a cell is together,
            mean over the partitions; of a cell that is alone, the share of the partitions in which it is alone.
        mean_ari: of ``labels`` with the partitions, in [-0.5, 1]; with the others, where they are one of them.
        taken: the number of the partition that the result was improved from; None when it was the tree's.
        attached: share of the cells that were put to the nearest cluster of the tree instead of into it, in [0, 1].
    """

    labels: np.ndarray
    agreement: np.ndarray
    mean_ari: float
    taken: int | None
    attached: float


class Spread(NamedTuple):
    """How much partitions differ: mean and sample sd (ddof 1; 0 for one pair) of the ARI over all pairs."""

    mean_ari: float
    sd_ari: float


def consensus(partitions: Sequence[np.ndarray], n_clusters: int | None = None) -> Consensus:
    """Return the partition that agrees best with several of the same cells; nothing in it is random.

    Two cells are as near as the share of the partitions that have them together (their co-association). Clusters are
    those of average linkage on it, cut at ``n_clusters``. Average linkage may set a few odd cells apart and merge two
    large clusters instead, so the partitions of as many clusters are candidates, too: the best of them, and the
    tree's, are improved by putting all cells to the cluster of the highest mean co-association as long as that raises
    the mean ARI with the partitions, and the better one is the result.

    No matrix of cells by cells is made. Cells that are together in every partition have distance 0, so the tree of
    their profiles, each with the number of its cells as its weight, is that of the cells. Of more than 2 000 profiles
    those of the most cells are in the tree, and the cells of each other one go to the cluster of the highest mean
    co-association: a departure, whose extent ``attached`` says.

    Args:
        partitions: at least two, each (n_cells,) integers; the names of clusters do not matter.
        n_clusters: of the result, at least 1; None takes the median of the partitions', rounded down. There are fewer
            where the partitions tell fewer groups of cells apart.

    Raises:
        ValueError: fewer than two partitions, of different or no cells, no integers, or ``n_clusters`` below 1.

    Source: Fred & Jain 2005 (evidence accumulation, average linkage); Strehl & Ghosh 2002 (of several candidates the
    one that agrees best with all; there by mutual information); Monti et al. 2003 (agreement: item consensus).
    """
    codes = _codes(partitions)
    if n_clusters is None:
        n_clusters = int(np.median(codes.max(axis=0) + 1))
    if n_clusters < 1:
        raise ValueError(f"n_clusters must be at least 1, got {n_clusters}")
    profiles, of_cell, sizes = _profiles(codes)
    of_tree, n_in_tree = _tree_labels(profiles, sizes, n_clusters)
    chosen, mean_ari = _improved(of_tree, _mean_ari(of_tree[of_cell], codes), profiles, sizes, of_cell, codes)
    taken = None
    its_own = {
        int(number): _mean_ari(codes[:, number], np.delete(codes, number, axis=1))
        for number in np.flatnonzero(codes.max(axis=0) + 1 == n_clusters)
    }
    if its_own:
        best = max(its_own, key=its_own.__getitem__)
        other, its_ari = _improved(profiles[:, best], its_own[best], profiles, sizes, of_cell, codes)
        if its_ari > mean_ari:
            chosen, mean_ari, taken = other, its_ari, best
    n_of_cluster = np.bincount(chosen, weights=sizes)
    labels = np.argsort(np.argsort(-n_of_cluster, kind="stable"))[chosen]
    agreement = _agreement(profiles, sizes, labels)[of_cell]
    return Consensus(labels[of_cell], agreement, mean_ari, taken, float(1 - sizes[:n_in_tree].sum() / len(of_cell)))


def spread(partitions: Sequence[np.ndarray]) -> Spread:
    """Return how much partitions of the same cells differ from each other.

    Two that are both one cluster have ARI 0 here, as in :func:`scbench.metrics.stability.stability`.

    Raises:
        ValueError: as :func:`consensus`.
    """
    codes = _codes(partitions)
    n = codes.shape[1]
    found = np.array([_ari(codes[:, a], codes[:, b]) for a in range(n) for b in range(a)])
    return Spread(float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else 0.0)


def _codes(partitions: Sequence[np.ndarray]) -> np.ndarray:
    """Return the partitions as columns of (n_cells, n_partitions) int64 labels 0, 1, ... without a gap."""
    if len(partitions) < 2:
        raise ValueError(f"a consensus is of at least two partitions, got {len(partitions)}")
    lengths = sorted({len(labels) for labels in partitions})
    if len(lengths) > 1 or not lengths[0]:
        raise ValueError(f"partitions must be of the same cells, got {lengths[0]} and {lengths[-1]} of them")
    arrays = [np.asarray(labels) for labels in partitions]
    for labels in arrays:
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise ValueError(f"a partition is (n_cells,) integers, got {labels.shape} of {labels.dtype}")
    return np.column_stack([np.unique(labels, return_inverse=True)[1] for labels in arrays]).astype(np.int64)


def _profiles(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the different rows, those of most cells first; the row of each cell; and the cells of each row."""
    of_cell = codes[:, 0]
    for column in codes.T[1:]:
        of_cell = np.unique(of_cell * (column.max() + 1) + column, return_inverse=True)[1]
    n_profiles = int(of_cell.max()) + 1
    profiles = np.empty((n_profiles, codes.shape[1]), dtype=np.int64)
    profiles[of_cell] = codes
    sizes = np.bincount(of_cell)
    order = np.lexsort((*profiles.T[::-1], -sizes))
    place = np.empty(n_profiles, dtype=np.int64)
    place[order] = np.arange(n_profiles)
    return profiles[order], place[of_cell], sizes[order]


def _tree_labels(profiles: np.ndarray, sizes: np.ndarray, n_clusters: int) -> tuple[np.ndarray, int]:
    """Return the cluster of each profile and how many of them are in the tree itself."""
    n_in_tree = min(len(sizes), max(_MOST_ANCHORS, n_clusters))
    anchors = profiles[:n_in_tree]
    distances = np.zeros((n_in_tree, n_in_tree))
    for column in anchors.T:
        distances += column[:, None] != column
    labels = average_linkage(distances / profiles.shape[1], sizes[:n_in_tree], min(n_clusters, n_in_tree))
    if n_in_tree == len(sizes):
        return labels, n_in_tree
    counts = _counts(anchors, sizes[:n_in_tree], labels, profiles.max(axis=0) + 1)
    rest = _nearest(profiles[n_in_tree:], counts, np.bincount(labels, weights=sizes[:n_in_tree]))
    return np.concatenate([labels, rest]), n_in_tree


def _improved(
    labels: np.ndarray,
    mean_ari: float,
    profiles: np.ndarray,
    sizes: np.ndarray,
    of_cell: np.ndarray,
    codes: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Return clusters of profiles, and their mean ARI, after steps to the nearest cluster that raise it."""
    n_clusters = labels.max() + 1
    for _ in range(_MOST_STEPS):
        counts = _counts(profiles, sizes, labels, profiles.max(axis=0) + 1)
        moved = _nearest(profiles, counts, np.bincount(labels, weights=sizes))
        if len(np.unique(moved)) < n_clusters:
            break
        its_ari = _mean_ari(moved[of_cell], codes)
        if its_ari <= mean_ari:
            break
        labels, mean_ari = moved, its_ari
    return labels, mean_ari


def _nearest(profiles: np.ndarray, counts: list[np.ndarray], n_of_cluster: np.ndarray) -> np.ndarray:
    """Return the cluster of the highest mean co-association of each profile; see :func:`_counts` for ``counts``."""
    step = max(1, _AT_ONCE // len(n_of_cluster))
    found = [
        np.argmax(sum(of[:, column].T for of, column in zip(counts, piece.T, strict=True)) / n_of_cluster, axis=1)
        for piece in (profiles[at : at + step] for at in range(0, len(profiles), step))
    ]
    return np.concatenate(found)


def _counts(profiles: np.ndarray, sizes: np.ndarray, labels: np.ndarray, n_codes: np.ndarray) -> list[np.ndarray]:
    """Return for each partition (n_clusters, n_codes) the cells of each cluster that have each label there."""
    counts = [np.zeros((int(labels.max()) + 1, n)) for n in n_codes]
    for of, column in zip(counts, profiles.T, strict=True):
        np.add.at(of, (labels, column), sizes)
    return counts


def _agreement(profiles: np.ndarray, sizes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the agreement of the cells of each profile, see :class:`Consensus`."""
    counts = _counts(profiles, sizes, labels, profiles.max(axis=0) + 1)
    columns = list(zip(counts, profiles.T, strict=True))
    together = sum(of[labels, column] for of, column in columns) / len(columns)
    n_others = np.bincount(labels, weights=sizes)[labels] - 1
    alone = sum((of.sum(axis=0) == 1)[column] for of, column in columns) / len(columns)
    found: np.ndarray = np.where(n_others > 0, (together - 1) / np.maximum(n_others, 1), alone)
    return found


def _mean_ari(labels: np.ndarray, codes: np.ndarray) -> float:
    return float(np.mean([_ari(labels, column) for column in codes.T]))


def _ari(a: np.ndarray, b: np.ndarray) -> float:
    """Return the ARI; 0 when both are one cluster."""
    return 0.0 if a.max() == b.max() == 0 else ari(Agreement(a, b))
