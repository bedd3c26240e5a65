"""Marker genes of the clusters that methods agree on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scbench.method import Counts
from scbench.own_cells.comparison.tables import MarkerTable
from scbench.report.markers.expression import NoMarkersError, expression_of
from scbench.report.markers.ranking import SHOWN, rank_markers

__all__ = ["marker_table"]


def marker_table(counts: Counts, labels: np.ndarray) -> MarkerTable:
    """Return the best 20 markers of each cluster that has at least three cells, the best first.

    Columns: ``cluster``, ``gene``, ``score`` (z of the rank sum), ``log2_fold_change``, ``p_adjusted``
    (Benjamini-Hochberg), ``inside`` and ``outside`` (shares of cells that express the gene). The same cells chose the
    clusters and test them, so the p values are too small.

    Args:
        counts: of all cells.
        labels: (n_cells,) int64, 0 to the last without a gap.
    """
    try:
        expression = expression_of(counts)
        found = rank_markers(expression.values, labels)
    except NoMarkersError as error:
        return MarkerTable(pd.DataFrame(), f"no markers: {error}")
    n = min(SHOWN, found.genes.shape[1])
    return MarkerTable(
        pd.DataFrame(
            {
                "cluster": np.repeat(found.groups, n),
                "gene": expression.genes[found.genes[:, :n].ravel()],
                "score": found.score[:, :n].ravel(),
                "log2_fold_change": found.log2_fold_change[:, :n].ravel(),
                "p_adjusted": found.p_adjusted[:, :n].ravel(),
                "inside": found.inside[:, :n].ravel(),
                "outside": found.outside[:, :n].ravel(),
            }
        )
    )
