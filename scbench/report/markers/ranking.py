"""Markers of groups of cells: the genes that a Wilcoxon test finds most raised in each group (scanpy)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from scbench.report.markers.expression import NoMarkersError

__all__ = ["LEAST_CELLS", "SHOWN", "TOP", "Markers", "rank_markers", "testable"]

TOP = 50  # markers of a group that are compared
SHOWN = 20  # of these, in tables
LEAST_CELLS = 3  # in a group and outside: fewer have no rank to speak of


@dataclass(frozen=True)
class Markers:
    """The best markers of each tested group, the best first.

    Attributes:
        groups: (n_tested,) int64 codes of the tested groups, increasing.
        genes: (n_tested, n_top) int64 columns of the expression.
        score: as ``genes``, float: z of the rank sum, corrected for ties; positive where the gene is raised.
        log2_fold_change: of exp(mean of the logarithm) - 1 inside over outside, as scanpy has it; a gene that is never
            found outside has one near 30.
        p, p_adjusted: two-sided, and after Benjamini and Hochberg over all genes of the group.
        inside, outside: share of cells that express the gene, in the group and in all others.
    """

    groups: np.ndarray
    genes: np.ndarray
    score: np.ndarray
    log2_fold_change: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray
    inside: np.ndarray
    outside: np.ndarray


def testable(sizes: np.ndarray) -> np.ndarray:
    """Return which groups of these sizes have at least three cells and as many outside, (n_groups,) bool."""
    return np.asarray((sizes >= LEAST_CELLS) & (sizes.sum() - sizes >= LEAST_CELLS))


def rank_markers(values: csr_matrix, codes: np.ndarray) -> Markers:
    """Return the markers of each group against all other cells.

    Groups that are too small are not tested, but their cells stand among the others of every other group. The number
    of markers is 50, and at most half of the genes: more would say nothing about overlaps.

    Args:
        values: (n_cells, n_genes) log-normalised, see ``Expression.values``.
        codes: (n_cells,) int64 groups, 0 to the last without a gap.

    Raises:
        NoMarkersError: no group can be tested, or there are too few genes.
        ValueError: the lengths differ.

    Source: scanpy.tl.rank_genes_groups with ``method="wilcoxon"`` and ``tie_correct=True``. Equal scores are ordered by
    fold change, then by column: scanpy leaves their order to the sort.
    """
    from anndata import AnnData
    from scanpy.tools import rank_genes_groups

    if len(codes) != values.shape[0]:
        raise ValueError(f"there are {len(codes)} grouped cells but {values.shape[0]} rows; use one dataset")
    sizes = np.bincount(codes)
    tested = np.flatnonzero(testable(sizes))
    n_top = min(TOP, values.shape[1] // 2)
    if not len(tested):
        raise NoMarkersError(
            f"no group can be tested: sizes are {_listed(sizes)}, and at least {LEAST_CELLS} cells inside and outside "
            "are needed"
        )
    if not n_top:
        raise NoMarkersError(f"{values.shape[1]} expressed gene is too few to rank")
    names = [str(code) for code in range(len(sizes))]
    group = pd.Categorical(np.array(names)[codes], categories=names)
    cells = AnnData(
        values,
        obs=pd.DataFrame({"group": group}, index=[str(cell) for cell in range(len(codes))]),
        var=pd.DataFrame(index=[str(gene) for gene in range(values.shape[1])]),
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Constant genes divide by zero, which scanpy mends, and it fills its table of results column by column.
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
        rank_genes_groups(
            cells, "group", groups=[names[code] for code in tested], method="wilcoxon", tie_correct=True, pts=True,
            use_raw=False,
        )  # fmt: skip
    found = cells.uns["rank_genes_groups"]
    parts = []
    for code in tested:
        name = names[code]
        columns = found["names"][name].astype(np.int64)
        score, change = (found[key][name].astype(float) for key in ("scores", "logfoldchanges"))
        best = np.lexsort((columns, -change, -score))[:n_top]
        genes = columns[best]
        parts.append(
            (genes, score[best], change[best], found["pvals"][name][best], found["pvals_adj"][name][best],
             found["pts"][name].to_numpy()[genes], found["pts_rest"][name].to_numpy()[genes])
        )  # fmt: skip
    return Markers(tested, *(np.stack(column) for column in zip(*parts, strict=True)))


def _listed(sizes: Sequence[int] | np.ndarray) -> str:
    """Return a few sizes in words."""
    shown = ", ".join(str(size) for size in sizes[:8])
    return shown if len(sizes) <= 8 else f"{shown}, ..."
