"""Tables that may hold cells in rows or in columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.annotation import Annotation, labels_of, read_annotation
from scbench.data.readers.delimited import NumberTable
from scbench.data.readers.descriptions import is_description, is_gene_description, is_name_column, name_column_of
from scbench.data.readers.orientation import GENES_BY_CELLS, genes_in_rows, refuse_untold
from scbench.data.readers.stacking import transposed
from scbench.errors import DataError

__all__ = ["as_cells", "has_genes_in_rows", "refuse_long", "with_label_file"]

_NAME_AT_MOST = 5
_VALUES_OF_A_LONG_TABLE = 2
_FEW_ROWS = 8


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
        of_genes = [is_gene_description(name) for name in table.columns]
        told = _told(
            table.file,
            [str(name) for name in table.columns[of_genes]],
            [name for name in table.text if name not in used],
            of="genes",
        )
        of_cells = np.flatnonzero(~np.array(of_genes, dtype=bool))
        matrix = transposed(table.matrix if not any(of_genes) else csr_matrix(table.matrix[:, of_cells]))
        genes = _names_instead_of_numbers(table, "genes")
        return LabelledCounts(matrix, labels, genes=genes, cells=table.columns[of_cells], warnings=told)
    describes = {name for name in {*table.columns, *table.text, table.rows_header} if is_description(name)}
    describes |= set(no_genes)
    kept = np.flatnonzero([name not in describes for name in table.columns])
    cells = None if table.rows_header in used else _names_instead_of_numbers(table, "cells")
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


def _names_instead_of_numbers(table: NumberTable, kind: str) -> np.ndarray | None:
    """Return the names of rows: those of a column called so where the first only numbers them."""
    if table.rows is not None and not all(name.isdecimal() for name in table.rows):
        return table.rows
    named = (
        values
        for name, values in table.text.items()
        if name_column_of(name) == kind and len(set(values)) == len(values)
    )
    return next(named, table.rows)


def refuse_long(table: NumberTable) -> None:
    """Refuse a long table: one row for each gene in each cell (or type), with the value in a column.

    Raises:
        DataError: when there are at most two columns of numbers and the row names stand there several times.
    """
    n_rows, n_columns = table.matrix.shape
    if (
        n_columns <= _VALUES_OF_A_LONG_TABLE
        and table.rows is not None
        and 2 * len(set(table.rows)) <= n_rows > _FEW_ROWS
    ):
        raise DataError(
            f"{table.file} is a long table: {n_rows} rows for {len(set(table.rows))} names in its first column, and "
            f"the values in {', '.join(map(repr, table.columns))}; make it wide, one row per cell and one column per "
            "gene (in pandas: table.pivot)"
        )


def has_genes_in_rows(table: NumberTable, orientation: str | None) -> bool:
    """Return whether the rows of a table are genes, as the user says or as its names tell.

    Raises:
        DataError: when neither does.
    """
    if orientation is not None:
        return orientation == GENES_BY_CELLS
    told = _names_tell(table)
    if told is None:
        raise refuse_untold(table.file, table.matrix.shape, table.rows, list(table.columns))
    return told


def _names_tell(table: NumberTable) -> bool | None:
    return genes_in_rows(table.rows, list(table.columns), rows_header=table.rows_header, beside=table.text)


def with_label_file(
    table: NumberTable,
    label_path: Path,
    label: str | None,
    source: SourceFile,
    *,
    in_rows: bool | None = None,
) -> LabelledCounts:
    """Return a table as cells x genes with the labels of a second file.

    Args:
        table: the numbers.
        label_path: csv or tsv with the labels.
        label: column of that file; None for its usual or only one.
        source: its ``orientation`` and ``label_order`` are what the user says.
        in_rows: whether genes are in rows, where the format says so. None decides by the cell names that both files
            have, or else by which dimension equals the number of labels, or else by the names of the table.

    Raises:
        DataError: if none of these decides, or the labels do not fit.
    """
    if source.orientation is not None:
        in_rows = source.orientation == GENES_BY_CELLS
    n_rows, n_columns = table.matrix.shape
    columns = np.array([name for name in table.columns if not is_description(name)], dtype=object)
    names = columns if table.rows is None else np.concatenate([table.rows, columns])
    by_order = source.label_order == "file"

    def read(n_cells: int) -> Annotation:
        return read_annotation(label_path, cells=names, n_cells=n_cells, label=label, by_order=by_order)

    if in_rows is None:  # a file without a header has as many lines as there are cells, whichever side these are
        for n_cells in dict.fromkeys((n_rows, n_columns)):
            annotation = read(n_cells)
            in_rows = _from_labels(table, annotation, annotation.label_column(label))
            if in_rows is not None:
                break
    annotation = read(n_columns if in_rows else n_rows)
    if in_rows is None:
        raise DataError(
            f"{table.file} is {n_rows} x {n_columns} and {annotation.file} has {annotation.n_rows} labels, "
            "so it cannot be told whether cells are rows or columns; give one label per cell, or dataset.orientation"
        )
    column = annotation.label_column(label)
    # Without a header the columns are called 1, 2, ..., which may be genes.
    counts = as_cells(table, genes_in_rows=in_rows, no_genes=() if column.isdigit() else (column,))
    labels, labels_from, said = labels_of(
        annotation, label, counts.matrix.shape[0], counts.cells, also={} if in_rows else table.text
    )
    return dataclasses.replace(counts, labels=labels, labels_from=labels_from, warnings=(*counts.warnings, *said))


def _from_labels(table: NumberTable, annotation: Annotation, column: str) -> bool | None:
    """Return whether rows are genes: by the names of the labels, or those of the table, or else the number of labels.

    Raises:
        DataError: when the labels belong to the side whose names are those of genes.
    """
    n_rows, n_columns = table.matrix.shape
    of_rows, of_columns = annotation.shared(table.rows, column), annotation.shared(table.columns, column)
    told = _names_tell(table)
    if of_rows != of_columns:
        in_rows = of_columns > of_rows
        if told is not None and told != in_rows:
            raise _labels_of_genes(table, annotation, in_rows=told)
        return in_rows
    fits = {True: annotation.n_rows == n_columns, False: annotation.n_rows == n_rows}
    if told is not None:
        if annotation.n_rows == (n_rows if told else n_columns) and not fits[told] and not of_rows:
            raise _labels_of_genes(table, annotation, in_rows=told)
        return told
    return None if fits[True] == fits[False] else fits[True]


def _labels_of_genes(table: NumberTable, annotation: Annotation, *, in_rows: bool) -> DataError:
    side = "rows" if in_rows else "columns"
    return DataError(
        f"{annotation.file} labels the {side} of {table.file}, whose names are those of genes; give a file that labels "
        "the cells, or say what is in the rows with dataset.orientation"
    )


def _told(file: str, described: list[str], text: list[str], *, of: str = "cells") -> tuple[str, ...]:
    """Return a warning for each kind of column left out."""
    lines = []
    if described and of == "genes":
        lines.append(f"{file}: {len(described)} columns describe genes and are left out: {', '.join(described)}")
    elif described:
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
