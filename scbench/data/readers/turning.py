"""Turn a matrix whose two sizes are those of its names the other way round, as R writes arrays."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.readers.stacking import transposed

__all__ = ["turned_to_fit"]


def turned_to_fit(
    matrix: csr_matrix, cells: np.ndarray | None, genes: np.ndarray | None, shown: str
) -> tuple[csr_matrix, tuple[str, ...]]:
    """Return the matrix as cells x genes, and a line when it had to be turned.

    It is turned only where the number of cells fits its columns and not its rows, and that of genes, if there are
    names, its rows. What fits neither way is left to the check of names.

    Args:
        matrix: as read.
        cells: (n_cells,) names, or None.
        genes: (n_genes,) names, or None.
        shown: what the matrix is called in the line.
    """
    n_rows, n_columns = matrix.shape
    n_cells, n_genes = (None if names is None else len(names) for names in (cells, genes))
    fits = n_cells in (None, n_rows) and n_genes in (None, n_columns)
    if fits or n_cells not in (None, n_columns) or n_genes not in (None, n_rows):
        return matrix, ()
    names = f"{n_cells} names of cells" if n_cells is not None else f"{n_genes} names of genes"
    line = f"{shown} is {n_rows} x {n_columns} and there are {names}, so it is read as genes x cells"
    return transposed(matrix), (line,)
