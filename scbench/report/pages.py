"""The pages of a report in Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scbench.escape import markdown_text
from scbench.report.checks import CLAIM_KINDS, Check
from scbench.report.content import Content
from scbench.report.gaps import GAPS, Gap, gaps_of
from scbench.report.grid import Grid, difference_grid, measured_grid, published_grid
from scbench.report.latex import grid_latex
from scbench.report.markdown import grid_markdown, table_markdown
from scbench.tables.measures import Measure

__all__ = [
    "all_gaps",
    "check_table",
    "checks_markdown",
    "gap_table",
    "gaps_markdown",
    "grids_of",
    "tables_latex",
    "tables_markdown",
]

HERE = "Measured here, one protocol (honest: last epoch or a stop without labels)"
_HEAD = (
    "Mean ± sd (sample) over seeds; best in bold, second in italics. After each value: runs that are ok of all, and "
    "the number of clusters given/found. Every value leads to its runs. Failed runs count in n and in nothing else."
)


def grids_of(content: Content, measure: Measure) -> list[Grid]:
    """Return the blocks of one measure: measured here, as published, the difference, and what is no comparison."""
    compared = content.compared
    grids = [
        measured_grid(compared, content.datasets, measure, HERE),
        published_grid(content.published, content.names, [*content.datasets, *content.absent], measure),
        difference_grid(compared, content.published, content.names, content.datasets, measure),
    ]
    others = [entry for entry in content.entries if entry not in compared]
    if others:
        title = "Measured here under the papers' protocol, or with parameters chosen by labels: no comparison"
        grids.append(_unmarked(measured_grid(others, content.datasets, measure, title)))
    return [grid for grid in grids if grid is not None]


def tables_markdown(content: Content, title: str) -> str:
    """Return the page of tables."""
    parts = [f"# {markdown_text(title)}", _HEAD, *(f"Note: {markdown_text(note)}." for note in content.notes)]
    for measure in content.measures:
        parts += [f"## {measure.title}", *(grid_markdown(grid) for grid in grids_of(content, measure))]
    return "\n\n".join(parts) + "\n"


def tables_latex(content: Content, measure: Measure) -> str:
    """Return the blocks of one measure as LaTeX tables."""
    caption = "{} {} Mean $\\pm$ sd over seeds."
    head = "% needs \\usepackage{booktabs}; made by python -m scbench.report, never edited by hand\n"
    tables = []
    for number, grid in enumerate(grids_of(content, measure), start=1):
        text = caption.format(f"{measure.title}.", f"{grid.title}.").replace("$\\pm$", "±")
        tables.append(grid_latex(grid, text, f"tab:{measure.name}-{number}"))
    return head + "\n" + "\n".join(tables)


def all_gaps(content: Content) -> list[Gap]:
    """Return the gaps of every score that best epochs are known for."""
    scores = [measure for measure in content.measures if measure.is_score]
    return [
        gap
        for measure in scores
        for gap in gaps_of(content.entries, content.published, content.names, content.datasets, measure)
    ]


def gaps_markdown(gaps: Sequence[Gap]) -> str:
    """Return the page of gaps, in points."""
    parts = ["# Gaps between ways of reporting the same runs"]
    if not gaps:
        return parts[0] + "\n\nNo run under `protocol=published` in this report.\n"
    parts.append("In points (percent). None of these values enters a comparison, a rank or a test.")
    parts.append("\n".join(f"- {name} gap: {meaning}." for name, meaning in GAPS.items()))
    return "\n\n".join([*parts, table_markdown(gap_table(gaps))]) + "\n"


def gap_table(gaps: Sequence[Gap]) -> list[list[str]]:
    """Return gaps in points as lines of text, the first one the heading."""
    lines = [
        ["method", "dataset", "metric", "last epoch", "best epoch", *(f"{name} gap" for name in GAPS), "published in"]
    ]
    for gap in gaps:
        numbers = [_points(gap.last), _points(gap.best)]
        numbers += [_points(value, sign=True) for value in (gap.epoch, gap.seed, gap.preset, gap.port)]
        lines.append([gap.entry, gap.dataset, gap.metric.upper(), *numbers, gap.source])
    return lines


def checks_markdown(checks: Sequence[Check]) -> str:
    """Return the page that recomputes what papers print; what differs comes first."""
    parts = ["# What papers print, recomputed from their own rows"]
    parts.append(
        "Claims are in `results/published/claims.csv`, rows in the tables beside it; everything else is computed."
    )
    parts.append("\n".join(f"- {kind}: {meaning}." for kind, meaning in CLAIM_KINDS.items()))
    parts.append("- repeated: two cells of one table that agree in mean and sd to the last digit.")
    count = sum(check.verdict == "differs" for check in checks)
    parts.append(f"{count} of {len(checks)} statements differ.")
    return "\n\n".join([*parts, table_markdown(check_table(checks))]) + "\n"


def check_table(checks: Sequence[Check]) -> list[list[str]]:
    """Return checks as lines of text, the first one the heading; what differs comes first."""
    order = {"differs": 0, "not in the table": 1, "agrees": 2}
    lines = [["verdict", "paper", "table", "statement", "metric", "printed", "recomputed", "how"]]
    for check in sorted(checks, key=lambda one: order[one.verdict]):
        about = " ".join(
            part for part in (check.kind, check.method, f"over {check.against}" if check.against else "") if part
        )
        recomputed = "" if np.isnan(check.recomputed) else f"{check.recomputed:.4f}".rstrip("0").rstrip(".")
        where = "" if check.dataset == "all" else f", {check.dataset}"
        lines.append(
            [
                check.verdict,
                check.paper,
                check.table,
                about + where,
                check.metric.upper(),
                check.printed,
                recomputed,
                check.note,
            ]
        )
    return lines


def _unmarked(grid: Grid) -> Grid:
    """Return a grid without best and second: its rows are not comparable."""
    rows = tuple((name, tuple(replace(cell, mark="") for cell in cells)) for name, cells in grid.rows)
    return replace(grid, rows=rows)


def _points(value: float, *, sign: bool = False) -> str:
    """Return a fraction in points."""
    return "" if np.isnan(value) else f"{round(100 * value, 1) + 0.0:{'+' if sign else ''}.1f}"
