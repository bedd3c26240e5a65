"""A user's csv or tsv, plain, gzip or in a zip archive."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.delimited import read_layout, read_numbers
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels
from scbench.data.readers.oriented import as_cells, with_label_file

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a table with a header and, in each row, a cell.

    - Cells are in rows. Only a label file can say otherwise: by the names of its cells, or by its length.
    - The first column gives the names of the rows when it has no header or holds text.
    - The label column is the one asked for, or one with a usual name (``cell_type``, ``label``, ...).
    - Other columns of text are left out; **every other column of numbers is a gene**, so numeric descriptions
      of the cells (totals, clusters) have to be taken out of the table or kept in the label file.

    Raises:
        DataError: if the file is damaged, a gene column holds text, or the labels are missing or do not fit.
    """
    layout = read_layout(path, source.member)
    if label_path is not None and label != NO_LABELS:
        return with_label_file(read_numbers(path, source.member, layout), path.name, label_path, label)
    if label == NO_LABELS:
        return as_cells(read_numbers(path, source.member, layout), genes_in_rows=False)
    column = choose_column(layout.columns[1:] if 0 in layout.text else layout.columns, label, path.name)
    table = read_numbers(path, source.member, read_layout(path, source.member, text=(column,)))
    # A table that begins with its label column has no names of cells.
    named = column in table.text
    labels = text_labels(table.text[column] if named else table.rows if table.rows is not None else ())
    check_length(labels, table.matrix.shape[0], path.name)
    counts = as_cells(table, genes_in_rows=False, labels=labels)
    return counts if named else LabelledCounts(counts.matrix, labels, genes=counts.genes)
