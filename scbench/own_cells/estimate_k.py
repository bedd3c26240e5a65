"""How many clusters one's own cells have, with evidence: ``scbench.estimate_k(adata)``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np

from scbench.graph.estimate_k import DEFAULT_ESTIMATE, ESTIMATES, communities_at_resolution_1
from scbench.graph.stable_k.result import KEstimate
from scbench.graph.stable_k.tree import stable_k
from scbench.names import check_choice
from scbench.own_cells.checked_counts import checked_counts

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from scipy.sparse import sparray, spmatrix

__all__ = ["estimate_k"]


def estimate_k(
    data: AnnData | pd.DataFrame | np.ndarray | spmatrix | sparray,
    *,
    layer: str | None = None,
    values: Literal["counts", "log_normalised", "linear"] = "counts",
    estimate: Literal["resolution_1", "stability"] = DEFAULT_ESTIMATE,
    seed: int = 0,
    curve: bool = True,
) -> KEstimate:
    """Return an estimate of the number of clusters, made without labels, and what speaks for it.

    ``stability``: all cells are split, and their parts again, while a parent falls apart at a clearly lower resolution
    than clouds without structure of its size, covariance and tails, and its parts are found again in subsamples.
    ``resolution_1``: the number of Leiden communities at resolution 1, which the standard workflow of the field gives;
    on large and continuous data it often is too many.

    With seed 0 it is the number that ``scbench.cluster`` takes with ``n_clusters="estimate"``, and the command with
    ``n_clusters=estimate``.

    Args:
        data: AnnData, DataFrame or (n_cells, n_genes) matrix, as for ``scbench.cluster``. Nothing in it changes.
        layer: layer of the AnnData that holds the counts; None as for ``scbench.cluster``.
        values: what the matrix holds; ``linear`` (RPKM, TPM and the like) is taken as ln(1 + x).
        estimate: the rule.
        seed: of what ``stability`` draws, >= 0.
        curve: also make the curve of Leiden over resolutions, which takes most of the time and does not change K.

    Returns:
        The number, at least 1, a whole number like any other; with ``stability`` of each cluster, ``labels``,
        ``table`` (each parent: split, or why not), ``curve`` and ``plot()``.

    Raises:
        ConfigError: unknown layer, ``values`` or ``estimate``.
        DataError: no table of numbers, or not what ``values`` says (negative, NaN, not whole numbers, all zero); or
            fewer than 10 cells (``stability``).
        ValueError: a negative seed.

    Warns:
        UserWarning: as ``scbench.cluster``.
    """
    check_choice("estimate", estimate, ESTIMATES)
    counts, lines, _ = checked_counts(data, layer, values)
    for line in lines:
        warnings.warn(line, stacklevel=2)
    if estimate == "stability":
        return stable_k(counts, seed, with_curve=curve)
    found = communities_at_resolution_1(counts)
    place = np.argsort(np.argsort(-np.bincount(found), kind="stable"))
    k = len(place)
    return KEstimate(k, estimate, seed, np.arange(len(found)), place[found], np.full(k, np.nan))
