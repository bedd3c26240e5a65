"""Which side of a bare matrix of R holds the cells, as labels, names and custom tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scbench.data.readers.orientation import GENES_BY_CELLS, genes_in_rows
from scbench.data.readers.pairing import n_named
from scbench.data.readers.r_files.descriptions import Descriptions
from scbench.data.readers.r_files.matrix import RMatrix
from scbench.errors import DataError

__all__ = ["fits", "has_genes_in_rows", "names_tell"]


def has_genes_in_rows(
    matrix: RMatrix, tables: Sequence[Descriptions], label: str | None, given: str | None, name: str, file: str
) -> tuple[bool, tuple[str, ...]]:
    """Return whether rows are genes, and a line when this is not what the labels or names say, or they say cells.

    What the user says is followed. Then the names or else the number of the labels decide, then what the names of
    genes and cells look like, then the custom of R: genes in rows.

    Args:
        matrix: its sides.
        tables: what may describe the cells.
        label: column that was asked for, to leave it out of what may name the cells.
        given: ``dataset.orientation``.
        name: of the matrix.
        file: for messages.

    Raises:
        DataError: if the labels belong to what bears names of genes.
    """
    if given is not None:
        return given == GENES_BY_CELLS, ()
    n_columns, n_rows = matrix.columns.shape
    shown = f"{file}: {name} is {n_rows} x {n_columns}"
    told = names_tell(matrix)
    sides = {side for table in tables if (side := _side(matrix, table, label, file)) is not None}
    if len(sides) == 1:
        side = sides.pop()
        if told is not None and told != (side == "columns"):
            raise DataError(
                f"{shown} and the labels belong to its {side}, whose names are those of genes; name a column that "
                "describes cells as dataset.label, or pass dataset.orientation"
            )
        if side == "columns":
            return True, ()
        return False, (f"{shown} and the labels belong to its rows, so it is read as cells x genes",)
    if told is None:
        advice = "dataset.orientation=cells_by_genes turns it"
        return True, (f"{shown}; its rows are taken for genes, as is the custom in R ({advice})",)
    return told, () if told else (
        f"{shown} and its names are those of cells and genes, so it is read as cells x genes",
    )


def names_tell(matrix: RMatrix) -> bool | None:
    """Return whether the rows are genes by what their names and those of the columns look like; None when in doubt."""
    return genes_in_rows(matrix.row_names, [] if matrix.column_names is None else list(matrix.column_names))


def fits(table: Descriptions, names: np.ndarray | None, length: int, file: str) -> bool:
    """Return whether a table may describe cells of these names, or of this number."""
    return table.n_rows == length or n_named(names, table.naming("", names), file) > 0


def _side(matrix: RMatrix, table: Descriptions, label: str | None, file: str) -> str | None:
    """Return the side that a table describes, by names or else by its length."""
    n_columns, n_rows = matrix.columns.shape
    of_columns = n_named(matrix.column_names, table.naming(label or "", matrix.column_names), file)
    of_rows = n_named(matrix.row_names, table.naming(label or "", matrix.row_names), file)
    if of_columns != of_rows:
        return "columns" if of_columns > of_rows else "rows"
    if n_columns != n_rows and table.n_rows in (n_columns, n_rows):
        return "columns" if table.n_rows == n_columns else "rows"
    return None
