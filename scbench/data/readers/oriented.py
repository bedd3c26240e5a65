"""Tables that may hold cells in rows or in columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.labelled import LabelledCounts
from scbench.data.readers.annotation import read_annotation
from scbench.data.readers.delimited import NumberTable
from scbench.data.readers.descriptions import is_description, is_name_column
from scbench.data.readers.labels import text_labels
from scbench.data.readers.stacking import transposed
from scbench.errors import DataError

__all__ = ["as_cells", "with_label_file"]

_NAME_AT_MOST = 5


def as_cells(
    table: NumberTable,
    *,
    genes_in_rows: bool,
    labels: np.ndarray | None = None,
    used: Collection[str] = (),
    no_genes: Collection[str] = (),
) -> LabelledCounts:
    """Return a table as cells x genes, with a warning for the columns left out.

    With cells in rows, a column whose name describes cells is left out; at the front it gives the names of the
    cells only where all its values differ.

    Args:
        table: the numbers.
        genes_in_rows: whether the table is turned.
        labels: (n_cells,), passed on.
        used: columns that were read as labels or names: neither genes nor left out.
        no_genes: further names of columns that describe cells.
    """
    if genes_in_rows:
        told = _told(table.file, [], [name for name in table.text if name not in used])
        return LabelledCounts(transposed(table.matrix), labels, genes=table.rows, cells=table.columns, warnings=told)
    describes = {name for name in {*table.columns, *table.text, table.rows_header} if is_description(name)}
    describes |= set(no_genes)
    kept = np.flatnonzero([name not in describes for name in table.columns])
    cells = None if table.rows_header in used else table.rows
    left_out = [*table.columns, *table.text]
    may_describe = table.rows_header in describes and not is_name_column(table.rows_header)
    if cells is not None and may_describe and len(set(cells)) < len(cells):
        left_out, cells = [table.rows_header, *left_out], None
    left_out = [name for name in left_out if name not in used]
    return LabelledCounts(
        matrix=table.matrix if len(kept) == len(table.columns) else csr_matrix(table.matrix[:, kept]),
        labels=labels,
        genes=table.columns[kept],
        cells=cells,
        warnings=_told(
            table.file,
            [name for name in left_out if name in describes],
            [name for name in left_out if name in table.text and name not in describes],
        ),
    )


def with_label_file(
    table: NumberTable, label_path: Path, label: str | None, *, genes_in_rows: bool | None = None
) -> LabelledCounts:
    """Return a table as cells x genes with the labels of a second file.

    Args:
        table: the numbers.
        label_path: csv or tsv with the labels.
        label: column of that file; None for its usual or only one.
        genes_in_rows: None decides by shared cell names, or else by which dimension equals the number of
            labels.

    Raises:
        DataError: if neither decides, or the labels do not fit.
    """
    n_rows, n_columns = table.matrix.shape
    guess = n_columns if genes_in_rows else n_rows
    names = table.columns if table.rows is None else np.concatenate([table.rows, table.columns])
    annotation = read_annotation(label_path, cells=names, n_cells=guess)
    if genes_in_rows is None:
        in_rows, in_columns = annotation.shared(table.rows), annotation.shared(table.columns)
        if in_rows != in_columns:
            genes_in_rows = in_columns > in_rows
        elif annotation.n_rows in (n_rows, n_columns):
            genes_in_rows = annotation.n_rows != n_rows
        else:
            headless = read_annotation(label_path, n_cells=n_columns)
            if headless.n_rows != n_columns:
                raise DataError(
                    f"{table.file} is {n_rows} x {n_columns} and {annotation.file} has {annotation.n_rows} labels, "
                    "so it cannot be told whether cells are rows or columns; give one label per cell"
                )
            annotation, genes_in_rows = headless, True
    column = annotation.label_column(label)
    # Without a header the columns are called 1, 2, ..., which may be genes.
    counts = as_cells(table, genes_in_rows=genes_in_rows, no_genes=() if column.isdigit() else (column,))
    values = text_labels(annotation.columns[column])
    labels = annotation.align(values, counts.matrix.shape[0], counts.cells)
    return dataclasses.replace(counts, labels=labels)


def _told(file: str, described: list[str], text: list[str]) -> tuple[str, ...]:
    """Return a warning for each kind of column left out."""
    lines = []
    if described:
        are = "column is taken for a description" if len(described) == 1 else "columns are taken for descriptions"
        lines.append(
            f"{file}: {len(described)} {are} of the cells and left out of the genes: {', '.join(described)}; "
            "rename a gene that has such a name"
        )
    if text:
        more = f" and {len(text) - _NAME_AT_MOST} more" if len(text) > _NAME_AT_MOST else ""
        are = "column holds text and is" if len(text) == 1 else "columns hold text and are"
        lines.append(f"{file}: {len(text)} {are} left out: {', '.join(text[:_NAME_AT_MOST])}{more}")
    return tuple(lines)
