"""The rows of a second file: what separates its fields, whether it has a header, and what is no such file at all."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scbench.data.readers.damage import readable
from scbench.data.readers.delimited import BLANK, SEPARATORS, split_line, without_comments
from scbench.data.readers.descriptions import is_description
from scbench.data.readers.labels import shown, usual_column
from scbench.data.readers.packed import open_text
from scbench.errors import DataError

__all__ = ["has_header", "read_rows", "refuse_other_files", "refuse_unsaid_header"]

_FEW_LABELS = 8
_LONGEST_FIELD = 3  # lines that a field in quotes may span


def read_rows(path: Path, cells: frozenset[str]) -> list[list[str]]:
    """Return the fields of all lines but comments at the front and empty ones at the end.

    Args:
        path: of a csv or tsv.
        cells: names that tell whether blanks separate fields.

    Raises:
        DataError: if the file cannot be read as text, or a quote is never closed.
    """
    with open_text(path) as stream, readable(path, "a table of labels"):
        lines = without_comments(_without_end([line.rstrip("\r\n") for line in stream]))
        return _split(lines, cells, path.name)


def has_header(rows: list[list[str]], cells: frozenset[str], n_cells: int | None, label: str | None) -> bool:
    """Tell whether the first row names the columns."""
    width = len(rows[-1])
    if len(rows[0]) == width - 1:
        return True
    if width > 1:  # a single column holds labels, not names of cells
        n_names = [sum(len(row) > i and row[i] in cells for row in rows[1:]) for i in range(width)]
        if max(n_names):
            naming = n_names.index(max(n_names))
            return len(rows[0]) <= naming or rows[0][naming] not in cells
        if set(rows[0]) & cells:
            return False
    names = [name.strip() for name in rows[0]]
    if width == 1 and is_description(names[0]):
        return True
    return len(rows) != n_cells or usual_column(names) is not None or (label in names and not str(label).isdecimal())


def refuse_unsaid_header(labels: Sequence[str], file: str) -> None:
    """Refuse a column of labels whose first is there once and all others more often: a header, and a label missing."""
    _, *others = labels
    counts = Counter(others)
    if labels[0] and len(others) > _FEW_LABELS and labels[0] not in counts and min(counts.values()) > 1:
        raise DataError(
            f"{file} has as many lines as there are cells, and the first ({labels[0]!r}) is the only one of its kind: "
            "a header with a label missing, it seems; when it is a label, put a header (label) above it"
        )


def refuse_other_files(path: Path) -> None:
    """Refuse what is no text: another format of data, or a folder."""
    if path.is_dir():
        raise DataError(f"{path} is a folder; labels are read from a csv or tsv with one row per cell")
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(8)
        if start == b"\x89HDF\r\n\x1a\n":
            raise DataError(
                f"{path.name} is an HDF5 file; labels are read from a csv or tsv with one row per cell (of an AnnData: "
                "adata.obs.to_csv('labels.csv'))"
            )


def _without_end(lines: list[str]) -> list[str]:
    """Return lines without the empty ones at the end, nor rows of nothing but separators (Excel keeps such)."""
    end = len(lines)
    while end and not lines[end - 1].strip(f' {SEPARATORS}"'):
        end -= 1
    return lines[:end]


def _split(lines: Sequence[str], cells: frozenset[str], file: str) -> list[list[str]]:
    """Return the fields of all lines; a column without a name or a value is only a separator at the end.

    In a file of one column an empty line is a cell without a label, so it counts.

    Raises:
        DataError: when a quote is never closed.
    """
    separator = next((max(SEPARATORS, key=line.count) for line in lines[:2] if set(SEPARATORS) & set(line)), None)
    if separator is None:
        return _by_blanks(lines, cells)
    has_blanks = any(f'{separator} "' in line for line in lines)
    rows = [
        row
        for row in csv.reader((f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=has_blanks)
        if any(row)
    ]
    torn = next((field for row in rows for field in row if field.count("\n") > _LONGEST_FIELD), None)
    if torn is not None:
        raise DataError(
            f"{file}: a quote is opened before {shown(' '.join(torn.split()))!r} and never closed; close it"
        )
    width = max(map(len, rows[1:] or rows), default=0)
    is_named = len(rows[0]) == width and bool(rows[0][-1]) if rows else True
    if width > 1 and not is_named and all(len(row) < width or not row[-1] for row in rows[1:]):
        rows = [row[: width - 1] for row in rows]
    return rows


def _by_blanks(lines: Sequence[str], cells: frozenset[str]) -> list[list[str]]:
    """Return the fields of lines without tabs, commas and semicolons."""
    by_blanks = [split_line(line, BLANK) for line in lines if line.strip()]
    width = len(by_blanks[-1]) if by_blanks else 0
    is_table = width > 1 and all(len(row) == width for row in by_blanks[1:])
    if is_table and any(set(row) & cells for row in by_blanks):
        return by_blanks
    if is_table and len(by_blanks[0]) in (width, width - 1) and _one_label_each(lines):
        return by_blanks
    return [[line.strip().strip('"')] for line in lines]


def _one_label_each(lines: Sequence[str]) -> bool:
    """Return whether every line is different, which a column of labels never is."""
    return len(lines) > 2 and len(set(lines)) == len(lines)
