"""A small dense part of the expression, which is all that figures need: a few markers of each group in a few cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from scbench.report.markers.ranking import Markers

__all__ = ["Panel", "panel_of", "sample_per_group"]

_GENES = 56  # of all groups together
_PER_GROUP = 5  # markers of a group at most
_CELLS = 2400  # of all groups together
_LEAST = 40  # cells of a group


@dataclass(frozen=True)
class Panel:
    """The best markers of each tested group that are raised in it and are of no earlier group.

    Attributes:
        genes: (n_shown,) int64 columns of the expression, group by group.
        groups: (n_shown,) int64 position in ``Markers.groups`` of the group whose marker a gene is.
        mean, share: (n_tested, n_shown) mean value and share of expressing cells in each tested group.
        values: (n_sampled, n_shown) float32 of a sample of the cells, ordered by group.
        cells: (n_sampled,) int64 position in ``Markers.groups`` of each sampled cell.
    """

    genes: np.ndarray
    groups: np.ndarray
    mean: np.ndarray
    share: np.ndarray
    values: np.ndarray
    cells: np.ndarray


def panel_of(values: csr_matrix, codes: np.ndarray, markers: Markers) -> Panel:
    """Return what figures show of these markers; the same every time.

    Args:
        values, codes: see :func:`scbench.report.markers.ranking.rank_markers`.
        markers: of these groups.
    """
    n_tested = len(markers.groups)
    per_group = int(np.clip(_GENES // n_tested, 1, _PER_GROUP))
    taken: dict[int, int] = {}
    for group in range(n_tested):
        raised = markers.genes[group][markers.score[group] > 0].tolist()
        new = [gene for gene in raised if gene not in taken][:per_group]
        taken |= dict.fromkeys(new, group)
    genes = np.array(list(taken), dtype=np.int64)
    chosen = values[:, genes]
    of_group = np.full(int(codes.max()) + 1, -1)
    of_group[markers.groups] = np.arange(n_tested)
    position = of_group[codes]
    is_tested = position >= 0
    member = csr_matrix(
        (np.ones(int(is_tested.sum())), (position[is_tested], np.flatnonzero(is_tested))), shape=(n_tested, len(codes))
    )
    size = np.bincount(position[is_tested], minlength=n_tested)[:, None]
    found = chosen.copy()
    found.data = np.ones_like(found.data)
    shown = np.flatnonzero(is_tested)[sample_per_group(position[is_tested], max(_CELLS // n_tested, _LEAST))]
    shown = shown[np.argsort(position[shown], kind="stable")]
    return Panel(
        genes=genes,
        groups=np.array(list(taken.values()), dtype=np.int64),
        mean=(member @ chosen).toarray() / size,
        share=(member @ found).toarray() / size,
        values=chosen[shown].toarray(),
        cells=position[shown],
    )


def sample_per_group(codes: np.ndarray, at_most: int) -> np.ndarray:
    """Return sorted positions of at most so many cells of each group: a random choice that is always the same.

    Args:
        codes: (n_cells,) int64 groups.
        at_most: of each group.
    """
    order = np.random.default_rng(0).permutation(len(codes))
    by_group = np.argsort(codes[order], kind="stable")
    sizes = np.bincount(codes)
    seen = np.empty(len(codes), dtype=np.int64)  # how many of its group come before a cell
    seen[by_group] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[seen < at_most])
