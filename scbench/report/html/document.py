"""What ``report.html`` shows, as one JSON document that its script reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scbench.report.content import Content
from scbench.report.figures.palette import NOBODY, palette
from scbench.report.figures.true_types import Truth
from scbench.report.gaps import GAPS
from scbench.report.grid import Grid
from scbench.report.html.histories import history_list
from scbench.report.html.points import Layouts, point_list
from scbench.report.html.protocol import protocol_sentences
from scbench.report.html.run_list import cell_places, run_list
from scbench.report.pages import all_gaps, check_table, gap_table, grids_of
from scbench.report.statistics_page import Comparisons, omnibus_sentence, pair_table, rank_table
from scbench.stats.bayes import ROPE
from scbench.stats.comparison import ALPHA, ANALYSES, Comparison
from scbench.tables.measures import MEASURES, Measure

__all__ = ["document"]

_COLOURS = 60  # clusters beyond them are grey
_MARKS = {"": 0, "best": 1, "second": 2}


def document(
    content: Content,
    comparisons: Comparisons,
    said: Sequence[str],
    title: str,
    truths: Mapping[str, Truth],
    layouts: Layouts,
    layout: str,
) -> dict[str, Any]:
    """Return the document; it holds plain JSON values only.

    Args:
        content, comparisons: what the other files of the report show.
        said: what could not be compared.
        title: heading of the page.
        truths, layouts, layout: see :func:`scbench.report.html.points.point_list`.
    """
    first = [measure.name for measure in content.measures]
    measures = [*content.measures, *(one for name, one in MEASURES.items() if name not in first)]
    places = cell_places(content)
    return {
        "title": title,
        "notes": list(content.notes),
        "said": list(said),
        "protocol": protocol_sentences(content),
        "datasets": [_dataset(content, name) for name in content.datasets],
        "entries": [
            {"name": entry.name, "method": entry.method, "control": entry.is_control} for entry in content.entries
        ],
        "measures": [_measure(content, measure, places) for measure in measures],
        "order": list(MEASURES),  # of the values of a run
        "runs": run_list(content),
        "histories": history_list(content),
        "points": point_list(content, truths, layouts, layout),
        "statistics": _statistics(comparisons),
        "gaps": _table(
            "Gaps, in points", gap_table(all_gaps(content)), "; ".join(f"{k}: {v}" for k, v in GAPS.items())
        ),
        "checks": _table("What papers print, recomputed from their own rows", check_table(content.checks)),
        "colours": [*palette(_COLOURS), NOBODY],
    }


def _dataset(content: Content, name: str) -> dict[str, Any]:
    """Return the name and the size of a dataset."""
    record: Mapping[str, Any] | None = next((one for one in content.records if one["dataset"] == name), None)
    if record is None:
        return {"name": name, "about": "no run in this store"}
    types = f", {record['n_types']} types" if record["n_types"] else ""
    return {"name": name, "about": f"{record['n_cells']} cells, {record['n_genes']} genes{types}"}


def _measure(content: Content, measure: Measure, places: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Return the tables of one measure."""
    of_key = {
        key: places[entry.name, dataset]
        for entry in content.entries
        for dataset, cell in entry.cells.items()
        for key in cell.keys
    }
    owner = {entry.name: number for number, entry in enumerate(content.entries)}
    of_place = {place: owner[name] for (name, _), place in places.items()}
    return {
        "name": measure.name,
        "title": measure.title,
        "higher": measure.higher_is_better,
        "scale": measure.scale,
        "decimals": measure.decimals,
        "grids": [_grid(grid, of_key, of_place, owner) for grid in grids_of(content, measure)],
    }


def _grid(
    grid: Grid, of_key: Mapping[str, int], of_place: Mapping[int, int], owner: Mapping[str, int]
) -> dict[str, Any]:
    """Return a table: per row its name, whose it is (-1 for a paper's), and text, cell of runs (-1) and mark."""
    rows: list[list[Any]] = []  # Any: a row is its name, its owner and its cells
    for name, cells in grid.rows:
        places = [of_key[cell.keys[0]] if cell.keys else -1 for cell in cells]
        shown = [
            [cell.text, place, _MARKS[cell.mark] + 4 * cell.is_mixed] for cell, place in zip(cells, places, strict=True)
        ]
        owners = [of_place[place] for place in places if place >= 0]
        rows.append([name, owners[0] if owners else owner.get(name, -1), shown])
    return {"title": grid.title, "note": grid.note, "columns": list(grid.columns), "rows": rows}


def _statistics(comparisons: Comparisons) -> dict[str, Any]:
    """Return ranks and pairs by measure, one part per way of counting what is missing."""
    return {name: [_comparison(result) for result in of_measure] for name, of_measure in comparisons.items()}


def _comparison(result: Comparison) -> dict[str, Any]:
    """Return the statistics of one measure under one way of counting what is missing."""
    difference = result.critical_difference
    critical = "not defined" if np.isnan(difference) else f"{difference:.2f} ranks"
    ranks = "Mean ranks: 1 is best; intervals from a bootstrap over datasets, then seeds"
    return {
        "title": result.analysis.replace("_", " "),
        "about": [f"{ANALYSES[result.analysis].capitalize()}.", *(f"{note}." for note in result.notes)],
        "omnibus": f"{omnibus_sentence(result)} Nemenyi's critical difference at {ALPHA:g}: {critical}.",
        "ranks": _table(ranks, rank_table(result)),
        "pairs": _table(f"Pairs of methods (ROPE {ROPE:g})", pair_table(result)),
    }


def _table(caption: str, lines: Sequence[Sequence[str]], note: str = "") -> dict[str, Any]:
    """Return lines of text, the first one the heading, as a table of the page."""
    head, *rows = lines
    return {"caption": caption, "columns": list(head), "rows": [list(row) for row in rows], "note": note}
