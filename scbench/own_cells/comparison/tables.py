"""What a comparison found: the tables that its figures and its page are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["CONSENSUS", "ComparisonTables", "MarkerTable"]

CONSENSUS = "consensus"


@dataclass(frozen=True)
class MarkerTable:
    """Markers of the consensus clusters: ``table`` has a line per gene, ``said`` why there are none."""

    table: pd.DataFrame
    said: str = ""


@dataclass(frozen=True)
class ComparisonTables:
    """What several methods found on the same cells.

    Attributes:
        name: of the cells, for headings.
        table: one row per method, see :func:`scbench.own_cells.comparison.evidence.table_of`.
        labels: (n_cells, n_methods + 1), by cell name: each method's consensus over its seeds, and ``consensus``, that
            of all methods, every method counting once. A method's clusters have the numbers of those of ``consensus``
            that they share most cells with.
        agreement: ARI of the methods' labels, methods by methods.
        cells: by cell name, values in [0, 1]: for each method how far its seeds agree on the cell, and ``consensus``,
            how far the methods do.
        clusters: one row per cluster of ``consensus``.
        points: (n_cells, n_components) float32, the space that figures and label-free indices are in.
        seeds: by method, by seed, (n_cells,) int64 labels.
        markers: of the consensus clusters; None when they were not asked for.
        notes: what a reader must know, a line each.
    """

    name: str
    table: pd.DataFrame
    labels: pd.DataFrame
    agreement: pd.DataFrame
    cells: pd.DataFrame
    clusters: pd.DataFrame
    points: np.ndarray = field(repr=False)
    seeds: Mapping[str, Mapping[int, np.ndarray]] = field(repr=False)
    markers: MarkerTable | None = None
    notes: tuple[str, ...] = ()

    @property
    def methods(self) -> list[str]:
        """Return the names of the methods, in the order of the table."""
        return list(self.table.index)

    def disagreed(self, below: float = 0.5) -> pd.DataFrame:
        """Return the cells on which methods disagree: agreement below ``below``, the least first, with all labels."""
        odd = self.cells[CONSENSUS].sort_values(kind="stable")
        odd = odd[odd < below]
        return self.labels.loc[odd.index].assign(agreement=odd)
