"""Tables that may hold cells in rows or in columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scbench.data.labelled import LabelledCounts
from scbench.data.readers.annotation import read_annotation
from scbench.data.readers.delimited import NumberTable
from scbench.data.readers.labels import text_labels
from scbench.data.readers.stacking import transposed
from scbench.errors import DataError

__all__ = ["as_cells", "with_label_file"]


def as_cells(table: NumberTable, *, genes_in_rows: bool, labels: np.ndarray | None = None) -> LabelledCounts:
    """Return a table as cells x genes."""
    if genes_in_rows:
        return LabelledCounts(transposed(table.matrix), labels, genes=table.rows, cells=table.columns)
    return LabelledCounts(table.matrix, labels, genes=table.columns, cells=table.rows)


def with_label_file(
    table: NumberTable, file: str, label_path: Path, label: str | None, *, genes_in_rows: bool | None = None
) -> LabelledCounts:
    """Return a table as cells x genes with the labels of a second file.

    Args:
        table: the numbers.
        file: name of its file, for messages.
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
                    f"{file} is {n_rows} x {n_columns} and {annotation.file} has {annotation.n_rows} labels, "
                    "so it cannot be told whether cells are rows or columns; give one label per cell"
                )
            annotation, genes_in_rows = headless, True
    counts = as_cells(table, genes_in_rows=genes_in_rows)
    values = text_labels(annotation.columns[annotation.label_column(label)])
    labels = annotation.align(values, counts.matrix.shape[0], counts.cells)
    return LabelledCounts(counts.matrix, labels, genes=counts.genes, cells=counts.cells)
