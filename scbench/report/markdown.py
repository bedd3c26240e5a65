"""Grids as Markdown: best in bold, second in italics, a link from each cell to its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scbench.escape import markdown_code, markdown_text
from scbench.report.entries import Entry
from scbench.report.grid import Grid, GridCell

__all__ = [
    "CELLS_FILE",
    "MIXED",
    "anchor",
    "emphasised",
    "grid_markdown",
    "marked_table",
    "runs_markdown",
    "table_markdown",
]

CELLS_FILE = "cells.md"
MIXED = "†"
_COLUMNS = 6  # datasets side by side


def grid_markdown(grid: Grid, level: int = 3) -> str:
    """Return a grid under its heading, in pieces of a few datasets each.

    Args:
        grid: the table.
        level: of the heading.
    """
    parts = [f"{'#' * level} {grid.title}"]
    for start in range(0, len(grid.columns), _COLUMNS):
        piece = slice(start, start + _COLUMNS)
        lines = [["method", *map(markdown_text, grid.columns[piece])]]
        lines += [
            [
                markdown_text(name),
                *(_cell(name, dataset, cell) for dataset, cell in zip(grid.columns[piece], cells[piece], strict=True)),
            ]
            for name, cells in grid.rows
        ]
        parts.append(marked_table(lines))
    if grid.note:
        parts.append(grid.note)
    return "\n\n".join(parts)


def table_markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of a heading and rows of plain text."""
    return marked_table([[markdown_text(text) for text in line] for line in lines])


def marked_table(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of a heading and rows of cells that are Markdown already."""
    head, *rows = (list(line) for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])


def runs_markdown(entries: Sequence[Entry], folders: Mapping[str, str]) -> str:
    """Return the runs behind every cell: seed, status, key and folder in the store.

    Args:
        entries: all rows of the report.
        folders: by key, the run's folder relative to the store.
    """
    parts = ["# Runs behind each cell", "Folders are those of the store; each holds `record.json`."]
    for entry in entries:
        for dataset, cell in entry.cells.items():
            lines = [["seed", "status", "code", "key", "folder"]]
            for record, code in zip(cell.records, cell.codes_of_runs, strict=True):
                key = str(record["key"])
                told = map(markdown_text, (record["seed"], record["status"], code))
                lines.append([*told, markdown_code(key), markdown_code(folders[key])])
            parts += [
                f'<a id="{anchor(entry.name, dataset)}"></a>',
                f"## {markdown_text(f'{entry.name} on {dataset}')}",
                marked_table(lines),
            ]
    return "\n\n".join(parts) + "\n"


def anchor(name: str, dataset: str) -> str:
    """Return the id of a cell's runs."""
    return "".join(letter if letter.isalnum() else "-" for letter in f"{name}-on-{dataset}".lower())


def emphasised(cell: GridCell) -> str:
    """Return the text of a cell, best in bold and second in italics."""
    return {"best": f"**{cell.text}**", "second": f"*{cell.text}*"}.get(cell.mark, cell.text)


def _cell(name: str, dataset: str, cell: GridCell) -> str:
    """Return one cell: ``[**70.6 ± 2.4**](cells.md#...) 10/10, K 13/13``."""
    text = emphasised(cell)
    if cell.detail:
        text = f"[{text}]({CELLS_FILE}#{anchor(name, dataset)})"
    return " ".join(part for part in (text + (MIXED if cell.is_mixed else ""), cell.detail) if part)
