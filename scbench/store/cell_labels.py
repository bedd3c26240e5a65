"""``labels.csv``: the clusters of a run beside the names of its cells, for people and their own tools.

A line for each cell that was clustered, in the order of the file: ``cell,cluster`` and, where the method gives
memberships, ``share``: how much of the cell's membership its cluster has.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from scbench.escape import csv_cell, csv_row, text_of_csv
from scbench.whole_file import write_whole

__all__ = ["CELL_LABELS", "add_cell_labels", "cell_names", "what_is_wrong_with", "write_cell_labels"]

CELL_LABELS = "labels.csv"
_COLUMNS = ["cell", "cluster", "share"]
_LONGEST_LINE = 1 << 16


def write_cell_labels(work: Path, cells: np.ndarray, labels: np.ndarray, soft: np.ndarray | None) -> None:
    """Write the file into the work folder of a run, where none is.

    Args:
        work: the folder.
        cells: (n_cells,) names, in the order of the file.
        labels: (n_cells,) integers.
        soft: (n_cells, n_clusters) memberships, or None. They are left out where a label has no column.

    Raises:
        OSError: it cannot be written.
    """
    with (work / CELL_LABELS).open("x", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(_rows(cells, labels, soft))
        file.flush()
        os.fsync(file.fileno())


def add_cell_labels(folder: Path, cells: np.ndarray, labels: np.ndarray, soft: np.ndarray | None) -> None:
    """Write the file beside the record of a run that has none, such as one of an earlier version, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(_rows(cells, labels, soft))
    write_whole(folder / CELL_LABELS, text.getvalue().encode())


def cell_names(folder: Path, n_cells: int) -> np.ndarray | None:
    """Return the names of the cells of a run, (n_cells,) object array of str; None when they are not there or damaged.

    The labels are those of ``labels.npy``; they stand in the file for people.
    """
    try:
        with (folder / CELL_LABELS).open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if next(rows, [])[:2] != _COLUMNS[:2]:
                return None
            names = [text_of_csv(row[0]) for row in rows]
    except (OSError, ValueError, IndexError, csv.Error):
        return None
    return np.array(names, dtype=object) if len(names) == n_cells else None


def what_is_wrong_with(path: Path, labels: np.ndarray) -> str:
    """Return what keeps a file from elsewhere from being one of ours with these labels; empty for nothing.

    Args:
        path: of the file.
        labels: (n_cells,) of the run.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(_lines(file))
            columns = next(rows, [])
            if columns not in (_COLUMNS[:2], _COLUMNS):
                return f"has the columns {columns[:4]}; expected {_COLUMNS[:2]} or {_COLUMNS}"
            number = 0
            for number, row in enumerate(rows, start=1):
                if number > len(labels):
                    return f"has more than {len(labels)} rows, the run's n_cells"
                if len(row) != len(columns):
                    return f"row {number} has {len(row)} values; expected {len(columns)}"
                if csv_cell(text_of_csv(row[0])) != row[0]:
                    return f"row {number} begins with what a spreadsheet would run, or with hidden characters"
                if row[1] != str(labels[number - 1]):
                    return f"row {number} has cluster {row[1][:20]!r}; labels.npy has {labels[number - 1]}"
                if len(row) == len(_COLUMNS) and not 0 <= float(row[2]) <= 1:
                    return f"row {number} has share {row[2][:20]!r}; expected a number in [0, 1]"
    except (OSError, ValueError, csv.Error) as error:
        return f"cannot be read ({error})"
    return "" if number == len(labels) else f"has {number} rows; expected {len(labels)}, the run's n_cells"


def _rows(cells: np.ndarray, labels: np.ndarray, soft: np.ndarray | None) -> Iterator[Sequence[object]]:
    """Yield the header and a line for each cell."""
    if soft is None or labels.max() >= soft.shape[1]:
        yield _COLUMNS[:2]
        yield from (csv_row([str(cell), int(label)]) for cell, label in zip(cells, labels, strict=True))
        return
    yield _COLUMNS
    shares = np.clip(soft[np.arange(len(labels)), labels], 0, 1)  # rounding may leave the ends
    for cell, label, share in zip(cells, labels, shares, strict=True):
        yield csv_row([str(cell), int(label), f"{share:.6g}"])


def _lines(file: IO[str]) -> Iterator[str]:
    """Yield the lines of a text."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise ValueError(f"a line has more than {_LONGEST_LINE} characters")
        yield line
