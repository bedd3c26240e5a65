"""The result of a comparison: tables, labels, figures, and one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CONSENSUS", "Comparison", "MarkerTable"]

CONSENSUS = "consensus"


@dataclass(frozen=True)
class MarkerTable:
    """Markers of the consensus clusters: ``table`` has a line per gene, ``said`` why there are none."""

    table: pd.DataFrame
    said: str = ""


@dataclass(frozen=True)
class Comparison:
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

    def plot_agreement(self) -> Figure:
        """Return a map of the ARI between methods."""
        from scbench.own_cells.comparison.figures import agreement_figure

        return agreement_figure(self)

    def plot_umap(self) -> Figure:
        """Return a UMAP with each method's labels beside the others and the cells on which they disagree."""
        from scbench.own_cells.comparison.figures import umap_figure

        return umap_figure(self)

    def plot_stability(self) -> Figure:
        """Return for each method how far its seeds agree."""
        from scbench.own_cells.comparison.figures import stability_figure

        return stability_figure(self)

    def write(self, out: Path | str) -> list[Path]:
        """Write ``compare.html``, the tables as CSV and the figures to a folder; return the paths.

        Raises:
            StoreError: the folder cannot be written.
        """
        from scbench.own_cells.comparison.write import write_comparison

        return write_comparison(self, Path(out))

    def __repr__(self) -> str:
        """Return the table with a line on where to look next."""
        shown = self.table.round(3).to_string()
        return (
            f"{self.name}: {len(self.labels)} cells, {len(self.table)} methods\n{shown}\n"
            ".labels, .agreement, .cells, .clusters; .plot_umap(), .plot_agreement(), .plot_stability(); .write(folder)"
        )
