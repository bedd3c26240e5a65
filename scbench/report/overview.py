"""The table that one looks at first: datasets by methods, one measure, no links."""

from __future__ import annotations

from collections.abc import Sequence

from scbench.escape import markdown_text
from scbench.report.content import Content
from scbench.report.entries import Entry
from scbench.report.grid import measured_grid
from scbench.report.markdown import CELLS_FILE, emphasised, marked_table
from scbench.tables.measures import Measure

__all__ = ["OVERVIEW_FILE", "overview_markdown"]

OVERVIEW_FILE = "overview.md"


def overview_markdown(content: Content, title: str) -> str:
    """Return a compact table for each measure.

    Args:
        content: what to show; only entries that may stand in a comparison, and only those that were run.
        title: heading.
    """
    entries = [entry for entry in content.compared if entry.cells]
    most = max((len(cell.ok) for entry in entries for cell in entry.cells.values()), default=0)
    said = (
        f"Mean ± sd over {most} seeds, in brackets how many where there are others; best in bold, second in italics. "
        f"The runs behind each value: [{CELLS_FILE}]({CELLS_FILE})."
    )
    parts = [f"# {markdown_text(title)}", said, *(f"Note: {markdown_text(note)}." for note in content.notes)]
    for measure in content.measures:
        parts += [f"## {measure.title}", _table(entries, content.datasets, measure, most)]
    return "\n\n".join(parts) + "\n"


def _table(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure, most: int) -> str:
    """Return the grid of what was measured, turned: datasets as rows, and how many seeds where it is not ``most``."""
    turned = [[dataset] for dataset in datasets]
    for entry, (_, cells) in zip(entries, measured_grid(entries, datasets, measure, "").rows, strict=False):
        for line, cell in zip(turned, cells, strict=True):
            known = entry.cells.get(line[0])
            n_seeds = len(known.ok) if known else 0
            line.append(emphasised(cell) + ("" if n_seeds in (0, most) else f" ({n_seeds})"))
    head = ["dataset", *(markdown_text(entry.name) for entry in entries)]
    return marked_table([head, *([markdown_text(dataset), *cells] for dataset, *cells in turned)])
