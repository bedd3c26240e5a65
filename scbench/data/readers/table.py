"""A user's csv or tsv, plain, gzip or in a zip archive."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.delimited import read_layout, read_numbers
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels
from scbench.data.readers.orientation import GENES_BY_CELLS
from scbench.data.readers.oriented import as_cells, has_genes_in_rows, refuse_long, with_label_file
from scbench.errors import DataError

__all__ = ["read"]

_ADVICE = ". Labels in a second file, and those of a table with genes in rows, are given as dataset.label_path"


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a table with a header and, in each row, a cell.

    - Cells are in rows where a column holds labels. Else the names that a label file shares with the table or their
      number tell, or else what rows and columns are called (see ``orientation``), or ``source.orientation``.
    - The label column is the one asked for, or one with a usual name (``cell_type``, ``label``, ...).
    - The first column gives the names of the cells when it has no header, is called so (``cell``, ``barcode``) or
      holds text, unless it is the label column.
    - Columns of text are left out, and so are columns whose name describes cells (``batch``, ``cluster``, ...: see
      ``descriptions``); the warnings name them. **Every other column of numbers is a gene.**

    Raises:
        DataError: if the file is damaged, a gene column holds text, the labels are missing or do not fit, or it cannot
            be told what is in rows.
    """
    layout = read_layout(path, source.member)
    if label_path is not None and label != NO_LABELS:
        return with_label_file(read_numbers(path, source.member, layout), label_path, label, source)
    if label == NO_LABELS:
        table = read_numbers(path, source.member, layout)
        refuse_long(table)
        return as_cells(table, genes_in_rows=has_genes_in_rows(table, source.orientation))
    if source.orientation == GENES_BY_CELLS:
        raise DataError(
            f"{path.name} has genes in rows (dataset.orientation), so no column of it holds labels{_ADVICE}"
        )
    candidates = layout.columns if layout.columns[0] else layout.columns[1:]
    column = choose_column(candidates, label, path.name, advice=_ADVICE)
    if layout.columns.count(column) > 1:
        raise DataError(
            f"{path.name} has {layout.columns.count(column)} columns {column!r}, which may differ; rename all but one"
        )
    table = read_numbers(path, source.member, read_layout(path, source.member, text=(column,)))
    refuse_long(table)
    first = () if table.rows is None else table.rows
    labels = text_labels(table.text.get(column, first))
    check_length(labels, table.matrix.shape[0], path.name)
    counts = as_cells(table, genes_in_rows=False, labels=labels, used=(column,))
    return dataclasses.replace(counts, labels_from=repr(column))
