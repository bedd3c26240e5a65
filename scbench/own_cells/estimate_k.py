"""How many clusters one's own cells have: ``scbench.estimate_k(adata)``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

from scbench.graph.estimate_k import estimate_n_clusters
from scbench.own_cells.checked_counts import checked_counts

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from anndata import AnnData
    from scipy.sparse import sparray, spmatrix

__all__ = ["estimate_k"]


def estimate_k(
    data: AnnData | pd.DataFrame | np.ndarray | spmatrix | sparray,
    *,
    layer: str | None = None,
    values: Literal["counts", "log_normalised", "linear"] = "counts",
) -> int:
    """Return an estimate of the number of clusters, made without labels.

    It is the number of Leiden communities at resolution 1 on the graph of 20 neighbours and 20 components: what the
    standard workflow of the field gives. On large and continuous data it often is too many. It is the number that
    ``scbench.cluster`` takes with ``n_clusters="estimate"``, and the command with ``n_clusters=estimate``.

    Args:
        data: AnnData, DataFrame or (n_cells, n_genes) matrix, as for ``scbench.cluster``. Nothing in it changes.
        layer: layer of the AnnData that holds the counts; None as for ``scbench.cluster``.
        values: what the matrix holds; ``linear`` (RPKM, TPM and the like) is taken as ln(1 + x).

    Returns:
        The number, at least 1.

    Raises:
        ConfigError: unknown layer or ``values``.
        DataError: no table of numbers, or not what ``values`` says (negative, NaN, not whole numbers, all zero).

    Warns:
        UserWarning: as ``scbench.cluster``.
    """
    counts, lines, _ = checked_counts(data, layer, values)
    for line in lines:
        warnings.warn(line, stacklevel=2)
    return estimate_n_clusters(counts)
