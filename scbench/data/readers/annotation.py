"""A second file that describes the cells, and how its rows find theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scbench.data.readers.annotation_rows import has_header, read_rows, refuse_other_files, refuse_unsaid_header
from scbench.data.readers.labels import choose_column, text_labels, text_names, usual_column
from scbench.data.readers.pairing import Pairing, n_named, pair
from scbench.errors import DataError

__all__ = ["Annotation", "labels_of", "read_annotation", "read_labels"]


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
    refuse_other_files(path)
    known = frozenset() if cells is None else frozenset(cells)
    rows = read_rows(path, known)
    if not any(map(any, rows)):
        raise DataError(f"{path.name} is empty; one row per cell is expected")
    is_headed = has_header(rows, known, n_cells, label)
    body = rows[1:] if is_headed else rows
    if not body:
        raise DataError(f"{path.name} has no rows below its header; one row per cell is expected")
    width = len(body[0])
    header = rows[0] if is_headed else [str(i + 1) for i in range(width)]
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
    if width > 1 and len(set(first)) < len(first) and (not is_headed or len(rows[0]) < width):
        names_nothing = not known & {field for row in body for field in row}
        if names_nothing and (is_headed or len(body) == n_cells):
            raise DataError(
                f"{path.name}: its lines hold separators, and what is before the first ({first[0]!r}) names no cells; "
                "put labels that hold a separator in quotes, or give the columns a header"
            )
    if not is_headed and width == 1:
        refuse_unsaid_header(first, path.name)
    columns: dict[str, np.ndarray] = {}
    for i, name in enumerate(map(str.strip, header)):  # of doubled names the first counts, as in R
        columns.setdefault(name if name not in columns else f"{name}.{i}", text_names(row[i] for row in body))
    return Annotation(file=path.name, columns=columns, by_order=by_order)


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
