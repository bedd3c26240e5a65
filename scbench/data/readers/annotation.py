"""A second file that describes the cells, and how its rows find theirs."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scbench.data.readers.damage import readable
from scbench.data.readers.delimited import separator_of
from scbench.data.readers.labels import choose_column, text_labels, text_names, usual_column
from scbench.data.readers.packed import open_text
from scbench.errors import DataError

__all__ = ["Annotation", "read_annotation", "read_labels"]


@dataclass(frozen=True)
class Annotation:
    """Rows that describe cells.

    Attributes:
        file: name of the file, for messages.
        ids: (n_rows,) the first column, or None when there is only one.
        columns: name -> (n_rows,) object array of str.
    """

    file: str
    ids: np.ndarray | None
    columns: dict[str, np.ndarray]

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

    def shared(self, names: np.ndarray | None) -> int:
        """Return how many of ``names`` have a row here."""
        if self.ids is None or names is None:
            return 0
        return len(set(self.ids) & set(names))

    def align(self, values: np.ndarray, n_cells: int, cells: np.ndarray | None) -> np.ndarray:
        """Return one value per cell, matched by cell name where names are shared, otherwise by position.

        With names, rows of other cells are ignored and a cell without a row gets None.

        Raises:
            DataError: if no name is shared and the numbers differ, or a shared name has two rows.
        """
        if cells is not None and self.ids is not None and self.shared(cells):
            place = {name: i for i, name in enumerate(self.ids)}
            if len(place) < len(self.ids):
                raise DataError(f"{self.file} names {len(self.ids) - len(place)} cells twice; keep one row for each")
            aligned = np.full(len(cells), None, dtype=object)
            for i, name in enumerate(cells):
                if name in place:
                    aligned[i] = values[place[name]]
            return aligned
        if len(values) != n_cells:
            raise DataError(
                f"{self.file} has {len(values)} labels for {n_cells} cells and shares no cell name "
                "with them; give one row per cell, or the cells' names in the first column"
            )
        return values


def read_annotation(path: Path, *, cells: np.ndarray | None = None, n_cells: int | None = None) -> Annotation:
    """Return a csv or tsv (plain or gzip) of cell descriptions.

    The first line is a header unless its first field is the name of a cell. Where no line begins with one, the
    number of lines decides: exactly ``n_cells`` have no header, unless the first line holds a usual name of a
    label column. Columns without a header are called 1, 2, ... A header one field short is R's.

    Raises:
        DataError: if the file is missing, empty or uneven.
    """
    with open_text(path) as stream, readable(path, "a table of labels"):
        lines = [line for line in stream if line.strip()]
        separator = separator_of(lines[0]) if lines else ","
        rows = list(csv.reader(lines, delimiter=separator))
    if not rows:
        raise DataError(f"{path.name} is empty; one row per cell is expected")
    has_header = _has_header(rows, set() if cells is None else set(cells), n_cells)
    body = rows[1:] if has_header else rows
    width = len(body[0]) if body else len(rows[0])
    header = rows[0] if has_header else [str(i + 1) for i in range(width)]
    if len(header) == width - 1:
        header = ["", *header]
    if uneven := next((i for i, row in enumerate(body) if len(row) != len(header)), None):
        raise DataError(
            f"{path.name}: row {uneven + 1} has {len(body[uneven])} fields where {len(header)} are expected"
        )
    if len(header) != width:
        raise DataError(f"{path.name} has {len(header)} names in its header but {width} fields in its rows")
    columns = {name: text_names(row[i] for row in body) for i, name in enumerate(header)}
    ids = next(iter(columns.values())) if width > 1 else None
    return Annotation(file=path.name, ids=ids, columns=columns)


def _has_header(rows: list[list[str]], cells: set[str], n_cells: int | None) -> bool:
    """Tell whether the first row names the columns."""
    if len(rows[-1]) > 1:  # a single column holds labels, not names of cells
        if rows[0][0] in cells:
            return False
        if any(row[0] in cells for row in rows if row):
            return True
    return len(rows) != n_cells or usual_column(rows[0]) is not None


def read_labels(path: Path, label: str | None, *, n_cells: int, cells: Iterable[str] | np.ndarray | None) -> np.ndarray:
    """Return the labels of ``n_cells`` cells from a second file; see ``Annotation`` for column and order.

    Raises:
        DataError: as ``read_annotation``, ``Annotation.label_column`` and ``Annotation.align``.
    """
    names = None if cells is None else text_names(cells)
    table = read_annotation(path, cells=names, n_cells=n_cells)
    return table.align(text_labels(table.columns[table.label_column(label)]), n_cells, names)
