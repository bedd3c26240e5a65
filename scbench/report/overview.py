"""The table that one looks at first: datasets by methods, one measure, no links."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scbench.report.content import Content
from scbench.report.entries import Entry
from scbench.report.grid import NOT_RUN, marks
from scbench.report.markdown import table_markdown
from scbench.report.measures import Measure

__all__ = ["OVERVIEW_FILE", "overview_markdown", "overview_table"]

OVERVIEW_FILE = "overview.md"


def overview_markdown(content: Content, title: str) -> str:
    """Return a compact table for each measure.

    Args:
        content: what to show; only entries that may stand in a comparison, and only those that were run.
        title: heading.
    """
    entries = [entry for entry in content.compared if entry.cells]
    most = max((len(cell.ok) for entry in entries for cell in entry.cells.values()), default=0)
    said = f"Mean ± sd over {most} seeds, in brackets how many where there are others; best in bold, second in italics."
    parts = [f"# {title}", said, *(f"Note: {note}." for note in content.notes)]
    for measure in content.measures:
        parts += [f"## {measure.title}", overview_table(entries, content.datasets, measure)]
    return "\n\n".join(parts) + "\n"


def overview_table(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure) -> str:
    """Return a Markdown table with a row for each dataset and a column for each entry.

    Args:
        entries: the columns.
        datasets: the rows.
        measure: what to show.
    """
    most = max((len(cell.ok) for entry in entries for cell in entry.cells.values()), default=0)
    lines = [["dataset", *(entry.name for entry in entries)]]
    for dataset in datasets:
        cells = [entry.cells.get(dataset) for entry in entries]
        found = [cell.mean_sd(measure) if cell else (np.nan, np.nan) for cell in cells]
        rounded = [np.nan if np.isnan(mean) else float(measure.shown(mean)) for mean, _ in found]
        is_comparison = np.count_nonzero(~np.isnan(rounded)) > 1
        marked = marks(rounded, higher_is_better=measure.higher_is_better) if is_comparison else [""] * len(rounded)
        line = [dataset]
        for cell, (mean, sd), mark in zip(cells, found, marked, strict=True):
            if cell is None:
                line.append(NOT_RUN)
            elif np.isnan(mean):
                line.append("-" if cell.ok else "failed")
            else:
                text = measure.shown(mean) + ("" if np.isnan(sd) else f" ± {measure.shown(sd)}")
                text = {"best": f"**{text}**", "second": f"*{text}*"}.get(mark, text)
                line.append(text if len(cell.ok) == most else f"{text} ({len(cell.ok)})")
        lines.append(line)
    return table_markdown(lines)
