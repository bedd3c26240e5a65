"""The result of a comparison: its tables, with figures and a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scbench.own_cells.comparison.tables import ComparisonTables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Comparison"]


class Comparison(ComparisonTables):
    """What several methods found on the same cells; see :class:`ComparisonTables` for its attributes."""

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
