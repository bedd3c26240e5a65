"""HDF5 with ``X`` (cells x genes) and ``Y`` (labels) at the root."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.hdf5 import columns_of, open_h5, read_matrix
from scbench.data.readers.hdf5_columns import column_values
from scbench.data.readers.labels import NO_LABELS, check_length, choose_column, text_labels, text_names
from scbench.data.readers.orientation import refuse_untold
from scbench.data.readers.stacking import transposed

__all__ = ["read"]

_GENES = ("gene", "genes", "gene_names", "var_names", "features")
_CELLS = ("cell", "cells", "cell_names", "obs_names", "barcodes")
_LABELS = ("cell_type", "Y")
_BY_R = "rhdf5-NA.OK"  # an attribute of whatever rhdf5 writes, with the sizes of an array in R's order


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return a file of the scDeepCluster layout; labels are ``cell_type`` where present, else ``Y``.

    ``Y`` may start at 0 or 1 and may be stored as float: it is read as text. One row, one column and one-hot will do.
    Names are taken from ``gene`` and ``cell`` (or ``gene_names``, ``cell_names``) when they fit. An ``X`` whose sizes
    fit names and labels only when it is turned is turned.

    Raises:
        DataError: if the file is damaged, a part is missing or of the wrong length, or a matrix that R wrote does not
            tell whether its rows are cells.
    """
    with open_h5(path, source.member) as file:
        name = source.matrix or "X"
        stored = read_matrix(file, name, path.name, source.orientation)
        matrix, warnings = _as_cells(file, name, stored, source.orientation, path.name)
        labels = labels_from = None
        if label != NO_LABELS:
            column = choose_column([c for c in columns_of(file) if c != name], label, path.name, usual=_LABELS)
            values, said = column_values(file[column], column, path.name)
            labels, labels_from = check_length(text_labels(values), matrix.shape[0], path.name), repr(column)
            warnings += said
        cells, genes = (_names(file, keys, n) for keys, n in zip((_CELLS, _GENES), matrix.shape, strict=True))
    return LabelledCounts(matrix, labels, genes, cells, warnings, labels_from)


def _as_cells(
    file: h5py.File, name: str, matrix: csr_matrix, orientation: str | None, shown: str
) -> tuple[csr_matrix, tuple[str, ...]]:
    """Return the matrix as cells x genes, and a line where it had to be turned."""
    if orientation is not None:
        return matrix, ()
    n_rows, n_columns = matrix.shape
    cells, genes = _sizes(file, (*_CELLS, *_LABELS)), _sizes(file, _GENES)
    straight, turned = (n_rows in cells, n_columns in genes), (n_columns in cells, n_rows in genes)
    if n_rows != n_columns and any(turned) and not any(straight):
        of = f"{n_columns} labels or names of cells" if turned[0] else f"{n_rows} names of genes"
        line = f"{shown}: {name} is {n_rows} x {n_columns} and there are {of}, so it is read as genes x cells"
        return transposed(matrix), (line,)
    if not any((*straight, *turned)) and isinstance(file[name], h5py.Dataset) and _BY_R in file[name].attrs:
        raise refuse_untold(shown, matrix.shape, None, ())
    return matrix, ()


def _sizes(file: h5py.File, keys: tuple[str, ...]) -> set[int]:
    """Return how many values these members may hold one by one."""
    shapes = [file[key].shape for key in keys if isinstance(file.get(key), h5py.Dataset) and file[key].shape]
    return {size for shape in shapes for size in shape if size > 1}


def _names(file: h5py.File, keys: tuple[str, ...], length: int) -> np.ndarray | None:
    fitting = (key for key in keys if key in file and length in (getattr(file[key], "shape", None) or ()))
    key = next((key for key in fitting if file[key].size == length), None)
    return None if key is None else text_names(column_values(file[key], key, file.filename)[0])
