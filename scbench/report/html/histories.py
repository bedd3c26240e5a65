"""Learning curves for the page: sampled, quantised, and within a budget whatever the number of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scbench.report.content import Content
from scbench.report.figures.curves import read_history
from scbench.report.html.quantised import encoded, steps
from scbench.tables.cell import Cell

__all__ = ["history_list"]

_BUDGET = 500_000  # bytes of points, before base64
_POINTS = (16, 64)  # of a line: at least, at most
_COLUMNS = (4, 16)  # logged values of a cell that are drawn: where room is short, at most
_HEADING = 100  # bytes of JSON around a logged value
_WIDE = 100.0  # times the smallest value: such a curve is drawn on a logarithmic axis


def history_list(content: Content) -> dict[str, Any]:
    """Return the curves of every cell that logged any, by position of the cell (see ``cell_places``).

    Returns:
        ``n_points`` of each line and ``cells``: by position the logged values, each with its range, whether its axis is
        logarithmic, and one line per seed (base64 of n_points epochs, then n_points values); ``left_out`` says what
        there was no room for, and is empty for nothing.
    """
    all_cells = [entry.cells[dataset] for entry in content.entries for dataset in sorted(entry.cells)]
    # Of a run whose file is missing or damaged nothing is drawn, and the next one stands for the cell.
    firsts = {place: _first(content, cell) for place, cell in enumerate(all_cells)}
    logged = {place: table.shape[1] for place, table in firsts.items() if table is not None}
    fewest, n_columns = _COLUMNS
    while n_columns > fewest and sum(min(n, n_columns) for n in logged.values()) * _HEADING > _BUDGET:
        n_columns -= 1
    logged = {place: min(n, n_columns) for place, n in logged.items()}
    most = max((len(all_cells[place].ok) for place in logged), default=0)
    n_seeds = next((n for n in range(most, 1, -1) if _lines(all_cells, logged, n) * 2 * _POINTS[0] <= _BUDGET), 1)
    n_lines = max(_lines(all_cells, logged, n_seeds), 1)
    n_points = int(np.clip(_BUDGET // (2 * n_lines), *_POINTS))
    found = {}
    for place in logged:
        tables: dict[int, pd.DataFrame | None] = {}
        for number in range(min(n_seeds, len(all_cells[place].ok))):
            tables[all_cells[place].ok[number]["seed"]] = _history(content, all_cells[place], number)
        known = {seed: table for seed, table in tables.items() if table is not None}
        found[str(place)] = _cell(known, n_points, n_columns)
    left_out = f"curves of the first {n_seeds} seeds of each cell" if n_seeds < most else ""
    return {"n_points": n_points, "cells": found, "left_out": left_out}


def _lines(cells: list[Cell], logged: Mapping[int, int], n_seeds: int) -> int:
    """Return how many lines there are with this many seeds at most."""
    return sum(columns * min(n_seeds, len(cells[place].ok)) for place, columns in logged.items())


def _first(content: Content, cell: Cell) -> pd.DataFrame | None:
    """Return the first history that the cell's ok runs have."""
    tables = (_history(content, cell, number) for number in range(len(cell.ok)))
    return next((table for table in tables if table is not None), None)


def _history(content: Content, cell: Cell, number: int) -> pd.DataFrame | None:
    """Return the history of the cell's ok run of this number."""
    if number >= len(cell.ok):
        return None
    table = read_history(content.store / content.folders[str(cell.ok[number]["key"])])
    return None if table is None or not len(table.columns) else table.replace([np.inf, -np.inf], np.nan)


def _cell(tables: Mapping[int, pd.DataFrame], n_points: int, n_columns: int) -> list[dict[str, Any]]:
    """Return the logged values of one cell."""
    names = list(dict.fromkeys(name for table in tables.values() for name in table.columns))
    drawn = []
    for name in names[:n_columns]:
        series = {seed: table[name].dropna() for seed, table in tables.items() if name in table}
        series = {seed: one for seed, one in series.items() if len(one)}
        if not series:
            continue
        values = np.concatenate([one.to_numpy(dtype=float) for one in series.values()])
        epochs = np.concatenate([one.index.to_numpy(dtype=float) for one in series.values()])
        low, high = float(values.min()), float(values.max())
        is_log = low > 0 and high > _WIDE * low
        lines = {
            str(seed): _line(one, n_points, (epochs.min(), epochs.max()), (low, high), is_log=is_log)
            for seed, one in series.items()
        }
        ends = [int(epochs.min()), int(epochs.max())]
        drawn.append({"name": str(name), "epochs": ends, "low": _short(low), "high": _short(high), "log": is_log,
                      "lines": lines})  # fmt: skip
    if len(names) > n_columns:
        drawn.append({"left_out": f"{len(names) - n_columns} more logged values are in history.csv"})
    return drawn


def _line(
    series: pd.Series, n_points: int, epochs: tuple[float, float], values: tuple[float, float], *, is_log: bool
) -> str:
    """Return one line; few points are repeated at its end, so that all lines have the same length."""
    chosen = np.minimum(np.linspace(0, len(series) - 1, n_points).round().astype(int), len(series) - 1)
    x, y = series.index.to_numpy(dtype=float)[chosen], series.to_numpy(dtype=float)[chosen]
    low, high = values
    across = steps(x, *epochs)
    up = steps(np.log(y), float(np.log(low)), float(np.log(high))) if is_log else steps(y, low, high)
    return encoded(np.stack([across, up]))


def _short(value: float) -> float:
    """Return a limit with four digits, which is all that its axis shows."""
    return float(f"{value:.4g}")
