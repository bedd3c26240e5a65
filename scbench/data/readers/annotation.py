"""A second file that describes the cells, and how its rows find theirs."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scbench.data.readers.damage import readable
from scbench.data.readers.delimited import BLANK, SEPARATORS, split_line, without_comments
from scbench.data.readers.descriptions import is_description
from scbench.data.readers.labels import choose_column, shown, text_labels, text_names, usual_column
from scbench.data.readers.packed import open_text
from scbench.data.readers.pairing import Pairing, n_named, pair
from scbench.errors import DataError

__all__ = ["Annotation", "labels_of", "read_annotation", "read_labels"]

_FEW_LABELS = 8
_LONGEST_FIELD = 3  # lines that a field in quotes may span


@dataclass(frozen=True)
class Annotation:
    """Rows that describe cells.

    Attributes:
        file: name of the file, for messages.
        columns: name -> (n_rows,) object array of str.
        by_order: whether the user says that row i describes cell i.
    """

    file: str
    columns: dict[str, np.ndarray] = field(repr=False)
    by_order: bool = False

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))

    def label_column(self, label: str | None) -> str:
        """Return the label column: the wanted one, one with a usual name, or the only one beside the cell
        names.

        Raises:
            DataError: if it is missing, or several columns are possible.
        """
        if label is None and usual_column(self.columns) is None and len(self.columns) <= 2:
            return list(self.columns)[-1]
        return choose_column(self.columns, label, self.file)

    def shared(self, names: np.ndarray | None, label_column: str) -> int:
        """Return how many of ``names`` have a row here, perhaps in another spelling."""
        return n_named(names, self._beside(label_column), self.file)

    def pair(
        self,
        n_cells: int,
        cells: np.ndarray | None,
        label_column: str,
        also: Mapping[str, np.ndarray] | None = None,
    ) -> Pairing:
        """Return which row describes which cell; a row of another cell is ignored.

        Raises:
            DataError: as ``pairing.pair``.
        """
        return pair(
            cells,
            self._beside(label_column),
            self.n_rows,
            n_cells,
            file=self.file,
            by_order=self.by_order,
            also=also,
        )

    def _beside(self, label_column: str) -> Mapping[str, np.ndarray]:
        return {name: values for name, values in self.columns.items() if name != label_column}


def read_annotation(
    path: Path,
    *,
    cells: np.ndarray | None = None,
    n_cells: int | None = None,
    label: str | None = None,
    by_order: bool = False,
) -> Annotation:
    """Return a csv or tsv (plain or gzip) of cell descriptions.

    The first line is a header unless one of its fields is the name of a cell. Where no line holds one, the number of
    lines decides: exactly ``n_cells`` have no header, unless the first line holds the wanted label or a usual name of
    a label column. Columns without a header are called 1, 2, ... A header one field short is R's. Lines that begin
    with ``#`` before the header are skipped. Where no line has a tab, comma or semicolon, blanks separate only if they
    cut off names of cells: a label may be two words.

    Args:
        path: the file.
        cells: (n_cells,) names that the rows may bear, for the choice above.
        n_cells: number of cells, likewise.
        label: the wanted column, likewise.
        by_order: passed on.

    Raises:
        DataError: if the file is missing, empty or uneven.
    """
    _refuse_other_files(path)
    with open_text(path) as stream, readable(path, "a table of labels"):
        lines = without_comments(_without_end([line.rstrip("\r\n") for line in stream]))
        known = frozenset() if cells is None else frozenset(cells)
        rows = _split(lines, known, path.name)
    if not any(map(any, rows)):
        raise DataError(f"{path.name} is empty; one row per cell is expected")
    has_header = _has_header(rows, known, n_cells, label)
    body = rows[1:] if has_header else rows
    if not body:
        raise DataError(f"{path.name} has no rows below its header; one row per cell is expected")
    width = len(body[0])
    header = rows[0] if has_header else [str(i + 1) for i in range(width)]
    if len(header) == width - 1:
        header = ["", *header]
    if uneven := next((i for i, row in enumerate(body) if len(row) != len(header)), None):
        raise DataError(
            f"{path.name}: row {uneven + 1} has {len(body[uneven])} fields where {len(header)} are expected; a label "
            "that holds a separator has to stand in quotes"
        )
    if len(header) != width:
        raise DataError(f"{path.name} has {len(header)} names in its header but {width} fields in its rows")
    first = [row[0] for row in body]
    if width > 1 and len(set(first)) < len(first) and (not has_header or len(rows[0]) < width):
        names_nothing = not known & {field for row in body for field in row}
        if names_nothing and (has_header or len(body) == n_cells):
            raise DataError(
                f"{path.name}: its lines hold separators, and what is before the first ({first[0]!r}) names no cells; "
                "put labels that hold a separator in quotes, or give the columns a header"
            )
    if not has_header and width == 1:
        _refuse_unsaid_header(first, path.name)
    columns: dict[str, np.ndarray] = {}
    for i, name in enumerate(map(str.strip, header)):  # of doubled names the first counts, as in R
        columns.setdefault(name if name not in columns else f"{name}.{i}", text_names(row[i] for row in body))
    return Annotation(file=path.name, columns=columns, by_order=by_order)


def _refuse_unsaid_header(labels: Sequence[str], file: str) -> None:
    """Refuse a column of labels whose first is there once and all others more often: a header, and a label missing."""
    _, *others = labels
    counts = Counter(others)
    if labels[0] and len(others) > _FEW_LABELS and labels[0] not in counts and min(counts.values()) > 1:
        raise DataError(
            f"{file} has as many lines as there are cells, and the first ({labels[0]!r}) is the only one of its kind: "
            "a header with a label missing, it seems; when it is a label, put a header (label) above it"
        )


def _refuse_other_files(path: Path) -> None:
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
    """Return the fields of all lines; a column that is empty in all of them is only a separator at the end.

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
    if width > 1 and all(len(row) < width or not row[-1] for row in rows[1:]) and len(rows) > 1:
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


def _has_header(rows: list[list[str]], cells: frozenset[str], n_cells: int | None, label: str | None) -> bool:
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


def read_labels(
    path: Path,
    label: str | None,
    *,
    n_cells: int,
    cells: Iterable[str] | np.ndarray | None,
    by_order: bool = False,
    also: Mapping[str, np.ndarray] | None = None,
) -> tuple[np.ndarray, str, tuple[str, ...]]:
    """Return the labels of ``n_cells`` cells from a second file; see ``Annotation`` for column and order.

    Returns:
        (n_cells,) labels, where they are from, and what there is to say of the pairing.

    Raises:
        DataError: as ``read_annotation``, ``Annotation.label_column`` and ``Annotation.pair``.
    """
    names = None if cells is None else text_names(cells)
    table = read_annotation(path, cells=names, n_cells=n_cells, label=label, by_order=by_order)
    return labels_of(table, label, n_cells, names, also)


def labels_of(
    table: Annotation,
    label: str | None,
    n_cells: int,
    cells: np.ndarray | None,
    also: Mapping[str, np.ndarray] | None = None,
) -> tuple[np.ndarray, str, tuple[str, ...]]:
    """Return the labels of the cells, where they are from, and what there is to say of the pairing.

    Raises:
        DataError: as ``Annotation.label_column`` and ``Annotation.pair``.
    """
    column = table.label_column(label)
    pairing = table.pair(n_cells, cells, column, also)
    origin = f"{column!r} of {table.file}" + (" in the order of its rows" if pairing.is_by_order else "")
    return (
        text_labels(pairing.take(table.columns[column])),
        origin,
        () if pairing.said is None else (pairing.said,),
    )
