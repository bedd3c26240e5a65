"""Tables as grids of marked text, before they become Markdown, LaTeX or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scbench.report.entries import Entry
from scbench.report.published import Names, PublishedValue
from scbench.tables.measures import Measure

__all__ = ["NOT_RUN", "Grid", "GridCell", "difference_grid", "marks", "measured_grid", "published_grid"]

NOT_RUN = "not run"


@dataclass(frozen=True)
class GridCell:
    """One cell.

    Attributes:
        text: ``70.6 ± 2.4``, ``failed`` or ``not run``.
        detail: ``9/10, K 13/12-13``: runs that are ok of all, and clusters given and found; empty where there is none.
        mark: ``best``, ``second`` or empty; shown values that are equal share a mark.
        keys: of the runs behind it.
        is_mixed: whether they were made by more than one version of the code.
    """

    text: str
    detail: str = ""
    mark: str = ""
    keys: tuple[str, ...] = ()
    is_mixed: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: one row per name, one column per dataset.

    Attributes:
        title: heading.
        columns: datasets.
        rows: name and cells; the cells are in the order of ``columns``.
        note: one sentence below; empty for none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[GridCell, ...]], ...]
    note: str = ""


def measured_grid(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure, title: str) -> Grid:
    """Return what was measured here: mean ± sd over seeds, best and second of each dataset marked.

    Args:
        entries: the rows, in their order.
        datasets: the columns; one without a run says so.
        measure: what to show.
        title: heading.
    """
    columns = []
    for dataset in datasets:
        cells = [_measured(entry, dataset, measure) for entry in entries]
        means = [entry.cells[dataset].mean(measure).mean if dataset in entry.cells else np.nan for entry in entries]
        columns.append(_marked(cells, means, measure))
    rows = zip((entry.name for entry in entries), zip(*columns, strict=True), strict=True) if columns else ()
    return Grid(title, tuple(datasets), tuple(rows))


def published_grid(
    values: Sequence[PublishedValue], names: Names, datasets: Sequence[str], measure: Measure
) -> Grid | None:
    """Return what papers print on these datasets, one row per paper, table and method; None when they print nothing."""
    found: dict[tuple[str, str, str], dict[str, PublishedValue]] = {}
    for value in values:
        if value.metric == measure.name:
            dataset = names.dataset(value, datasets)
            if dataset is not None:
                found.setdefault((value.paper, value.table, value.method), {})[dataset] = value
    shown = [dataset for dataset in datasets if any(dataset in row for row in found.values())]
    if not found:
        return None
    rows = []
    for (paper, table, method), row in found.items():
        rows.append((f"{method} [{paper}, table {table}]", tuple(_published(row.get(name), measure) for name in shown)))
    note = (
        "Printed numbers. Which epoch, seeds and parameters stand behind them is the papers' choice; see their notes."
    )
    return Grid("As published", tuple(shown), tuple(rows), note)


def difference_grid(
    entries: Sequence[Entry], values: Sequence[PublishedValue], names: Names, datasets: Sequence[str], measure: Measure
) -> Grid | None:
    """Return measured minus published for methods that both have; None when there is no such pair."""
    rows = []
    for entry in entries:
        of_source: dict[str, dict[str, GridCell]] = {}
        for value in values:
            dataset = names.dataset(value, datasets) if value.metric == measure.name else None
            if dataset is None or dataset not in entry.cells:
                continue
            if not names.is_method(value, entry.method, entry.params, entry.non_defaults):
                continue
            mean = entry.cells[dataset].mean(measure).mean
            if not np.isnan(mean):
                text = f"{round((mean - value.value) * measure.scale, measure.decimals) + 0.0:+.{measure.decimals}f}"
                cell = GridCell(text, keys=tuple(entry.cells[dataset].keys))
                of_source.setdefault(f"{value.paper}, table {value.table}", {})[dataset] = cell
        for source, cells in of_source.items():
            rows.append((f"{entry.name} [{source}]", cells))
    shown = tuple(dataset for dataset in datasets if any(dataset in cells for _, cells in rows))
    if not rows:
        return None
    blank = GridCell("")
    whole = tuple((name, tuple(cells.get(dataset, blank) for dataset in shown)) for name, cells in rows)
    return Grid("Measured minus published", shown, whole, "In the unit of the table above.")


def marks(shown: Sequence[float], *, higher_is_better: bool) -> list[str]:
    """Return ``best`` and ``second``; NaN gets no mark, and where several are best there is no second.

    Args:
        shown: values as shown, so that what looks equal is marked alike.
        higher_is_better: whether the largest is best.
    """
    known = sorted((value for value in shown if not np.isnan(value)), reverse=higher_is_better)
    of_value = {known[1]: "second"} if len(known) > 1 else {}
    of_value |= dict.fromkeys(known[:1], "best")  # also where the second is as good
    return [of_value.get(value, "") for value in shown]


def _measured(entry: Entry, dataset: str, measure: Measure) -> GridCell:
    """Return an unmarked cell."""
    cell = entry.cells.get(dataset)
    if cell is None:
        return GridCell(NOT_RUN)
    detail = f"{len(cell.ok)}/{len(cell.records)}, K {cell.k_shown}"
    text = cell.mean(measure).text(measure, missing=cell.why_without(measure))
    return GridCell(text, detail, keys=tuple(cell.keys), is_mixed=len(cell.codes) > 1)


def _published(value: PublishedValue | None, measure: Measure) -> GridCell:
    """Return the cell of a printed number."""
    if value is None:
        return GridCell("")
    return GridCell(measure.shown(value.value) + ("" if value.sd is None else f" ± {measure.shown(value.sd)}"))


def _marked(cells: Sequence[GridCell], means: Sequence[float], measure: Measure) -> list[GridCell]:
    """Return the cells of one dataset with best and second marked, where there is more than one to compare."""
    shown = [np.nan if np.isnan(mean) else float(measure.shown(mean)) for mean in means]
    if np.count_nonzero(~np.isnan(shown)) < 2:
        return list(cells)
    found = marks(shown, higher_is_better=measure.higher_is_better)
    return [
        GridCell(cell.text, cell.detail, mark, cell.keys, cell.is_mixed)
        for cell, mark in zip(cells, found, strict=True)
    ]
