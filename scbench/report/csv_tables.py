"""Tables as CSV in stored units: long (one line per method, dataset and measure) and wide (one file per measure)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from scbench.escape import csv_row
from scbench.report.entries import Entry, is_comparable
from scbench.tables.cell import mean_of
from scbench.tables.measures import Measure

__all__ = ["long_lines", "wide_lines", "write_csv"]


def long_lines(
    entries: Sequence[Entry], datasets: Sequence[str], measures: Sequence[Measure]
) -> list[dict[str, object]]:
    """Return one line per entry, dataset and measure; a dataset without a run has ``n`` 0 and no values.

    ``keys`` holds the keys of the runs, ``codes`` the versions of the code that made them, both in the order of seeds
    or sorted, so that each number leads to its records. ``n_values`` is there only when some runs that ended
    well have no value, and says over how many a mean is.
    """
    lines: list[dict[str, object]] = []
    for entry in entries:
        for dataset in datasets:
            cell = entry.cells.get(dataset)
            for measure in measures:
                found = cell.mean(measure) if cell else mean_of(())
                lines.append(
                    {
                        "dataset": dataset,
                        "entry": entry.name,
                        "method": entry.method,
                        "variant": entry.variant,
                        "protocol": entry.protocol,
                        "preset": entry.preset,
                        "tuned_with_labels": entry.is_tuned,
                        "comparable": is_comparable(entry),
                        "measure": measure.name,
                        "mean": _blank(found.mean),
                        "sd": _blank(found.sd),
                        "n_values": found.n,
                        "n_ok": found.n_ok,
                        "n": len(cell.records) if cell else 0,
                        "k": cell.k_shown if cell else "",
                        "seeds": " ".join(str(record["seed"]) for record in cell.records) if cell else "",
                        "codes": "; ".join(cell.codes) if cell else "",
                        "keys": " ".join(cell.keys) if cell else "",
                    }
                )
    if all(line["n_values"] == line["n_ok"] for line in lines):
        for line in lines:
            del line["n_values"]
    return lines


def wide_lines(entries: Sequence[Entry], datasets: Sequence[str], measure: Measure) -> list[dict[str, object]]:
    """Return one line per entry with mean, sd and n_ok/n of each dataset in columns."""
    lines = []
    for entry in entries:
        line: dict[str, object] = {"entry": entry.name}
        for dataset in datasets:
            cell = entry.cells.get(dataset)
            found = cell.mean(measure) if cell else mean_of(())
            line |= {
                dataset: _blank(found.mean),
                f"{dataset}_sd": _blank(found.sd),
                f"{dataset}_ok": f"{len(cell.ok)}/{len(cell.records)}" if cell else "",
            }
        lines.append(line)
    return lines


def write_csv(path: Path, lines: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None) -> None:
    """Write lines with these columns, or those of the first line; without either the file is empty.

    A text that a spreadsheet would run as a formula is marked, see :func:`scbench.escape.csv_cell`.

    Raises:
        ValueError: a line has other names than the columns.
    """
    names = list(columns or (lines[0] if lines else ()))
    with path.open("w", newline="", encoding="utf-8") as file:
        if names:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writerow(dict(zip(names, csv_row(names), strict=True)))
            writer.writerows(dict(zip(line, csv_row(line.values()), strict=True)) for line in lines)


def _blank(value: float) -> float | str:
    """Return NaN as nothing."""
    return "" if np.isnan(value) else value
